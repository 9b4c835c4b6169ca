"""Runs scenarios and makes their results; the only place where a run's verdicts come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

from shadowshare.models.computers import Implementation
from shadowshare.scenarios.definition import Scenario
from shadowshare.sim.schedule import Schedule
from shadowshare.verify.counterexample import run_schedule
from shadowshare.verify.explorer import explore
from shadowshare.verify.oracle import Oracle
from shadowshare.verify.result import Exploration, ScenarioResult, Verdict
from shadowshare.verify.search import STATE_COUNT_MAXIMUM, Budget, Progress
from shadowshare.verify.strategies.exhaustive import Exhaustive
from shadowshare.verify.strategies.strategy import Strategy


@dataclass(frozen=True, slots=True)
class Plan:
    """How to run scenarios.

    Attributes:
        implementation: the protocol code under test.
        state_count_maximum: states to meet at most in each scenario.
        seconds_maximum: time to take at most for each scenario; None for no limit.
        execution_count_maximum: schedules to draw at most, by a strategy that draws them; None for no limit.
        step_count_maximum: steps to take at most in each scenario; None for no limit.
        strategy: which interleavings to run.
    """

    implementation: Implementation = field(default_factory=Implementation)
    state_count_maximum: int = STATE_COUNT_MAXIMUM
    seconds_maximum: float | None = None
    execution_count_maximum: int | None = None
    step_count_maximum: int | None = None
    strategy: Strategy = field(default_factory=Exhaustive)

    def budget(self) -> Budget:
        """What may be spent on one scenario, from now on."""
        return Budget(
            self.state_count_maximum,
            self.seconds_maximum,
            self.execution_count_maximum,
            self.step_count_maximum,
        )


def run_scenario(scenario: Scenario, plan: Plan, progress: Progress | None = None) -> ScenarioResult:
    """Run one scenario: every interleaving, or random ones if the plan says so."""
    start = perf_counter()
    exploration = explore(
        scenario, plan.implementation, plan.budget(), progress=progress, strategy=plan.strategy
    )
    verdict, reason = _verdict(scenario, exploration, plan.implementation)
    schedule = str(Schedule(scenario.name, exploration.labels)) if exploration.violation else None
    return ScenarioResult(
        scenario.name,
        verdict,
        scenario.expected,
        reason,
        exploration.schedule_count or exploration.execution_count or None,
        schedule,
        exploration.violation,
        perf_counter() - start,
        {
            "strategy": plan.strategy.name,
            "exhausted": exploration.is_exhausted,
            "executions": exploration.execution_count,
            "states": exploration.state_count,
            "steps": exploration.step_count,
            "depth": exploration.depth_steps,
            "host_runs": exploration.host_run_count,
            "apart": exploration.apart_count,
            "reductions": list(exploration.reductions),
        },
    )


def _verdict(
    scenario: Scenario, exploration: Exploration, implementation: Implementation
) -> tuple[Verdict, str]:
    """The verdict and its reason. A violation counts only if the running code shows it again."""
    violation = exploration.violation
    if violation is None:
        return exploration.verdict, exploration.reason
    world, _ = run_schedule(scenario, exploration.labels, implementation)
    assert isinstance(world.watcher, Oracle)
    if world.watcher.violation is None:
        return "unknown", f"found, but not again on running code: {violation.message}"
    return "violated", violation.message


RealScenario = Callable[[Callable[[str], None] | None], ScenarioResult]
"""Runs a scenario on real disks and processes; is told where to report its progress."""
