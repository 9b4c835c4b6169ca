"""The search of states: what it covers, what ends it, and how it counts schedules."""

from __future__ import annotations

from itertools import pairwise

import pytest

from shadowshare.verify.cells.setup import Cell, Setup, rest
from shadowshare.verify.cells.task_world import TaskWorld
from shadowshare.verify.exploration.search import Budget, Search


async def write_once(cell: Cell) -> None:
    await cell.write(1)


async def increment(cell: Cell) -> None:
    await cell.write(await cell.read() + 1)


def incrementing(count: int) -> Setup:
    setup = Setup()
    cell = setup.cell("n")
    for number in range(count):
        setup.task("ABCDEFG"[number], increment, cell)
    return setup


def two_writers() -> Setup:
    setup = Setup()
    for name in "AB":
        setup.task(name, write_once, setup.cell(name))
    return setup


def searched(setup: Setup, budget: Budget | None = None, alike_merge: bool = False) -> Search:
    search = Search(TaskWorld(setup, alike_merge=alike_merge).product)
    search.run(budget or Budget())
    return search


# -- counting ----------------------------------------------------------------------------------------------------


def test_a_diamond_has_two_ways() -> None:
    search = searched(two_writers())
    assert len(search.states) == 4
    assert search.schedule_count() == 2
    assert search.step_count == 4
    assert search.depth_steps() == 2


def test_an_end_from_which_an_event_goes_on_counts_too() -> None:
    """A; A crash.A; crash.A; crash.A late.0."""
    setup = Setup(crashes=1)
    setup.task("A", write_once, setup.cell("n"))
    assert searched(setup).schedule_count() == 4


def test_a_cycle_has_no_number_of_schedules() -> None:
    setup = Setup()
    flag = setup.cell("flag")

    async def wait() -> None:
        while not await flag.read():
            await rest("asking")

    setup.task("W", write_once, flag)
    setup.task("R", wait)
    search = searched(setup)
    assert search.is_exhausted
    assert search.schedule_count() is None


def test_interleavings_of_tasks_are_multinomial() -> None:
    """Three tasks of two steps each: 6! / (2! 2! 2!)."""
    assert searched(incrementing(3)).schedule_count() == 90


# -- covering ----------------------------------------------------------------------------------------------------


def test_nearest_states_come_first_and_no_state_twice() -> None:
    search = searched(incrementing(3))
    assert search.is_exhausted
    assert len(set(search.states)) == len(search.states)
    depths = [len(search.labels_to(number)) for number in range(len(search.states))]
    assert all(before <= after for before, after in pairwise(depths))
    assert search.depth_steps() == max(depths) == 6


@pytest.mark.parametrize("alike_merge", [False, True])
def test_the_labels_lead_to_the_state(alike_merge: bool) -> None:
    search = searched(incrementing(3), alike_merge=alike_merge)
    product = search.product
    assert product.has_alike == alike_merge
    for number, state in enumerate(search.states):
        reached = product.initial
        for label in search.labels_to(number):
            move = next(move for move in product.moves(reached) if move.label == label)
            reached += move.delta
        assert product.canonical(reached) == state


def test_a_violation_ends_the_search_on_a_shortest_way() -> None:
    async def fail(cell: Cell) -> None:
        assert await cell.read() < 2

    setup = incrementing(2)
    setup.task("R", fail, setup.names["n"])
    search = searched(setup)
    assert not search.is_exhausted
    assert search.violation.rule == "assertion"
    assert search.labels == ("A", "A", "B", "B", "R")


def test_a_violation_at_the_very_beginning_takes_no_step() -> None:
    async def fail() -> None:
        raise RuntimeError("at once")

    setup = two_writers()
    setup.task("F", fail)
    search = searched(setup)
    assert search.violation.rule == "error"
    assert search.labels == ()
    assert search.run(Budget()) == "", "and the search does not go on"
    assert len(search.states) == 1


# -- budgets -----------------------------------------------------------------------------------------------------


def test_a_search_stops_and_goes_on_to_the_same_end() -> None:
    whole = searched(incrementing(4))
    search = Search(whole.product)
    for count in (1, 7, 50):
        assert search.run(Budget(state_count=count)).startswith("stopped after ")
        assert count <= len(search.states) < count + 4, "it ends with the state in which it was reached"
        assert not search.is_exhausted
    assert search.run(Budget()) == ""
    assert search.is_exhausted
    assert (search.states, search.parents) == (whole.states, whole.parents)
    assert search.step_count == whole.step_count


@pytest.mark.parametrize(
    ("budget", "reason"),
    [
        (Budget(state_count=1), "stopped after 1 states"),
        (Budget(step_count=0), "stopped after 0 steps"),
        (Budget(seconds=-1.0), "stopped because the time was used up"),
    ],
)
def test_a_spent_budget_says_what_was_spent(budget: Budget, reason: str) -> None:
    search = Search(TaskWorld(incrementing(4)).product)
    assert search.run(budget) == reason
    assert not search.is_exhausted


def test_a_budget_speaks_of_what_it_limits_only() -> None:
    assert Budget().spent(state_count=999_999, execution_count=10**9, step_count=10**9) == ""
    assert Budget().spent(state_count=1_000_000) == "stopped after 1000000 states"
    assert Budget(execution_count=5).spent(execution_count=4) == ""
    assert Budget(execution_count=5).spent(execution_count=5) == "stopped after 5 executions"
    assert Budget(step_count=5).spent(step_count=5) == "stopped after 5 steps"


def test_an_interrupted_budget_ends_the_search() -> None:
    budget = Budget()
    budget.interrupt()
    search = Search(TaskWorld(incrementing(2)).product)
    assert search.run(budget) == "interrupted"
    assert search.run(Budget()) == ""
    assert search.is_exhausted
