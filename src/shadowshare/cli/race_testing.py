"""What the pytest plugin does once a test asks for it; apart from the plugin, because pytest loads that one always."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shadowshare.cli.scenario_choice import find_scenario
from shadowshare.models.computers import Implementation
from shadowshare.protocol.errors import ShadowshareError
from shadowshare.protocol.passive import Passive
from shadowshare.protocol.recovery import Recovery
from shadowshare.reports.trace import trace_text
from shadowshare.scenarios.definition import Scenario, load_scenario
from shadowshare.sim.schedule import parse_schedule
from shadowshare.verify.counterexamples.counterexample import Replay, explain, replay
from shadowshare.verify.result import Exploration
from shadowshare.verify.runner import Plan, run_scenario

__all__ = ["scenario_of", "verify"]


def scenario_of(wanted: Scenario | str | os.PathLike[str]) -> Scenario:
    """The scenario of that name or file.

    Raises:
        pytest.UsageError: there is none, or the file is wrong.
    """
    if isinstance(wanted, Scenario):
        return wanted
    try:
        if isinstance(wanted, os.PathLike) or wanted.endswith(".toml"):
            return load_scenario(Path(wanted))
        return find_scenario(wanted, {})
    except ShadowshareError as error:
        raise pytest.UsageError(str(error)) from None


def verify(
    scenario: Scenario,
    schedule: str | None,
    recovery: type[Recovery] = Recovery,
    passive: type[Passive] = Passive,
    seconds: float | None = None,
) -> None:
    """Explore a scenario, or run one schedule of it; fail unless the verdict is the expected one.

    Args:
        scenario: what to explore.
        schedule: run only this one, and skip the test if it is of another scenario.
        recovery: makes the active.
        passive: makes passives.
        seconds: time that the exploration may take; None for no limit.
    """
    implementation = Implementation(recovery, passive)
    if schedule is not None:
        _replay_only(scenario, schedule, implementation)
        return
    result = run_scenario(scenario, Plan(implementation, seconds_maximum=seconds))
    if result.ok:
        return
    if result.schedule is None:
        pytest.fail(
            f"{scenario.name} is {result.verdict}, {result.expected} expected. {result.reason}", pytrace=False
        )
    found = Exploration(result.violation, parse_schedule(result.schedule).labels)
    shown = explain(scenario, found, implementation)
    pytest.fail(_text(shown.replay), pytrace=False)


def _replay_only(scenario: Scenario, schedule: str, implementation: Implementation) -> None:
    parsed = parse_schedule(schedule)
    if parsed.scenario != scenario.name:
        pytest.skip(f"the schedule to replay is one of {parsed.scenario}")
    try:
        replayed = replay(scenario, parsed.labels, implementation)
    except ShadowshareError as error:
        pytest.exit(str(error), pytest.ExitCode.USAGE_ERROR)
    if replayed.violation is not None:
        pytest.fail(_text(replayed), pytrace=False)


def _text(replayed: Replay) -> str:
    """A counterexample for people, and how to see it again."""
    return f"{trace_text(replayed)}\nreplay: pytest --shadowshare-replay '{replayed.schedule}'"
