"""A memory disk with faults that last laid over its contents.

``sectors`` and the volatile cache stay as the operations made them; what an operation meets is that with the overlay on
top. Writing a sector again makes it readable and takes its rot away, as on a medium that moves bad sectors elsewhere.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

from shadowshare.protocol.errors import ReadError, WriteError
from shadowshare.protocol.operations import Operation, Read, Write
from shadowshare.sim.disks.memory_disk import WELL_BEHAVED, Answer, MemoryDisk, Misbehaviour


class Overlay(NamedTuple):
    """The faults of one device that last.

    Attributes:
        end: the first sector that is not on the device (any more).
        unreadable: sectors that cannot be read until they are written again.
        rotten: sectors of which a bit has changed, until they are written again.
        is_full: whether sectors that hold zeroes can be given no other content any more.
    """

    end: int
    unreadable: frozenset[int] = frozenset()
    rotten: frozenset[int] = frozenset()
    is_full: bool = False


class OverlaidDisk(MemoryDisk):
    """One device in memory, with an overlay of faults.

    Args:
        sector_bytes: size of a sector.
        sectors: the durable content at the start, one item of ``sector_bytes`` bytes a sector.
        has_volatile_cache: whether unflushed writes are tracked, so that a power loss is possible.
        misbehaviour: what part of the contract it breaks.
        remembers: whether to keep of each sector what was there before its last write, for stale reads.
    """

    def __init__(
        self,
        sector_bytes: int,
        sectors: Sequence[bytes],
        has_volatile_cache: bool = True,
        misbehaviour: Misbehaviour = WELL_BEHAVED,
        remembers: bool = False,
    ) -> None:
        super().__init__(sector_bytes, sectors, has_volatile_cache, misbehaviour)
        self.overlay = Overlay(len(sectors))
        self.older: dict[int, bytes] = {}
        self.remembers = remembers

    def perform(self, operation: Operation, host: int, issued_at: int) -> Answer:
        """Let an operation take effect now, as far as the overlay lets it; see `MemoryDisk.perform`."""
        overlay = self.overlay
        end = operation.sector + operation.sector_count
        if operation.sector_count and end > overlay.end:
            kind = ReadError if isinstance(operation, Read) else WriteError
            return kind(f"{operation!r} is not all on the disk, which has {overlay.end} sectors")
        if isinstance(operation, Read):
            if any(operation.sector <= sector < end for sector in overlay.unreadable):
                return ReadError("the device cannot read this sector")
            return self._with_rot(operation, super().perform(operation, host, issued_at))
        if overlay.is_full and isinstance(operation, Write) and self.needs_room(operation):
            if self.is_fenced(host):
                return super().perform(operation, host, issued_at)
            return WriteError("the device has no room left")
        return super().perform(operation, host, issued_at)

    def _with_rot(self, operation: Operation, answer: Answer) -> Answer:
        if not self.overlay.rotten or isinstance(answer, Exception) or answer is None:
            return answer
        raw, size = bytearray(answer), self.sector_bytes
        for sector in self.overlay.rotten:
            if operation.sector <= sector < operation.sector + operation.sector_count:
                raw[(sector - operation.sector) * size + size // 2] ^= 1
        return bytes(raw)

    def needs_room(self, operation: Write) -> bool:
        """Whether a sector that a write changes holds zeroes, wherever it is not undecided what it holds."""
        sectors = range(operation.sector, operation.sector + operation.sector_count)
        return any(self.sectors[sector] == self._zero for sector in sectors if sector not in self.undecided)

    def put(self, first: int, contents: Sequence[Any]) -> None:
        """Let a write take effect; the overlay is gone where it lands."""
        written = range(first, first + len(contents))
        if self.remembers:
            self.older.update(
                {sector: self.sectors[sector] for sector in written if sector not in self.undecided}
            )
        overlay = self.overlay
        if overlay.unreadable or overlay.rotten:
            self.overlay = overlay._replace(
                unreadable=overlay.unreadable - set(written), rotten=overlay.rotten - set(written)
            )
        super().put(first, contents)

    def with_older(self, sector: int, operation: Operation, answer: Answer) -> Answer:
        """The answer to a read, with what was in ``sector`` before its last write."""
        if isinstance(answer, Exception) or answer is None:
            return answer
        start = (sector - operation.sector) * self.sector_bytes
        return bytes(answer[:start]) + self.older[sector] + bytes(answer[start + self.sector_bytes :])

    # -- states --------------------------------------------------------------------------------------------------

    def _blank(self) -> OverlaidDisk:
        copy = OverlaidDisk(self.sector_bytes, (), True, self.misbehaviour, self.remembers)
        copy._cached_reads = dict(self._cached_reads)
        copy.overlay = self.overlay
        copy.older = dict(self.older)
        return copy

    def key(self, flushes: Sequence[int] = ()) -> Hashable:
        """Equal for two disks only if no future operation can tell them apart, see `SectorStore.key`."""
        return super().key(flushes), self.overlay, tuple(sorted(self.older.items()))
