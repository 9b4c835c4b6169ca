"""What tasks on shared cells are made of: cells, arrays, locks, tasks; and how that becomes a world.

`shadowshare.verify.tasks` explores it, and is where to begin to read.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Coroutine, Generator, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import coroutine
from typing import Any, NamedTuple

from shadowshare.protocol.errors import DiskError
from shadowshare.protocol.operations import Flush, Operation
from shadowshare.sim.disks.cells import Cells, CompareAndWrite, ReadCells, WriteCells
from shadowshare.sim.host import Computer
from shadowshare.sim.stepped.rules import Rules, Successor
from shadowshare.verify.cells.properties import Holds, Kind, Property

DEVICE = 0


class Rest:
    """What a task yields where `rest` is awaited."""

    __slots__ = ("key",)

    def __init__(self, key: Hashable) -> None:
        self.key = _hashable(key, "what a task rests with")


def _hashable(value: Any, role: str) -> Any:
    """The value, which is to be part of a state.

    Raises:
        TypeError: it cannot be: it has no hash.
    """
    try:
        hash(value)
    except TypeError:
        raise TypeError(f"{role} must be hashable, as a tuple is, and not a list: {value!r}") from None
    return value


@coroutine
def rest(key: Hashable) -> Generator[Rest, None, None]:
    """Say that from here on nothing matters of what the task learnt before, but ``key``.

    States in which a task rests with the same key are one. A key that leaves out something that matters later makes
    the verdict wrong; ``merges=False`` explores without.
    """
    yield Rest(key)


@coroutine
def _perform(operation: Operation) -> Generator[Any, Any, Any]:
    return (yield operation)


async def flush() -> None:
    """Make durable what the cells hold now, whoever wrote it."""
    await _perform(Flush(DEVICE))


def _values(values: Sequence[Hashable]) -> tuple[Hashable, ...]:
    return tuple([_hashable(value, "what a cell holds") for value in values])


@dataclass(frozen=True, slots=True)
class Array:
    """Several cells side by side. Reading or writing some of them is one step, unless they tear.

    ``array[index]`` is one of the cells, ``len(array)`` their number.
    """

    first: int
    cell_count: int

    async def read(self, index: int = 0, count: int | None = None) -> tuple[Any, ...]:
        """The values of ``count`` cells from ``index`` on; of all the rest without ``count``.

        Raises:
            IndexError: there are not so many cells.
        """
        wanted = self._cells(index, self.cell_count - index if count is None else count)
        answer: tuple[Any, ...] = await _perform(ReadCells(DEVICE, wanted.start, len(wanted)))
        return answer

    async def write(self, index: int, values: Sequence[Hashable]) -> None:
        """Write values into the cells from ``index`` on.

        Raises:
            IndexError: there are not so many cells.
        """
        wanted = self._cells(index, len(values))
        await _perform(WriteCells(DEVICE, wanted.start, _values(values)))

    def _cells(self, index: int, count: int) -> range:
        if count < 0 or not 0 <= index <= self.cell_count - count:
            raise IndexError(f"{count} cells from {index} on, of an array of {self.cell_count}")
        return range(self.first + index, self.first + index + count)

    def __len__(self) -> int:
        return self.cell_count

    def __getitem__(self, index: int) -> Cell:
        return Cell(range(self.first, self.first + self.cell_count)[operator.index(index)])


class Cell(NamedTuple):
    """One cell, which holds any hashable value."""

    number: int

    async def read(self) -> Any:
        """Its value."""
        return (await _perform(ReadCells(DEVICE, self.number, 1)))[0]

    async def write(self, value: Hashable) -> None:
        """Give it another value."""
        await _perform(WriteCells(DEVICE, self.number, _values((value,))))

    async def compare_and_write(self, expected: Hashable, value: Hashable) -> bool:
        """Write ``value`` if it holds ``expected``, in one step; whether it did."""
        held, wanted = _values((expected, value))
        operation = CompareAndWrite(DEVICE, self.number, held, wanted)
        answer: bool = await _perform(operation)
        return answer


class Lock(NamedTuple):
    """A cell that at most one task holds: a compare-and-write that waits."""

    cell: Cell

    async def __aenter__(self) -> None:
        await _perform(CompareAndWrite(DEVICE, self.cell.number, False, True, waits=True))

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not GeneratorExit:  # a task that crashed, or is dropped, does nothing more
            await self.cell.write(False)


TaskFunction = Callable[..., Coroutine[Any, Any, Any]]


class Task(NamedTuple):
    """A task of a setup.

    Attributes:
        name: its label in schedules.
        function: an ``async`` function.
        arguments: what it is called with.
        recovers: name of the task whose crash starts this one; empty if it is there from the start.
    """

    name: str
    function: TaskFunction
    arguments: tuple[Any, ...]
    recovers: str


class Setup:
    """Cells, tasks, and what else may happen.

    Args:
        crashes: how often tasks may crash, the power losses included.
        power_losses: how many of the crashes may be power losses: cells fall back to what was flushed, or to any
            later value, each for itself.
        plain_crashes: whether tasks may crash without a power loss.
        late_writes: whether a write in flight at a crash may still land at any later time.
        tears: whether operations on several cells take effect cell by cell, in any order.

    Raises:
        ValueError: a number is negative, or there are more power losses than crashes.
    """

    def __init__(
        self,
        crashes: int = 0,
        power_losses: int = 0,
        plain_crashes: bool = True,
        late_writes: bool = True,
        tears: bool = False,
    ) -> None:
        if min(crashes, power_losses) < 0:
            raise ValueError(f"{min(crashes, power_losses)} is no number of times")
        if power_losses > crashes:
            raise ValueError("a power loss is a crash too: crashes must be as many as power_losses, or more")
        self.crashes = crashes
        self.power_losses = power_losses
        self.plain_crashes = plain_crashes
        self.late_writes = late_writes
        self.tears = tears
        self.names: dict[str, Cell | Array] = {}
        self.initial: list[Hashable] = []
        self.tasks: list[Task] = []
        self.properties: list[Property] = []
        self.left_out: frozenset[str] = frozenset()
        """Names of the tasks that are not here, see `only`."""

    def cell(self, name: str, value: Hashable = 0) -> Cell:
        """A cell that holds ``value`` at the start."""
        cell = Cell(len(self.initial))
        self._name(name, cell, (value,))
        return cell

    def array(self, name: str, values: Sequence[Hashable]) -> Array:
        """Cells side by side that hold ``values`` at the start."""
        array = Array(len(self.initial), len(values))
        self._name(name, array, values)
        return array

    def lock(self, name: str) -> Lock:
        """A lock that nobody holds: ``async with lock:``."""
        return Lock(self.cell(name, False))

    def _name(self, name: str, place: Cell | Array, values: Sequence[Hashable]) -> None:
        if name in self.names:
            raise ValueError(f"there is a cell {name!r} already")
        self.initial += _values(values)
        self.names[name] = place

    def task(self, name: str, function: TaskFunction, *arguments: Any, recovers: str = "") -> None:
        """Add a task: ``function(*arguments)``, which begins at once, or when the task that it recovers crashed.

        Raises:
            ValueError: the name is taken or no capital letter followed by letters, or the task to recover is unknown.
        """
        if not (name.isascii() and name.isalpha() and name[0].isupper()):
            raise ValueError(
                f"{name!r} is no name for a task: take a capital letter, or more letters behind it"
            )
        known = [task.name for task in self.tasks]
        if name in known:
            raise ValueError(f"there is a task {name!r} already")
        if recovers and recovers not in known:
            raise ValueError(f"task {name!r} recovers {recovers!r}, which is no task before it")
        self.tasks.append(Task(name, function, arguments, recovers))

    def always(self, name: str, holds: Holds) -> None:
        """State that something holds whenever a cell was written, and at the start.

        Args:
            name: in words.
            holds: whether it does, of a mapping from names to what the cells hold.
        """
        self.properties.append(Property("always", name, holds))

    def sometimes(self, name: str, holds: Holds) -> None:
        """State that something holds in at least one state; see `always`."""
        self.properties.append(Property("sometimes", name, holds))

    def eventually(self, name: str, holds: Holds) -> None:
        """State that something comes to hold, sooner or later, in every fair schedule; see `always`."""
        self.properties.append(Property("eventually", name, holds))

    def stated(self, kind: Kind) -> list[Property]:
        """What was stated of one kind."""
        return [one for one in self.properties if one.kind == kind]

    def only(self, names: Sequence[str]) -> Setup:
        """The same cells with some of the tasks."""
        setup = Setup(self.crashes, self.power_losses, self.plain_crashes, self.late_writes, self.tears)
        setup.names, setup.initial, setup.properties = self.names, self.initial, self.properties
        setup.tasks = [task for task in self.tasks if task.name in names]
        setup.left_out = frozenset(task.name for task in self.tasks if task.name not in names)
        return setup

    # -- as a world ----------------------------------------------------------------------------------------------

    def cells(self) -> Cells:
        """The device that holds the cells at the start."""
        return Cells(self.initial, has_volatile_cache=self.power_losses > 0)

    def rules(self) -> Rules:
        """What may happen."""
        names = tuple(task.name for task in self.tasks)
        recovered = {task.recovers for task in self.tasks}
        return Rules(
            names,
            tuple((name,) for name in names),
            crash_count=self.crashes,
            power_loss_count=self.power_losses,
            mortals=tuple(number for number, name in enumerate(names) if name not in recovered)
            if self.crashes
            else (),
            successors=tuple(
                (names.index(task.recovers), Successor(number, (0,)))
                for number, task in enumerate(self.tasks)
                if task.recovers
            ),
            plain_crashes=self.plain_crashes,
            late_writes=self.late_writes,
            tears=self.tears,
            power_stops_all=True,
        )

    def alike(self) -> list[tuple[int, ...]]:
        """Groups of tasks that do the same: the same function with the same arguments, which must be hashable."""
        groups: dict[Any, list[int]] = {}
        for number, task in enumerate(self.tasks):
            same: Hashable = (task.function, task.arguments, task.recovers)
            try:
                hash(same)
            except TypeError:
                same = number
            groups.setdefault(same, []).append(number)
        return [tuple(group) for group in groups.values()]

    def values(self, cells: Sequence[Any]) -> Mapping[str, Any]:
        """By name, what cells hold: a value, or a tuple of them for an array."""
        return {
            name: cells[place.number]
            if isinstance(place, Cell)
            else tuple(cells[place.first : place.first + place.cell_count])
            for name, place in self.names.items()
        }


class TaskEnded(NamedTuple):
    """A task ended, with this result."""

    result: Hashable


def computer_of(task: Task) -> Computer:
    """What a host runs that does nothing but one task."""
    marks: list[Hashable] = []

    def boundary() -> Hashable | None:
        mark = marks[-1] if marks else None
        marks.clear()
        return mark

    return Computer([partial(_run, task, marks)], [], boundary)


@coroutine
def _run(task: Task, marks: list[Hashable]) -> Generator[Any, Any, None]:
    """Run a task; note where it rests, and what it ends with."""
    running = task.function(*task.arguments)
    if not isinstance(running, Coroutine):
        raise TypeError(f"task {task.name!r} is no async function: it gave {running!r}")
    answer: Any = None
    while True:
        try:
            wanted = running.throw(answer) if isinstance(answer, Exception) else running.send(answer)
        except StopIteration as end:
            marks.append(TaskEnded(_hashable(end.value, f"what task {task.name!r} returns")))
            return
        if type(wanted) is Rest:
            marks.append(("rest", wanted.key))
            answer = None
        elif isinstance(wanted, (Operation, tuple)):
            try:
                answer = yield wanted
            except DiskError as error:
                answer = error
        else:
            raise TypeError(f"task {task.name!r} awaited {wanted!r}: it can await operations on cells only")
