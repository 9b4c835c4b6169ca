"""Small programs of tasks on cells, drawn at random, and a search through their schedules too simple to be wrong."""

from __future__ import annotations

from collections.abc import Generator, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import coroutine
from typing import Any

from hypothesis import strategies as st

from shadowshare.protocol.errors import DiskError
from shadowshare.protocol.operations import Operation, Reserve, together
from shadowshare.sim.disks.cells import CompareAndWrite, ReadCells, WriteCells
from shadowshare.sim.faults.catalogue import budgets
from shadowshare.sim.stepped.rules import Rules
from shadowshare.sim.stepped.shared import SharedState
from shadowshare.sim.stepped.world import Client, SteppedWorld
from shadowshare.verify.cells.setup import DEVICE, Array, Lock, Setup, TaskEnded, computer_of, rest
from shadowshare.verify.exploration.dependence import Touched, touched
from shadowshare.verify.exploration.memoised import Automaton, MemoisedHost
from shadowshare.verify.exploration.product import Move, Product

CELL_COUNT = 3
NAMES = "ABC"

Statement = tuple[Any, ...]
Outcome = tuple[Hashable, ...]
"""What the cells hold in the end, what each task returned, or whether it waits for ever, and what a watcher saw."""


@dataclass(frozen=True)
class Program:
    """Tasks on a few cells and two locks.

    Attributes:
        tasks: the statements of each.
        tears: whether operations on several cells tear.
        crashes: how many tasks may crash.
        has_successor: whether the last task begins only when the first one crashed.
        late_writes: whether writes in flight at a crash may land later.
        write_errors: how many writes may report an error.
        read_errors: how many reads may report an error.
        is_watched: whether somebody looks at the last cell whenever the first one is written.
    """

    tasks: tuple[tuple[Statement, ...], ...]
    tears: bool = False
    crashes: int = 0
    has_successor: bool = False
    late_writes: bool = True
    write_errors: int = 0
    read_errors: int = 0
    is_watched: bool = False

    def rules(self) -> Rules:
        """What may happen."""
        return replace(
            self.setup().rules(), faults=budgets(write_errors=self.write_errors, read_errors=self.read_errors)
        )

    def setup(self) -> Setup:
        """The program, ready to be explored."""
        setup = Setup(crashes=self.crashes, late_writes=self.late_writes, tears=self.tears)
        cells = setup.array("cells", (0,) * CELL_COUNT)
        run = _Interpreter(cells, (setup.lock("one lock"), setup.lock("the other lock"))).run
        for number, statements in enumerate(self.tasks):
            is_successor = self.has_successor and 0 < number == len(self.tasks) - 1
            setup.task(NAMES[number], run, statements, recovers="A" if is_successor else "")
        return setup


class _Interpreter:
    """Carries out statements. What is *known* is all that later statements, and a task's result, depend on."""

    def __init__(self, cells: Array, locks: Sequence[Lock]) -> None:
        self._cells = cells
        self._locks = locks

    async def run(self, statements: tuple[Statement, ...]) -> int:
        return await self._carry_out(statements, 1, 0)

    async def _carry_out(self, statements: tuple[Statement, ...], place: int, known: int) -> int:
        for number, (verb, *details) in enumerate(statements):
            here = place * 8 + number
            if verb == "if":
                known = await self._carry_out(details[0], here, known) if known else known
            elif verb == "locked":
                known = await self._locked(details[0], details[1], here, known)
            elif verb == "rest":
                await rest((here, known))
            else:
                known = (known * 2 + await self._tried(verb, details, known)) % 5
        return known

    async def _locked(self, which: int, body: tuple[Statement, ...], place: int, known: int) -> int:
        try:
            async with self._locks[which]:
                return await self._carry_out(body, place, known)
        except DiskError:
            return 4

    async def _tried(self, verb: str, details: list[Any], known: int) -> int:
        try:
            return int(await getattr(self, verb)(known, *details) or 0)
        except DiskError:
            return 3

    async def read(self, known: int, index: int, count: int) -> int:
        return int(sum(await self._cells.read(index, count))) + 1

    async def write(self, known: int, index: int, values: tuple[int, ...]) -> None:
        await self._cells.write(index, values)

    async def tell(self, known: int, index: int) -> None:
        await self._cells[index].write(known + 1)

    async def compare(self, known: int, index: int, expected: int, value: int) -> bool:
        return await self._cells[index].compare_and_write(expected, value)

    async def take(self, known: int, which: int) -> None:
        await self._locks[which].__aenter__()

    async def complain(self, known: int) -> None:
        if known % 2:
            raise RuntimeError(f"{known} is odd")

    async def reserve(self, known: int) -> None:
        await perform(Reserve(DEVICE))

    async def both(self, known: int, *pieces: tuple[int, int]) -> int:
        answers = await together([_operation(*piece) for piece in pieces])
        return sum(sum(answer) + 1 for answer in answers if isinstance(answer, tuple))


