"""Partial-order reduction: its parts, its limits, and what it says about itself."""

from __future__ import annotations

import pytest

from shadowshare.scenarios.catalogue import built_in
from shadowshare.verify.cells.setup import Cell, Lock, Setup
from shadowshare.verify.cells.task_world import TaskWorld
from shadowshare.verify.exploration.search import Budget
from shadowshare.verify.exploration.traces import Event, Junctions, Trace
from shadowshare.verify.exploration.wakeup_tree import WakeupTree
from shadowshare.verify.explorer import explore as explore_scenario
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.result import Exploration, sum_of
from shadowshare.verify.strategies.partial_order import REDUCTION, REFUSED, PartialOrder
from shadowshare.verify.tasks import explore
from tests.verify.classic_programs import last_zero, readers, toy_snapshot

both = pytest.mark.parametrize("optimal", [False, True], ids=["source", "optimal"])


async def write(cell: Cell, value: int) -> None:
    await cell.write(value)


async def read(cell: Cell) -> int:
    value: int = await cell.read()
    return value


async def hold(locks: list[Lock]) -> None:
    async with locks[0], locks[1]:
        pass


def event(lane: int, changes: tuple[int, ...] = (), reads: tuple[int, ...] = ()) -> Event:
    """What a task of a host of its own does."""
    return Event("ABCDE"[lane], lane, lane, False, (100 + lane, *changes), reads)


# -- what happened before what -------------------------------------------------------------------------------------


def test_events_depend_on_each_other_if_one_changes_what_the_other_touches() -> None:
    writes, reads, reads_too, writes_elsewhere = (
        event(0, (1,)),
        event(1, (), (1,)),
        event(2, (), (1,)),
        event(3, (2,)),
    )
    assert writes.depends_on(reads)
    assert reads.depends_on(writes)
    assert not reads.depends_on(reads_too)
    assert not writes.depends_on(writes_elsewhere)
    assert writes.depends_on(writes)


def test_what_happens_before_is_a_chain_of_dependent_events() -> None:
    trace = Trace()
    assert trace.append(event(0, (1,))) == 0
    assert trace.append(event(1, (2,), (1,))) == 0b1, "reads what the first one wrote"
    assert trace.append(event(2, (), (3,))) == 0, "touches something else"
    assert trace.append(event(3, (), (1, 2))) == 0b10, "depends on the first one too, but not immediately"
    assert trace.before == [0, 0b1, 0, 0b11]
    assert trace.direct == [0, 0b1, 0, 0b11]
    assert list(trace.without(0, 4)) == [2]
    trace.pop()
    assert trace.append(event(0, (3,))) == 0b101, (
        "after its own last event, and after the read of what it changes"
    )


def test_initials_depend_on_nothing_before_them() -> None:
    trace = Trace()
    for happened in (event(0, (1,)), event(1, (2,)), event(2, (), (2,)), event(3, (4,))):
        trace.append(happened)
    last = event(4, (1, 2))
    direct = trace.earlier(last)
    assert direct == 0b111
    assert trace.initials(0, 4, 1 << last.lane, direct, wanted=0) == 0b01010, (
        "not lane 2, which reads; not the last one"
    )
    assert trace.initials(0, 4, 1 << last.lane, direct, wanted=0b1000) == 0, (
        "one of those wanted is among them"
    )
    assert trace.initials(3, 4, 1 << last.lane, direct, wanted=0) == 0b10000, "nothing else is left"


def test_a_junction_keeps_what_does_not_depend_on_what_happened() -> None:
    junctions = Junctions(TaskWorld(readers(3)).product)
    first = junctions.first
    writer, reader = (
        next(lane for lane, its in first.events.items() if its.label == name) for name in ("W", "Ra")
    )
    after, dependent = junctions.after(first, reader)
    assert dependent == 1 << reader | 1 << writer
    assert {its.label for its in after.events.values()} == {"W", "Rb", "Rc"}
    junctions.forget()
    again, _ = junctions.after(first, reader)
    assert again is not after
    assert again.state == after.state


# -- wakeup trees --------------------------------------------------------------------------------------------------


def leaves(tree: WakeupTree) -> list[str]:
    if not tree.branches:
        return [""]
    return [
        (branch.event.label if branch.event else "?") + rest
        for branch in tree.branches
        for rest in leaves(branch)
    ]


def test_a_wakeup_tree_shares_what_it_can() -> None:
    tree = WakeupTree()
    a, b, c, d = event(0, (1,)), event(1, (1,)), event(2, (1,)), event(3)
    assert tree.insert([a, b])
    assert leaves(tree) == ["AB"]
    assert tree.insert([a, c]), "shares A"
    assert leaves(tree) == ["AB", "AC"]
    assert tree.insert([b, a]), "shares nothing"
    assert leaves(tree) == ["AB", "AC", "BA"]
    assert tree.insert([d, c]), "D depends on nothing, and still C is not A"
    assert leaves(tree) == ["AB", "AC", "BA", "DC"]
    assert not tree.insert([d, b, a]), "what begins with B and A covers it"
    assert not tree.insert([a, b, c]), "AB is a leaf: all that goes on from there will be run"
    assert not tree.insert([a]), "a part of what will be run"
    assert leaves(tree) == ["AB", "AC", "BA", "DC"]


# -- verdicts ------------------------------------------------------------------------------------------------------


