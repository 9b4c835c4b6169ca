"""Runs of scenarios: what a plan means, and which verdict comes out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shadowshare.models.computers import Implementation
from shadowshare.scenarios.catalogue import built_in
from shadowshare.sim.schedule import parse_schedule
from shadowshare.verify import runner
from shadowshare.verify.counterexamples.counterexample import replay
from shadowshare.verify.exploration.estimate import estimate_schedules
from shadowshare.verify.exploration.search import STATE_COUNT_MAXIMUM, Budget
from shadowshare.verify.explorer import explore
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.race import Race
from shadowshare.verify.result import Exploration, Violation
from shadowshare.verify.runner import Plan, estimate, run_scenario
from shadowshare.verify.strategies.catalogue import make_strategy
from shadowshare.verify.strategies.random_walk import RandomWalk
from tests.verify.programs import small

FAST = built_in("reader-before-volume-read")
WITH_BUG = mutant("no-recheck").implementation
PASSIVES = small(
    'W = ["write 0"]\nR = ["read s 0"]\nS = ["read s 0 1"]',
    before='"W: create s", "R: open", "S: open"',
    extra='[hosts]\nW = "active"\nR = "passive"\nS = "passive"',
)


# -- verdicts ----------------------------------------------------------------------------------------------------


def test_verified() -> None:
    result, found = run_scenario(FAST, Plan()), explore(FAST)
    assert (result.name, result.verdict, result.expected, result.ok) == (
        FAST.name,
        "verified",
        "verified",
        True,
    )
    assert (result.reason, result.schedule, result.violation) == ("", None, None)
    assert result.schedules == found.schedule_count
    assert result.seconds > 0
    assert result.details == {
        "strategy": "exhaustive",
        "exhausted": True,
        "executions": 0,
        "traces": None,
        "blocked": 0,
        "states": found.state_count,
        "steps": found.step_count,
        "depth": found.depth_steps,
        "host_runs": found.host_run_count,
        "apart": 0,
        "reductions": [],
        "refused": [],
        "choices": {},
        "tallies": {},
        "steps_alone": found.steps_alone,
    }


def test_violated_with_a_schedule_that_running_code_violates() -> None:
    result = run_scenario(FAST, Plan(WITH_BUG))
    assert (result.verdict, result.ok) == ("violated", False)
    assert result.schedule is not None
    assert result.violation is not None
    assert result.reason == result.violation.message
    shown = replay(FAST, parse_schedule(result.schedule).labels, WITH_BUG).violation
    assert shown == result.violation


def test_a_violation_that_running_code_does_not_show_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then merging has gone wrong, or the code depends on something else than what it gets."""
    violation = Violation("image", "something", "R", 0)
    found = Exploration(violation, ("W", "R"))
    monkeypatch.setattr(runner, "explore", lambda *_, **__: found)
    result = run_scenario(FAST, Plan())
    assert (result.verdict, result.ok) == ("unknown", False)
    assert result.reason == "found, but not again on running code: something"
    assert result.schedule == f"s1/{FAST.name}/W,R"


def test_unknown_if_the_budget_is_spent() -> None:
    result = run_scenario(FAST, Plan(state_count_maximum=5))
    assert (result.verdict, result.ok, result.schedules) == ("unknown", False, None)
    assert result.reason.startswith("stopped after ")


def test_drawn_schedules_are_counted_as_schedules() -> None:
    plan = Plan(strategy=RandomWalk(), execution_count_maximum=12)
    result = run_scenario(FAST, plan)
    assert (result.verdict, result.schedules, result.details["executions"]) == ("unknown", 12, 12)


def test_traces_and_those_broken_off_are_told() -> None:
    plan = Plan(strategy=make_strategy("source-dpor"))
    details, cut = (
        run_scenario(FAST, plan).details,
        run_scenario(built_in("read-errors"), replace(plan, execution_count_maximum=2000)).details,
    )
    assert details["exhausted"]
    assert details["traces"] + details["blocked"] == details["executions"] > 0
    assert len(details["reductions"]) == 1
    assert (cut["traces"], cut["executions"]) == (None, 2000)
    assert cut["blocked"] > 0


# -- plans -------------------------------------------------------------------------------------------------------


def test_a_budget_is_what_the_plan_says() -> None:
    budget = Plan(Implementation(), 7, None, 5, 9).budget()
    assert (budget.state_count, budget.execution_count, budget.step_count) == (7, 5, 9)
    assert budget.spent() == ""
    assert Plan(seconds_maximum=1e-9).budget().spent() == "stopped because the time was used up"
    unlimited = Plan().budget()
    assert (unlimited.state_count, unlimited.execution_count) == (STATE_COUNT_MAXIMUM, None)
    assert unlimited.spent(STATE_COUNT_MAXIMUM - 1, 10**9, 10**12) == ""


def test_a_budget_that_is_given_counts_instead() -> None:
    budget = Budget()
    budget.interrupt()
    result = run_scenario(FAST, Plan(), budget=budget)
    assert (result.verdict, result.reason) == ("unknown", "interrupted")


@pytest.mark.parametrize(
    ("plan", "given"),
    [
        (Plan(), {"passives_apart": None, "jobs": 1, "checkpoint": None}),
        (Plan(passives_apart=False, jobs=3), {"passives_apart": False, "jobs": 3, "checkpoint": None}),
        (Plan(checkpoint=Path("c")), {"passives_apart": None, "jobs": 1, "checkpoint": Path("c")}),
    ],
    ids=["plain", "jobs", "checkpoint"],
)
def test_a_plan_reaches_the_explorer(
    plan: Plan, given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Any] = {}

    def noted(*_: object, **options: Any) -> Exploration:
        seen.update(options)
        return Exploration(is_exhausted=True)

    monkeypatch.setattr(runner, "explore", noted)
    run_scenario(FAST, plan)
    assert {name: seen[name] for name in given} == given
    assert seen["strategy"] is plan.strategy


# -- estimates ---------------------------------------------------------------------------------------------------


def test_the_estimate_is_of_what_is_explored() -> None:
    """Passives apart: the sum; together, or where schedules are drawn: of the whole."""
    apart, together = estimate(PASSIVES, Plan()), estimate(PASSIVES, Plan(passives_apart=False))
    assert apart is not None
    assert apart.schedule_count == explore(PASSIVES).schedule_count
    assert (
        together
        == estimate(PASSIVES, Plan(strategy=RandomWalk()))
        == estimate_schedules(Race(PASSIVES).product)
    )
    assert together is not None
    assert together.schedule_count > apart.schedule_count


def test_the_estimate_is_of_the_code_under_test() -> None:
    right, wrong = estimate(FAST, Plan()), estimate(FAST, Plan(WITH_BUG))
    assert right != wrong
