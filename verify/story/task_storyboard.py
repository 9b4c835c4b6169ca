"""Storyboards of tasks on shared cells: what every cell held after each step, and what each task had read by then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from shadowshare.protocol.operations import Access, Operation
from shadowshare.sim.disks.cells import ReadCells
from shadowshare.sim.stepped.world import SteppedWorld
from shadowshare.verify.cells.setup import Array, Setup
from shadowshare.verify.cells.task_words import DEFAULT_NAME, TaskSubject
from shadowshare.verify.cells.task_world import Check
from shadowshare.verify.counterexamples.happens_before import Order
from shadowshare.verify.counterexamples.moments import Moment
from shadowshare.verify.counterexamples.replaying import Replay, Run, replay_of
from shadowshare.verify.story.explanation import Explanation
from shadowshare.verify.story.picture import Cell, Picture
from shadowshare.verify.story.storyboard import (
    Storyboard,
    StoryStep,
    differences,
    edges_of,
    painted,
    steps_of,
)

OVERTAKEN_COUNT_MAXIMUM = 4
"""Reads that were overtaken of which an explanation speaks: the last ones."""

VALUE_CHARACTERS = 7
"""Of a value beside an arrow, at most."""


class TaskPainter:
    """Paints the world of tasks.

    Args:
        setup: cells and tasks.
        subject: the same, with words.
    """

    def __init__(self, setup: Setup, subject: TaskSubject) -> None:
        self._setup = setup
        self._subject = subject
        self._cells = {
            number: Cell(name, number - first)
            for name, place in setup.names.items()
            for first, count in [
                (place.first, place.cell_count) if isinstance(place, Array) else (place.number, 1)
            ]
            for number in range(first, first + count)
        }
        self._read: dict[int, dict[int, tuple[Any, int]]] = {}
        """By task and cell: what it read there last, and with which step."""

    @property
    def regions(self) -> tuple[str, ...]:
        """The names of cells and arrays."""
        return tuple(self._setup.names)

    def cell_of(self, device: int, sector: int) -> Cell | None:
        """The array, or cell, that a cell of the device belongs to."""
        return self._cells[sector]

    def is_recheck(self, moment: Moment) -> bool:
        """Nobody knows what a task's read is for."""
        return False

    def take_in(self, number: int, world: SteppedWorld, moment: Moment | None) -> None:
        """Learn what a step read."""
        if moment is not None and moment.host is not None and isinstance(moment.operation, ReadCells):
            answer = moment.step.answer
            if isinstance(answer, tuple):
                read = self._read.setdefault(moment.host, {})
                for at, value in enumerate(answer, start=moment.operation.sector):
                    read[at] = value, number

    def picture(self, world: SteppedWorld) -> Picture:
        """The world as it is now."""
        cells = world.disks[0]
        picture: Picture = {}
        for number, cell in self._cells.items():
            state = (
                "undecided" if number in cells.undecided else "unflushed" if number in cells.versions else ""
            )
            picture[f"{cell.region}/{cell.number}"] = {"value": repr(cells.sectors[number]), "state": state}
        for number, task in enumerate(self._setup.tasks):
            picture[f"host/{task.name}"] = self._task(world, number)
        return picture

    def _task(self, world: SteppedWorld, number: int) -> dict[str, Any]:
        host, cells = world.hosts.get(number), world.disks[0]
        if host is None:
            return {"status": "crashed", "doing": [], "next": [], "read": []}
        flights = [flight for flight in world.flights if flight.host == number]
        if world.rules.is_waiting(number, world.shared.crashed):
            status = "not yet begun"
        else:
            status = "runs" if flights or host.unfinished_count else "done"
        read = [
            {
                "cell": self._subject.place(0, cell).name,
                "value": repr(value),
                "step": step,
                "is_current": bool(cells.sectors[cell] == value),
            }
            for cell, (value, step) in self._read.get(number, {}).items()
        ]
        following = [[flight.label, self._subject.action(flight.operation)] for flight in flights]
        return {"status": status, "doing": [], "next": following, "read": read}


