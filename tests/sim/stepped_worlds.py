"""Stepped worlds of tiny computers, for tests."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from typing import Any, cast

from shadowshare.protocol.errors import DiskError
from shadowshare.protocol.operations import Access, Operation, Read, Write
from shadowshare.sim.disks.memory_disk import MemoryDisk
from shadowshare.sim.disks.overlaid_disk import OverlaidDisk
from shadowshare.sim.host import Computer, Host
from shadowshare.sim.stepped.rules import Rules, Successor
from shadowshare.sim.stepped.shared import SharedState
from shadowshare.sim.stepped.world import SteppedWorld
from shadowshare.verify.exploration.memoised import Automaton, MemoisedHost

SIZE = 512
Program = Callable[[list[Any]], Coroutine[Any, Any, None]]
"""A task: it is given the list to which it reports."""


def sector(text: str) -> bytes:
    """The content of a sector."""
    return text.encode().ljust(SIZE, b"\0")


def text(content: object) -> str:
    """What `sector` was made of."""
    assert isinstance(content, bytes)
    return "+".join(content[at : at + SIZE].rstrip(b"\0").decode() for at in range(0, len(content), SIZE))


def write(at: int, *contents: str, device: int = 0) -> Write:
    return Write(device, at, len(contents), b"".join(map(sector, contents)))


def read(at: int, sector_count: int = 1, device: int = 0) -> Read:
    return Read(device, at, sector_count)


def does(*operations: Operation) -> Program:
    """A task that awaits operations one after the other and reports each answer; errors, too."""

    async def program(reports: list[Any]) -> None:
        for operation in operations:
            try:
                answer = await operation  # type: ignore[misc]
            except DiskError as error:
                reports.append(error)
            else:
                reports.append("done" if answer is None else text(answer))

    return program


class Listener:
    """A watcher that writes down what it is told."""

    def __init__(self) -> None:
        self.violation: Any = None
        self.told: list[tuple[Any, ...]] = []
        self.inspected: Sequence[tuple[int, range]] = ()
        """What it looks at when any change takes effect."""

    def wrote(self, shared: SharedState, host: int, operation: Operation) -> None:
        self.told.append(("wrote", host, operation.sector))

    def reported(self, shared: SharedState, host: int, report: Any) -> None:
        self.told.append(("reported", host, report))

    def submitted(self, shared: SharedState, host: int, operation: Operation) -> None:
        self.told.append(("submitted", host, operation.verb))

    def lost_power(self, shared: SharedState) -> None:
        self.told.append(("lost power", list(map(decided_text, cast("list[MemoryDisk]", shared.disks)))))

    def inspects(self, operation: Operation) -> Sequence[tuple[int, range]]:
        return self.inspected if operation.access is Access.WRITE else ()

    def notes(self, operation: Operation) -> Sequence[tuple[str, bool]]:
        return ()

    def fork(self) -> Listener:
        copy = Listener()
        copy.told = list(self.told)
        copy.inspected = self.inspected
        return copy

    def key(self) -> tuple[str, ...]:
        return tuple(map(repr, self.told))

    def reports(self) -> list[Any]:
        return [told[2] for told in self.told if told[0] == "reported"]


def make_computer(programs: Sequence[Program]) -> Computer:
    reports: list[Any] = []
    return Computer([partial(program, reports) for program in programs], reports, lambda: None)


def world_of(
    *hosts: tuple[str, Sequence[Program]],
    sectors: Sequence[str] = ("a", "b", "c", "d"),
    device_count: int = 1,
    has_cache: bool = True,
    memoised: bool = False,
    recovers: dict[str, str] | None = None,
    disk_class: Callable[..., MemoryDisk] = MemoryDisk,
    **rules: Any,
) -> SteppedWorld:
    """A world in which every task has begun, but for those of hosts that recover; a listener watches.

    Args:
        hosts: names and tasks.
        sectors: what each disk holds.
        device_count: how many disks there are.
        has_cache: whether the disks have a volatile cache.
        memoised: whether the hosts can fork.
        recovers: by the name of a host: which one it recovers.
        disk_class: makes each disk.
        rules: further fields of `Rules`.
    """
    names = [name for name, _ in hosts]
    successors = tuple(
        (names.index(other), Successor(names.index(name), tuple(range(len(hosts[names.index(name)][1])))))
        for name, other in (recovers or {}).items()
    )
    actors = tuple(
        (name,) if len(programs) == 1 else tuple(f"{name}{number}" for number in range(1, len(programs) + 1))
        for name, programs in hosts
    )
    factories = [partial(make_computer, programs) for _, programs in hosts]
    world = SteppedWorld(
        [disk_class(SIZE, list(map(sector, sectors)), has_cache) for _ in range(device_count)],
        [MemoisedHost(Automaton(make, merges=False)) if memoised else Host(make()) for make in factories],
        Rules(tuple(names), actors, successors=successors, **rules),
        Listener(),
    )
    for number, (name, programs) in enumerate(hosts):
        if name not in (recovers or {}):
            for task in range(len(programs)):
                world.start(number, task)
    return world


def labels(world: SteppedWorld) -> list[str]:
    """What may happen next."""
    return [choice.label for choice in world.choices()]


def take(world: SteppedWorld, schedule: str) -> SteppedWorld:
    """Let things happen, by their labels."""
    for label in schedule.split():
        world.take_label(label)
    return world


def told(world: SteppedWorld) -> Listener:
    assert isinstance(world.watcher, Listener)
    return world.watcher


def reports(world: SteppedWorld) -> list[Any]:
    return told(world).reports()


def held(world: SteppedWorld, device: int = 0) -> str:
    """What a disk holds."""
    return decided_text(world.disks[device])


def decided_text(disk: MemoryDisk) -> str:
    """What a disk holds; of what a power loss left undecided, all that it may be, in braces."""
    return " ".join(
        "{" + ",".join(map(text, disk.undecided[at])) + "}" if at in disk.undecided else text(content)
        for at, content in enumerate(disk.sectors)
    )


def ends(world: SteppedWorld) -> Iterator[tuple[str, SteppedWorld]]:
    """Every schedule to an end at which nothing at all can happen any more, and the world there."""
    waiting = [("", world)]
    while waiting:
        schedule, reached = waiting.pop()
        possible = labels(reached)
        if not possible:
            yield schedule.strip(), reached
        waiting += [(f"{schedule} {label}", take(reached.fork(), label)) for label in possible]


def crashing(
    *operations: Operation, successor: tuple[Operation, ...] = (read(0, 4),), **rules: Any
) -> SteppedWorld:
    """W does something, and V takes its place if it crashes; R reads."""
    return world_of(
        ("W", [does(*operations)]),
        ("V", [does(*successor)]),
        ("R", [does(read(3))]),
        recovers={"V": "W"},
        **{"crash_count": 1, **rules},
    )


overlaid = partial(OverlaidDisk, remembers=True)


def losing(*operations: Operation, **rules: Any) -> SteppedWorld:
    """`crashing`, and each crash may be a power loss."""
    return crashing(*operations, **{"power_loss_count": 1, **rules})
