"""What all samplers have in common."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest

from shadowshare.verify.cells.setup import Setup
from shadowshare.verify.cells.task_world import TaskWorld
from shadowshare.verify.exploration.search import Budget
from shadowshare.verify.strategies import strategy as strategy_module
from shadowshare.verify.strategies.pct import PriorityWalk
from shadowshare.verify.strategies.random_walk import RandomWalk
from shadowshare.verify.strategies.strategy import Sampler
from shadowshare.verify.tasks import explore
from tests.verify.strategies.setups import (
    SAMPLERS,
    copies,
    crossed_locks,
    drawn,
    independent,
    split_read,
    torn_by_crash,
    waiting_loop,
    write_often,
)

NUMBERS = range(400)


@pytest.mark.parametrize("kind", SAMPLERS)
def test_the_same_seed_draws_the_same_schedules_and_another_one_others(kind: type[Sampler]) -> None:
    first = drawn(kind(7), copies(), NUMBERS)
    assert first == drawn(kind(7), copies(), NUMBERS)
    assert first != drawn(kind(8), copies(), NUMBERS)
    assert len(set(first)) > 50


@pytest.mark.parametrize("kind", SAMPLERS)
@pytest.mark.parametrize("first", [5, 150, 300])
@pytest.mark.parametrize("make", [copies, waiting_loop, torn_by_crash])
def test_a_later_first_schedule_goes_on_where_a_shorter_run_stopped(
    kind: type[Sampler], first: int, make: Callable[[], Setup]
) -> None:
    assert drawn(kind(3, first), make(), NUMBERS[first:]) == drawn(kind(3), make(), NUMBERS)[first:]


@pytest.mark.parametrize("kind", SAMPLERS)
def test_a_sampler_can_be_used_again_and_for_another_world(kind: type[Sampler]) -> None:
    sampler = kind(1)
    once = explore(copies(), strategy=sampler, budget=Budget(execution_count=20))
    other = explore(independent([2, 2]), strategy=sampler, budget=Budget(execution_count=20))
    assert other == explore(independent([2, 2]), strategy=kind(1), budget=Budget(execution_count=20))
    assert once == explore(copies(), strategy=sampler, budget=Budget(execution_count=20))


def writers(names: str, is_shared: bool) -> Setup:
    """Two tasks that write; whatever they are called, and whether to the same cell, states have the same numbers."""
    setup = Setup()
    cells = [setup.cell("one"), setup.cell("other")]
    for number, name in enumerate(names):
        setup.task(name, write_often, cells[0 if is_shared else number], 3)
    return setup


@pytest.mark.parametrize("kind", SAMPLERS)
@pytest.mark.parametrize("names", ["AB", "CD"])
def test_nothing_is_left_of_another_world_in_which_states_have_the_same_numbers(
    kind: type[Sampler], names: str
) -> None:
    sampler = kind(1)
    drawn(sampler, writers("AB", is_shared=False), range(100))
    other = writers(names, is_shared=True)
    assert drawn(sampler, other, range(100)) == drawn(kind(1), other, range(100))


@pytest.mark.parametrize("kind", SAMPLERS)
def test_a_used_sampler_goes_to_another_process_without_the_world(kind: type[Sampler]) -> None:
    sampler = kind(1)
    before = drawn(sampler, copies(), range(10))
    assert drawn(pickle.loads(pickle.dumps(sampler)), copies(), range(10)) == before


@pytest.mark.parametrize("kind", SAMPLERS)
def test_what_may_happen_behind_an_end_is_drawn_too(kind: type[Sampler]) -> None:
    """A's crash, when it has done all that it does, is the only way in which the task that recovers it runs then."""
    schedules = drawn(kind(), torn_by_crash(), range(300))
    assert ("A", "A", "A", "A", "crash.A", "V") in schedules


def test_an_end_is_judged_although_something_may_happen_behind_it() -> None:
    setup = Setup(crashes=1)
    cell = setup.cell("cell")

    async def work() -> str:
        await cell.write(1)
        await cell.write(2)
        return "done"

    setup.task("A", work)
    budget = Budget(execution_count=50)
    found = explore(setup, lambda end: end.result("A") != "done", strategy=RandomWalk(), budget=budget)
    assert found.labels == ("A", "A")


def test_schedules_that_do_not_end_are_cut_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strategy_module, "SCHEDULE_STEP_COUNT_MAXIMUM", 50)
    setup = Setup()
    flag = setup.cell("flag")

    async def wait_for_ever() -> None:
        while not await flag.read():
            pass

    setup.task("A", wait_for_ever)
    found = explore(setup, strategy=RandomWalk(), budget=Budget(execution_count=3))
    assert (found.verdict, found.depth_steps, found.execution_count) == ("unknown", 50, 3)
    assert found.tallies == {"cut after 50 steps": 3}


def test_more_states_than_are_remembered_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {kind: drawn(kind(), copies(), range(50)) for kind in SAMPLERS}
    monkeypatch.setattr(strategy_module, "REMEMBERED_STATE_COUNT", 10)
    monkeypatch.setattr("shadowshare.verify.strategies.pos.REMEMBERED_STATE_COUNT", 10)
    monkeypatch.setattr("shadowshare.verify.strategies.threads.REMEMBERED_STATE_COUNT", 10)
    for kind, schedules in whole.items():
        assert drawn(kind(), copies(), range(50)) == schedules


def test_a_found_schedule_is_that_of_its_number() -> None:
    sampler = PriorityWalk(5)
    found = explore(split_read(3), strategy=sampler, budget=Budget(execution_count=500))
    assert found.violation is not None
    number = found.execution_count - 1
    assert number > 0
    labels, violation = PriorityWalk(5, number).run_one(TaskWorld(split_read(3)).product, number)
    assert (tuple(labels), violation) == (found.labels, found.violation)
    again = explore(split_read(3), strategy=PriorityWalk(5, number), budget=Budget(execution_count=1))
    assert (again.labels, again.violation) == (found.labels, found.violation)


def test_an_end_that_is_wrong_is_wrong_each_time() -> None:
    product, walk = TaskWorld(crossed_locks()).product, RandomWalk()
    ends = [walk.run_one(product, number) for number in range(100)]
    stuck = {tuple(labels) for labels, violation in ends if violation is not None}
    assert stuck == {("A", "B"), ("B", "A")}
    assert all(violation is not None for labels, violation in ends if tuple(labels) in stuck)
