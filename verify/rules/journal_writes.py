"""What the journal says from the moment when a write takes effect."""

from __future__ import annotations

from collections.abc import Sequence

from shadowshare.protocol.geometry import Geometry
from shadowshare.protocol.layout import (
    CHECKSUM_BYTES,
    Block,
    Created,
    Deleted,
    Invalidated,
    Record,
    Settings,
    ShadowCopyId,
    Takeover,
    decode_block,
)
from shadowshare.protocol.operations import Operation, Write
from shadowshare.sim.disks.memory_disk import MemoryDisk
from shadowshare.sim.stepped.shared import SharedState


def records_written(geometry: Geometry, operation: Operation) -> tuple[Record, ...]:
    """The records of the block that an operation writes to the journal; none if it does no such thing."""
    if (
        operation.sector not in geometry.journal_sectors
        or operation.device != geometry.area_device
        or not isinstance(operation, Write)
    ):
        return ()
    block = decode_block(geometry, operation.sector, operation.data)
    return block.records if isinstance(block, Block) else ()


def without_block(shared: SharedState, operation: Operation) -> list[MemoryDisk]:
    """The disks as they would be if a write of one journal block had not taken effect, for who reads the journal."""
    disks = [disk.fork() for disk in shared.disks]
    disk = disks[operation.device]
    disk.sectors[operation.sector] = bytes(disk.sector_bytes)
    return disks


def takes_over(records: Sequence[Record]) -> bool:
    """Whether a block is a TAKEOVER."""
    return bool(records) and isinstance(records[0], Takeover)


def checksum_to_note(operation: Operation, records: Sequence[Record]) -> bytes | None:
    """The checksum of a block that may be judged once only; None for others.

    A write that reported an error may land late, when it was done again and acknowledged: it says nothing new.
    """
    is_judged = any(isinstance(record, Settings | Invalidated | Deleted) for record in records)
    return bytes(operation.data[-CHECKSUM_BYTES:]) if is_judged and isinstance(operation, Write) else None


def creations(records: Sequence[Record]) -> list[ShadowCopyId]:
    """The shadow copies that records create."""
    return [record.shadow_copy for record in records if isinstance(record, Created)]
