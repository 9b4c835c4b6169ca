"""Small stores on memory disks that count and fail operations, and ways to run coroutines on them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from shadowshare.protocol.active import Active
from shadowshare.protocol.errors import DiskError, ShadowshareError
from shadowshare.protocol.formatting import format_store
from shadowshare.protocol.geometry import Geometry, Location, plan_geometry
from shadowshare.protocol.journal import JournalFollower
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.protocol.operations import Operation, Write
from shadowshare.protocol.passive import Passive
from shadowshare.protocol.recovery import activate
from shadowshare.protocol.view import View
from shadowshare.sim.disks.memory_disk import Answer, MemoryDisk
from shadowshare.sim.host import Computer, Host, Request
from shadowshare.sim.inline import perform_inline

SECTOR_BYTES = 512
STORE_ID = bytes(range(16))

_T = TypeVar("_T")

Fault = Callable[[Operation], DiskError | None]
"""Which error an operation ends with, if any."""


class Disk(MemoryDisk):
    """Remembers every operation that it was asked for, and reports errors on request.

    ``fails_instead`` says which operations have no effect and an error; ``fails_after`` which ones land all the same.
    """

    __slots__ = ("fails_after", "fails_instead", "trace")

    def __init__(self, sector_bytes: int, sectors: Sequence[bytes]) -> None:
        super().__init__(sector_bytes, sectors)
        self.trace: list[Operation] = []
        self.fails_instead: Fault = lambda operation: None
        self.fails_after: Fault = lambda operation: None

    def perform(self, operation: Operation, host: int, issued_at: int) -> Answer:
        self.trace.append(operation)
        error = self.fails_instead(operation)
        if error is not None:
            return error
        answer = super().perform(operation, host, issued_at)
        return self.fails_after(operation) or answer

    def verbs(self) -> list[str]:
        """What was asked for since the last time, in words."""
        verbs = [operation.verb for operation in self.trace]
        self.trace.clear()
        return verbs

    def behave(self) -> None:
        """No more errors."""
        self.fails_instead = self.fails_after = lambda operation: None


def sector_of(number: int, sector_bytes: int = SECTOR_BYTES) -> bytes:
    """A sector that says its number."""
    return number.to_bytes(8, "little") * (sector_bytes // 8)


def small_geometry(
    volume_sector_count: int = 16, extent_sectors: int = 2, slot_count: int = 12, half_block_count: int = 12
) -> Geometry:
    """A store of one device: the volume, and the area right behind it."""
    area = 2 + 2 * half_block_count + slot_count * extent_sectors
    return plan_geometry(
        STORE_ID,
        SECTOR_BYTES,
        extent_sectors,
        volume_sector_count,
        0,
        volume_sector_count,
        area,
        half_block_count,
    )


GEOMETRY = small_geometry()


def location_of(geometry: Geometry) -> Location:
    return Location(geometry.area_device, geometry.superblock_sectors)


def formatted_disk(geometry: Geometry = GEOMETRY) -> Disk:
    """A formatted store, in whose volume every sector says its number (from 1000 on); everything is durable."""
    count = geometry.area_sector + geometry.area_sector_count
    disk = Disk(
        geometry.sector_bytes, [sector_of(1000 + sector, geometry.sector_bytes) for sector in range(count)]
    )
    perform_inline(format_store(geometry), [disk])
    disk.trace.clear()
    disk.reservation_holder = None
    return disk


class Store:
    """A formatted store with its active, and as many passives as are opened."""

    def __init__(self, geometry: Geometry = GEOMETRY, disk: Disk | None = None) -> None:
        self.geometry = geometry
        self.disk = disk or formatted_disk(geometry)
        self.active: Active = self.run(activate(location_of(geometry)))
        self.disk.trace.clear()

    def run(self, coroutine: Coroutine[Any, Any, _T], host: int = 0) -> _T:
        return perform_inline(coroutine, [self.disk], host)

    def create(self) -> ShadowCopyId:
        return self.run(self.active.create())

    def write(self, sector: int, *numbers: int) -> None:
        """Write sectors that say ``numbers``."""
        data = b"".join(sector_of(number) for number in numbers)
        self.run(self.active.write(sector * SECTOR_BYTES, data))

    def volume(self) -> list[bytes]:
        return self.disk.sectors[: self.geometry.volume_sector_count]

    def passive(self) -> Passive:
        passive = self.run(Passive.open(location_of(self.geometry)), host=1)
        self.disk.trace.clear()
        return passive

    def image(self, shadow_copy: ShadowCopyId) -> list[bytes]:
        """What a new passive reads of a whole shadow copy, by sector."""
        data = bytes(self.run(self.passive().read(shadow_copy, 0, self.geometry.volume_bytes), host=1))
        return [data[start : start + SECTOR_BYTES] for start in range(0, len(data), SECTOR_BYTES)]


def freshly_loaded(disk: MemoryDisk, geometry: Geometry = GEOMETRY) -> JournalFollower:
    follower = JournalFollower(geometry)
    perform_inline(follower.load(), [disk])
    return follower


def contents_of(view: View) -> tuple[object, ...]:
    """All that a view says, comparable."""
    return tuple(
        (copy.id, copy.created_ns, copy.is_valid, tuple(sorted(copy.table.items())))
        for copy in view.shadow_copies
    )


def is_block_write(geometry: Geometry, operation: Operation) -> bool:
    """Whether an operation writes a journal block."""
    return isinstance(operation, Write) and operation.sector in geometry.journal_sectors


class Tasks:
    """Several tasks of one host, whose operations take effect when told."""

    def __init__(
        self, disk: MemoryDisk, *functions: Callable[[], Coroutine[Any, Any, Any]], host: int = 0
    ) -> None:
        self.disk = disk
        self.host_number = host
        self.results: dict[int, Any] = {}
        self.waiting: dict[int, Request] = {}
        tasks = [self._recording(number, function) for number, function in enumerate(functions)]
        self._host = Host(Computer(tasks, [], lambda: None))
        for number in range(len(functions)):
            self._deliver(number, None)

    def _recording(
        self, number: int, function: Callable[[], Coroutine[Any, Any, Any]]
    ) -> Callable[[], Coroutine[Any, Any, None]]:
        async def task() -> None:
            try:
                self.results[number] = await function()
            except ShadowshareError as error:
                self.results[number] = error

        return task

    def _deliver(self, task: int, answer: Any) -> None:
        self.waiting.update(self._host.deliver(task, answer)[0])

    def step(self, task: int) -> None:
        """Let the request of a task take effect."""
        request = self.waiting.pop(task)
        if isinstance(request, Operation):
            self._deliver(task, self._perform(request))
        else:
            self._deliver(task, [self._perform(operation) for operation in request])

    def _perform(self, operation: Operation) -> Answer:
        return self.disk.perform(operation, self.host_number, self.disk.write_count)

    def finish(self) -> dict[int, Any]:
        """Let everything take effect, in order of the tasks; results or errors by task."""
        while self.waiting:
            self.step(min(self.waiting))
        assert not self._host.unfinished_count, "a task waits for ever"
        return self.results
