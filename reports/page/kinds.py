"""The kinds of pages: a replay, an exploration, a run, the mutants, the gate, faults; simulations are beside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from io import StringIO
from textwrap import shorten

from shadowshare.reports.fault_table import FAULT_KINDS, fault_table
from shadowshare.reports.gate import gate_remarks, gate_table
from shadowshare.reports.mutant_matrix import detection_table, draw_detections, executions_text
from shadowshare.reports.page.document import Facts, Figure, Page, Section, Story, TableSection, Words, render
from shadowshare.reports.tables import conflict_lines, verdict_table
from shadowshare.verify.detection import Detection
from shadowshare.verify.fault_verdicts import FaultVerdict
from shadowshare.verify.gate.check import STAGES, Check, GateResult
from shadowshare.verify.result import ScenarioResult, Verdict
from shadowshare.verify.story.storyboard import Storyboard


def headline_of(board: Storyboard) -> str:
    """What a schedule shows, in one sentence."""
    violation = board.replay.violation
    if violation is None:
        return "Nothing is violated in this schedule. One schedule alone verifies nothing."
    if violation.rule == "image" and board.wrong_byte is not None:
        who = (
            "A passive that opened the store at the end"
            if board.replay.violated_at is None
            else violation.host
        )
        return f"{who} read wrong bytes: extent {violation.extent} of a shadow copy is not as it was."
    return f"{violation.rule}: {violation.message}"


def replay_page(board: Storyboard) -> str:
    """One schedule, step by step."""
    verdict: Verdict = "unknown" if board.replay.violation is None else "violated"
    sections: list[Section] = [Story("", board), *_conflicts(board)]
    return render(Page(f"replay of {board.replay.scenario}", verdict, headline_of(board), sections))


def _conflicts(board: Storyboard) -> list[Section]:
    lines = conflict_lines(board.replay)
    return [Words("Accesses that conflict", lines)] if lines else []


def exploration_page(result: ScenarioResult, facts: Mapping[str, str], board: Storyboard | None) -> str:
    """One scenario: the verdict, what it rests on, and the counterexample if there is one.

    Args:
        result: of the exploration.
        facts: what it rests on, in words.
        board: the counterexample; None without one.
    """
    expected = "as expected" if result.ok else f"{result.expected} expected"
    sections: list[Section] = [Facts("What the verdict rests on", facts)]
    headline = f"{result.name}, {expected}."
    if board is not None:
        sections = [Story("", board), *_conflicts(board), *sections]
        headline = f"{result.name}, {expected}. {headline_of(board)}"
    elif result.verdict == "unknown":
        headline += f" {result.reason}"
    return render(Page(f"exploration of {result.name}", result.verdict, headline, sections))


def verdict_of(verdicts: Sequence[Verdict]) -> Verdict:
    """The worst of some verdicts; ``unknown`` if there are none."""
    return next((one for one in ("violated", "unknown", "verified") if one in verdicts), "unknown")


def run_page(results: Sequence[ScenarioResult], boards: Sequence[Storyboard]) -> str:
    """Several scenarios, and the counterexamples of those that are not as expected."""
    good = sum(result.ok for result in results)
    verdicts: list[Verdict] = [
        "verified" if result.ok else "unknown" if result.verdict == "unknown" else "violated"
        for result in results
    ]
    sections: list[Section] = [TableSection("Scenarios", verdict_table(results), "scenarios")]
    sections += [Story(board.replay.scenario, board) for board in boards]
    headline = f"{good} of {len(results)} scenarios are as expected."
    return render(Page("run of scenarios", verdict_of(verdicts), headline, sections))


def mutants_page(detections: Sequence[Detection], stories: Mapping[str, str]) -> str:
    """Bugs on purpose, and what found them.

    Args:
        detections: of each mutant.
        stories: of mutants, by their names.
    """
    killed = sum(one.is_killed for one in detections)
    verdicts: list[Verdict] = [
        "verified" if one.is_killed else "unknown" if one.verdict == "unknown" else "violated"
        for one in detections
    ]
    columns, rows = detection_table(detections)
    table = (
        [*columns, "what is wrong", "schedule"],
        [
            [*row, stories.get(one.name, ""), one.schedule or "-"]
            for row, one in zip(rows, detections, strict=True)
        ],
    )
    sections: list[Section] = [TableSection("Mutants", table, "mutants")]
    if detections and detections[0].executions:
        sections.insert(0, _detection_section(detections))
    headline = f"{killed} of {len(detections)} bugs on purpose were found."
    return render(Page("mutants", verdict_of(verdicts), headline, sections))


def _detection_section(detections: Sequence[Detection]) -> Figure:
    text = StringIO()
    draw_detections(detections, text)
    strategies = list(detections[0].executions)
    rows = [[one.name, *(executions_text(one.executions[name]) for name in strategies)] for one in detections]
    return Figure(
        "How soon drawn schedules find them",
        svg_element(text.getvalue()),
        "Schedules, and seconds, until the mutant is found: median, and the middle half of the runs.",
        (["mutant", *strategies], rows),
        "detection",
        is_wide=True,
    )


def svg_element(document: str) -> str:
    """An SVG document as an element of a page: without what stands before its root."""
    return document[document.index("<svg") :]


def gate_page(result: GateResult, boards: Sequence[Storyboard]) -> str:
    """Everything that was checked before a change, and the counterexamples."""
    sections: list[Section] = [
        TableSection("Stages", gate_table(result), "stages"),
        Words("Besides", list(gate_remarks(result))),
    ]
    wrong = [check for check in result.checks if check.verdict != "verified"]
    if wrong:
        rows = [[check.stage, check.name, check.verdict, check.reason] for check in wrong]
        sections.append(
            TableSection(
                "What is not as it must be", (["stage", "check", "verdict", "reason"], rows), "wrong"
            )
        )
    sections += [Story(board.replay.scenario, board) for board in boards]
    rows = [
        [check.stage, check.name, check.verdict, f"{check.seconds:.2f}"]
        for stage in STAGES
        for check in result.of_stage(stage)
    ]
    sections.append(TableSection("All checks", (["stage", "check", "verdict", "seconds"], rows), "checks"))
    return render(Page(f"gate, seed {result.seed}", result.verdict, _gate_headline(result, wrong), sections))


def _gate_headline(result: GateResult, wrong: Sequence[Check]) -> str:
    if result.verdict == "verified":
        return "Everything is as it must be."
    if not wrong:
        return "; ".join(result.reasons)
    names = ", ".join(dict.fromkeys(check.name for check in wrong))
    return f"{len(wrong)} of {len(result.checks)} checks are not as they must be: {shorten(names, 120)}"


def faults_page(verdicts: Sequence[FaultVerdict]) -> str:
    """What comes of each fault of a device."""
    verdict: Verdict = (
        "violated"
        if any(one.verdict == "violated" for one in verdicts)
        else "verified"
        if all(one.is_told for one in verdicts)
        else "unknown"
    )
    kinds = Counter(one.verdict for one in verdicts)
    counts = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    headline = f"Of {len(verdicts)} scenarios with faults of devices: {counts}."
    words = [f"{kind[0].upper()}{kind[1:]}: {meaning}" for kind, meaning in FAULT_KINDS.items()]
    sections: list[Section] = [Words("", words), TableSection("Faults", fault_table(verdicts), "faults")]
    return render(Page("faults of devices", verdict, headline, sections))
