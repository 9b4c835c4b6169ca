"""The estimate of the number of schedules against counts that are known."""

from __future__ import annotations

from math import comb
from typing import cast

import pytest

from shadowshare.scenarios.catalogue import built_in
from shadowshare.sim.stepped.flight import Step
from shadowshare.verify.cells.setup import Cell, Setup, rest
from shadowshare.verify.cells.task_world import TaskWorld
from shadowshare.verify.exploration import estimate as estimate_module
from shadowshare.verify.exploration.estimate import Estimate, estimate_schedules, sum_of_estimates
from shadowshare.verify.exploration.product import Move, Product
from shadowshare.verify.exploration.search import Budget, Search
from shadowshare.verify.explorer import explore
from shadowshare.verify.race import Race
from tests.verify.programs import small


def counting(*step_counts: int) -> Setup:
    """Tasks that write so many times each, every time something else."""
    setup = Setup()
    for number, step_count in enumerate(step_counts):
        cell = setup.cell(f"cell {number}")

        async def write(cell: Cell = cell, step_count: int = step_count) -> None:
            for value in range(1, step_count + 1):
                await cell.write(value)

        setup.task("ABCDEFGH"[number], write)
    return setup


def product_of(setup: Setup) -> Product:
    return TaskWorld(setup).product


def counted(product: Product) -> int:
    search = Search(product)
    search.run(Budget())
    count = search.schedule_count()
    assert count is not None
    return count


# -- exact -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "second"), [(1, 1), (3, 2), (5, 5), (8, 1)])
def test_exact_where_all_states_are_kept(first: int, second: int) -> None:
    estimate = estimate_schedules(product_of(counting(first, second)))
    assert estimate == Estimate(comb(first + second, first), 0.0, 1)


def test_exact_where_every_way_has_as_many_choices_though_states_are_dropped() -> None:
    """Tasks of one step each: n choices, then n - 1, and so on; every state of a level has the same future."""
    estimate = estimate_schedules(product_of(counting(1, 1, 1, 1, 1, 1)), kept_state_count=4)
    assert estimate is not None
    assert estimate.schedule_count == pytest.approx(720)
    assert estimate.standard_error == pytest.approx(0)
    assert estimate.sample_count == 10, "it was not known that the samples are exact"


def test_what_happens_behind_an_end_is_counted_as_a_search_counts_it() -> None:
    """A crash or a late write may follow an end, and lead to another end."""
    scenario = small(
        'W = ["write 0"]\nR = ["read s 0"]',
        extra='catch_up_blocks = 8\n[hosts]\nW = "active"\nV = "recovers W"\nR = "passive"\n[faults]\ncrashes = 1',
    )
    estimate = estimate_schedules(Race(scenario).product, kept_state_count=10_000)
    assert estimate is not None
    assert estimate.sample_count == 1
    assert estimate.schedule_count == explore(scenario).schedule_count


def test_no_tasks_that_do_anything_have_one_schedule() -> None:
    setup = Setup()

    async def nothing() -> None:
        """Ends at once."""

    setup.task("A", nothing)
    assert estimate_schedules(product_of(setup)) == Estimate(1.0, 0.0, 1)


# -- unbiased ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kept_state_count", [2, 3, 5])
@pytest.mark.parametrize(
    "name", ["slot-reuse-during-read", "two-writers-one-extent", "creation-during-read", "deletion-of-newer"]
)
def test_unbiased_within_a_few_standard_errors(name: str, kept_state_count: int) -> None:
    product = Race(built_in(name)).product
    estimate = estimate_schedules(product, sample_count=100, kept_state_count=kept_state_count, seed=1)
    assert estimate is not None
    assert estimate.sample_count == 100
    assert estimate.standard_error < estimate.schedule_count / 2
    assert abs(estimate.schedule_count - counted(product)) <= 4 * estimate.standard_error


def test_schedules_with_crashes_are_met_though_random_ways_crash_early() -> None:
    product = Race(built_in("crash-before-journal")).product
    estimate = estimate_schedules(product, kept_state_count=100)
    assert estimate is not None
    assert estimate.sample_count == 10
    assert estimate.schedule_count == pytest.approx(counted(product), rel=0.1)


def test_where_samples_take_long_a_few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    product = Race(built_in("crash-before-journal")).product
    monkeypatch.setattr(estimate_module, "MOVE_COUNT_MAXIMUM", 4)
    for sample_count, taken_count in [(10, 3), (2, 2)]:
        estimate = estimate_schedules(product, sample_count, kept_state_count=20)
        assert estimate is not None
        assert estimate.sample_count == taken_count


def test_the_same_seed_gives_the_same_and_another_one_something_else() -> None:
    product = Race(built_in("crash-before-journal")).product
    first, again, other = (estimate_schedules(product, kept_state_count=20, seed=seed) for seed in (3, 3, 4))
    assert first == again != other


# -- no number ---------------------------------------------------------------------------------------------------


def test_endless_programs_have_no_number() -> None:
    setup = Setup()
    flag = setup.cell("flag")

    async def spin() -> None:
        while not await flag.read():
            await rest(())

    async def release() -> None:
        await flag.write(1)

    setup.task("A", spin)
    setup.task("B", release)
    assert estimate_schedules(product_of(setup)) is None


def test_more_schedules_than_a_float_holds_have_no_number() -> None:
    setup = counting(260, 260, 260, 260)
    assert estimate_schedules(product_of(setup), sample_count=2, kept_state_count=2) is None
    assert estimate_schedules(cast(Product, Ladder(500))) == Estimate(4.0**500, 0.0, 1)
    assert estimate_schedules(cast(Product, Ladder(600))) is None


class Ladder:
    """A product with one state on each level, and four moves from each to the next."""

    initial = 0

    def __init__(self, level_count: int) -> None:
        self._level_count = level_count

    def moves(self, state: int) -> list[Move]:
        rung = Move("A", 1, Step("A", 0, None, None, ()))
        return [rung] * 4 if state < self._level_count else []

    def is_end(self, state: int) -> bool:
        return state == self._level_count

    def canonical(self, state: int) -> int:
        return state

    def violation(self, state: int) -> None:
        return None


# -- sums --------------------------------------------------------------------------------------------------------


def test_a_sum_has_the_root_of_the_summed_squares_as_error() -> None:
    parts = [Estimate(10.0, 3.0, 10), Estimate(20.0, 4.0, 1)]
    assert sum_of_estimates(parts) == Estimate(30.0, 5.0, 11)


def test_a_sum_with_an_unknown_part_is_unknown() -> None:
    assert sum_of_estimates([Estimate(10.0, 3.0, 10), None]) is None
    assert sum_of_estimates([]) is None
