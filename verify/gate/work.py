"""What the gate checks, each a function that a worker process can run by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter
from traceback import extract_tb
from typing import Any

from shadowshare.models.computers import Implementation
from shadowshare.protocol.marks import recording
from shadowshare.scenarios.catalogue import built_in
from shadowshare.scenarios.definition import Scenario
from shadowshare.sim.schedule import Schedule
from shadowshare.verify.exploration.search import STATE_COUNT_MAXIMUM, Budget
from shadowshare.verify.explorer import explore
from shadowshare.verify.gate.check import Check
from shadowshare.verify.gate.generator import races_of
from shadowshare.verify.gate.watchdog import watched
from shadowshare.verify.generated.scenario_text import to_toml
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.race import Race
from shadowshare.verify.result import Exploration
from shadowshare.verify.runner import Plan, run_scenario
from shadowshare.verify.strategies.random_walk import RandomWalk
from shadowshare.verify.strategies.run_twice import RunTwice, live_scenario
from shadowshare.verify.strategies.urw import UniformInterleavings

GENERATED_STATE_COUNT = 5_000
"""States within which a generated race is explored; if it has more, schedules are drawn as well."""

SCOPE_SECONDS_MAXIMUM = 120.0
"""Time for one scenario; one that needs more has no place in a gate, and is unknown."""

DRAWN_EXECUTION_COUNT = 100
TWICE_EXECUTION_COUNT = 4

Work = Callable[[], Check]


def timed(check: Callable[[], dict[str, Any]], stage: str, name: str) -> Check:
    """A check of what ``check`` returns, with its time and the marks that it reached."""
    start = perf_counter()
    with recording() as marks, watched():
        try:
            found = check()
        except Exception as error:  # noqa: BLE001 - a gate that breaks down says nothing of what it found before
            found = {"verdict": "unknown", "reason": _breakdown(error)}
    reached = frozenset(mark.name for mark in marks)
    return Check(stage, name, seconds=perf_counter() - start, marks=reached, **found)


def _breakdown(error: Exception) -> str:
    """What ended a check that should have come to a verdict, and where."""
    last = extract_tb(error.__traceback__)[-1]
    where = f"{Path(last.filename).name}, line {last.lineno}, in {last.name}"
    return f"the check itself ended with {type(error).__name__}: {error} ({where})"


# -- scopes ------------------------------------------------------------------------------------------------------


def check_scope(
    scenario: Scenario, implementation: Implementation, state_count_maximum: int = STATE_COUNT_MAXIMUM
) -> Check:
    """Explore all of a scenario; its verdict must be the expected one. It is unknown if there are more states."""
    return timed(partial(_scope, scenario, implementation, state_count_maximum), "scopes", scenario.name)


def _scope(scenario: Scenario, implementation: Implementation, state_count_maximum: int) -> dict[str, Any]:
    plan = Plan(implementation, state_count_maximum, seconds_maximum=SCOPE_SECONDS_MAXIMUM)
    result = run_scenario(scenario, plan)
    figures = {"schedules": result.schedules, **{key: result.details[key] for key in ("states", "steps")}}
    if result.ok:
        return {"verdict": "verified", "figures": figures}
    if result.verdict == "violated":
        return {
            "verdict": "violated",
            "reason": result.reason,
            "violation": result.violation,
            "schedule": result.schedule,
            "figures": figures,
        }
    is_blind = result.verdict == "verified"
    reason = "it must be violated, and is not: a broken disk was not noticed" if is_blind else result.reason
    return {"verdict": "violated" if is_blind else "unknown", "reason": reason, "figures": figures}


# -- the gate itself ---------------------------------------------------------------------------------------------


def check_mutant(name: str) -> Check:
    """Explore the scenario that must kill a mutant."""
    return timed(partial(_mutant, name), "mutants", name)


def _mutant(name: str) -> dict[str, Any]:
    bug = mutant(name)
    found = explore(built_in(bug.scenario), bug.implementation)
    figures = {"states": found.state_count, "rule": found.violation.rule if found.violation else None}
    if found.verdict == "violated":
        return {"verdict": "verified", "figures": figures}
    is_alive = found.verdict == "verified"
    reason = f"it survives scenario {bug.scenario}" if is_alive else found.reason
    return {"verdict": "violated" if is_alive else "unknown", "reason": reason, "figures": figures}


def check_determinism(scenario: Scenario, implementation: Implementation, seed: int) -> Check:
    """Draw schedules, and run each twice."""
    return timed(partial(_twice, scenario, implementation, seed), "determinism", scenario.name)


def _twice(scenario: Scenario, implementation: Implementation, seed: int) -> dict[str, Any]:
    strategy = RunTwice(RandomWalk(seed), partial(live_scenario, scenario, implementation))
    budget = Budget(execution_count=TWICE_EXECUTION_COUNT)
    found = strategy.run(Race(scenario, implementation).product, budget)
    is_other = found.violation is not None and found.violation.rule != "determinism"
    figures = {"executions": found.execution_count}
    if found.violation is None or (is_other and scenario.expected == "violated"):
        return {"verdict": "verified", "figures": figures}
    return {"verdict": "violated", "figures": figures, **_finding(scenario, found)}


# -- generated races ---------------------------------------------------------------------------------------------


def check_generated(seed: int, race_count: int, implementation: Implementation) -> Check:
    """Explore races that are generated from a seed."""
    return timed(
        lambda: _generated(races_of(seed, race_count), implementation, seed), "generated", f"seed {seed}"
    )


def _generated(races: Sequence[Scenario], implementation: Implementation, seed: int) -> dict[str, Any]:
    figures, shown = Counter[str](), Counter[frozenset[str]]()
    for scenario in races:
        with recording() as marks:
            found, counts = explore_generated(scenario, implementation, seed)
        figures.update(counts)
        shown[frozenset(mark.name for mark in marks)] += 1
        if found.violation is not None:
            return {
                "verdict": "violated",
                "figures": dict(figures),
                "shown": shown,
                **_finding(scenario, found, is_generated=True),
            }
    return {"verdict": "verified", "figures": dict(figures), "shown": shown}


def explore_generated(
    scenario: Scenario, implementation: Implementation, seed: int
) -> tuple[Exploration, dict[str, int]]:
    """Explore a generated race as far as a few thousand states go; if it has more, draw schedules as well.

    Returns:
        What was found, and figures: races, those explored to the end, states, and executions.
    """
    found = explore(scenario, implementation, Budget(state_count=GENERATED_STATE_COUNT))
    figures = {"races": 1, "exhausted": int(found.is_exhausted), "states": found.state_count}
    if found.violation is None and not found.is_exhausted:
        budget = Budget(execution_count=DRAWN_EXECUTION_COUNT)
        found = explore(scenario, implementation, budget, strategy=UniformInterleavings(seed))
        figures["executions"] = found.execution_count
    return found, figures


def _finding(scenario: Scenario, found: Exploration, is_generated: bool = False) -> dict[str, Any]:
    assert found.violation is not None
    return {
        "reason": f"{found.violation.rule}: {found.violation.message}",
        "violation": found.violation,
        "schedule": str(Schedule(scenario.name, found.labels)),
        "scenario_text": to_toml(scenario) if is_generated else None,
    }
