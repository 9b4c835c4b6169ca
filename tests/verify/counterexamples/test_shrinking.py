"""Schedules that violate something become simple ones that violate the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shadowshare.scenarios.catalogue import built_in
from shadowshare.sim.schedule import ScheduleError
from shadowshare.verify.counterexamples.counterexample import run_schedule
from shadowshare.verify.counterexamples.shrinking import shrink
from shadowshare.verify.counterexamples.simplifying import Cost, blocks_of, violating_steps
from shadowshare.verify.exploration.product import Product
from shadowshare.verify.exploration.search import Budget
from shadowshare.verify.explorer import explore
from shadowshare.verify.mutants.catalogue import MUTANTS, Mutant, mutant
from shadowshare.verify.race import Race
from shadowshare.verify.strategies.preemption_bounded import PreemptionBounded
from shadowshare.verify.strategies.random_walk import RandomWalk
from shadowshare.verify.tasks import Setup, TaskWorld, rest
from shadowshare.verify.tasks import explore as explore_tasks
from tests.docs.documents import read, section, tables

NEED_MORE_PREEMPTIONS = {
    "hit-survives-reload": 3,
    "last-block-by-number": 3,
    "last-block-not-read-again": 3,
    "no-first-flush": 3,
    "no-first-flush-of-area": 3,
    "seal-followed-blindly": 3,
}
"""The mutants of which two preemptions do not show the same violation; each other one is shown by two or fewer."""

ANOTHER_RULE_WITH_TWO = {
    "no-first-flush": "error",
    "no-first-flush-of-area": "error",
    "seal-followed-blindly": "error",
}
"""Those of which two preemptions show the violation of another rule."""

ENDLESS = ("bookmark-not-renewed", "loads-side-by-side", "revert-never-done", "waits-for-slot")
"""The mutants that only never end: no step of a schedule violates anything, so there is none to be shrunk."""


def counters(task_count: int, round_count: int) -> TaskWorld:
    """Tasks that count one cell up without a lock; in the end it must have been counted up each time."""
    setup = Setup()
    counter = setup.cell("counter", 0)

    async def count() -> None:
        for left in range(round_count):
            await rest(left)
            await counter.write(await counter.read() + 1)

    for number in range(task_count):
        setup.task(f"T{chr(97 + number)}", count)
    return TaskWorld(setup, lambda end: end["counter"] == task_count * round_count)


def lost_message(bystander_count: int = 0) -> TaskWorld:
    """The writer says that a message is there before it is; bystanders do something else."""
    setup = Setup(crashes=1)
    message, is_there = setup.cell("message", ""), setup.cell("is there", False)
    counter = setup.cell("counter", 0)

    async def write() -> None:
        await is_there.write(True)
        await message.write("hello")

    async def read() -> None:
        if await is_there.read():
            assert await message.read() == "hello", "a message is announced before it is written"

    async def stand_by() -> None:
        await counter.write(await counter.read() + 1)

    setup.task("W", write)
    setup.task("R", read)
    for number in range(bystander_count):
        setup.task(f"B{chr(97 + number)}", stand_by)
    return TaskWorld(setup)


def random_labels(product: Product) -> list[str]:
    """A random schedule that violates something."""
    walk = RandomWalk(7)
    return next(
        labels
        for labels, violation in (walk.run_one(product, number) for number in range(100_000))
        if violation is not None
    )


def random_of_mutant(bug: Mutant) -> tuple[str, ...]:
    """A schedule that kills a mutant: a random one if one is found soon, else a shortest one."""
    scenario = built_in(bug.scenario)
    budget = Budget(execution_count=5000)
    found = explore(scenario, bug.implementation, budget, strategy=RandomWalk())
    if (
        found.violation is None
    ):  # with all passives: one at a time, the others do not come to the schedule's end
        found = explore(scenario, bug.implementation, passives_apart=False)
    assert found.violation is not None
    return found.labels


# -- the least schedule ----------------------------------------------------------------------------------------------


def test_a_lost_update_needs_one_preemption() -> None:
    product = counters(2, 1).product
    shrunk = shrink(product, ["Ta", "Tb", "Ta", "Tb"])
    assert shrunk.labels == ("Ta", "Tb", "Tb", "Ta")
    assert shrunk.cost_before == Cost(2, 3, 0, 4)
    assert shrunk.cost == Cost(1, 2, 0, 4)
    assert (shrunk.violation.rule, shrunk.is_least, shrunk.reason) == ("check", True, "")
    assert shrunk.preemption_count_minimum == 1


def every_violating(product: Product, with_faults: bool) -> Iterator[tuple[Cost, str]]:
    """The cost, counted again here, and the rule of every schedule up to where it violates something."""

    def go(state: int, last: str, cost: Cost) -> Iterator[tuple[Cost, str]]:
        violation = product.violation(state)
        if violation is None and product.is_end(state):
            violation = product.judge_end(state)
        if violation is not None:
            yield cost, violation.rule
            return
        moves = product.moves(state)
        for move in moves:
            label = move.label
            task = "" if label[0].islower() else label.split(".")[0].strip("!~")
            is_switch = bool(task and last) and task != last
            could_go_on = any(other.label.split(".")[0].strip("!~") == last for other in moves)
            is_fault = label[-1] in "!~" or label.split(".")[0] in ("crash", "power", "late")
            if is_fault and not with_faults:
                continue
            after = Cost(
                cost.preemption_count + (is_switch and could_go_on),
                cost.switch_count + is_switch,
                cost.fault_count + is_fault,
                cost.step_count + 1,
            )
            yield from go(state + move.delta, task or last, after)

    return go(product.initial, "", Cost(0, 0, 0, 0))


SMALL = {
    "two counters": lambda: counters(2, 2).product,
    "three counters": lambda: counters(3, 1).product,
    "a lost message": lambda: lost_message().product,
    "a lost message and a bystander": lambda: lost_message(1).product,
    "no-recheck": lambda: race_of("no-recheck"),
    "early-recheck": lambda: race_of("early-recheck"),
    "entry-before-data": lambda: race_of("entry-before-data"),
    "ignores-copy-in-progress": lambda: race_of("ignores-copy-in-progress"),
}


def race_of(name: str) -> Product:
    bug = mutant(name)
    return Race(built_in(bug.scenario), bug.implementation).product


@pytest.mark.parametrize("name", SMALL)
def test_no_schedule_at_all_costs_less(name: str) -> None:
    product = SMALL[name]()
    shrunk = shrink(product, random_labels(product))
    every = every_violating(product, with_faults=shrunk.cost.fault_count > 0)
    assert shrunk.cost == min(cost for cost, rule in every if rule == shrunk.violation.rule)
    assert shrunk.is_least


@pytest.mark.parametrize("name", SMALL)
def test_what_it_costs_is_what_its_steps_cost(name: str) -> None:
    product = SMALL[name]()
    given = random_labels(product)
    shrunk = shrink(product, given)
    again, _ = violating_steps(product, shrunk.labels)
    assert (again.cost, again.violation.rule) == (shrunk.cost, shrunk.violation.rule)
    assert shrunk.cost <= shrunk.cost_before
    assert shrink(product, given) == shrunk, "the same each time"


def test_the_endless_ones_are_those_that_liveness_catches() -> None:
    (rows,) = tables(section(read("mutants.md"), "All mutants"))
    assert sorted(row["mutant"] for row in rows if row["caught by"] == "liveness") == sorted(ENDLESS)


@pytest.mark.parametrize(
    "bug", [bug for bug in MUTANTS if bug.name not in ENDLESS], ids=lambda bug: str(bug.name)
)
def test_every_mutant_is_shown_with_few_preemptions(bug: Mutant) -> None:
    """And in no way with fewer; and running code shows it, too."""
    scenario = built_in(bug.scenario)
    shrunk = shrink(Race(scenario, bug.implementation).product, random_of_mutant(bug))
    assert shrunk.is_least, shrunk.reason
    if bug.name in NEED_MORE_PREEMPTIONS:
        assert shrunk.cost.preemption_count == NEED_MORE_PREEMPTIONS[bug.name]
    else:
        assert shrunk.cost.preemption_count <= 2
    world, _ = run_schedule(scenario, shrunk.labels, bug.implementation)
    assert world.watcher.violation == shrunk.violation


def test_the_page_lists_those_that_need_more() -> None:
    (rows,) = tables(section(read("counterexamples.md"), "Shrinking"))
    assert {row["mutant"]: int(row["preemptions"]) for row in rows} == NEED_MORE_PREEMPTIONS


@pytest.mark.parametrize("name", NEED_MORE_PREEMPTIONS)
def test_a_search_of_few_preemptions_says_the_same(name: str) -> None:
    """Nothing is violated with two, or only another rule; and with as many as are needed, something is."""
    bug = mutant(name)
    product = Race(built_in(bug.scenario), bug.implementation).product
    with_two = PreemptionBounded(2).run(product, Budget())
    assert with_two.violation is None or with_two.violation.rule == ANOTHER_RULE_WITH_TWO.get(name)
    assert PreemptionBounded(NEED_MORE_PREEMPTIONS[name]).run(product, Budget()).violation is not None


# -- what is not needed ----------------------------------------------------------------------------------------------


def test_bystanders_and_faults_that_are_not_needed_are_gone() -> None:
    product = lost_message(2).product
    given = ["Ba", "W", "Bb", "crash.Bb", "R", "Ba", "R"]
    shrunk = shrink(product, given)
    assert shrunk.labels == ("W", "R", "R")
    assert shrunk.cost_before == Cost(3, 5, 1, 7)


def test_a_fault_stays_where_it_is_needed() -> None:
    bug = mutant("creation-without-flush")
    product = Race(built_in(bug.scenario), bug.implementation).product
    shrunk = shrink(product, random_of_mutant(bug))
    assert [label for label in shrunk.labels if label == "power"] == ["power"]
    assert "keep.0" in shrunk.labels
    assert shrunk.cost.fault_count == 1


def test_a_fault_goes_where_it_only_saves_steps() -> None:
    """A crash brings an end sooner, but nobody has to crash for it."""
    setup = Setup(crashes=1)
    has_begun, cell = setup.cell("has begun", False), setup.cell("cell", 0)

    async def write(value: int) -> None:
        await has_begun.write(value == 1)
        for _ in range(5):
            await cell.write(value)

    setup.task("A", write, 1)
    setup.task("B", write, 2)
    product = TaskWorld(setup, lambda end: (end["has begun"], end["cell"]) != (True, 2)).product
    shrunk = shrink(product, ["B", "A", "crash.A", *["B"] * 5])
    assert sorted(shrunk.labels) == ["A"] * 6 + ["B"] * 6
    assert shrunk.cost == Cost(1, 2, 0, 12)
    assert shrunk.is_least


def test_steps_behind_the_violation_are_cut_off() -> None:
    product = lost_message(1).product
    assert shrink(product, ["W", "R", "R"]).cost_before.step_count == 3
    setup_goes_on = ["W", "R", "R", "Ba", "Ba"]
    steps, at_end = violating_steps(product, setup_goes_on)
    assert (steps.labels, at_end) == (("W", "R", "R"), False)


def test_a_deadlock_is_judged_at_the_end() -> None:
    setup = Setup()
    first, second = setup.lock("first"), setup.lock("second")

    async def take(one: int) -> None:
        locks = (first, second) if one else (second, first)
        async with locks[0], locks[1]:
            pass

    setup.task("A", take, 0)
    setup.task("B", take, 1)
    setup.task("C", take, 1)
    product = TaskWorld(setup).product
    shrunk = shrink(product, random_labels(product))
    assert shrunk.violation.rule == "deadlock"
    assert shrunk.labels[-2:] in (("A", "B"), ("A", "C"), ("B", "A"), ("C", "A"))
    assert shrunk.cost.preemption_count == 1
    assert shrunk.cost.step_count == 2, "C need not have its turn: it waits as well"


# -- bounds ----------------------------------------------------------------------------------------------------------


def test_a_schedule_of_a_thousand_steps() -> None:
    product = counters(2, 250).product
    given = random_labels(product)
    assert len(given) == 1000
    shrunk = shrink(product, given, expansion_count_maximum=3000, simplifying_step_count_maximum=50_000)
    assert shrunk.cost == Cost(1, 2, 0, 1000)
    assert shrunk.expansion_count == 3000
    assert not shrunk.is_least
    assert shrunk.reason == (
        "stopped after looking at 3000 states: fewer preemptions are not possible, but perhaps fewer switches or steps"
    )
    assert violating_steps(product, shrunk.labels)[0].violation.rule == "check"


def test_where_nothing_may_be_tried_the_given_schedule_is_the_best() -> None:
    product = counters(2, 2).product
    given = ["Ta", "Tb", "Ta", "Ta", "Tb", "Ta", "Tb", "Tb"]
    shrunk = shrink(product, given, expansion_count_maximum=0, simplifying_step_count_maximum=0)
    assert shrunk.labels == tuple(given)
    assert (shrunk.preemption_count_minimum, shrunk.expansion_count) == (0, 0)
    assert shrunk.reason == (
        "stopped after looking at 0 states: at least 0 preemptions are needed, perhaps fewer than here"
    )


def test_simplifying_alone_brings_blocks_together() -> None:
    product = counters(3, 20).product
    given = random_labels(product)
    shrunk = shrink(product, given, expansion_count_maximum=0)
    assert shrunk.cost.preemption_count <= 2 < 20 < shrunk.cost_before.preemption_count


def test_blocks_of_which_every_step_is_needed_are_brought_together() -> None:
    setup = Setup()
    cell = setup.cell("cell", 0)

    async def write() -> None:
        for value in range(1, 6):
            await cell.write(value)

    async def read() -> None:
        values = [await cell.read() for _ in range(5)]
        assert values[-1] < 5

    setup.task("W", write)
    setup.task("R", read)
    shrunk = shrink(TaskWorld(setup).product, ["W", "R"] * 5, expansion_count_maximum=0)
    assert shrunk.cost_before == Cost(8, 9, 0, 10)
    assert shrunk.cost == Cost(0, 1, 0, 10)


def test_a_crowd_goes_before_anything_is_searched() -> None:
    product = lost_message(20).product
    bystanders = [f"B{chr(97 + number)}" for number in range(20)]
    shrunk = shrink(product, [*bystanders, "W", *bystanders, "R", "R"], expansion_count_maximum=50)
    assert (shrunk.labels, shrunk.is_least) == (("W", "R", "R"), True)


def test_another_rule_is_another_violation() -> None:
    """Here something else would be violated with fewer steps."""
    setup = Setup()
    cell = setup.cell("cell", 0)

    async def write() -> None:
        await cell.write(1)
        await cell.write(2)

    async def read() -> None:
        await cell.read()
        value = await cell.read()
        if value == 1:
            raise ValueError
        assert value != 2

    setup.task("W", write)
    setup.task("R", read)
    product = TaskWorld(setup).product
    assert shrink(product, ["R", "W", "R"]).violation.rule == "error"
    shrunk = shrink(product, ["W", "R", "W", "R"])
    assert (shrunk.violation.rule, shrunk.labels) == ("assertion", ("W", "W", "R", "R"))


def test_blocks_are_steps_of_one_thread_with_the_events_behind_them() -> None:
    assert blocks_of(["power", "W", "W.1", "keep.0", "R", "late.0", "W!"]) == [
        *(["power"], ["W", "W.1", "keep.0"], ["R", "late.0"], ["W!"])
    ]


# -- what cannot be shrunk -------------------------------------------------------------------------------------------


def test_a_schedule_must_fit() -> None:
    with pytest.raises(
        ScheduleError, match=r"step 3 of the schedule: 'Ta' cannot happen here; what can: Tb$"
    ):
        shrink(counters(2, 1).product, ["Ta", "Ta", "Ta"])


def test_a_schedule_must_violate_something() -> None:
    with pytest.raises(ScheduleError, match="nothing is violated in this schedule"):
        shrink(counters(2, 1).product, ["Ta", "Ta", "Tb", "Tb"])


def test_what_tasks_apart_found_is_shrunk_among_all_of_them() -> None:
    world = lost_message()
    found = explore_tasks(world.setup)
    assert shrink(world.product, found.labels).labels == ("W", "R", "R")
