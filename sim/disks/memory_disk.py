"""A shared disk in memory, with the faults that the disk contract allows.

Fault model. What a read returns is the *visible* content of each sector: that of the last write that took effect. The
disk has a volatile cache: a sector that was written since the last flush has, besides its visible content, older
*versions* that a power loss may bring back, each sector for itself. A flush makes durable what was visible when it was
issued. A reservation refuses the writes of every host but its holder.

Atomicity is that of one sector. Operations on several sectors take effect as a whole here; a world that wants them
torn splits them into operations on one sector each (`split_by_sector`) and performs those in any order.

The switches in `Misbehaviour` break one assumption of the contract each, for negative tests.

This module does not check what operations mean to the protocol, and knows no time.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from shadowshare.protocol.errors import DiskError, Fenced, ReadError, WriteError
from shadowshare.protocol.operations import (
    Buffer,
    Change,
    Discard,
    Flush,
    Operation,
    Read,
    Reserve,
    Write,
    WriteZeroes,
)

Answer = Buffer | None | Exception
"""What a world gives back for an operation; an exception is thrown into the task that awaits it."""

Version = tuple[int, bytes]
"""When a sector's content was written (the disk's count of writes, 0 for what was durable before), and the content."""


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """Assumptions of the disk contract that this disk breaks.

    Attributes:
        flush_does_nothing: breaks A3: a flush completes and makes nothing durable.
        fence_is_ignored: breaks A4: a fenced host's writes still land.
        reads_are_cached: breaks A2: each host's reads come from a cache of its own that nobody invalidates.
        sectors_tear: breaks A1: a power loss may leave the first half of one content and the second half of another.
        power_loss_is_silent: breaks A5: a power loss takes the cache, and nobody is told.
    """

    flush_does_nothing: bool = False
    fence_is_ignored: bool = False
    reads_are_cached: bool = False
    sectors_tear: bool = False
    power_loss_is_silent: bool = False


WELL_BEHAVED = Misbehaviour()


class MemoryDisk:
    """One device in memory.

    Args:
        sector_bytes: size of a sector.
        sectors: the durable content at the start, one item of ``sector_bytes`` bytes a sector.
        has_volatile_cache: whether unflushed writes are tracked, so that a power loss is possible.
        misbehaviour: what part of the contract it breaks.
    """

    __slots__ = (
        "_cached_reads",
        "_zero",
        "has_volatile_cache",
        "misbehaviour",
        "reservation_holder",
        "sector_bytes",
        "sectors",
        "versions",
        "write_count",
    )

    def __init__(
        self,
        sector_bytes: int,
        sectors: Sequence[bytes],
        has_volatile_cache: bool = True,
        misbehaviour: Misbehaviour = WELL_BEHAVED,
    ) -> None:
        self.sector_bytes = sector_bytes
        self.sectors = list(sectors)
        self.has_volatile_cache = has_volatile_cache
        self.misbehaviour = misbehaviour
        self.versions: dict[int, list[Version]] = {}
        """Per sector written since its last flush: its older contents, oldest (durable) first, then the visible."""
        self.write_count = 0
        self.reservation_holder: int | None = None
        self._zero = bytes(sector_bytes)
        self._cached_reads: dict[tuple[int, int], bytes] = {}

    @classmethod
    def blank(cls, sector_bytes: int, sector_count: int) -> MemoryDisk:
        """A disk full of zeroes."""
        return cls(sector_bytes, [bytes(sector_bytes)] * sector_count)

    @property
    def sector_count(self) -> int:
        """Size of the disk in sectors."""
        return len(self.sectors)

    # -- operations ----------------------------------------------------------------------------------------------

    def perform(self, operation: Operation, host: int, issued_at: int) -> Answer:
        """Let an operation take effect now.

        Args:
            operation: what to do; its ``device`` is not looked at.
            host: number of the host that asks.
            issued_at: `write_count` when the operation was issued; a flush covers no later write.
        """
        kind = type(operation)
        sector, sector_count = operation.sector, operation.sector_count
        if not 0 <= sector <= len(self.sectors) - sector_count:
            return self._out_of_range(operation)
        if kind is Read:
            if self.misbehaviour.reads_are_cached:
                return self._read_cached(operation, host)
            if sector_count == 1:
                return self.sectors[sector]
            return b"".join(self.sectors[sector : sector + sector_count])
        if kind is Flush:
            if not self.misbehaviour.flush_does_nothing:
                self._flush(issued_at)
            return None
        if kind is Reserve:
            self.reservation_holder = host
            return None
        return self._change(operation, host)

    def _change(self, operation: Operation, host: int) -> Answer:
        sector, sector_count = operation.sector, operation.sector_count
        if self.is_fenced(host):
            return Fenced("another host holds the reservation: this host's writes are refused")
        if isinstance(operation, Write):
            data = bytes(operation.data)
            if len(data) != sector_count * self.sector_bytes:
                return WriteError(f"{operation!r} has {len(data)} bytes of data: it must have whole sectors")
        else:
            assert isinstance(operation, WriteZeroes | Discard)
            data = self._zero * sector_count
        self._write(sector, sector_count, data)
        return None

    def _out_of_range(self, operation: Operation) -> DiskError:
        kind = ReadError if isinstance(operation, Read) else WriteError
        return kind(f"{operation!r} is not all on the disk, which has {len(self.sectors)} sectors")

    def is_fenced(self, host: int) -> bool:
        """Whether writes of ``host`` are refused."""
        holder = self.reservation_holder
        return holder is not None and holder != host and not self.misbehaviour.fence_is_ignored

    def _write(self, sector: int, sector_count: int, data: bytes) -> None:
        self.write_count += 1
        if self.has_volatile_cache:
            stamp = self.write_count
            for index in range(sector, sector + sector_count):
                versions = self.versions.setdefault(index, [(0, self.sectors[index])])
                start = (index - sector) * self.sector_bytes
                versions.append((stamp, data[start : start + self.sector_bytes]))
        if sector_count == 1:
            self.sectors[sector] = data
        else:
            size = self.sector_bytes
            self.sectors[sector : sector + sector_count] = [
                data[start : start + size] for start in range(0, sector_count * size, size)
            ]

    def _flush(self, issued_at: int) -> None:
        if issued_at == self.write_count:
            self.versions.clear()
            return
        for sector, versions in list(self.versions.items()):
            covered_count = sum(stamp <= issued_at for stamp, _ in versions)
            if covered_count == len(versions):
                del self.versions[sector]
            else:
                # The last one covered is durable now; without one, a flush issued later was faster.
                self.versions[sector] = versions[max(0, covered_count - 1) :]

    def _read_cached(self, operation: Operation, host: int) -> bytes:
        return b"".join(
            self._cached_reads.setdefault((host, sector), self.sectors[sector])
            for sector in range(operation.sector, operation.sector + operation.sector_count)
        )

    # -- power loss ----------------------------------------------------------------------------------------------

    def undecided(self) -> int | None:
        """The first sector of which a power loss now could keep one of several contents; None if there is none."""
        return min(self.versions, default=None)

    def survivors(self, sector: int) -> list[bytes]:
        """What a power loss now could leave in a sector, the oldest content first."""
        contents = [content for _, content in self.versions[sector]]
        if self.misbehaviour.sectors_tear:
            half = self.sector_bytes // 2
            contents += [new[:half] + old[half:] for old, new in pairwise(contents)]
        return contents

    def survive(self, sector: int, survivor: int) -> None:
        """Decide what a power loss left in a sector: one of its `survivors`, which is durable then."""
        self.sectors[sector] = self.survivors(sector)[survivor]
        del self.versions[sector]

    # -- states --------------------------------------------------------------------------------------------------

    def fork(self) -> MemoryDisk:
        """An independent copy in the same state."""
        copy = MemoryDisk(self.sector_bytes, self.sectors, self.has_volatile_cache, self.misbehaviour)
        copy.versions = {sector: list(versions) for sector, versions in self.versions.items()}
        copy.write_count = self.write_count
        copy.reservation_holder = self.reservation_holder
        copy._cached_reads = dict(self._cached_reads)
        return copy

    def key(self) -> Hashable:
        """Equal for two disks exactly if no future operation can tell them apart."""
        versions = tuple(sorted((sector, tuple(versions)) for sector, versions in self.versions.items()))
        cached = tuple(sorted(self._cached_reads.items())) if self._cached_reads else ()
        return (
            tuple(self.sectors),
            versions,
            self.write_count if versions else 0,
            self.reservation_holder,
            cached,
        )


def split_by_sector(operation: Operation, sector_bytes: int) -> list[Operation]:
    """The operations on one sector each that ``operation`` may tear into."""
    if operation.sector_count <= 1:
        return [operation]
    sectors = range(operation.sector, operation.sector + operation.sector_count)
    if isinstance(operation, Write):
        starts = range(0, len(operation.data), sector_bytes)
        return [
            Write(operation.device, sector, 1, operation.data[start : start + sector_bytes])
            for sector, start in zip(sectors, starts, strict=True)
        ]
    assert isinstance(operation, Read | Change)
    return [type(operation)(operation.device, sector, 1) for sector in sectors]
