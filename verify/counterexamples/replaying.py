"""A schedule, replayed on running code and put into words: who did what to which place, and what conflicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from shadowshare.sim.faults.catalogue import words_of
from shadowshare.sim.schedule import Schedule, ScheduleError, kind_of, split_mark
from shadowshare.sim.stepped.world import SteppedWorld
from shadowshare.verify.counterexamples.happens_before import Conflict, Order
from shadowshare.verify.counterexamples.moments import Moment, Touch, let_happen
from shadowshare.verify.counterexamples.subject import Subject
from shadowshare.verify.result import Violation


class Row(NamedTuple):
    """One step in words.

    Attributes:
        number: from 1.
        label: in the schedule.
        host: who; empty for an event of the disks.
        action: what happened.
        result: what came of it.
        touches: the places that it read or changed.
        stopped: names of the hosts that crashed with it.
    """

    number: int
    label: str
    host: str
    action: str
    result: str
    touches: tuple[Touch, ...] = ()
    stopped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Replay:
    """A schedule that was run.

    Attributes:
        scenario: its name.
        schedule: as a string.
        hosts: names, in order.
        rows: the steps in words.
        violation: what went wrong, if something did.
        is_over: whether nothing was in flight any more at the end.
        violated_at: number of the step that violated; None if nothing did, or the end is what is wrong.
        conflicts: accesses of different hosts to the places that the violation is about, by their numbers.
    """

    scenario: str
    schedule: str
    hosts: tuple[str, ...]
    rows: tuple[Row, ...]
    violation: Violation | None
    is_over: bool
    violated_at: int | None = None
    conflicts: tuple[Conflict, ...] = ()


class Run(NamedTuple):
    """A schedule that was run on running code.

    Attributes:
        world: at the end.
        moments: the steps.
        violation: what is violated, if something is.
        violated_at: number of the step that violated; None if nothing did, or the end is what is wrong.
    """

    world: SteppedWorld
    moments: tuple[Moment, ...]
    violation: Violation | None
    violated_at: int | None


Onlooker = Callable[[SteppedWorld, "Moment | None"], None]
"""Called with the world at the start, without a step, and behind each step with it."""


def run_subject(subject: Subject, labels: Sequence[str], onlooker: Onlooker | None = None) -> Run:
    """Run a schedule.

    Args:
        subject: what the schedule is of.
        labels: of its steps.
        onlooker: sees the world between the steps; it must leave it as it is.

    Raises:
        ScheduleError: a label does not fit, with its position.
    """
    world = subject.world()
    moments, violated_at = list[Moment](), None
    if onlooker is not None:
        onlooker(world, None)
    for number, label in enumerate(labels, start=1):
        try:
            moments.append(let_happen(world, label))
        except ScheduleError as error:
            raise ScheduleError(
                f"step {number} of the schedule does not fit {subject.title}: {error}"
            ) from None
        if violated_at is None and world.watcher.violation is not None:
            violated_at = number
        if onlooker is not None:
            onlooker(world, moments[-1])
    violation = subject.violation(world) or subject.violation_of_way(labels)
    return Run(world, tuple(moments), violation, violated_at)


def replay_of(subject: Subject, run: Run) -> Replay:
    """A schedule that was run, in words."""
    names = run.world.rules.names
    labels = [moment.label for moment in run.moments]
    return Replay(
        subject.name,
        str(Schedule(subject.name, tuple(labels))),
        subject.hosts(labels),
        tuple(_row(number, moment, names, subject) for number, moment in enumerate(run.moments, start=1)),
        run.violation,
        run.world.is_over,
        run.violated_at,
        () if run.violation is None else tuple(_conflicts(subject, run, run.violation)),
    )


def _conflicts(subject: Subject, run: Run, violation: Violation) -> Iterator[Conflict]:
    """The accesses of different hosts that conflict, to the places that a violation is about."""
    names = run.world.rules.names
    accesses = [
        (names[moment.host], moment.operation)
        for moment in run.moments
        if moment.host is not None and moment.operation is not None and not moment.waits
    ]
    concern = subject.concern(violation, subject.world(), accesses)
    return Order(run.moments, subject).conflicts(concern)


# -- words -------------------------------------------------------------------------------------------------------


def _row(number: int, moment: Moment, names: tuple[str, ...], subject: Subject) -> Row:
    step, host = moment.step, "" if moment.host is None else names[moment.host]
    survived = _survived(moment, subject)
    if moment.operation is None:
        event = subject.power_loss() if kind_of(step.label) == "power" else f"{host} crashes"
        return Row(number, step.label, host, event, "", (), tuple(names[other] for other in moment.stopped))
    action = subject.action(moment.operation)
    if moment.waits:
        if survived:
            return Row(number, step.label, "", survived, "")
        return Row(number, step.label, host, action, "has to wait until it is decided what survived")
    touches = tuple(moment.touches(subject))
    fault = words_of(split_mark(step.label)[1])
    results = [
        survived,
        fault,
        subject.answer(moment.operation, step.answer),
        *map(subject.report, step.reports),
    ]
    if moment.is_late:
        action, results = f"late: {action}", [survived, "it landed after all"]
    return Row(number, step.label, host, action, "; ".join(filter(None, results)), touches)


def _survived(moment: Moment, subject: Subject) -> str:
    if moment.survivor is None:
        return ""
    device, sector, number = moment.survivor
    return f"of {subject.place(device, sector).name}, content {number} survived (0 is the oldest)"