def storyboard_of_tasks(
    setup: Setup, labels: Sequence[str], check: Check | None = None, name: str = DEFAULT_NAME
) -> Storyboard:
    """Run a schedule of tasks on shared cells and keep a picture after each step.

    Args:
        setup: cells and tasks.
        labels: the schedule, as an exploration or a `Counterexample` of these tasks has it.
        check: judges the end, if the schedule reaches one.
        name: stands in the schedule's string.

    Raises:
        ScheduleError: it does not fit the tasks.
    """
    subject = TaskSubject(setup, check, name)
    painter = TaskPainter(setup, subject)
    rechecks, frames, run = painted(subject, labels, painter)
    replayed = replay_of(subject, run)
    order = Order(run.moments, subject)
    return Storyboard(
        replayed,
        "",
        None,
        "",
        tuple((task.name, "task") for task in setup.tasks if task.name in replayed.hosts),
        tuple(region for region in painter.regions if any(_touches(row, region) for row in replayed.rows)),
        tuple(
            _with_values(step, frame)
            for step, frame in zip(steps_of(replayed, run, painter, rechecks), frames[1:], strict=True)
        ),
        tuple(differences(frames)),
        tuple(edges_of(order)),
        _explanation(subject, replayed, run),
        None,
    )


def _with_values(step: StoryStep, picture: Picture) -> StoryStep:
    """The step, with what the cells hold that it touched."""
    accesses = [
        access._replace(value=_short(picture[f"{access.region}/{access.number}"]["value"]))
        for access in step.accesses
    ]
    return step._replace(accesses=tuple(accesses))


def _short(value: str) -> str:
    return value if len(value) <= VALUE_CHARACTERS else f"{value[: VALUE_CHARACTERS - 1]}…"


def _touches(row: Any, region: str) -> bool:
    return any(touch.place.region == region for touch in row.touches)


# -- why it went wrong -------------------------------------------------------------------------------------------


def _explanation(subject: TaskSubject, replayed: Replay, run: Run) -> Explanation:
    violation = replayed.violation
    if violation is None:
        return Explanation(())
    at = "At the end" if replayed.violated_at is None else f"At step {replayed.violated_at}"
    overtaken = list(_overtaken(subject, run))
    sentences = [sentence for _, sentence in overtaken[-OVERTAKEN_COUNT_MAXIMUM:]]
    way = dict.fromkeys(step for steps, _ in overtaken[-OVERTAKEN_COUNT_MAXIMUM:] for step in steps)
    return Explanation((f"{at}: {violation.message.rstrip('.')}.", *sentences), tuple(way))


def _overtaken(subject: TaskSubject, run: Run) -> Iterator[tuple[tuple[int, int], str]]:
    """Reads of a cell that another task changed before the reader's next step but the first that would have told."""
    names = run.world.rules.names
    moments = list(enumerate(run.moments, start=1))
    for read_at, read in moments:
        if not isinstance(read.operation, ReadCells) or read.host is None or read.waits:
            continue
        following = [number for number, moment in moments if number > read_at and moment.host == read.host]
        until = following[-1] if following else len(moments)
        changes = (
            number
            for number, moment in islice(moments, read_at, until)
            if moment.host != read.host
            and moment.effect is not None
            and _changes(moment.effect, read.operation)
        )
        changed_at = next(changes, None)
        if changed_at is not None:
            reader, change = names[read.host], run.moments[changed_at - 1]
            writer = "" if change.host is None else names[change.host]
            place = subject.place(0, read.operation.sector).name
            going_on = next((number for number in following if number > changed_at), None)
            then = "" if going_on is None else f" {reader} went on at step {going_on} with what it had read."
            yield (
                (read_at, changed_at),
                f"{reader} read {place} at step {read_at}; {writer} changed it at step {changed_at}.{then}",
            )


def _changes(change: Operation, read: Operation) -> bool:
    overlap = (
        change.sector < read.sector + read.sector_count and read.sector < change.sector + change.sector_count
    )
    return change.access is Access.WRITE and change.device == read.device and overlap
