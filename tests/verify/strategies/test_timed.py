"""Latencies that choose: timed runs are ordinary schedules, and ties are choices."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations, product
from statistics import median
from typing import Any

import pytest

from shadowshare.models.computers import Implementation
from shadowshare.scenarios.catalogue import built_in
from shadowshare.sim.timed.device import reads_first
from shadowshare.verify.cells.setup import Setup
from shadowshare.verify.cells.task_world import TaskWorld
from shadowshare.verify.exploration.product import Move
from shadowshare.verify.exploration.search import Budget
from shadowshare.verify.explorer import explore
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.race import Race
from shadowshare.verify.strategies.pct import PriorityWalk
from shadowshare.verify.strategies.pos import PartialOrderSampling
from shadowshare.verify.strategies.random_walk import RandomWalk
from shadowshare.verify.strategies.replay import Replay
from shadowshare.verify.strategies.strategy import Sampler
from shadowshare.verify.strategies.timed import EveryTie, Timed
from shadowshare.verify.strategies.timing import LOCKSTEP, Fixed, Timing
from shadowshare.verify.tasks import explore as explore_tasks
from tests.verify.strategies.setups import drawn, independent, torn_by_crash

IN_ROUNDS = {first + second for first, second in product(permutations("ABC"), repeat=2)}


class Schedules(EveryTie):
    """Notes the schedules that it runs."""

    def all_of(self, setup: Setup, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
        found: list[tuple[str, ...]] = []
        draw = Timed.draw

        def noting(walk: Timed, *arguments: Any) -> tuple[list[Move], Any]:
            moves, violation = draw(walk, *arguments)
            found.append(tuple(move.label for move in moves))
            return moves, violation

        monkeypatch.setattr(Timed, "draw", noting)
        exploration = self.run(TaskWorld(setup).product, Budget())
        assert exploration.reason.startswith("every order of ties was run; ")
        assert exploration.execution_count == len(found)
        return found


def test_every_order_of_ties_is_run_once(monkeypatch: pytest.MonkeyPatch) -> None:
    schedules = Schedules().all_of(independent([2, 2, 2]), monkeypatch)
    assert set(schedules) == IN_ROUNDS
    assert len(schedules) == 36


def test_with_one_server_only_the_order_of_arrival_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    timing = Timing(Fixed(100), server_count=1, pause_ns=0)
    schedules = Schedules(timing=timing).all_of(independent([2, 2, 2]), monkeypatch)
    assert set(schedules) == {order * 2 for order in permutations("ABC")}


def test_a_slow_host_never_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    timing = Timing(Fixed(100), server_count=9, pause_ns=0, ways_ns={"C": (150, 0)})
    schedules = Schedules(timing=timing).all_of(independent([2, 2, 1]), monkeypatch)
    assert set(schedules) == {
        (*first, *second, "C") for first in permutations("AB") for second in permutations("AB")
    }


def test_answers_that_travel_long_hold_up_their_host_only(monkeypatch: pytest.MonkeyPatch) -> None:
    timing = Timing(Fixed(100), server_count=9, pause_ns=0, ways_ns={"A": (0, 1000)})
    schedules = Schedules(timing=timing).all_of(independent([2, 3]), monkeypatch)
    assert set(schedules) == {("A", "B", "B", "B", "A"), ("B", "A", "B", "B", "A")}


@pytest.mark.parametrize("ties", [None, RandomWalk(), PriorityWalk(), PartialOrderSampling()])
def test_other_samplers_can_break_the_ties(ties: Sampler | None) -> None:
    schedules = drawn(Timed(1, timing=LOCKSTEP, ties=ties), independent([2, 2, 2]), range(1500))
    assert set(schedules) == IN_ROUNDS


def test_urgent_operations_overtake() -> None:
    """With one server, and reads first, the write of C waits until A and B have read all they read."""
    setup = Setup()
    cell = setup.cell("cell")

    async def read_three_times() -> None:
        for _ in range(3):
            await cell.read()

    async def write_twice() -> None:
        await cell.write(1)
        await cell.write(2)

    setup.task("A", read_three_times)
    setup.task("B", read_three_times)
    setup.task("C", write_twice)
    timing = Timing(Fixed(100), 1, reads_first, pause_ns=0)
    for labels in drawn(Timed(3, timing=timing), setup, range(50)):
        assert sorted(labels[-2:]) == ["C", "C"] or labels[0] == "C"
        assert labels.count("C") == 2
    plain = drawn(Timed(3, timing=Timing(Fixed(100), 1, pause_ns=0)), setup, range(50))
    assert any(labels[0] != "C" and labels[-2:] != ("C", "C") for labels in plain)


def test_a_timed_run_is_a_schedule_that_is_replayed_in_the_stepped_world() -> None:
    scenario, broken = built_in("reader-before-volume-read"), mutant("no-recheck").implementation
    found = explore(scenario, broken, strategy=Timed(5), budget=Budget(execution_count=3000))
    assert found.verdict == "violated"
    again = explore(scenario, broken, strategy=Replay(found.labels))
    assert (again.labels, again.violation) == (found.labels, found.violation)


def _executions_to_find(name: str, strategy: Sampler, implementation: Implementation) -> int:
    found = strategy.run(Race(built_in(name), implementation).product, Budget(execution_count=3000))
    assert found.violation is not None
    return found.execution_count


def test_a_slow_reader_meets_what_uniform_choices_hardly_ever_do() -> None:
    """The active copies and overwrites within one read: six of its steps in a row."""
    name, broken = "reader-before-volume-read", mutant("no-recheck").implementation
    slow = Timing(ways_ns={"R": (2_000_000, 0)})
    uniform = median(_executions_to_find(name, RandomWalk(seed), broken) for seed in range(9))
    timed = median(_executions_to_find(name, Timed(seed, timing=slow), broken) for seed in range(9))
    assert timed * 10 <= uniform


def test_crashes_come_at_any_time_and_late_writes_after_them() -> None:
    schedules = set(drawn(Timed(2), torn_by_crash(), range(2000)))
    crashes = {labels.index("crash.A") for labels in schedules if "crash.A" in labels}
    assert crashes >= {0, 1, 2, 3, 4}
    assert any(label.startswith("late.") for labels in schedules for label in labels)


def test_errors_are_reported_now_and_then() -> None:
    product_of_race = Race(built_in("read-errors")).product
    labels: list[Sequence[str]] = [Timed(1).run_one(product_of_race, number)[0] for number in range(200)]
    failed = [one for one in labels if any(label.endswith("~") for label in one)]
    assert 5 < len(failed) < 195


def test_no_budget_left_is_no_proof() -> None:
    found = EveryTie().run(TaskWorld(independent([2, 2, 2])).product, Budget(execution_count=7))
    assert (found.verdict, found.execution_count) == ("unknown", 7)
    assert found.reason.startswith("stopped after 7 executions, before all were run; ")


def test_every_tie_finds_a_race_in_lockstep() -> None:
    setup = Setup()
    counter = setup.cell("counter")

    async def increment() -> None:
        await counter.write(await counter.read() + 1)

    setup.task("A", increment)
    setup.task("B", increment)
    found = explore_tasks(setup, lambda end: end["counter"] == 2, strategy=EveryTie())
    assert found.labels == ("A", "B", "A", "B")
