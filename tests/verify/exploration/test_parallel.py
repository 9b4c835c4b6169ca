"""Explorations shared among processes come to what one process comes to, and leave no process behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from typing import Any

import pytest

from shadowshare.models.computers import Implementation
from shadowshare.scenarios.catalogue import built_in
from shadowshare.scenarios.definition import Scenario, ScenarioError
from shadowshare.verify.exploration import parallel
from shadowshare.verify.exploration.parallel import WorkerEnded
from shadowshare.verify.exploration.product import Move, Product
from shadowshare.verify.exploration.search import Budget, Progress
from shadowshare.verify.explorer import explore
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.result import Exploration
from shadowshare.verify.strategies.catalogue import make_strategy
from shadowshare.verify.strategies.exhaustive import Exhaustive
from shadowshare.verify.strategies.random_walk import RandomWalk
from tests.repository.tree import ROOT
from tests.verify.programs import small

THREE_PASSIVES = small(
    'W = ["write 0"]\nR = ["read s 0"]\nS = ["read s 0 1"]\nT = ["read s 1"]',
    before='"W: create s", "R: open", "S: open", "T: open"',
    extra='[hosts]\nW = "active"\nR = "passive"\nS = "passive"\nT = "passive"',
)
"""Of which S needs the most states, and T is not violated by the bug."""

LONG_SECONDS = 100.0
"""After which what should have been ended ends, so that a test fails and does not hang."""

RIGHT, WITH_BUG = Implementation(), mutant("no-recheck").implementation
SAMPLERS = ("random", "pct", "pos", "urw")


def comparable(exploration: Exploration) -> Exploration:
    """Without how often code ran: each process runs it for itself."""
    return replace(exploration, host_run_count=0)


def same(scenario: Scenario, implementation: Implementation, jobs: int = 2, **options: Any) -> Exploration:
    """What one process finds, which more must find, too."""
    budgets = options.pop("budget", {})
    one, more = (
        explore(scenario, implementation, Budget(**budgets), jobs=count, **options) for count in (1, jobs)
    )
    assert comparable(more) == comparable(one)
    return one


# -- passives apart ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [2, 5])
def test_passives_apart_are_verified(jobs: int) -> None:
    found = same(THREE_PASSIVES, RIGHT, jobs)
    assert (found.verdict, found.apart_count) == ("verified", 3)


def test_of_several_violations_it_is_that_of_the_first_passive() -> None:
    found = same(THREE_PASSIVES, WITH_BUG)
    assert (found.verdict, found.apart_count) == ("violated", 1)


def test_what_was_explored_behind_the_first_that_is_not_verified_does_not_count() -> None:
    state_count = explore(small('W = ["write 0"]\nR = ["read s 0"]')).state_count
    found = same(THREE_PASSIVES, RIGHT, budget={"state_count": state_count + 1})
    assert (found.verdict, found.apart_count) == ("unknown", 2)


@pytest.mark.parametrize("budget", [{"state_count": 5}, {"step_count": 30}], ids=str)
def test_budgets_are_of_each_search(budget: dict[str, int]) -> None:
    assert same(THREE_PASSIVES, RIGHT, budget=budget).verdict == "unknown"


def test_what_cannot_be_shared_is_done_by_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "get_context", lambda _: pytest.fail("a process was made"))
    assert explore(built_in("slot-reuse-during-read"), jobs=2).verdict == "verified"
    assert explore(THREE_PASSIVES, passives_apart=False, jobs=2).verdict == "verified"


def test_progress_is_the_sum_over_the_parts() -> None:
    told: list[tuple[int, int]] = []
    found = explore(THREE_PASSIVES, jobs=2, progress=lambda *counts: told.append(counts))
    assert told
    assert max(covered for covered, _ in told) <= found.state_count


# -- schedules that are drawn ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_same_schedules_are_drawn(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over several chunks, the last of which is not full."""
    monkeypatch.setattr(parallel, "CHUNK_EXECUTION_COUNT_MAXIMUM", 900)
    found = same(
        built_in("slot-reuse-during-read"),
        RIGHT,
        strategy=make_strategy(name, seed=4),
        budget={"execution_count": 2500},
    )
    assert (found.verdict, found.execution_count) == ("unknown", 2500)
    assert found.reason.startswith("stopped after 2500 executions; ")


