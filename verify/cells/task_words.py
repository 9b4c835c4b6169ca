"""Tasks on shared cells as something that can be replayed, and the words for what they do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shadowshare.protocol.operations import Access, Operation
from shadowshare.sim.disks.cells import CompareAndWrite, ReadCells, WriteCells
from shadowshare.sim.host import Host
from shadowshare.sim.schedule import split_mark
from shadowshare.sim.stepped.world import SteppedWorld
from shadowshare.verify.cells.setup import Cell, Setup, TaskEnded, computer_of
from shadowshare.verify.cells.task_world import END_RULES, Check, TaskWatcher, TaskWorld
from shadowshare.verify.counterexamples.simplifying import source_of
from shadowshare.verify.counterexamples.subject import Concern, Place
from shadowshare.verify.exploration.liveness import violation_of_way
from shadowshare.verify.result import Violation

DEFAULT_NAME = "tasks"


class TaskSubject:
    """The tasks of a setup.

    Args:
        setup: cells and tasks.
        check: judges each end.
        name: as it stands in schedules.
    """

    def __init__(self, setup: Setup, check: Check | None = None, name: str = DEFAULT_NAME) -> None:
        self.name = name
        self._setup = setup
        self._judge = TaskWorld(setup, check)
        self._cells = {}
        for cell_name, place in setup.names.items():
            if isinstance(place, Cell):
                self._cells[place.number] = Place(cell_name, cell_name)
            else:
                for index in range(place.cell_count):
                    self._cells[place.first + index] = Place(cell_name, f"{cell_name}[{index}]")

    @property
    def title(self) -> str:
        """As it stands in messages."""
        return f"the tasks {self.name!r}"

    def world(self) -> SteppedWorld:
        """A world of running tasks at the start."""
        hosts = [Host(computer_of(task)) for task in self._setup.tasks]
        watcher = TaskWatcher(self._setup)
        world = SteppedWorld([self._setup.cells()], hosts, self._setup.rules(), watcher)
        for number, task in enumerate(self._setup.tasks):
            if not task.recovers:
                world.start(number, 0)
        watcher.look(world.shared)
        return world

    def violation(self, world: SteppedWorld) -> Violation | None:
        """What a task failed with; or how an end is judged."""
        violation: Violation | None = world.watcher.violation
        if violation is None and world.is_over:
            waiting = [
                self._setup.tasks[number].name
                for number, host in world.hosts.items()
                if host.unfinished_count
            ]
            results = {task.name: _result(world, number) for number, task in enumerate(self._setup.tasks)}
            return self._judge.judge(world.shared, waiting, results)
        return violation

    def violation_of_way(self, labels: Sequence[str]) -> Violation | None:
        """What the schedule shows by not ending."""
        return violation_of_way(self._judge.product, labels)

    def hosts(self, labels: Sequence[str]) -> tuple[str, ...]:
        """The tasks that take a step, or crash."""
        sources = {split_mark(source_of(label).removeprefix("crash."))[0] for label in labels}
        return tuple(task.name for task in self._setup.tasks if task.name in sources)

    # -- words ---------------------------------------------------------------------------------------------------

    def place(self, device: int, sector: int) -> Place:
        """What a cell is called."""
        return self._cells[sector]

    def action(self, operation: Operation) -> str:
        """An operation in words: ``writes 1 into counter``."""
        cells = ", ".join(
            self.place(operation.device, cell).name
            for cell in range(operation.sector, operation.sector + operation.sector_count)
        )
        if isinstance(operation, ReadCells):
            return f"reads {cells}"
        if isinstance(operation, WriteCells):
            return f"writes {', '.join(map(repr, operation.values))} into {cells}"
        if isinstance(operation, CompareAndWrite):
            when = "as soon as" if operation.waits else "if"
            return f"writes {operation.value!r} into {cells} {when} it holds {operation.expected!r}"
        return "flushes the cells" if operation.access is Access.FLUSH else "reserves the cells"

    def answer(self, operation: Operation, answer: Any) -> str:
        """What an operation got."""
        if isinstance(answer, Exception):
            return type(answer).__name__
        if isinstance(operation, ReadCells):
            return f"got {', '.join(map(repr, answer))}"
        if isinstance(operation, CompareAndWrite) and not operation.waits:
            return "it did" if answer else "it did not"
        return ""

    def report(self, report: Any) -> str:
        """The exception with which a task ended."""
        return f"fails with {type(report).__name__}" + (f": {report}" if str(report) else "")

    def power_loss(self) -> str:
        """What a power loss does."""
        return "the power is lost, and with it every task"

    def concern(
        self, violation: Violation, world: SteppedWorld, accesses: Sequence[tuple[str, Operation]]
    ) -> Concern:
        """The cells that the task touched which failed; every cell if it is an end that is wrong."""
        if violation.rule in END_RULES:
            return lambda place: True
        places = {
            self.place(operation.device, cell)
            for host, operation in accesses
            if host == violation.host
            for cell in range(operation.sector, operation.sector + operation.sector_count)
        }
        return lambda place: place in places


def _result(world: SteppedWorld, number: int) -> Any:
    """What a task returned; None if it crashed, failed, or has not ended."""
    host = world.hosts.get(number)
    boundary = host.computer.boundary() if isinstance(host, Host) else None
    return boundary.result if isinstance(boundary, TaskEnded) else None
