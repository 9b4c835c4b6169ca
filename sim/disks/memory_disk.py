"""A shared disk in memory, with the faults that the disk contract allows.

Its volatile cache, and what a power loss leaves, are those of `SectorStore`.

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
from shadowshare.sim.disks.sector_store import SectorStore

Answer = Buffer | None | Exception
"""What a world gives back for an operation; an exception is thrown into the task that awaits it."""


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


class MemoryDisk(SectorStore):
    """One device in memory.

    Args:
        sector_bytes: size of a sector.
        sectors: the durable content at the start, one item of ``sector_bytes`` bytes a sector.
        has_volatile_cache: whether unflushed writes are tracked, so that a power loss is possible.
        misbehaviour: what part of the contract it breaks.
    """

    def __init__(
        self,
        sector_bytes: int,
        sectors: Sequence[bytes],
        has_volatile_cache: bool = True,
        misbehaviour: Misbehaviour = WELL_BEHAVED,
    ) -> None:
        super().__init__(sectors, has_volatile_cache)
        self.sector_bytes = sector_bytes
        self.misbehaviour = misbehaviour
        self._zero = bytes(sector_bytes)
        self._cached_reads: dict[tuple[int, int], bytes] = {}

    @classmethod
    def blank(cls, sector_bytes: int, sector_count: int) -> MemoryDisk:
        """A disk full of zeroes."""
        return cls(sector_bytes, [bytes(sector_bytes)] * sector_count)

    @property
    def power_loss_is_silent(self) -> bool:
        """Whether nobody is told when it loses power."""
        return self.misbehaviour.power_loss_is_silent

    @property
    def reads_are_remembered(self) -> bool:  # type: ignore[override]
        """Whether reads change the device: they come from caches that nobody invalidates."""
        return self.misbehaviour.reads_are_cached

    # -- operations ----------------------------------------------------------------------------------------------

    def perform(self, operation: Operation, host: int, issued_at: int) -> Answer:
        """Let an operation take effect now.

        Args:
            operation: what to do; its ``device`` is not looked at.
            host: number of the host that asks.
            issued_at: `write_count` when the operation was issued; a flush covers no later write.

        Raises:
            Undecided: it reads a sector of which it is not decided what survived a power loss.
        """
        kind = type(operation)
        sector, sector_count = operation.sector, operation.sector_count
        if not 0 <= sector <= len(self.sectors) - sector_count:
            return self._out_of_range(operation)
        if kind is Read:
            if self.undecided:
                self.check_decided(range(sector, sector + sector_count))
            if self.misbehaviour.reads_are_cached:
                return self._read_cached(operation, host)
            if sector_count == 1:
                content: bytes = self.sectors[sector]
                return content
            return b"".join(self.sectors[sector : sector + sector_count])
        if kind is Flush:
            if not self.misbehaviour.flush_does_nothing:
                self.flush(issued_at)
            return None
        if kind is Reserve:
            self.reservation_holder = host
            return None
        return self._change(operation, host)

    def _change(self, operation: Operation, host: int) -> Answer:
        sector, sector_count, size = operation.sector, operation.sector_count, self.sector_bytes
        if self.is_fenced(host):
            return Fenced("another host holds the reservation: this host's writes are refused")
        if isinstance(operation, Write):
            data = bytes(operation.data)
            if len(data) != sector_count * size:
                return WriteError(f"{operation!r} has {len(data)} bytes of data: it must have whole sectors")
            self.put(sector, [data[start : start + size] for start in range(0, len(data), size)])
        else:
            assert isinstance(operation, WriteZeroes | Discard)
            self.put(sector, [self._zero] * sector_count)
        return None

    def _out_of_range(self, operation: Operation) -> DiskError:
        kind = ReadError if isinstance(operation, Read) else WriteError
        return kind(f"{operation!r} is not all on the disk, which has {len(self.sectors)} sectors")

    def is_fenced(self, host: int) -> bool:
        """Whether writes of ``host`` are refused."""
        return super().is_fenced(host) and not self.misbehaviour.fence_is_ignored

    def _read_cached(self, operation: Operation, host: int) -> bytes:
        return b"".join(
            self._cached_reads.setdefault((host, sector), self.sectors[sector])
            for sector in range(operation.sector, operation.sector + operation.sector_count)
        )

    def pieces(self, operation: Operation) -> list[Operation]:
        """The operations that ``operation`` may tear into."""
        return split_by_sector(operation, self.sector_bytes)

    def survivors(self, sector: int) -> list[bytes]:
        """What a power loss now could leave in a sector that was written since the last flush, the oldest first."""
        contents = super().survivors(sector)
        if self.misbehaviour.sectors_tear:
            half = self.sector_bytes // 2
            contents += [new[:half] + old[half:] for old, new in pairwise(contents)]
        return contents

    # -- states --------------------------------------------------------------------------------------------------

    def _blank(self) -> MemoryDisk:
        copy = MemoryDisk(self.sector_bytes, (), misbehaviour=self.misbehaviour)
        copy._cached_reads = dict(self._cached_reads)
        return copy

    def key(self, flushes: Sequence[int] = ()) -> Hashable:
        """Equal for two disks only if no future operation can tell them apart, see `SectorStore.key`."""
        return super().key(flushes), tuple(sorted(self._cached_reads.items())) if self._cached_reads else ()


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