@coroutine
def perform(operation: Operation) -> Generator[Operation, Any, Any]:
    """Await an operation."""
    return (yield operation)


def _operation(index: int, value: int) -> Operation:
    """A write of the value, a read if it is 0, and if it is 3 a write that waits until the cell holds 1."""
    if value == 3:
        return CompareAndWrite(DEVICE, index, 1, 2, waits=True)
    return WriteCells(DEVICE, index, (value,)) if value else ReadCells(DEVICE, index, 1)


class Watcher:
    """Notes, in their order, the errors that tasks end with, and what the last cell holds when the first is written."""

    def __init__(self, inspects_writes: bool) -> None:
        self.violation = None
        self.seen: tuple[Hashable, ...] = ()
        self._inspects_writes = inspects_writes

    def wrote(self, shared: SharedState, host: int, operation: Operation) -> None:
        if self.inspects(operation):
            self.seen += (shared.disks[DEVICE].sectors[CELL_COUNT - 1],)

    def submitted(self, shared: SharedState, host: int, operation: Operation) -> None:
        raise AssertionError("every task may do everything")

    def lost_power(self, shared: SharedState) -> None:
        raise AssertionError("there are no power losses")

    def inspects(self, operation: Operation) -> Sequence[tuple[int, range]]:
        return (
            [(DEVICE, range(CELL_COUNT - 1, CELL_COUNT))]
            if self._inspects_writes and not operation.sector
            else ()
        )

    def notes(self, operation: Operation) -> Sequence[tuple[str, bool]]:
        return ()

    def reported(self, shared: SharedState, host: int, report: Any) -> None:
        self.seen += ((host, str(report)),)

    def fork(self) -> Watcher:
        copy = Watcher(self._inspects_writes)
        copy.seen = self.seen
        return copy

    def key(self) -> Hashable:
        return self.seen


# -- drawing programs ----------------------------------------------------------------------------------------------

_index = st.integers(0, CELL_COUNT - 1)
_value = st.integers(1, 2)
_range = st.integers(1, 2).flatmap(
    lambda count: st.tuples(st.integers(0, CELL_COUNT - count), st.just(count))
)
_write = _range.flatmap(
    lambda found: st.tuples(st.just("write"), st.just(found[0]), st.tuples(*[_value] * found[1]))
)
_piece = st.tuples(_index, st.integers(0, 3))
_simple: st.SearchStrategy[Statement] = st.one_of(
    _range.map(lambda found: ("read", *found)),
    _write,
    st.tuples(st.just("tell"), _index),
    st.tuples(st.just("compare"), _index, st.integers(0, 1), _value),
    st.just(("rest",)),
    st.tuples(st.just("both"), _piece, _piece),
)
_which = st.integers(0, 1)
_body = st.lists(_simple, min_size=1, max_size=2).map(tuple)
_locked = st.tuples(st.just("locked"), _which, _body)
_statement: st.SearchStrategy[Statement] = st.one_of(
    _simple,
    _simple,
    _simple,
    st.tuples(st.just("if"), _body),
    _locked,
    st.tuples(st.just("locked"), _which, st.tuples(_locked)),
    st.tuples(st.just("take"), _which),
    st.just(("reserve",)),
    st.just(("complain",)),
)


def _tasks(count: int, statement_count: int) -> st.SearchStrategy[tuple[tuple[Statement, ...], ...]]:
    """Some tasks; sometimes two of them do the same."""
    task = st.lists(_statement, min_size=1, max_size=statement_count).map(tuple)
    different = st.tuples(*[task] * count)
    return st.one_of(different, different.map(lambda tasks: (*tasks[:-1], tasks[0])))


_few = st.integers(0, 1)
_maybe = st.booleans()

