"""Hidden nondeterminism shows when a schedule is run twice."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from itertools import count
from typing import Any

import pytest

from shadowshare.models.computers import Implementation
from shadowshare.protocol.operations import Read
from shadowshare.protocol.passive import Passive
from shadowshare.scenarios.catalogue import built_in
from shadowshare.verify import explorer
from shadowshare.verify.cells.setup import Cell, Setup, rest
from shadowshare.verify.exploration.search import Budget
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.result import Exploration
from shadowshare.verify.strategies.pct import PriorityWalk
from shadowshare.verify.strategies.pos import PartialOrderSampling
from shadowshare.verify.strategies.random_walk import RandomWalk
from shadowshare.verify.strategies.run_twice import RunTwice, live_scenario, live_tasks
from shadowshare.verify.strategies.urw import UniformInterleavings
from shadowshare.verify.tasks import explore
from tests.verify.strategies.setups import copies, crossed_locks, increments, torn_by_crash, waiting_loop

RIGHT: list[Callable[[], Setup]] = [copies, increments, waiting_loop]


def twice(setup: Setup, executions: int = 20, **options: Any) -> Exploration:
    strategy = RunTwice(RandomWalk(), partial(live_tasks, setup))
    return explore(setup, strategy=strategy, budget=Budget(execution_count=executions), **options)


@pytest.mark.parametrize("make", RIGHT)
@pytest.mark.parametrize("sampler", [RandomWalk, PriorityWalk, PartialOrderSampling, UniformInterleavings])
def test_what_depends_on_the_answers_alone_shows_the_same(make: Callable[[], Setup], sampler: Any) -> None:
    setup = make()
    strategy = RunTwice(sampler(), partial(live_tasks, setup))
    found = explore(setup, strategy=strategy, budget=Budget(execution_count=30))
    assert found.violation is None
    assert found.execution_count == 30
    assert found.reason == "stopped after 30 executions; each schedule showed the same each time"


@pytest.mark.parametrize(
    "name", ["ghost-of-a-copy", "crash-before-volume-write", "write-error-lands-late", "ten-passives"]
)
def test_so_does_the_protocol(name: str) -> None:
    scenario = built_in(name)
    strategy = RunTwice(UniformInterleavings(), partial(live_scenario, scenario))
    found = explorer.explore(scenario, strategy=strategy, budget=Budget(execution_count=10))
    assert (found.violation, found.execution_count) == (None, 10)


def with_task(function: Callable[[Cell], Coroutine[Any, Any, Any]]) -> Setup:
    """A task on a cell, and another one beside it."""
    setup = Setup()
    setup.task("A", function, setup.cell("cell"))
    setup.task("B", _read, setup.cell("other"))
    return setup


async def _read(cell: Cell) -> None:
    await cell.read()


def determinism(found: Exploration) -> str:
    """What the violation says; of that rule, and nothing else."""
    assert found.verdict == "violated"
    assert found.violation is not None
    assert found.violation.rule == "determinism"
    return found.violation.message


def test_what_a_task_writes_may_not_depend_on_a_hidden_counter() -> None:
    hidden = count(5)

    async def task(cell: Cell) -> None:
        await cell.read()
        await cell.write(next(hidden))

    found = twice(with_task(task))
    message = determinism(found)
    step = [number for number, label in enumerate(found.labels, start=1) if label == "A"][1]
    assert message.startswith(f"at step {step} (A), the operation: ('write', 0, 0, (6,)) on running code, ")
    assert message.endswith("('write', 0, 0, (7,)) on running code again")


def test_how_many_steps_a_task_takes_may_not_either() -> None:
    hidden = count()

    async def task(cell: Cell) -> None:
        for _ in range(next(hidden)):
            await cell.read()

    message = determinism(twice(with_task(task)))
    assert "what can happen: " in message


def test_nor_may_what_it_returns() -> None:
    hidden = count()

    async def task(cell: Cell) -> int:
        await cell.read()
        return next(hidden)

    assert determinism(twice(with_task(task))).startswith("at the end, what the tasks returned: ")


def test_nor_may_how_it_fails() -> None:
    hidden = count()

    async def task(cell: Cell) -> None:
        await cell.read()
        raise RuntimeError(f"number {next(hidden)}")

    assert "the reports: [('RuntimeError', 'number 1')]" in determinism(twice(with_task(task)))


def test_what_only_memoised_hosts_do_otherwise_is_found_too() -> None:
    """It depends on nothing hidden, but says that it rests the same whatever it read."""

    async def task(cell: Cell) -> None:
        value = await cell.read()
        await rest("read")
        await cell.read()
        assert value == 0

    async def change(cell: Cell) -> None:
        await cell.write(1)

    setup = Setup()
    cell = setup.cell("cell")
    setup.task("A", task, cell)
    setup.task("B", change, cell)
    message = determinism(twice(setup, 50))
    assert message.startswith("at step 3 (A), the reports: ")
    assert message.endswith("on memoised hosts")
    assert twice(setup, 50, merges=False).violation != twice(setup, 50).violation


def test_what_memoised_hosts_notice_first_is_reported_and_not_raised() -> None:
    async def increase(cell: Cell) -> None:
        value = await cell.read()
        await rest("read, but not what")
        await cell.write(value + 1)

    setup = Setup()
    cell = setup.cell("cell")
    for name in "AB":
        setup.task(name, increase, cell)
    message = determinism(twice(setup))
    assert message.startswith("while schedule ")
    assert "a host rests twice as ('rest', 'read, but not what'), but asks for" in message


class Forgetful(Passive):
    """A passive that reads more each time that one is made."""

    made = count()

    async def read_many(self, *arguments: Any, **options: Any) -> Any:
        for _ in range(next(self.made) % 2):
            await Read(0, 0, 1)
        return await super().read_many(*arguments, **options)


def test_a_computer_that_depends_on_something_hidden_is_found() -> None:
    scenario, implementation = built_in("reader-before-volume-read"), Implementation(passive=Forgetful)
    strategy = RunTwice(RandomWalk(), partial(live_scenario, scenario, implementation))
    found = explorer.explore(scenario, implementation, strategy=strategy, budget=Budget(execution_count=10))
    determinism(found)


def test_other_violations_are_those_of_the_sampler() -> None:
    for setup in (torn_by_crash(), copies(mutant="no-recheck"), crossed_locks()):
        found = twice(setup, 500)
        assert found.violation is not None
        assert found.violation.rule in ("assertion", "deadlock")
        plain = explore(setup, strategy=RandomWalk(), budget=Budget(execution_count=500))
        assert (found.violation, found.labels, found.execution_count) == (
            plain.violation,
            plain.labels,
            plain.execution_count,
        )


def test_violations_of_a_scenario_are_those_of_the_sampler() -> None:
    scenario, implementation = built_in("reader-before-volume-read"), mutant("no-recheck").implementation
    strategy = RunTwice(RandomWalk(), partial(live_scenario, scenario, implementation))
    budget = Budget(execution_count=100)
    found = explorer.explore(scenario, implementation, strategy=strategy, budget=budget)
    assert found.violation is not None
    assert found.violation.rule == "image"


def test_it_can_begin_with_a_later_schedule() -> None:
    setup = copies(mutant="no-recheck")
    whole = explore(setup, strategy=RandomWalk(2), budget=Budget(execution_count=500))
    assert whole.execution_count > 2
    later = RunTwice(RandomWalk(2, whole.execution_count - 1), partial(live_tasks, setup))
    found = explore(setup, strategy=later, budget=Budget(execution_count=5))
    assert (found.labels, found.execution_count) == (whole.labels, 1)
