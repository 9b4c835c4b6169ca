"""Faults of which the device says nothing: the operation seems to succeed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from shadowshare.protocol.operations import Access, Operation, Write
from shadowshare.sim.faults.fault import Answer, Fault, number_of

if TYPE_CHECKING:
    from shadowshare.sim.stepped.flight import Flight
    from shadowshare.sim.stepped.shared import SharedState

NOTICED = frozenset(
    {"JournalDamaged", "NotAStore", "SuperblockDamaged", "UnsupportedFormat", "GeometryMismatch"}
)
"""With what a checksum, an address or a rule of the journal tells that something is wrong."""

_SUCCESS = None


class LostWrites(Fault):
    """A write is acknowledged and never takes effect."""

    name = "lost_writes"
    mark = "~lost"
    accesses = (Access.WRITE,)
    errors = NOTICED | {"ActiveStopped"}
    lasts = True
    words = "the device loses the write, and reports success"

    def strike(self, shared: SharedState, flight: Flight, mark: str) -> Answer:
        """Nothing happens."""
        return _SUCCESS


class LyingFlushes(Fault):
    """A flush is acknowledged and makes nothing durable. A power loss shows it."""

    name = "lying_flushes"
    mark = "~lie"
    accesses = (Access.FLUSH,)
    errors = NOTICED
    lasts = True
    words = "the device makes nothing durable, and reports success"

    def strike(self, shared: SharedState, flight: Flight, mark: str) -> Answer:
        """Nothing happens."""
        shared.failed(flight)
        return _SUCCESS

    def sector(self, operation: Operation, mark: str) -> int:
        """It concerns no certain sector."""
        return -1


class _Misdirected(Fault):
    """An operation goes to another place: the next one of its size, or the one before."""

    mark = "~astray"
    words = "the device does it in another place"

    def marks(self, operation: Operation, sectors: Sequence[int], disk: Any) -> Sequence[str]:
        """Forwards and backwards, as far as the device goes."""
        length = operation.sector_count
        return [
            f"{self.mark}.{number}"
            for number, distance in enumerate((length, -length))
            if 0 <= operation.sector + distance <= disk.sector_count - length
        ]

    def effect(self, operation: Operation, mark: str) -> Operation:
        """The same, somewhere else."""
        length = operation.sector_count
        sector = operation.sector + (-length if number_of(mark) else length)
        if isinstance(operation, Write):
            return Write(operation.device, sector, length, operation.data)
        return type(operation)(operation.device, sector, length)

    def strike(self, shared: SharedState, flight: Flight, mark: str) -> Answer:
        """It takes effect there."""
        return shared.perform(flight.with_operation(self.effect(flight.operation, mark)))


class MisdirectedReads(_Misdirected):
    """A read returns, once, the content of another place: the next one of its size, or the one before."""

    name = "misdirected_reads"
    accesses = (Access.READ,)
    errors = NOTICED


class MisdirectedWrites(_Misdirected):
    """A write takes effect in another place, the next one of its size or the one before, and not where it should."""

    name = "misdirected_writes"
    accesses = (Access.WRITE,)
    errors = NOTICED | {"ActiveStopped"}
    lasts = True

    def sector(self, operation: Operation, mark: str) -> int:
        """Where it landed."""
        return self.effect(operation, mark).sector


class BitRot(Fault):
    """A bit of a sector changes on the medium. It stays so until the sector is written again."""

    name = "bit_rot"
    mark = "~rot"
    accesses = (Access.READ,)
    errors = NOTICED | {"ActiveStopped"}
    lasts = True
    words = "a bit has changed on the medium"

    def marks(self, operation: Operation, sectors: Sequence[int], disk: Any) -> Sequence[str]:
        """One for each sector that has not rotted yet."""
        return [
            f"{self.mark}.{sector - operation.sector}"
            for sector in sectors
            if sector not in disk.overlay.rotten
        ]

    def effect(self, operation: Operation, mark: str) -> Operation | None:
        """The read."""
        return operation

    def strike(self, shared: SharedState, flight: Flight, mark: str) -> Answer:
        """Another content is read, from now on by everybody."""
        disk = shared.disks[flight.operation.device]
        sector = self.sector(flight.operation, mark)
        disk.overlay = disk.overlay._replace(rotten=disk.overlay.rotten | {sector})
        return shared.perform(flight)


class StaleReads(Fault):
    """A read returns, once, what was in one of its sectors before the last write, though that has completed.

    A host that has read the new content already goes back to the old one then: reads are not monotone.
    """

    name = "stale_reads"
    mark = "~old"
    accesses = (Access.READ,)
    errors = NOTICED | {"ActiveStopped"}
    words = "the device reads an older content"

    def marks(self, operation: Operation, sectors: Sequence[int], disk: Any) -> Sequence[str]:
        """One for each sector that had another content."""
        return [f"{self.mark}.{sector - operation.sector}" for sector in sectors if sector in disk.older]

    def effect(self, operation: Operation, mark: str) -> Operation | None:
        """The read."""
        return operation

    def strike(self, shared: SharedState, flight: Flight, mark: str) -> Answer:
        """The older content in its place."""
        disk = shared.disks[flight.operation.device]
        return disk.with_older(self.sector(flight.operation, mark), flight.operation, shared.perform(flight))
