"""What ``explore`` says: the verdict first, then what it rests on."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import floor, log10
from pathlib import Path
from shutil import get_terminal_size
from typing import Any

import click

from shadowshare.cli.output import print_diagram, print_fields, print_table, print_verdict
from shadowshare.cli.terminal import is_looked_at
from shadowshare.reports.diagram import WIDTH_COLUMNS, characters_for, draw
from shadowshare.reports.tables import SHORT_COUNT, conflict_lines, replay_table, short_count
from shadowshare.scenarios.definition import PASSIVE, Scenario
from shadowshare.verify.counterexamples.counterexample import Counterexample
from shadowshare.verify.counterexamples.shrinking import Shrunk
from shadowshare.verify.counterexamples.simplifying import Cost
from shadowshare.verify.exploration.estimate import Estimate
from shadowshare.verify.result import ScenarioResult, Violation
from shadowshare.verify.runner import Plan

_KINDS = {
    "crash": ("crash", "crashes"),
    "power": ("power loss", "power losses"),
    "keep": ("decision what survived", "decisions what survived"),
    "late": ("late write", "late writes"),
    "error": ("error", "errors"),
    "fault": ("fault of a device", "faults of devices"),
    "piece": ("further piece of an operation", "further pieces of operations"),
}
"""Kinds of choices in words, one and several."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An exploration's result, and what else is known about it.

    Attributes:
        scenario: that was explored.
        plan: how.
        result: the verdict, and what it rests on.
        estimate: how many schedules there are; None if nobody knows, or it does not matter.
        counterexample: made small, and put into words; None if nothing is violated.
        saved: the folder in which the violation was saved; None if it was not.
    """

    scenario: Scenario
    plan: Plan
    result: ScenarioResult
    estimate: Estimate | None = None
    counterexample: Counterexample | None = None
    saved: Path | None = None

    @property
    def violation(self) -> Violation | None:
        """What is violated: in the small counterexample, if running code shows it."""
        shown = None if self.counterexample is None else self.counterexample.replay.violation
        return shown or self.result.violation


# -- for programs ------------------------------------------------------------------------------------------------


def finding_json(finding: Finding) -> dict[str, Any]:
    """One object, its verdict at the top."""
    result, estimate = finding.result, finding.estimate
    details = dict(result.details)
    return {
        "name": result.name,
        "strategy": details.pop("strategy"),
        "verdict": result.verdict,
        "expected": result.expected,
        "ok": result.ok,
        "exhausted": details.pop("exhausted"),
        "reason": reason_of(finding),
        "schedules": result.schedules,
        **details,
        "estimate": None if estimate is None else estimate._asdict(),
        "violation": _violation_json(finding),
        "seconds": round(result.seconds, 6),
    }


def _violation_json(finding: Finding) -> dict[str, Any] | None:
    violation, counterexample = finding.violation, finding.counterexample
    if violation is None or counterexample is None:
        return None
    return {
        **violation._asdict(),
        "schedule": finding.result.schedule,
        "shrunk_schedule": counterexample.replay.schedule,
        "replay": counterexample.command,
        "saved": None if finding.saved is None else str(finding.saved),
    }


# -- for people --------------------------------------------------------------------------------------------------


def print_finding(finding: Finding) -> None:
    """The verdict, what it rests on, and the counterexample if there is one."""
    result = finding.result
    expected = "as" if result.ok else result.expected
    print_verdict(result.verdict, f"{result.verdict}: {result.name}, {expected} expected")
    print_fields(finding_facts(finding))
    if finding.counterexample is not None:
        click.echo()
        print_table(*replay_table(finding.counterexample.replay), roles_of(finding.scenario))
        click.echo()
        conflicts = conflict_lines(finding.counterexample.replay)
        if conflicts:
            click.echo("\n  ".join(["accesses that conflict:", *conflicts]) + "\n")
        print_diagram(
            draw(finding.counterexample.replay, characters_for(sys.stdout.encoding), _width_columns())
        )
        if finding.saved is not None:
            click.echo(
                f"saved in {finding.saved}\nIts README.txt says how to replay it from there; a folder like this in "
                "tests/regressions is a test that it does not come back.\n"
            )
        click.echo(f"replay: {finding.counterexample.command}")


def _width_columns() -> int:
    return get_terminal_size((WIDTH_COLUMNS, 0)).columns if is_looked_at(sys.stdout) else WIDTH_COLUMNS


def roles_of(scenario: Scenario) -> dict[str, str]:
    """``active`` or ``passive``, by the names of the hosts."""
    return {plan.name: "passive" if plan.role == PASSIVE else "active" for plan in scenario.hosts}


def finding_facts(finding: Finding) -> dict[str, str]:
    """What a verdict rests on, in words."""
    return dict(_fields(finding))


def _fields(finding: Finding) -> Iterator[tuple[str, str]]:
    result, details = finding.result, finding.result.details
    if result.verdict == "violated" and finding.violation is not None:
        yield "violated", f"{finding.violation.rule}: {finding.violation.message}"
    else:
        yield "exhausted", _why("yes" if details["exhausted"] else "no", result.reason)
    yield "strategy", details["strategy"]
    yield "covered", ", ".join(_covered(result.schedules, details))
    choices = [
        count_text(count, *_KINDS[kind]) for kind, count in details["choices"].items() if kind in _KINDS
    ]
    if choices:
        yield "of the steps", ", ".join(choices)
    if details["tallies"]:
        yield "schedules", ", ".join(f"{count:,} {what}" for what, count in details["tallies"].items())
    if finding.estimate is not None:
        yield "estimate", estimate_text(finding.estimate)
    if details["reductions"]:
        yield "reduced", "; ".join(details["reductions"])
    if details["refused"]:
        yield "not reduced", "; ".join(details["refused"])
    yield (
        "time",
        f"{result.seconds:.2f} s, in which hosts' code ran {count_text(details['host_runs'], 'time')}",
    )
    if finding.counterexample is not None:
        yield "shrunk", shrunk_text(finding.counterexample.shrunk)
    checkpoint = finding.plan.checkpoint
    if checkpoint is not None and checkpoint.exists():
        yield (
            "checkpoint",
            f"{checkpoint}: the same command goes on from there; raise a budget of states or steps",
        )


def reason_of(finding: Finding) -> str:
    """Why the verdict is unknown, or what is violated; empty if it is verified."""
    if finding.result.verdict == "violated" and finding.violation is not None:
        return finding.violation.message
    return finding.result.reason


def _why(word: str, reason: str) -> str:
    return f"{word}: {reason}" if reason else word


def _covered(schedule_count: int | None, details: Mapping[str, Any]) -> Iterator[str]:
    if details["executions"]:
        yield count_text(details["executions"], "execution")
    elif schedule_count is not None:
        yield f"{short_count(schedule_count)} schedule{'' if schedule_count == 1 else 's'}"
    if details["traces"] is not None:
        yield count_text(details["traces"], "trace")
    if details["blocked"]:
        yield f"{details['blocked']:,} broken off"
    if details["states"]:
        yield count_text(details["states"], "state")
    yield count_text(details["steps"], "step")
    yield f"depth {details['depth']:,}"


def count_text(count: int, one: str, several: str = "") -> str:
    """A count and what is counted, in words."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def estimate_text(estimate: Estimate) -> str:
    """An estimate and its standard error, in the same power of ten."""
    count, error = estimate.schedule_count, estimate.standard_error
    if not error:
        return f"{short_count(round(count))} schedules in all"
    if count < SHORT_COUNT:
        numbers = f"{count:,.0f}", f"{error:,.0f}"
    else:
        exponent = floor(log10(count))
        numbers = f"{count / 10**exponent:.1f}e{exponent}", f"{error / 10**exponent:.1f}e{exponent}"
    return (
        f"about {numbers[0]} schedules in all (estimated from {estimate.sample_count:,} samples, "
        f"standard error {numbers[1]})"
    )


def shrunk_text(shrunk: Shrunk) -> str:
    """How much simpler the counterexample has become, and whether it could be simpler still."""
    least = "none is simpler" if shrunk.is_least else shrunk.reason
    if shrunk.cost == shrunk.cost_before:
        return f"{cost_text(shrunk.cost)}, as it was found; {least}"
    return f"to {cost_text(shrunk.cost)}, from {cost_text(shrunk.cost_before)}; {least}"


def cost_text(cost: Cost) -> str:
    """What makes a schedule hard to follow, in words."""
    counts = [
        count_text(cost.preemption_count, "preemption"),
        count_text(cost.switch_count, "switch", "switches"),
        count_text(cost.step_count, "step"),
    ]
    if cost.fault_count:
        counts.insert(2, count_text(cost.fault_count, "fault"))
    return ", ".join(counts)