programs: st.SearchStrategy[Program] = st.one_of(
    st.builds(Program, _tasks(2, 4), tears=_maybe, is_watched=_maybe),
    st.builds(Program, _tasks(3, 2), tears=_maybe, is_watched=_maybe),
    st.builds(Program, _tasks(2, 2), _maybe, st.just(1), _maybe, _maybe, _few, _few, _maybe),
    st.builds(Program, _tasks(2, 2), _maybe, write_errors=_few, read_errors=_few, is_watched=_maybe),
)


# -- every schedule, one after the other ---------------------------------------------------------------------------


class TooMany(Exception):
    """A program has more schedules than a test has time for."""


class Everything:
    """What all schedules of a world lead to, found by running each of them.

    Args:
        world: at its start; its hosts must be able to fork.
        schedule_count_maximum: schedules to run at most.

    Attributes:
        outcomes: those met.
        traces: the classes of schedules that differ only in the order of independent steps.
        schedule_count: schedules that end where no operation can take effect.
    """

    def __init__(self, world: SteppedWorld, schedule_count_maximum: int) -> None:
        self.outcomes: set[Outcome] = set()
        self.traces: set[Hashable] = set()
        self.schedule_count = 0
        self._maximum = schedule_count_maximum
        self._host_count = len(world.hosts)
        self._walk(world, [])

    def _walk(self, world: SteppedWorld, events: list[tuple[str, Touched]]) -> None:
        if world.is_over:
            self.schedule_count += 1
            if self.schedule_count > self._maximum:
                raise TooMany
            clients = [
                world.client(host) if host in world.hosts else None for host in range(self._host_count)
            ]
            self.outcomes.add(outcome_of(world.shared, clients))
            self.traces.add(normal_form(events))
        for number in range(len(world.choices())):
            after = world.fork()
            after.trace = []
            choice = after.choices()[number]
            after.take(choice)
            event = choice.label, touched(Move(choice.label, 0, after.trace[0]), world.shared)
            self._walk(after, [*events, event])


def normal_form(events: Sequence[tuple[str, Touched]]) -> Hashable:
    """The same for two schedules exactly if they differ only in the order of independent steps (Foata's)."""
    levels: list[int] = []
    for number, (_, its) in enumerate(events):
        depends = [levels[other] for other in range(number) if its.depends_on(events[other][1])]
        levels.append(max(depends, default=0) + 1)
    return frozenset((level, label, its) for level, (label, its) in zip(levels, events, strict=True))


def world_of(program: Program, merges: bool) -> SteppedWorld:
    """A program's world at its start; tasks that do the same share what is known of them."""
    setup = program.setup()
    automata = {
        number: automaton
        for group in setup.alike()
        for automaton in [Automaton(partial(computer_of, setup.tasks[group[0]]), merges)]
        for number in group
    }
    hosts = [MemoisedHost(automata[number]) for number in range(len(setup.tasks))]
    world = SteppedWorld([setup.cells()], hosts, program.rules(), Watcher(program.is_watched))
    for number, task in enumerate(setup.tasks):
        if not task.recovers:
            world.start(number, 0)
    return world


def outcome_of(shared: SharedState, clients: Sequence[Client | None]) -> Outcome:
    """Of an end."""
    results: list[Hashable] = []
    for client in clients:
        boundary = (
            client.host.boundary() if client is not None and isinstance(client.host, MemoisedHost) else None
        )
        waits = client is not None and client.host.unfinished_count > 0
        results.append("waits" if waits else boundary.result if isinstance(boundary, TaskEnded) else None)
    seen = shared.watcher.seen if isinstance(shared.watcher, Watcher) else ()
    return tuple(shared.disks[DEVICE].sectors), tuple(results), seen


class Recorder:
    """A program's product, in which nothing is wrong, and which notes every end that is judged.

    Attributes:
        product: to be explored.
        outcomes: those met.
    """

    def __init__(self, program: Program, merges: bool, alike_merge: bool = False) -> None:
        self.outcomes: set[Outcome] = set()
        groups = program.setup().alike() if alike_merge and not program.rules().has_happenings else []
        self.product = Product(world_of(program, merges), self._judge, groups)

    def _judge(self, shared: SharedState, clients: Sequence[Client | None]) -> None:
        self.outcomes.add(outcome_of(shared, clients))