@both
def test_a_violation_comes_with_its_schedule(optimal: bool) -> None:
    setup = Setup()
    counter = setup.cell("counter")

    async def increment() -> None:
        await counter.write(await counter.read() + 1)

    setup.task("A", increment)
    setup.task("B", increment)
    found = explore(setup, lambda end: end["counter"] == 2, strategy=PartialOrder(optimal))
    assert found.verdict == "violated"
    assert not found.is_exhausted
    assert sorted(found.labels) == ["A", "A", "B", "B"]
    assert set(found.labels[:2]) == {"A", "B"}, "both read before one writes"
    assert found.trace_count is None, "not all were covered"


@both
def test_tasks_that_wait_for_each_other_are_found(optimal: bool) -> None:
    setup = Setup()
    locks = [setup.lock("one"), setup.lock("two")]
    setup.task("A", hold, locks)
    setup.task("B", hold, locks[::-1])
    found = PartialOrder(optimal).run(TaskWorld(setup).product, Budget())
    assert found.violation is not None
    assert found.violation.rule == "deadlock"
    assert sorted(found.labels) == ["A", "B"]


@both
def test_a_task_that_waits_may_be_first(optimal: bool) -> None:
    """The release of a lock, after which a task goes on that waited, cannot come later. Taking it can."""
    setup = Setup()
    locks = [setup.lock("one"), setup.lock("two")]
    for name in "AB":
        setup.task(name, hold, locks)
    found = PartialOrder(optimal).run(TaskWorld(setup).product, Budget())
    assert (found.trace_count, found.blocked_count) == (2, 0)


@both
def test_a_mutant_of_the_protocol_is_caught(optimal: bool) -> None:
    found = explore_scenario(
        built_in("reader-before-volume-read"),
        mutant("no-recheck").implementation,
        strategy=PartialOrder(optimal),
    )
    assert found.verdict == "violated"


# -- limits --------------------------------------------------------------------------------------------------------


@both
def test_what_never_ends_is_not_verified(optimal: bool) -> None:
    setup = Setup()
    flag = setup.cell("flag")

    async def ask() -> None:
        while not await flag.read():
            pass

    setup.task("R", ask)
    setup.task("W", write, flag, 1)
    found = PartialOrder(optimal, step_count_maximum=50).run(TaskWorld(setup).product, Budget())
    assert found.verdict == "unknown"
    assert "more than 50 steps" in found.reason


@both
def test_power_losses_are_refused(optimal: bool) -> None:
    setup = Setup(crashes=1, power_losses=1)
    setup.task("A", write, setup.cell("x"), 1)
    found = explore(setup, strategy=PartialOrder(optimal))
    assert found.verdict == "unknown"
    assert "power losses" in found.reason


def test_with_crashes_optimal_reduction_is_refused_and_says_so() -> None:
    setup = Setup(crashes=1)
    cell = setup.cell("x")
    for name in "AB":
        setup.task(name, write, cell, 1)
    found = explore(setup, strategy=PartialOrder(optimal=True), alike_merge=False)
    source = explore(setup, strategy=PartialOrder(), alike_merge=False)
    assert (found.verdict, found.refused) == ("verified", (REFUSED,))
    assert (source.refused, source.trace_count) == ((), found.trace_count)
    assert REDUCTION in found.reductions


def test_where_an_answer_decides_what_a_step_touches_optimal_reduction_is_refused() -> None:
    """A read of the protocol that finds what it wants ends a step of the script, which the oracle is told."""
    scenario = built_in("reader-before-volume-read")
    found = explore_scenario(scenario, strategy=PartialOrder(optimal=True))
    assert (found.verdict, found.refused) == ("verified", (REFUSED,))
    assert found.trace_count == explore_scenario(scenario, strategy=PartialOrder()).trace_count


@both
@pytest.mark.parametrize(
    ("budget", "reason"),
    [
        (Budget(execution_count=10), "10 executions"),
        (Budget(step_count=100), "steps"),
        (Budget(seconds=0.0), "time"),
    ],
    ids=["executions", "steps", "seconds"],
)
def test_a_budget_that_is_spent_ends_in_unknown(budget: Budget, reason: str, optimal: bool) -> None:
    found = PartialOrder(optimal).run(TaskWorld(toy_snapshot(2, 2)).product, budget)
    assert found.verdict == "unknown"
    assert reason in found.reason
    assert found.trace_count is None
    assert 1 <= found.execution_count < 256


@both
def test_what_was_forgotten_is_found_again(optimal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shadowshare.verify.exploration.traces.JUNCTION_COUNT_MAXIMUM", 7)
    assert PartialOrder(optimal).run(TaskWorld(last_zero(4)).product, Budget()).trace_count == 28


def test_progress_is_told() -> None:
    told: list[int] = []
    PartialOrder().run(TaskWorld(toy_snapshot(3, 2)).product, Budget(), lambda count, _: told.append(count))
    assert told == list(range(256, 4097, 256))


def test_counts_of_readers_apart_add_up() -> None:
    found = explore(readers(3), strategy=PartialOrder(), alike_merge=False)
    assert found.apart_count == 3
    assert found.trace_count == 3 * 2
    unknown = Exploration(reason="stopped", blocked_count=2)
    summed = sum_of([Exploration(is_exhausted=True, trace_count=4, blocked_count=1), unknown])
    assert (summed.trace_count, summed.blocked_count) == (None, 3)
