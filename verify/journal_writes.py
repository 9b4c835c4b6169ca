"""What the journal says from the moment when a write takes effect."""

from __future__ import annotations

from collections.abc import Sequence

from shadowshare.protocol.geometry import Geometry
from shadowshare.protocol.layout import Block, Created, Record, ShadowCopyId, decode_block
from shadowshare.protocol.operations import Operation, Write


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


def creations(records: Sequence[Record]) -> list[ShadowCopyId]:
    """The shadow copies that records create."""
    return [record.shadow_copy for record in records if isinstance(record, Created)]
