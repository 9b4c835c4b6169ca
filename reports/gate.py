"""What the gate found: as lines for people, as JSON, as JUnit XML, and as GitHub shows it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from xml.etree import ElementTree as ET

from shadowshare.reports.tables import Table, short_count
from shadowshare.verify.gate.check import OPTIONAL_STAGES, STAGES, Check, GateResult
from shadowshare.verify.gate.statistics import CONFIDENCE

Replay = Callable[[Check], str]
"""The command that replays what a check found; empty if there is no schedule."""

TITLES = {
    "regressions": "failures of the past",
    "scopes": "scenarios, exhaustively",
    "determinism": "schedules run twice",
    "mutants": "mutants that must die",
    "generated": "generated races",
}


def gate_table(result: GateResult) -> Table:
    """One row a stage."""
    columns = ["checked", "verdict", "as it must be", "rests on", "seconds"]
    rows = []
    for stage in STAGES:
        checks = result.of_stage(stage)
        if not checks and stage in OPTIONAL_STAGES:
            continue
        if not checks:
            rows.append([TITLES[stage], stage_verdict(checks), "-", "nothing: it was not checked", "-"])
            continue
        good = sum(check.verdict == "verified" for check in checks)
        rows.append(
            [
                TITLES[stage],
                stage_verdict(checks),
                f"{good} of {len(checks)}",
                _basis(result, stage),
                f"{sum(check.seconds for check in checks):.1f}",
            ]
        )
    return columns, rows


def stage_verdict(checks: list[Check]) -> str:
    """The worst verdict among checks; ``unknown`` if there are none."""
    verdicts = {check.verdict for check in checks} or {"unknown"}
    return next(verdict for verdict in ("violated", "unknown", "verified") if verdict in verdicts)


def _basis(result: GateResult, stage: str) -> str:
    def count(figure: str) -> str:
        return short_count(result.total(stage, figure))

    if stage == "scopes":
        return f"{count('schedules')} schedules in {count('states')} states"
    if stage == "generated":
        drawn = (
            f", {count('executions')} schedules drawn of the others"
            if result.total(stage, "executions")
            else ""
        )
        return f"{count('races')} races, {count('exhausted')} of them exhausted{drawn}"
    if stage == "determinism":
        return f"{count('executions')} schedules"
    if stage == "mutants":
        return f"{count('states')} states until they were found"
    return ""


def gate_remarks(result: GateResult) -> Iterator[str]:
    """What is to be known of the result besides the table."""
    races = result.total("generated", "races")
    unseen = result.unseen
    reached = frozenset[str]().union(*(check.marks for check in result.checks if check.stage != "mutants"))
    if races:
        yield (
            f"per generated race, a violation is less probable than {result.violation_bound:.2g} "
            f"(with {CONFIDENCE:.0%} confidence, for races of this generator)"
        )
        yield (
            f"the next generated race reaches two rare paths that none before reached both of with probability "
            f"{unseen.share:.2g} (standard error {unseen.standard_error:.1g}, {unseen.seen_count} pairs seen)"
        )
    yield f"{len(reached)} rare paths of the protocol were reached" + (
        f"; NOT reached: {', '.join(result.missing_marks)}" if result.missing_marks else ""
    )
    slowest = ", ".join(f"{check.name} {check.seconds:.1f} s" for check in result.slowest())
    yield f"slowest: {slowest}"
    if result.left_out:
        yield f"not checked, because something was violated before: {', '.join(result.left_out)}"


def gate_json(result: GateResult, replay: Replay) -> dict[str, Any]:
    """For programs; the verdict first, and last all that was measured, which is different each time."""
    unseen = result.unseen
    return {
        "verdict": result.verdict,
        "reasons": result.reasons,
        "seed": result.seed,
        "stages": {
            stage: {
                "verdict": stage_verdict(result.of_stage(stage)),
                "checks": [_check_json(check, replay) for check in result.of_stage(stage)],
            }
            for stage in STAGES
        },
        "left_out": list(result.left_out),
        "missing_marks": list(result.missing_marks),
        "marks": sorted(frozenset[str]().union(*(check.marks for check in result.checks))),
        "generated": {
            "races": result.total("generated", "races"),
            "exhausted": result.total("generated", "exhausted"),
            "executions": result.total("generated", "executions"),
            "violation_probability_maximum": result.violation_bound,
            "confidence": CONFIDENCE,
            "unseen_share": unseen.share,
            "unseen_standard_error": unseen.standard_error,
            "pairs_seen": unseen.seen_count,
        },
        "mutants": {
            "killed": sum(check.verdict == "verified" for check in result.of_stage("mutants")),
            "tried": len(result.of_stage("mutants")),
        },
        "measured": {
            "seconds": round(result.seconds, 3),
            "checks": {
                stage: {check.name: round(check.seconds, 3) for check in result.of_stage(stage)}
                for stage in STAGES
            },
        },
    }


def _check_json(check: Check, replay: Replay) -> dict[str, Any]:
    return {
        "name": check.name,
        "verdict": check.verdict,
        "reason": check.reason,
        "schedule": check.schedule,
        "replay": replay(check) or None,
        "scenario": check.scenario_text,
        **check.figures,
    }


def gate_junit(result: GateResult, replay: Replay) -> str:
    """As JUnit XML: a suite a stage, a case a check; ``unknown`` is an error there, as is a stage without a check."""
    suites = ET.Element("testsuites", name="shadowshare gate")
    for stage in STAGES:
        checks = result.of_stage(stage)
        suite = _suite(suites, TITLES[stage], sum(check.seconds for check in checks))
        for check in checks:
            kind = {"violated": "failure", "unknown": "error"}.get(check.verdict)
            text = "" if kind is None else _story(check, replay)
            _case(suite, f"gate.{stage}", check.name, check.seconds, kind, check.reason, text)
        if stage in result.unchecked_stages:
            _case(suite, f"gate.{stage}", "checks", 0.0, "error", "nothing was checked", "")
    if result.missing_marks:
        suite, message = _suite(suites, "rare paths", 0.0), f"not reached: {', '.join(result.missing_marks)}"
        _case(suite, "gate.marks", "all reached", 0.0, "error", message, "")
    for element in (suites, *suites):
        for total, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            element.set(total, str(sum(1 for _ in element.iter(tag))))
    suites.set("time", f"{result.seconds:.3f}")
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _suite(suites: ET.Element, name: str, seconds: float) -> ET.Element:
    return ET.SubElement(suites, "testsuite", name=name, time=f"{seconds:.3f}")


def _case(
    suite: ET.Element, group: str, name: str, seconds: float, kind: str | None, message: str, text: str
) -> None:
    """A test case; ``kind`` is ``failure`` or ``error`` if it is not as it must be."""
    case = ET.SubElement(suite, "testcase", classname=group, name=_xml(name), time=f"{seconds:.3f}")
    if kind is not None:
        problem = ET.SubElement(
            case, kind, message=_xml(message), type="violated" if kind == "failure" else "unknown"
        )
        problem.text = _xml(text)


def _xml(text: str) -> str:
    """What XML 1.0 can say: control characters, which no escape makes legal, become their names in Python."""
    return re.sub(
        "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", lambda found: repr(found[0])[1:-1], text
    )


def github_annotations(result: GateResult, replay: Replay) -> Iterator[str]:
    """Workflow commands that mark what is wrong; one line each."""
    for check in result.checks:
        if check.verdict != "verified":
            message = "\n".join(filter(None, [check.reason, replay(check)]))
            yield _error(f"shadowshare gate, {check.stage}: {check.name}", message)
    for mark in result.missing_marks:
        yield _error("shadowshare gate", f"no schedule reached {mark}")


def _error(title: str, message: str) -> str:
    """A workflow command. A property of one may hold neither a comma nor a colon: they would end it."""
    name = _escaped(title).replace(":", "%3A").replace(",", "%2C")
    return f"::error title={name}::{_escaped(message)}"


def _escaped(text: str) -> str:
    """The message of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _story(check: Check, replay: Replay) -> str:
    """What is wrong, and how to see it, in plain text."""
    parts = [check.reason, check.scenario_text, replay(check)]
    return "\n\n".join(part.rstrip() for part in parts if part)


def github_summary(result: GateResult, replay: Replay) -> str:
    """As Markdown, for a job's summary."""
    columns, rows = gate_table(result)
    lines = [f"## shadowshare gate: {result.verdict}", "", _row(columns), _row(["---"] * len(columns))]
    lines += [_row(row) for row in rows]
    lines += ["", *(f"- {remark}" for remark in gate_remarks(result))]
    for check in result.checks:
        if check.verdict != "verified":
            lines += [
                "",
                f"### {check.verdict}: {check.stage}: {check.name}",
                "",
                *_block("text", check.reason),
            ]
            if check.scenario_text is not None:
                lines += ["", *_block("toml", check.scenario_text)]
            if check.schedule is not None:
                lines += ["", *_block("console", f"$ {replay(check)}")]
    return "\n".join(lines) + "\n"


def _block(language: str, text: str) -> list[str]:
    """A fenced block; the fence is longer than any in the text."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", text.rstrip(), fence]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    """A cell of a Markdown table: a bar or the end of a line would end it."""
    return " ".join(text.split()).replace("|", "\\|")
