"""A storyboard: a schedule, run on running code, with a picture of the world after each step.

It is plain data, for whoever shows it: pages, widgets, and programs (`shadowshare.reports`). Of the pictures only what
a step changed is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from shadowshare.models.computers import Implementation
from shadowshare.models.patterns import origin_of
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.scenarios.definition import Scenario
from shadowshare.sim.schedule import kind_of
from shadowshare.sim.stepped.world import SteppedWorld
from shadowshare.verify.counterexamples.counterexample import replay_command
from shadowshare.verify.counterexamples.happens_before import Order
from shadowshare.verify.counterexamples.moments import Moment
from shadowshare.verify.counterexamples.replaying import Replay, Row, Run, replay_of, run_subject
from shadowshare.verify.counterexamples.scenario_words import ScenarioSubject, without_idle
from shadowshare.verify.counterexamples.subject import Subject
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.rules.evidence import Evidence
from shadowshare.verify.rules.oracle import Oracle
from shadowshare.verify.story.case import Case, initial_records
from shadowshare.verify.story.explanation import Explanation, explain_violation
from shadowshare.verify.story.holdings import Holding
from shadowshare.verify.story.picture import Painter, Picture, ScenarioPainter

CELL_COUNT_MAXIMUM = 24
"""Cells of a region that are all shown; of more, those that something happens to."""

EXCERPT_BYTES = 16


class Access(NamedTuple):
    """A step touches a cell.

    Attributes:
        region: of the disk; or a cell of tasks, or an array.
        number: of the cell in it.
        is_change: whether the step changes it.
        value: what a cell of tasks holds then, in a few characters; empty for others.
    """

    region: str
    number: int
    is_change: bool
    value: str = ""


class StoryStep(NamedTuple):
    """One step.

    Attributes:
        number: from 1.
        label: in the schedule.
        host: who; empty for an event of the disks.
        kind: ``read``, ``write``, ``zero``, ``discard``, ``flush``, ``reserve``, ``compare-and-write``, ``crash``,
            ``power``, ``decision``, ``late``, ``error``, or ``wait``.
        action: what happened, in words.
        result: what came of it.
        accesses: the cells that it touched.
        is_recheck: whether a passive determines again with it.
        stopped: names of the hosts that crashed with it.
    """

    number: int
    label: str
    host: str
    kind: str
    action: str
    result: str
    accesses: tuple[Access, ...]
    is_recheck: bool
    stopped: tuple[str, ...]


class WrongByte(NamedTuple):
    """The first byte of a wrong sector that is not as it must be.

    Attributes:
        offset: in the volume.
        extent: in which it is.
        sector: of the extent.
        excerpt_offset: in the volume, of the first byte of the excerpts.
        got: some bytes from there on, as they were returned, in hexadecimal.
        expected: as they must be.
        got_origin: who wrote what was returned.
        expected_origin: who wrote what must be there.
    """

    offset: int
    extent: int
    sector: int
    excerpt_offset: int
    got: str
    expected: str
    got_origin: str
    expected_origin: str


class Edge(NamedTuple):
    """A step happened directly before another one, for these reasons."""

    earlier: int
    later: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Storyboard:
    """A schedule that was run, and what everybody had and knew after each step.

    Attributes:
        replay: the steps in words, what is violated, and the conflicts.
        story: what the scenario is about.
        mutant: name and story of the bug on purpose that was run; None for the protocol as it is.
        command: what to type to see it again.
        hosts: names and roles.
        regions: of the disk, in the order in which they are drawn.
        steps: what happened.
        frames: the first is the picture at the start, each further one what the step of its number changed.
        edges: what happened directly before what.
        explanation: why it went wrong; empty if nothing did.
        wrong_byte: None if no byte was wrong.
    """

    replay: Replay
    story: str
    mutant: tuple[str, str] | None
    command: str
    hosts: tuple[tuple[str, str], ...]
    regions: tuple[str, ...]
    steps: tuple[StoryStep, ...]
    frames: tuple[Picture, ...]
    edges: tuple[Edge, ...]
    explanation: Explanation
    wrong_byte: WrongByte | None

    def picture(self, number: int) -> Picture:
        """The whole picture after the step of a number; 0 is the start."""
        whole: Picture = {}
        for frame in self.frames[: number + 1]:
            whole.update(frame)
        return whole


def storyboard_of(
    scenario: Scenario,
    labels: Sequence[str],
    implementation: Implementation | None = None,
    files: Sequence[str] = (),
    mutant_name: str | None = None,
    implementation_path: str | None = None,
) -> Storyboard:
    """Run a schedule of a scenario and keep a picture after each step.

    Args:
        scenario: of which the schedule is.
        labels: the schedule.
        implementation: the protocol code under test.
        files: the scenario files that the command has to name.
        mutant_name: the mutant that the command has to name, and whose story is told.
        implementation_path: the user's own code that the command has to name, as ``module:name``.

    Raises:
        ScheduleError: it does not fit the scenario.
        UnknownMutant: there is no such mutant.
    """
    subject = ScenarioSubject(without_idle(scenario, labels), implementation or Implementation())
    first = run_subject(subject, labels)
    evidence = _evidence(first)
    painter = ScenarioPainter(subject.scenario, _shadow_copy(first, evidence))
    rechecks, frames, run = painted(subject, labels, painter)
    order = Order(run.moments, subject)
    replayed = replay_of(subject, run)
    bug = None if mutant_name is None else mutant(mutant_name)
    return Storyboard(
        replayed,
        scenario.story,
        None if bug is None else (bug.name, bug.story),
        replay_command(replayed.schedule, files, mutant_name, implementation_path),
        tuple((plan.name, plan.role) for plan in subject.scenario.hosts),
        painter.regions,
        tuple(steps_of(replayed, run, painter, rechecks)),
        tuple(differences(_without_idle_cells(frames, run, painter))),
        tuple(edges_of(order)),
        _explanation(subject, run, order, evidence, painter),
        None if evidence is None else _wrong_byte(evidence, subject),
    )


def painted(
    subject: Subject, labels: Sequence[str], painter: Painter
) -> tuple[list[bool], list[Picture], Run]:
    """Run a schedule; whether each step determines again, and the pictures."""
    rechecks: list[bool] = []
    frames: list[Picture] = []

    def look(world: SteppedWorld, moment: Moment | None) -> None:
        if moment is not None:
            rechecks.append(painter.is_recheck(moment))
        painter.take_in(len(frames), world, moment)
        frames.append(painter.picture(world))

    run = run_subject(subject, labels, look)
    return rechecks, frames, run


def _evidence(run: Run) -> Evidence | None:
    oracle = run.world.watcher
    return oracle.evidence if isinstance(oracle, Oracle) else None


def _shadow_copy(run: Run, evidence: Evidence | None) -> ShadowCopyId | None:
    """Whose image the volume is compared with: the one that was read wrongly, else the oldest that was created."""
    if evidence is not None and evidence.shadow_copy is not None:
        return evidence.shadow_copy
    oracle = run.world.watcher
    return min(oracle.images, default=None) if isinstance(oracle, Oracle) else None


def edges_of(order: Order) -> Iterator[Edge]:
    """What happened directly before what."""
    for earlier, later, told in order.graph().edges(data=True):
        yield Edge(earlier, later, told["reasons"])


# -- steps -------------------------------------------------------------------------------------------------------


def steps_of(replay: Replay, run: Run, painter: Painter, rechecks: Sequence[bool]) -> Iterator[StoryStep]:
    """The steps of a run, with the cells that each touched."""
    for row, moment, is_recheck in zip(replay.rows, run.moments, rechecks, strict=True):
        yield StoryStep(
            row.number,
            row.label,
            row.host,
            _kind(moment),
            row.action,
            row.result,
            tuple(_accesses(row, moment, painter)),
            is_recheck,
            row.stopped,
        )


def _kind(moment: Moment) -> str:
    kind = kind_of(moment.cause)
    if moment.waits:
        return "wait"
    if kind in ("crash", "power", "late", "error"):
        return kind
    return "decision" if moment.operation is None else moment.operation.verb


def _accesses(row: Row, moment: Moment, painter: Painter) -> Iterator[Access]:
    operation = moment.operation
    if operation is None or not row.touches:
        return
    sectors = range(operation.sector, operation.sector + operation.sector_count)
    cells = dict.fromkeys(painter.cell_of(operation.device, sector) for sector in sectors)
    for cell in cells:
        if cell is not None:
            yield Access(cell.region, cell.number, row.touches[0].is_change)


# -- frames ------------------------------------------------------------------------------------------------------


def _without_idle_cells(frames: Sequence[Picture], run: Run, painter: Painter) -> list[Picture]:
    """The pictures without the cells to which nothing happens, of regions that have many."""
    touched = {
        cell
        for moment in run.moments
        if moment.operation is not None
        for sector in range(moment.operation.sector, moment.operation.sector + moment.operation.sector_count)
        if (cell := painter.cell_of(moment.operation.device, sector)) is not None
    }
    keys = {f"{cell.region}/{cell.number}" for cell in touched}
    kept = set(frames[0])
    for region in painter.regions:
        cells = [key for key in frames[0] if key.startswith(f"{region}/")]
        if region == "journal":
            cells_kept = {key for key in cells if any(frame[key]["records"] != ["empty"] for frame in frames)}
            kept -= set(cells) - cells_kept
        elif len(cells) > CELL_COUNT_MAXIMUM:
            kept -= set(cells) - keys
    return [{key: frame[key] for key in frame if key in kept} for frame in frames]


def differences(frames: Sequence[Picture]) -> Iterator[Picture]:
    """The first picture, and what changed with each step."""
    yield frames[0]
    for before, after in pairwise(frames):
        yield {key: value for key, value in after.items() if value != before[key]}


# -- what went wrong ---------------------------------------------------------------------------------------------


def _explanation(
    subject: ScenarioSubject, run: Run, order: Order, evidence: Evidence | None, painter: ScenarioPainter
) -> Explanation:
    if run.violation is None:
        return Explanation(())
    holding = _wrong_holding(painter, evidence) if run.violated_at == len(run.moments) else None
    names = run.world.rules.names
    geometry = subject.scenario.geometry
    initial = tuple(initial_records(geometry, subject.world()))
    return explain_violation(
        Case(geometry, names, order, initial, run.violation, run.violated_at, evidence, holding)
    )


def _wrong_holding(painter: ScenarioPainter, evidence: Evidence | None) -> Holding | None:
    found: list[Any] = [
        held[evidence.sector]
        for held in painter.holdings.by_thread.values()
        if evidence is not None and evidence.sector in held and held[evidence.sector].state == "wrong"
    ]
    return found[0] if found else None


def _wrong_byte(evidence: Evidence, subject: ScenarioSubject) -> WrongByte:
    geometry, expected = subject.scenario.geometry, evidence.expected[0]
    at = next(
        index for index, (got, must) in enumerate(zip(evidence.got, expected, strict=True)) if got != must
    )
    start = at - at % EXCERPT_BYTES
    extent, within = divmod(evidence.sector, geometry.extent_sectors)
    base = evidence.sector * geometry.sector_bytes
    return WrongByte(
        base + at,
        extent,
        within,
        base + start,
        evidence.got[start : start + EXCERPT_BYTES].hex(),
        expected[start : start + EXCERPT_BYTES].hex(),
        origin_of(evidence.got),
        origin_of(expected),
    )
