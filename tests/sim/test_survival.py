"""Deciding what survived a power loss where somebody looks gives what deciding all of it at once gives, in worlds."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from itertools import product
from typing import Any

import pytest

from shadowshare.protocol.operations import Flush, Operation, Reserve
from shadowshare.sim.disks.cells import Cells, CompareAndWrite, ReadCells, WriteCells
from shadowshare.sim.disks.memory_disk import Misbehaviour
from shadowshare.sim.faults.catalogue import budgets
from shadowshare.sim.host import Computer
from shadowshare.sim.stepped.rules import Rules, Successor
from shadowshare.sim.stepped.shared import SharedState
from shadowshare.sim.stepped.world import SteppedWorld
from shadowshare.verify.exploration.memoised import Automaton, MemoisedHost
from tests.sim.stepped_worlds import SIZE, Listener, does, labels, read, take, world_of, write


class Reports(Listener):
    """What each host reported; and what it saw, whenever it inspected something."""

    def wrote(self, shared: SharedState, host: int, operation: Operation) -> None:
        for device, sectors in self.inspected:
            seen = tuple(shared.disks[device].sectors[sector] for sector in sectors)
            self.told.append(("reported", -1, seen))

    def lost_power(self, shared: SharedState) -> None:
        pass

    def submitted(self, shared: SharedState, host: int, operation: Operation) -> None:
        pass

    def fork(self) -> Reports:
        copy = Reports()
        copy.told, copy.inspected = list(self.told), self.inspected
        return copy

    def by_host(self) -> tuple[tuple[int, tuple[object, ...]], ...]:
        hosts = sorted({host for _, host, _ in self.told})
        return tuple((host, tuple(said for _, by, said in self.told if by == host)) for host in hosts)


def every_decision(world: SteppedWorld) -> Iterator[SteppedWorld]:
    """The world in all ways in which all that is undecided may have survived."""
    undecided = [(device, at) for device, disk in enumerate(world.disks) for at in disk.undecided]
    for survivors in product(*(range(len(world.disks[device].undecided[at])) for device, at in undecided)):
        copy = world.fork()
        for (device, at), survivor in zip(undecided, survivors, strict=True):
            copy.disks[device].survive(at, survivor)
        yield copy


def outcomes(world: SteppedWorld, is_eager: bool) -> set[Hashable]:
    """At every end: what each host reported, and what is on the disks; of what is undecided, all that it may be."""
    found, met, waiting = set[Hashable](), set[Hashable](), [world]
    while waiting:
        reached = waiting.pop()
        if reached.key() in met:
            continue
        met.add(reached.key())
        if reached.is_over:
            for end in every_decision(reached):
                found.add((end.watcher.by_host(), tuple(tuple(disk.sectors) for disk in end.disks)))
        for label in labels(reached):
            after = take(reached.fork(), label)
            waiting += every_decision(after) if is_eager and label == "power" else [after]
            assert not (is_eager and label.startswith("keep")), "there is nothing left to decide"
    return found


def tasks_of(*operations: Operation) -> Computer:
    reports: list[Any] = []

    async def task() -> None:
        for operation in operations:
            answer = await operation  # type: ignore[misc]
            reports.append(answer)

    return Computer([task], reports, lambda: None)


def cells_world(recovers: dict[str, str], crash_count: int, **hosts: tuple[Operation, ...]) -> SteppedWorld:
    """Hosts of one task each on three cells that hold False."""
    names = tuple(hosts)
    numbers = {name: number for number, name in enumerate(names)}
    rules = Rules(
        names,
        tuple((name,) for name in names),
        crash_count=crash_count,
        power_loss_count=crash_count,
        power_stops_all=True,
        successors=tuple(
            (numbers[other], Successor(numbers[name], (0,))) for name, other in recovers.items()
        ),
    )
    automata = [
        Automaton(lambda operations=operations: tasks_of(*operations), merges=False)  # type: ignore[misc]
        for operations in hosts.values()
    ]
    world = SteppedWorld([Cells([False] * 3)], list(map(MemoisedHost, automata)), rules)
    for name in names:
        if name not in recovers:
            world.start(numbers[name], 0)
    return world


def acquire(cell: int) -> Operation:
    return CompareAndWrite(0, cell, False, True, waits=True)


def release(cell: int) -> Operation:
    return WriteCells(0, cell, [False])


LOSS: dict[str, Any] = {"crash_count": 1, "power_loss_count": 1, "memoised": True}
LOSSES: dict[str, Any] = {"crash_count": 2, "power_loss_count": 2, "memoised": True}
CHAIN = {"V": "W", "U": "V"}


def silent(world: SteppedWorld, **others: bool) -> SteppedWorld:
    for disk in world.disks:
        disk.misbehaviour = Misbehaviour(power_loss_is_silent=True, **others)
    return world


def inspecting(world: SteppedWorld, *sectors: int) -> SteppedWorld:
    world.watcher.inspected = [(0, range(sector, sector + 1)) for sector in sectors]
    return world


WORLDS: dict[str, Callable[[], SteppedWorld]] = {
    "two sectors": lambda: world_of(
        ("W", [does(write(0, "x"), write(1, "y"))]),
        ("V", [does(read(1), read(0, 2))]),
        ("R", [does(read(0))]),
        recovers={"V": "W"},
        **LOSS,
    ),
    "a flush in between": lambda: world_of(
        ("W", [does(write(0, "x"), Flush(0), write(0, "y"), write(1, "z"))]),
        ("V", [does(read(0, 2), write(0, "v"), read(0))]),
        recovers={"V": "W"},
        **LOSS,
    ),
    "a second power loss over undecided sectors": lambda: world_of(
        ("W", [does(write(0, "x", "x"))]),
        ("V", [does(write(1, "v"))]),
        ("U", [does(read(0), read(1))]),
        recovers=CHAIN,
        **LOSSES,
    ),
    "a write over an undecided sector": lambda: world_of(
        ("W", [does(write(0, "x"))]),
        ("V", [does(write(0, "v"), Flush(0), write(0, "w"))]),
        ("U", [does(read(0))]),
        recovers=CHAIN,
        **LOSSES,
    ),
    "a flush issued before the write over an undecided sector": lambda: silent(
        world_of(
            ("W", [does(write(0, "x"), write(0, "y"))]),
            ("F", [does(read(2), Flush(0))]),
            ("V", [does(read(0))]),
            recovers={"V": "W"},
            **LOSSES,
        )
    ),
    "a flush of a host that goes on": lambda: world_of(
        ("W", [does(write(0, "x"))]),
        ("F", [does(Flush(0), write(0, "f"), Flush(0))]),
        ("V", [does(write(0, "v"))]),
        ("U", [does(read(0))]),
        recovers=CHAIN,
        **LOSSES,
    ),
    "late writes and errors": lambda: world_of(
        ("W", [does(write(0, "x"), write(0, "y"))]),
        ("V", [does(read(0), Reserve(0), read(0))]),
        recovers={"V": "W"},
        faults=budgets(write_errors=1, read_errors=1),
        **LOSS,
    ),
    "torn operations": lambda: world_of(
        ("W", [does(write(0, "x", "y"))]),
        ("V", [does(read(0, 3))]),
        ("R", [does(read(0, 2))]),
        recovers={"V": "W"},
        tears=True,
        **LOSS,
    ),
    "torn sectors": lambda: silent(
        world_of(
            ("W", [does(write(0, "x" * SIZE), write(0, "y" * SIZE))]),
            ("R", [does(read(0), read(0))]),
            ("V", [does()]),
            recovers={"V": "W"},
            **LOSS,
        ),
        sectors_tear=True,
    ),
    "a silent power loss": lambda: silent(
        world_of(
            ("W", [does(write(0, "x"), read(0), write(1, "y"), read(0, 2))]),
            ("V", [does()]),
            recovers={"V": "W"},
            **LOSS,
        )
    ),
    "two devices": lambda: world_of(
        ("W", [does(write(0, "x"), write(0, "y", device=1), Flush(0))]),
        ("V", [does(read(0, device=1), read(0))]),
        recovers={"V": "W"},
        device_count=2,
        **LOSS,
    ),
    "what the watcher inspects": lambda: inspecting(
        world_of(
            ("W", [does(write(0, "x"), write(1, "y"))]),
            ("V", [does(write(2, "v"), read(0))]),
            recovers={"V": "W"},
            **LOSS,
        ),
        0,
        1,
    ),
    "compare-and-write": lambda: cells_world(
        CHAIN,
        2,
        W=(WriteCells(0, 0, ["x"]),),
        V=(CompareAndWrite(0, 0, "x", "v"), ReadCells(0, 0, 2)),
        U=(CompareAndWrite(0, 0, "v", "u"), ReadCells(0, 0, 1)),
    ),
    "a lock that may be held": lambda: cells_world(
        {"V": "W", "U": "W"},
        1,
        W=(acquire(0), WriteCells(0, 1, ["w"]), release(0)),
        V=(acquire(0), ReadCells(0, 1, 1), release(0)),
        U=(WriteCells(0, 2, ["u"]), release(0)),
    ),
}


@pytest.mark.parametrize("name", WORLDS)
def test_deciding_where_somebody_looks_is_deciding_at_once(name: str) -> None:
    ends = []
    for is_eager in (False, True):
        world = WORLDS[name]()
        inspected = world.watcher.inspected if world.watcher is not None else ()
        world.watcher = Reports()
        world.watcher.inspected = inspected
        ends.append(outcomes(world, is_eager))
    lazy, eager = ends
    assert lazy == eager
    assert len(lazy) > 5


def test_a_lock_that_turns_out_to_be_held_is_waited_for() -> None:
    """The decision ends there; what waits goes on waiting, and nobody is told that it has the lock."""
    world = WORLDS["a lock that may be held"]()
    take(world, "W power V")
    assert labels(world) == ["keep.0", "keep.1"]
    held = take(world.fork(), "keep.1")
    assert labels(held) == ["U", "late.0"]
    assert labels(take(held, "U U")) == ["V", "late.0"], "now it was released"
    assert labels(take(world, "keep.0")) == ["U", "V", "late.0"]
    assert world.disks[0].sectors[0] is True
