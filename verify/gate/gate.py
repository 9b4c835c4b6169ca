"""The gate: all checks within a budget of time, shared among processes.

First come the fixed checks, those that find something soonest before the others; what is left of the time goes to
generated races. The first violation ends it, since a gate that is red needs no more, and what was not
checked is named.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from time import perf_counter

from shadowshare.models.computers import Implementation
from shadowshare.protocol.marks import Mark
from shadowshare.scenarios.catalogue import built_in, built_in_names
from shadowshare.scenarios.definition import Scenario
from shadowshare.verify.gate.check import STAGES, Check, GateResult
from shadowshare.verify.gate.work import (
    Work,
    check_determinism,
    check_generated,
    check_mutant,
    check_scope,
)
from shadowshare.verify.mutants.catalogue import MUTANTS

GENERATED_RACE_COUNT = 8
"""Races of one check: few, so that the end of the budget is kept to."""

MARKS_NOT_REACHED_HERE = frozenset({Mark.HALF_IS_OVER})
"""Rare paths that only a reader knows: this active ends a half with a SEAL.

Tests reach them with journals written by hand.
"""

Tell = Callable[[Check, int], None]
"""Called with each check that was made, and how many of the fixed ones wait."""


@dataclass(frozen=True, slots=True)
class GatePlan:
    """What to put through the gate, and how.

    Attributes:
        implementation: the protocol code under test.
        scenarios: to explore; all built-in ones, unless told otherwise.
        mutants: names of those with which the gate is tested; all, unless told otherwise.
        regressions: checks that failures of the past do not come back.
        seconds: budget of time; the fixed checks are made in any case.
        seed: of everything that is drawn.
        jobs: processes.
        mutant_share: share of these mutants that is tried; which ones changes with the seed.
    """

    implementation: Implementation = field(default_factory=Implementation)
    scenarios: Sequence[Scenario] = field(default_factory=lambda: [*map(built_in, built_in_names())])
    mutants: Sequence[str] = tuple(bug.name for bug in MUTANTS)
    regressions: Sequence[Work] = ()
    seconds: float = 60.0
    seed: int = 0
    jobs: int = 2
    mutant_share: float = 1.0


def fixed_work(plan: GatePlan) -> list[tuple[str, Work]]:
    """The checks that do not depend on the time, each with its stage; those that fail soonest come first."""
    work: list[tuple[str, Work]] = [("regressions", one) for one in plan.regressions]
    work += [("scopes", partial(check_scope, scenario, plan.implementation)) for scenario in plan.scenarios]
    work += [
        ("determinism", partial(check_determinism, scenario, plan.implementation, plan.seed))
        for scenario in plan.scenarios
    ]
    first = plan.seed % len(plan.mutants)
    in_turn = [*plan.mutants[first:], *plan.mutants[:first]]
    rotated = in_turn[: max(1, round(plan.mutant_share * len(in_turn)))]
    return work + [("mutants", partial(check_mutant, name)) for name in rotated]


def run_gate(plan: GatePlan, tell: Tell | None = None) -> GateResult:
    """Make all checks, and generate races until the time is used."""
    start = perf_counter()
    waiting = deque(fixed_work(plan))
    running: dict[Future[Check], str] = {}
    done: list[Check] = []
    generated_count = 0
    pool = ProcessPoolExecutor(plan.jobs, get_context("spawn"))
    try:
        while not any(check.verdict == "violated" for check in done):
            while len(running) < plan.jobs + 1:
                if waiting:
                    stage, work = waiting.popleft()
                elif generated_count == 0 or perf_counter() - start < plan.seconds:
                    seed = (plan.seed << 20) + generated_count
                    stage, work = (
                        "generated",
                        partial(check_generated, seed, GENERATED_RACE_COUNT, plan.implementation),
                    )
                    generated_count += 1
                else:
                    break
                running[pool.submit(work)] = stage
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                del running[future]
                done.append(future.result())
                if tell is not None:
                    tell(done[-1], len(waiting))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    left_out = [stage for stage, _ in waiting] + list(running.values())
    return _result(plan, done, left_out, perf_counter() - start)


def _result(plan: GatePlan, done: Sequence[Check], left_out: Sequence[str], seconds: float) -> GateResult:
    reached = frozenset[str]().union(*(check.marks for check in done if check.stage != "mutants"))
    wanted = sorted(mark.name for mark in plan.implementation.marks - MARKS_NOT_REACHED_HERE)
    ordered = sorted(done, key=lambda check: (STAGES.index(check.stage), check.name))
    counts = {stage: left_out.count(stage) for stage in STAGES if stage in left_out}
    return GateResult(
        tuple(ordered),
        plan.seed,
        tuple(name for name in wanted if name not in reached),
        seconds,
        tuple(f"{count} of {stage}" for stage, count in counts.items()),
    )
