"""Threads: what counts as one, and the samplers that choose by thread."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from math import factorial, prod, sqrt

import pytest

from shadowshare.scenarios.catalogue import built_in
from shadowshare.sim.stepped.flight import Step
from shadowshare.verify.cells.setup import Setup
from shadowshare.verify.cells.task_world import TaskWorld
from shadowshare.verify.exploration.product import Move
from shadowshare.verify.exploration.search import Budget
from shadowshare.verify.race import Race
from shadowshare.verify.strategies.pct import PriorityWalk
from shadowshare.verify.strategies.random_walk import RandomWalk
from shadowshare.verify.strategies.strategy import Sampler
from shadowshare.verify.strategies.threads import DECISION, task_of, thread_of
from shadowshare.verify.strategies.urw import UniformInterleavings
from shadowshare.verify.tasks import explore
from tests.verify.strategies.setups import (
    copies,
    drawn,
    independent,
    read_often,
    split_read,
    torn_by_crash,
    violations,
    waiting_loop,
    write_both,
    write_often,
)

DRAWN_COUNT = 6000


def met(name: str) -> dict[str, tuple[object, str]]:
    """By label: thread and task, of everything that happens in random schedules of a scenario."""
    product, walk = Race(built_in(name)).product, RandomWalk()
    return {
        move.label: (thread_of(move), task_of(move))
        for number in range(200)
        for move in walk.draw(product, number)[0]
    }


def test_pieces_are_events_of_their_task_and_errors_are_threads() -> None:
    found = met("write-error-lands-late") | met("crash-in-multi-sector-write")
    assert found["W"] == ("W", "W")
    assert found["W!"] == ("W!", "W")
    assert found["W~"] == ("W~", "W")
    pieces = {label for label in found if label.startswith("W.") and label[-1].isdigit()}
    assert pieces
    assert {found[label] for label in pieces} == {("W", "W")}
    assert found["crash.W"] == ("crash.W", "")


def test_the_errors_of_a_task_are_one_thread_whichever_piece_meets_them() -> None:
    found = {
        label: thread_of(Move(label, 0, Step(label, 0, None, None, ()))) for label in ("W.1!", "W.12~", "W.1")
    }
    assert found == {"W.1!": "W!", "W.12~": "W~", "W.1": "W"}


def test_threads_that_only_a_crash_makes_are_counted_in_the_first_drawn_schedules() -> None:
    sampler = UniformInterleavings()
    drawn(sampler, torn_by_crash(), range(1))
    known = set(sampler.event_counts)
    assert known == {"A", "V", "crash.A"}
    drawn(sampler, torn_by_crash(), range(192))
    assert {str(thread).partition(",")[0] for thread in sampler.event_counts.keys() - known} == {"('late'"}


def test_a_late_write_is_a_thread_whatever_its_number() -> None:
    setup = Setup(crashes=2)
    for name in "AB":
        setup.task(name, write_often, setup.cell(name), 1)
    product = TaskWorld(setup).product
    state = product.initial
    for label in ("crash.A", "crash.B"):
        state += next(move.delta for move in product.moves(state) if move.label == label)
    of_a, of_b = product.moves(state)
    assert (of_a.label, of_b.label) == ("late.0", "late.1")
    assert thread_of(of_a) != thread_of(of_b)
    (still_b,) = product.moves(state + of_a.delta)
    assert still_b.label == "late.0"
    assert thread_of(still_b) == thread_of(of_b)


def test_what_survives_is_no_thread_to_be_counted() -> None:
    setup = Setup(crashes=1, power_losses=1)
    cells = setup.array("cells", (0, 0))
    setup.task("A", write_both, cells)
    setup.task("V", read_often, cells[0], 1, recovers="A")
    sampler = UniformInterleavings()
    schedules = drawn(sampler, setup, range(300))
    assert {"keep.0", "keep.1"} <= {label for labels in schedules for label in labels}
    assert DECISION in sampler.event_counts
    assert "crash.A" in sampler.event_counts
    assert sampler.thread_count == len(sampler.event_counts) - 1


# -- uniform interleavings ---------------------------------------------------------------------------------------


def distance_from_uniform(sampler: Sampler, counts: list[int]) -> tuple[float, int]:
    """The chi-square statistic of schedules that are drawn, against all being as likely; and how many there are."""
    found = Counter(drawn(sampler, independent(counts), range(DRAWN_COUNT)))
    kinds = factorial(sum(counts)) // prod(factorial(count) for count in counts)
    expected = DRAWN_COUNT / kinds
    missing = kinds - len(found)
    return sum((count - expected) ** 2 / expected for count in found.values()) + missing * expected, kinds


@pytest.mark.parametrize("counts", [[3, 2, 1], [4, 1], [3, 3]])
@pytest.mark.parametrize("seed", [0, 1])
def test_every_interleaving_is_as_likely(counts: list[int], seed: int) -> None:
    distance, kinds = distance_from_uniform(UniformInterleavings(seed), counts)
    freedom = kinds - 1
    assert distance < freedom + 5 * sqrt(2 * freedom)


def test_uniform_choices_do_not_make_uniform_interleavings() -> None:
    distance, kinds = distance_from_uniform(RandomWalk(), [3, 2, 1])
    assert distance > 10 * kinds


def test_events_are_counted_on_average() -> None:
    sampler = UniformInterleavings()
    drawn(sampler, independent([4, 2]), range(1))
    assert sampler.event_counts == {"A": 4, "B": 2}
    drawn(sampler, copies(1, 1), range(1))
    assert sampler.event_counts["W"] == 4
    assert 2 < sampler.event_counts["Ra"] < 4


def test_a_task_is_counted_in_its_full_length_although_it_may_crash() -> None:
    sampler = UniformInterleavings()
    schedules = drawn(sampler, torn_by_crash(), range(400))
    assert sampler.event_counts["A"] == 4
    assert {labels.index("crash.A") for labels in schedules} == set(range(5))


def test_it_says_of_what_it_draws() -> None:
    found = explore(independent([4, 2]), strategy=UniformInterleavings(), budget=Budget(execution_count=3))
    assert "near uniformly from the interleavings of 2 threads with some 6 events" in found.reason


# -- priorities --------------------------------------------------------------------------------------------------


def at_least(sampler: PriorityWalk, setup: Setup, count: int = 3000) -> tuple[int, float]:
    """How many of some schedules violate something, and how many of them must, but for bad luck of three sigma."""
    found = violations(sampler, setup, count)
    bound = 1 / (sampler.thread_count * sampler.longest_step_count ** (sampler.depth - 1))
    return found, count * bound - 3 * sqrt(count * bound)


def test_without_changes_each_thread_goes_to_its_end() -> None:
    schedules = Counter(drawn(PriorityWalk(depth=1), independent([2, 3]), range(400)))
    assert set(schedules) == {("A",) * 2 + ("B",) * 3, ("B",) * 3 + ("A",) * 2}
    assert min(schedules.values()) > 150


def test_one_change_is_one_switch_more() -> None:
    schedules = drawn(PriorityWalk(depth=2), independent([3, 3]), range(400))
    switches = {sum(one != other for one, other in pairwise(labels)) for labels in schedules}
    assert switches == {1, 2}


@pytest.mark.parametrize("before_count", [1, 4, 8])
def test_a_violation_of_depth_2_is_met_as_often_as_promised(before_count: int) -> None:
    assert violations(PriorityWalk(depth=1), split_read(before_count), 500) == 0
    for depth in (2, 3):
        found, bound = at_least(PriorityWalk(depth=depth), split_read(before_count))
        assert bound > 0 or depth == 3
        assert found >= max(bound, 1)


def test_a_crash_between_two_steps_is_a_violation_of_depth_2() -> None:
    assert violations(PriorityWalk(depth=1), torn_by_crash(), 500) == 0
    sampler = PriorityWalk(depth=2)
    found, bound = at_least(sampler, torn_by_crash())
    assert found >= bound > 0
    assert {"A", "V", "crash.A"} <= set(sampler.event_counts)


def test_threads_and_steps_of_the_bound_are_those_met() -> None:
    found = explore(independent([4, 3, 2]), strategy=PriorityWalk(depth=3), budget=Budget(execution_count=10))
    assert "at least 1/243 = 1/(3*9^2), by 3 threads in at most 9 steps" in found.reason


def test_steps_are_measured_again_when_a_longer_schedule_is_drawn() -> None:
    sampler = PriorityWalk()
    product = TaskWorld(independent([2, 2])).product
    sampler.start(product)
    sampler.longest_step_count = 3
    sampler.draw(product, 0)
    assert sampler.longest_step_count == 4
    sampler.longest_step_count = 3
    sampler.draw(product, 192)
    assert sampler.longest_step_count == 3
    assert sampler.tallies == {"longer than those of which the bound speaks": 1}


def test_a_thread_that_waits_by_asking_again_lets_the_other_one_go_on() -> None:
    sampler = PriorityWalk()
    found = explore(waiting_loop(), strategy=sampler, budget=Budget(execution_count=400))
    assert "cut" not in str(found.tallies)
    assert found.depth_steps < 5 * sampler.longest_step_count
    assert sampler.longest_step_count < 100


def test_a_depth_of_0_is_refused() -> None:
    with pytest.raises(ValueError, match="a depth of 0: it is 1 at least"):
        PriorityWalk(depth=0)
