"""Every schedule with few preemptions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shadowshare.models.computers import Implementation
from shadowshare.scenarios.catalogue import built_in
from shadowshare.verify import explorer
from shadowshare.verify.cells.setup import Setup
from shadowshare.verify.cells.task_world import Check, TaskWorld
from shadowshare.verify.exploration.product import Product
from shadowshare.verify.exploration.search import Budget
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.race import Race
from shadowshare.verify.result import Exploration
from shadowshare.verify.strategies.exhaustive import Exhaustive
from shadowshare.verify.strategies.preemption_bounded import PreemptionBounded
from shadowshare.verify.strategies.strategy import Strategy
from shadowshare.verify.strategies.threads import task_of
from shadowshare.verify.tasks import explore
from tests.verify.strategies.setups import (
    copies,
    crash_beside,
    crossed_locks,
    idle_beside,
    increments,
    independent,
    split_read,
    torn_by_crash,
    unrest,
    waiting_loop,
)

MAKERS: dict[str, Callable[[], Setup]] = {
    "increments": increments,
    "unrest": unrest,
    "split-read": lambda: split_read(2),
    "torn-by-crash": torn_by_crash,
    "crash-beside": crash_beside,
    "idle-beside": idle_beside,
    "crossed-locks": crossed_locks,
    "copies": lambda: copies(2, 2),
    "late": lambda: copies(2, 2, "late"),
    "waiting-loop": waiting_loop,
}


WRONG = sorted(MAKERS.keys() - {"copies", "late", "waiting-loop"})
"""Those that a search of schedules one by one can do, and finds a violation in."""

FEWEST = {"torn-by-crash": 0, "increments": 1, "crash-beside": 1, "idle-beside": 1, "unrest": 2}
"""Preemptions that some of them need."""

CHECKS: dict[str, Check] = {"increments": lambda end: end["counter"] == 2}


def found_by(strategy: Strategy, name: str) -> Exploration:
    return explore(
        MAKERS[name](), CHECKS.get(name), strategy=strategy, readers_apart=False, alike_merge=False
    )


def product_of(name: str) -> Product:
    return TaskWorld(MAKERS[name](), CHECKS.get(name)).product


def violating(product: Product, limit_steps: int = 12) -> Iterator[tuple[int, int]]:
    """Preemptions and steps of every schedule that ends with a violation, one by one."""
    waiting: list[tuple[int, str, int, int]] = [(product.initial, "", 0, 0)]
    while waiting:
        state, last, preemption_count, step_count = waiting.pop()
        violation: Any = product.violation(state)
        if violation is None and product.is_end(state):
            violation = product.judge_end(state)
        if violation is not None:
            yield preemption_count, step_count
        elif step_count < limit_steps:
            moves = product.moves(state)
            goes_on = last != "" and last in map(task_of, moves)
            for move in moves:
                task = task_of(move)
                switched = bool(task) and task != last and goes_on
                after = state + move.delta
                waiting.append((after, task or last, preemption_count + switched, step_count + 1))


@pytest.mark.parametrize("name", WRONG)
def test_the_first_violation_has_the_fewest_preemptions_and_of_those_the_fewest_steps(name: str) -> None:
    preemptions, steps = min(violating(product_of(name)))
    found = found_by(PreemptionBounded(10), name)
    assert found.verdict == "violated"
    assert len(found.labels) == steps
    assert found_by(PreemptionBounded(preemptions), name).labels == found.labels
    if preemptions:
        assert found_by(PreemptionBounded(preemptions - 1), name).verdict == "unknown"


def test_how_many_preemptions_these_need() -> None:
    """So that the test above speaks of different numbers."""
    fewest = {name: min(violating(product_of(name)))[0] for name in FEWEST}
    assert fewest == FEWEST


@pytest.mark.parametrize("name", MAKERS)
def test_a_large_bound_says_what_the_exhaustive_search_says(name: str) -> None:
    whole = found_by(Exhaustive(), name)
    bounded = found_by(PreemptionBounded(50), name)
    assert bounded.verdict == whole.verdict
    assert bounded.is_exhausted == whole.is_exhausted
    assert (bounded.violation is None) == (whole.violation is None)
    if whole.is_exhausted:
        assert bounded.state_count == whole.state_count
        assert bounded.reason == ""


@pytest.mark.parametrize("name", ["crash-before-volume-write", "read-errors", "reader-before-volume-read"])
@pytest.mark.parametrize("mutant_name", [None, "no-recheck"])
def test_so_it_does_for_scenarios(name: str, mutant_name: str | None) -> None:
    implementation = Implementation() if mutant_name is None else mutant(mutant_name).implementation
    whole = explorer.explore(built_in(name), implementation, passives_apart=False)
    bounded = explorer.explore(built_in(name), implementation, strategy=PreemptionBounded(100))
    assert bounded.verdict == whole.verdict
    if whole.is_exhausted:
        assert bounded.state_count == whole.state_count


def test_without_a_preemption_each_task_goes_to_its_end_in_every_order() -> None:
    found = explore(independent([3, 3, 3]), strategy=PreemptionBounded(0))
    assert found.verdict == "unknown"
    assert found.reason == "every schedule of at most 0 preemptions is covered, others are not"
    assert found.state_count == 2**3 + 3 * 2 * 2**2  # each has all or nothing behind it, but for one
    assert found.depth_steps == 9


def test_a_switch_away_from_a_task_that_waits_is_no_preemption() -> None:
    """Of two tasks that take the same lock, one waits while the other holds it."""
    setup = Setup()
    lock, cell = setup.lock("lock"), setup.cell("cell")

    async def locked() -> None:
        async with lock:
            await cell.write(await cell.read() + 1)

    setup.task("A", locked)
    setup.task("B", locked)
    assert explore(setup, lambda end: end["cell"] == 2, strategy=PreemptionBounded(9)).verdict == "verified"
    (one,) = {
        explore(setup, lambda end: end["cell"] == 1, strategy=PreemptionBounded(n)).labels for n in (0, 1)
    }
    assert one == ("A",) * 4 + ("B",) * 4


def test_what_the_bound_cuts_is_covered_if_the_same_was_met_within_it() -> None:
    """All that A B A B leads to, A and B B A lead to as well."""
    assert explore(independent([2, 2]), strategy=PreemptionBounded(0)).verdict == "unknown"
    assert explore(independent([2, 2]), strategy=PreemptionBounded(1)).verdict == "verified"


def test_it_goes_through_all_that_a_wider_bound_would_and_no_more() -> None:
    counts = [explore(copies(), strategy=PreemptionBounded(bound)).state_count for bound in range(4)]
    assert counts == sorted(set(counts))


def test_a_spent_budget_says_how_far_it_came() -> None:
    found = explore(copies(), strategy=PreemptionBounded(9), budget=Budget(state_count=600))
    assert found.verdict == "unknown"
    assert found.reason == "stopped after 600 states; every schedule of less than 1 preemptions is covered"


def test_the_found_schedule_is_one_of_the_product() -> None:
    found = explore(copies(mutant="late"), strategy=PreemptionBounded(2))
    product = TaskWorld(copies(mutant="late")).product
    state = product.initial
    for label in found.labels:
        state += next(move.delta for move in product.moves(state) if move.label == label)
    assert product.violation(state) == found.violation


def test_hosts_that_are_alike_are_not_taken_for_one_another() -> None:
    """In a product that could: which one took the last step would be lost."""
    race = TaskWorld(increments(), alike_merge=True)
    assert race.product.has_alike
    found = PreemptionBounded(0).run(race.product, Budget())
    assert (
        found.state_count == PreemptionBounded(0).run(TaskWorld(increments()).product, Budget()).state_count
    )


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    race = Race(built_in("reader-before-volume-read"))
    PreemptionBounded(1).run(race.product, Budget(), lambda covered, waiting: told.append((covered, waiting)))
    assert told


def test_a_negative_bound_is_refused() -> None:
    with pytest.raises(ValueError, match="a bound of -1 preemptions: it is 0 at least"):
        PreemptionBounded(-1)
