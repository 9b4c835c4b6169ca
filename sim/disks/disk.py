"""What every disk answers to, in memory or real."""

from __future__ import annotations

from typing import Protocol

from shadowshare.protocol.operations import Operation
from shadowshare.sim.disks.memory_disk import Answer


class Disk(Protocol):
    """One device. `shadowshare.sim.disks.conformance` checks what this interface promises."""

    @property
    def sector_bytes(self) -> int:
        """Size of a sector: 512 or 4096."""

    @property
    def sector_count(self) -> int:
        """Size of the disk in sectors."""

    @property
    def write_count(self) -> int:
        """What to pass as ``issued_at`` for an operation that is issued now."""

    def perform(self, operation: Operation, host: int, issued_at: int) -> Answer:
        """Carry an operation out and return the answer; a `DiskError` is returned, not raised.

        Args:
            operation: what to do; its ``device`` is not looked at.
            host: number of the host that asks.
            issued_at: `write_count` when the operation was issued; a flush need not cover later writes.
        """
