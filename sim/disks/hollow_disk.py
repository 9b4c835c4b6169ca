"""A disk that keeps metadata only, so that long simulations need little memory.

What is written to the sectors that are kept is read back from them; every other sector reads as zeroes. So a store's
superblock and journal work as they do on any disk, and what is in its volume and slots is not there: whoever reads
them learns how long it took, and not what was in them. It is no `Disk` in the sense of the conformance suite.
"""

from __future__ import annotations

from collections.abc import Sequence

from shadowshare.protocol.errors import Fenced, ReadError, WriteError
from shadowshare.protocol.operations import Access, Operation, Write
from shadowshare.sim.disks.memory_disk import Answer


class HollowDisk:
    """One device without data.

    Args:
        sector_bytes: size of a sector.
        sector_count: sectors of the device.
        kept: the sectors whose content is kept.
    """

    write_count = 0
    """Nothing is volatile, so nothing is counted."""

    def __init__(self, sector_bytes: int, sector_count: int, kept: Sequence[range]) -> None:
        self.sector_bytes = sector_bytes
        self.sector_count = sector_count
        self._kept = tuple(kept)
        self._contents: dict[int, bytes] = {}
        self._zero = bytes(sector_bytes)
        self._zeroes = memoryview(bytes(sector_bytes))
        self._reservation_holder: int | None = None

    def perform(self, operation: Operation, host: int, issued_at: int = 0) -> Answer:
        """Let an operation take effect now, see `Disk`."""
        sector, end = operation.sector, operation.sector + operation.sector_count
        access = operation.access
        if not 0 <= sector <= end <= self.sector_count:
            kind = ReadError if access is Access.READ else WriteError
            return kind(f"{operation!r} is not all on the disk, which has {self.sector_count} sectors")
        if access is Access.READ:
            return self._read(sector, end)
        if access is Access.RESERVE:
            self._reservation_holder = host
        elif access is Access.WRITE:
            if self._reservation_holder not in (None, host):
                return Fenced("another host holds the reservation: this host's writes are refused")
            self._change(operation, sector, end)
        return None

    def _read(self, sector: int, end: int) -> Answer:
        if self._is_kept(sector, end):
            contents, zero = self._contents, self._zero
            return b"".join([contents.get(at, zero) for at in range(sector, end)])
        size = (end - sector) * self.sector_bytes
        if len(self._zeroes) < size:
            self._zeroes = memoryview(bytes(size))
        return self._zeroes[:size]

    def _change(self, operation: Operation, sector: int, end: int) -> None:
        if not self._is_kept(sector, end):
            return
        contents, size = self._contents, self.sector_bytes
        data = bytes(operation.data) if isinstance(operation, Write) else b""
        if not data.strip(b"\0"):  # as formatting does with the whole journal
            for at in [at for at in contents if sector <= at < end]:
                del contents[at]
            return
        for number, at in enumerate(range(sector, end)):
            contents[at] = data[number * size : (number + 1) * size]

    def _is_kept(self, sector: int, end: int) -> bool:
        """Whether any of the sectors is kept; those of an operation either all are, or none."""
        return any(sector < kept.stop and kept.start < end for kept in self._kept)