@pytest.mark.parametrize(("name", "seed"), [("random", 1), ("pct", 3), ("pos", 1), ("urw", 5)])
def test_the_first_violation_is_found(name: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind the first chunks, with others in flight that show another one."""
    monkeypatch.setattr(parallel, "CHUNK_EXECUTION_COUNT_MAXIMUM", 2)
    strategy = make_strategy(name, seed=seed)
    found = same(THREE_PASSIVES, WITH_BUG, strategy=strategy, budget={"execution_count": 400})
    assert found.verdict == "violated"
    assert found.execution_count > 4


@pytest.mark.parametrize("step_count", [1, 101, 12_345])
def test_a_budget_of_steps_ends_at_the_same_schedule(
    step_count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parallel, "CHUNK_EXECUTION_COUNT", 64)
    monkeypatch.setattr(parallel, "CHUNK_EXECUTION_COUNT_MAXIMUM", 64)
    found = same(
        built_in("slot-reuse-during-read"), RIGHT, strategy=RandomWalk(1), budget={"step_count": step_count}
    )
    assert step_count <= found.step_count < step_count + found.depth_steps


def test_the_number_of_the_first_schedule_counts() -> None:
    scenario = built_in("slot-reuse-during-read")
    strategies = [RandomWalk(1), RandomWalk(1, first=7)]
    budget = {"execution_count": 20}
    first, later = (same(scenario, RIGHT, strategy=strategy, budget=budget) for strategy in strategies)
    assert first.step_count != later.step_count


def test_progress_of_schedules_counts_none_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "CHUNK_EXECUTION_COUNT_MAXIMUM", 3000)
    told: list[int] = []
    budget = Budget(execution_count=30_000)
    scenario = built_in("slot-reuse-during-read")
    explore(
        scenario, strategy=RandomWalk(), budget=budget, jobs=2, progress=lambda count, _: told.append(count)
    )
    assert max(told) <= 30_000


class Tallying(RandomWalk):
    """Notes every schedule with an odd number of steps, and which of them it is."""

    name = "tallying"

    def end(self, number: int, moves: Sequence[Move]) -> None:
        if len(moves) % 2:
            self.tallies["odd"] += 1


def test_tallies_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "CHUNK_EXECUTION_COUNT_MAXIMUM", 10)
    found = same(
        built_in("creation-with-writes-in-flight"), RIGHT, strategy=Tallying(), budget={"execution_count": 95}
    )
    assert 0 < found.tallies["odd"] < 95


# -- ends --------------------------------------------------------------------------------------------------------


class Endless(Exhaustive):
    """Never ends by itself."""

    def run(self, product: Product, budget: Budget, progress: Progress | None = None) -> Exploration:
        while not (reason := budget.spent()):
            assert progress is not None
            progress(1, 1)
        return Exploration(reason=reason)


class Drawing(RandomWalk):
    """Never ends by itself either."""

    def run(self, product: Product, budget: Budget, progress: Progress | None = None) -> Exploration:
        while not (reason := budget.spent()):
            assert progress is not None
            progress(1, 0)
        return Exploration(reason=reason, execution_count=1)


@pytest.mark.parametrize("strategy", [Endless(), Drawing()], ids=lambda strategy: type(strategy).__name__)
def test_an_interruption_reaches_the_workers(strategy: Exhaustive | RandomWalk) -> None:
    """Progress is told only while workers are at work; the first time interrupts."""
    budget = Budget(seconds=LONG_SECONDS)
    told: list[int] = []

    def interrupt(covered: int, _: int) -> None:
        told.append(covered)
        if covered:
            budget.interrupt()

    found = explore(THREE_PASSIVES, strategy=strategy, budget=budget, jobs=2, progress=interrupt)
    assert (found.verdict, found.reason) == ("unknown", "interrupted")
    assert max(told) > 0


class ViolatedOrEndless(Exhaustive):
    """Ends at once with a violation, unless the passive is another one than R: then never by itself."""

    def run(self, product: Product, budget: Budget, progress: Progress | None = None) -> Exploration:
        names = product.shared(product.initial).rules.names
        if "R" in names:
            return super().run(product, budget, progress)
        return Endless().run(product, budget, progress)


def test_a_violation_ends_what_is_of_no_use_any_more() -> None:
    budget = Budget(seconds=LONG_SECONDS)
    found = explore(THREE_PASSIVES, WITH_BUG, budget, strategy=ViolatedOrEndless(), jobs=3)
    assert (found.verdict, found.apart_count) == ("violated", 1)
    assert budget.spent() == "", "nobody waited for the others"


class Dying(Exhaustive):
    """Ends its process."""

    def run(self, product: Product, budget: Budget, progress: Progress | None = None) -> Exploration:
        os._exit(3)


def test_a_worker_that_is_killed_is_one_clear_error() -> None:
    with pytest.raises(WorkerEnded, match="ended without a result: was the memory used up"):
        explore(THREE_PASSIVES, strategy=Dying(), jobs=2)
    assert not issubclass(WorkerEnded, BrokenProcessPool)


def test_an_error_of_a_worker_is_that_of_one_process() -> None:
    scenario = small(
        'W = ["write 0"]\nR = ["read s 0"]\nS = ["read s 1"]',
        before='"W: create s", "W: write all", "R: open", "S: open"',
        extra='store = { slots = 1 }\n[hosts]\nW = "active"\nR = "passive"\nS = "passive"',
    )
    messages = set()
    for jobs in (1, 2):
        for strategy in (Exhaustive(), RandomWalk()):
            with pytest.raises(ScenarioError, match="before the race cannot be done: AreaFull") as caught:
                explore(scenario, strategy=strategy, budget=Budget(execution_count=5), jobs=jobs)
            messages.add(str(caught.value))
    assert len(messages) == 1


KILLED = """
import os, signal
from shadowshare.verify.explorer import explore
from shadowshare.verify.exploration.search import Budget
from tests.verify.exploration.test_parallel import THREE_PASSIVES, Endless

def kill(covered, waiting):
    if covered:
        os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    explore(THREE_PASSIVES, budget=Budget(seconds=100), strategy=Endless(), jobs=2, progress=kill)
"""


def test_workers_end_when_who_began_them_was_killed(tmp_path: Any) -> None:
    """Standard output is at its end only when no process has it any more."""
    script = tmp_path / "killed.py"
    script.write_text(KILLED, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, str(script)], stdout=subprocess.PIPE, env=environment, check=False, timeout=120
    )
    assert done.returncode == -signal.SIGKILL
