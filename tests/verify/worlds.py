"""Small stepped worlds in which all that can happen in one does happen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from shadowshare.protocol.errors import DiskError
from shadowshare.protocol.operations import Flush, Operation, Reserve, together
from shadowshare.sim.disks.memory_disk import Misbehaviour
from shadowshare.sim.faults.catalogue import budgets
from shadowshare.sim.faults.fault import Reach
from shadowshare.sim.stepped.shared import SharedState
from shadowshare.sim.stepped.world import SteppedWorld
from shadowshare.verify.cells.setup import Setup, computer_of, flush, rest
from shadowshare.verify.cells.task_world import TaskWatcher
from shadowshare.verify.exploration.memoised import Automaton, MemoisedHost
from tests.sim.stepped_worlds import Listener, Program, does, overlaid, read, world_of, write


class Alarm(Listener):
    """Remembers nothing; is alarmed if a host reports what is ``alarming``, or a reader does more than read."""

    def __init__(self, alarming: str = "") -> None:
        super().__init__()
        self.alarming = alarming

    def wrote(self, shared: SharedState, host: int, operation: Operation) -> None:
        pass

    def lost_power(self, shared: SharedState) -> None:
        pass

    def reported(self, shared: SharedState, host: int, report: Any) -> None:
        if report == self.alarming and self.violation is None:
            self.violation = f"host {host} reported {report}"

    def submitted(self, shared: SharedState, host: int, operation: Operation) -> None:
        self.violation = f"host {host} issued a {operation.verb}"

    def fork(self) -> Alarm:
        copy = Alarm(self.alarming)
        copy.violation, copy.inspected = self.violation, self.inspected
        return copy


class Spy(Alarm):
    """Looks at sector 1 whenever sector 0 is changed, and remembers what it saw there last."""

    seen: bytes = b""

    def wrote(self, shared: SharedState, host: int, operation: Operation) -> None:
        if operation.sector == 0:
            self.seen = shared.disks[0].sectors[1]

    def inspects(self, operation: Operation) -> Sequence[tuple[int, range]]:
        return [(0, range(1, 2))] if operation.sector == 0 else ()

    def notes(self, operation: Operation) -> Sequence[tuple[str, bool]]:
        return ()

    def fork(self) -> Spy:
        copy = Spy()
        copy.seen = self.seen
        return copy

    def key(self) -> tuple[str, ...]:
        return (repr(self.seen),)


def spied(world: SteppedWorld) -> SteppedWorld:
    world.watcher = Spy()
    return world


def watched(world: SteppedWorld, alarming: str = "", inspected: Any = ()) -> SteppedWorld:
    world.watcher = Alarm(alarming)
    world.watcher.inspected = inspected
    return world


def quiet(*operations: Operation) -> Program:
    """A task that reports nothing: reports depend on each other, and would hide what else does not."""

    async def program(reports: list[Any]) -> None:
        for operation in operations:
            with suppress(DiskError):
                await operation  # type: ignore[misc]

    return program


def pair(*operations: Operation) -> Program:
    async def program(reports: list[Any]) -> None:
        reports.append(repr(await together(operations)))

    return program


def life(**rules: Any) -> SteppedWorld:
    """W writes and flushes, V takes over, R reads."""
    return world_of(
        ("W", [does(write(0, "x", "y"), Flush(0), write(0, "z"))]),
        ("V", [does(Reserve(0), write(1, "v"), read(0, 2))]),
        ("R", [does(read(0), read(1))]),
        recovers={"V": "W"},
        memoised=True,
        **rules,
    )


def two_recoveries(**rules: Any) -> SteppedWorld:
    return world_of(
        ("W", [does(write(0, "x"))]),
        ("V", [does(write(0, "v"), Flush(0), write(1, "w"))]),
        ("U", [does(read(0, 2))]),
        ("F", [does(read(3), Flush(0))]),
        recovers={"V": "W", "U": "V"},
        memoised=True,
        **rules,
    )


def misbehaving(world: SteppedWorld, **misbehaviour: bool) -> SteppedWorld:
    for disk in world.disks:
        disk.misbehaviour = Misbehaviour(**misbehaviour)
    return world


def of_tasks(setup: Setup) -> SteppedWorld:
    """As `TaskWorld` makes it, but for its product."""
    rules = setup.rules()
    hosts = [MemoisedHost(Automaton(partial(computer_of, task))) for task in setup.tasks]
    world = SteppedWorld([setup.cells()], hosts, rules, TaskWatcher(setup))
    for number, task in enumerate(setup.tasks):
        if not task.recovers:
            world.start(number, 0)
    return world


def with_a_lock(**faults: Any) -> SteppedWorld:
    setup = Setup(**faults)
    lock, counter = setup.lock("lock"), setup.array("counter", (0, 0))

    async def increment(index: int) -> tuple[Any, ...]:
        async with lock:
            one, other = await counter.read()
            await rest((one, other))
            await counter.write(0, (one + 1, other + 1))
            await flush()
        return await counter.read(index, 1)

    async def look() -> None:
        assert sum(await counter.read()) < 4

    setup.task("A", increment, 0)
    setup.task("B", increment, 1)
    setup.task("C", look)
    setup.task("D", look, recovers="A")
    return of_tasks(setup)


ERRORS = {"faults": budgets(write_errors=1, read_errors=1, flush_errors=1)}
WORLDS: dict[str, Callable[[], SteppedWorld]] = {
    "plain": lambda: watched(life()),
    "tears": lambda: watched(life(tears=True)),
    "a violation": lambda: watched(life(), "y"),
    "a crash": lambda: watched(life(crash_count=1)),
    "no late writes": lambda: watched(life(crash_count=1, late_writes=False, faults=budgets(write_errors=1))),
    "errors": lambda: watched(life(**ERRORS)),
    "errors and a crash, torn": lambda: watched(
        life(crash_count=1, faults=budgets(write_errors=1), tears=True)
    ),
    "lost and misdirected writes": lambda: watched(life(faults=budgets(lost_writes=1, misdirected_writes=1))),
    "rot, unreadable sectors, and older contents": lambda: watched(
        life(
            faults=budgets(bit_rot=1, lasting_read_errors=1, stale_reads=1),
            disk_class=overlaid,
            fault_reach=Reach(frozenset({(0, 0)})),
        )
    ),
    "a full device, and one that shrinks": lambda: watched(
        world_of(
            ("W", [does(write(0, "x", "y"), write(2, "z"))]),
            ("V", [does(Reserve(0), write(2, "v"), read(0, 2))]),
            ("R", [does(read(0), read(1))]),
            recovers={"V": "W"},
            memoised=True,
            crash_count=1,
            faults=budgets(full_devices=1, shrunk_devices=1),
            disk_class=overlaid,
            sectors=("a", "b", "", "d"),
        )
    ),
    "a flush that lies": lambda: watched(
        life(crash_count=1, power_loss_count=1, faults=budgets(lying_flushes=1, misdirected_reads=1))
    ),
    "a power loss": lambda: watched(life(crash_count=1, power_loss_count=1), "a+v"),
    "a power loss and nothing else": lambda: watched(
        life(crash_count=1, power_loss_count=1, plain_crashes=False)
    ),
    "a power loss for all": lambda: watched(life(crash_count=1, power_loss_count=1, power_stops_all=True)),
    "a power loss, torn": lambda: watched(life(crash_count=1, power_loss_count=1, tears=True)),
    "a power loss and errors": lambda: watched(life(crash_count=1, power_loss_count=1, **ERRORS)),
    "a power loss that is looked into": lambda: watched(
        life(crash_count=1, power_loss_count=1), inspected=[(0, range(1))]
    ),
    "a silent power loss": lambda: misbehaving(
        watched(life(crash_count=1, power_loss_count=1)), power_loss_is_silent=True
    ),
    "sectors that tear": lambda: misbehaving(
        watched(life(crash_count=1, power_loss_count=1)), sectors_tear=True
    ),
    "cached reads": lambda: misbehaving(watched(life(crash_count=1)), reads_are_cached=True),
    "two crashes": lambda: watched(two_recoveries(crash_count=2)),
    "two power losses": lambda: watched(two_recoveries(crash_count=2, power_loss_count=2), "v+w"),
    "two devices": lambda: watched(
        world_of(
            ("W", [does(write(0, "x"), Flush(0), write(0, "y", device=1), Flush(1))]),
            ("V", [does(Reserve(1), read(0), read(0, device=1))]),
            recovers={"V": "W"},
            device_count=2,
            memoised=True,
            crash_count=1,
            power_loss_count=1,
        )
    ),
    "several tasks of a host": lambda: watched(
        world_of(
            ("W", [does(write(0, "x")), pair(write(1, "y"), read(0)), does(Flush(0))]),
            ("V", [does(read(0)), does(read(1))]),
            recovers={"V": "W"},
            memoised=True,
            crash_count=1,
            power_loss_count=1,
        )
    ),
    "a reader that writes": lambda: watched(
        world_of(
            ("W", [does(write(0, "x"))]),
            ("R", [does(read(0), read(1), write(1, "r"))]),
            readers=frozenset({1}),
            memoised=True,
        )
    ),
    "mortals": lambda: watched(
        world_of(
            ("W", [does(write(0, "x"), write(0, "y"))]),
            ("U", [does(read(0))]),
            memoised=True,
            crash_count=2,
            mortals=(0, 1),
        )
    ),
    "a reservation while others write": lambda: watched(
        world_of(
            ("W", [does(write(0, "x"), write(1, "y"))]),
            ("F", [does(read(2), Reserve(0))]),
            ("V", [does(read(0))]),
            recovers={"V": "W"},
            memoised=True,
            crash_count=1,
            faults=budgets(write_errors=1),
        )
    ),
    "a watcher that looks around": lambda: spied(
        world_of(
            ("W", [does(write(0, "x"), write(2, "z"))]),
            ("U", [does(write(1, "y"))]),
            ("R", [does(read(1))]),
            ("V", [does(write(0, "v"))]),
            recovers={"V": "W"},
            memoised=True,
            crash_count=1,
            has_cache=False,
        )
    ),
    "nobody watches": lambda: unwatched(life(crash_count=1, power_loss_count=1)),
    "tasks": with_a_lock,
    "tasks that tear": lambda: with_a_lock(tears=True),
    "tasks that crash": lambda: with_a_lock(crashes=1),
    "tasks and a power loss": lambda: with_a_lock(crashes=1, power_losses=1),
}


VIOLATED = {
    "a violation",
    "a reader that writes",
    "a power loss",
    "two power losses",
    *(name for name in WORLDS if name.startswith("tasks")),
}
"""Worlds in which something goes wrong: a comparison without any would say nothing about violations."""


def unwatched(world: SteppedWorld) -> SteppedWorld:
    world.watcher = None
    return world
