"""Runs scenarios and makes their results; the only place where a run's verdicts come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from shadowshare.models.computers import Implementation
from shadowshare.scenarios.definition import Scenario
from shadowshare.sim.schedule import Schedule
from shadowshare.verify.counterexamples.counterexample import violation_of
from shadowshare.verify.exploration.estimate import Estimate, estimate_schedules, sum_of_estimates
from shadowshare.verify.exploration.search import STATE_COUNT_MAXIMUM, Budget, Progress
from shadowshare.verify.explorer import Part, explore, parts_of
from shadowshare.verify.result import Exploration, ScenarioResult, Verdict
from shadowshare.verify.strategies.exhaustive import Exhaustive
from shadowshare.verify.strategies.strategy import Strategy


@dataclass(frozen=True, slots=True)
class Plan:
    """How to run scenarios.

    Attributes:
        implementation: the protocol code under test.
        state_count_maximum: states to meet at most in each scenario.
        seconds_maximum: time to take at most for each scenario; None for no limit.
        execution_count_maximum: schedules to run at most, by a strategy that runs them; None for no limit.
        step_count_maximum: steps to take at most in each scenario; None for no limit.
        strategy: which interleavings to run.
        jobs: processes that share the work.
        passives_apart: whether to explore passives one at a time; None to do so unless interleavings are left out.
        checkpoint: file from which an exhaustive search goes on; None for none.
    """

    implementation: Implementation = field(default_factory=Implementation)
    state_count_maximum: int = STATE_COUNT_MAXIMUM
    seconds_maximum: float | None = None
    execution_count_maximum: int | None = None
    step_count_maximum: int | None = None
    strategy: Strategy = field(default_factory=Exhaustive)
    jobs: int = 1
    passives_apart: bool | None = None
    checkpoint: Path | None = None

    def budget(self) -> Budget:
        """What may be spent on one scenario, from now on."""
        return Budget(
            self.state_count_maximum,
            self.seconds_maximum,
            self.execution_count_maximum,
            self.step_count_maximum,
        )


def run_scenario(
    scenario: Scenario, plan: Plan, progress: Progress | None = None, budget: Budget | None = None
) -> ScenarioResult:
    """Run one scenario: every interleaving, or those that the plan's strategy chooses.

    Args:
        scenario: what to run.
        plan: how.
        progress: told how far it is.
        budget: that of the plan, made before, so that it can be interrupted.
    """
    start = perf_counter()
    exploration = explore(
        scenario,
        plan.implementation,
        budget or plan.budget(),
        passives_apart=plan.passives_apart,
        progress=progress,
        strategy=plan.strategy,
        jobs=plan.jobs,
        checkpoint=plan.checkpoint,
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
        _details(plan, exploration),
    )


def _details(plan: Plan, exploration: Exploration) -> dict[str, Any]:
    """What a verdict rests on."""
    return {
        "strategy": plan.strategy.name,
        "exhausted": exploration.is_exhausted,
        "executions": exploration.execution_count,
        "traces": exploration.trace_count,
        "blocked": exploration.blocked_count,
        "states": exploration.state_count,
        "steps": exploration.step_count,
        "depth": exploration.depth_steps,
        "steps_alone": exploration.steps_alone,
        "host_runs": exploration.host_run_count,
        "apart": exploration.apart_count,
        "reductions": list(exploration.reductions),
        "refused": list(exploration.refused),
        "choices": dict(exploration.choice_counts),
        "tallies": dict(exploration.tallies),
    }


def _verdict(
    scenario: Scenario, exploration: Exploration, implementation: Implementation
) -> tuple[Verdict, str]:
    """The verdict and its reason. A violation counts only if the running code shows it again."""
    violation = exploration.violation
    if violation is None:
        return exploration.verdict, exploration.reason
    if violation_of(scenario, exploration.labels, implementation) is None:
        return "unknown", f"found, but not again on running code: {violation.message}"
    return "violated", violation.message


def estimate(scenario: Scenario, plan: Plan) -> Estimate | None:
    """How many interleavings the plan's strategy chooses from, as far as that can be estimated."""
    whole = Part(scenario, plan.implementation, True, plan.strategy)
    apart = not plan.strategy.is_sampling if plan.passives_apart is None else plan.passives_apart
    parts = parts_of(whole)[0] if apart else [whole]
    return sum_of_estimates([estimate_schedules(part.race().product) for part in parts])
