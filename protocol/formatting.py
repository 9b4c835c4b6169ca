"""Making a new, empty store."""

from __future__ import annotations

from shadowshare.protocol.geometry import Geometry
from shadowshare.protocol.layout import (
    NO_CHECKSUM,
    Checkpoint,
    Record,
    Settings,
    encode_block,
    encode_superblock,
)
from shadowshare.protocol.operations import Flush, Reserve, Write, WriteZeroes
from shadowshare.protocol.view import DEFAULT_SETTINGS

FIRST_GENERATION = 1
FIRST_SEQUENCE = 1
FORMAT_EPOCH = 0
"""Blocks that formatting wrote; the first active takes over with epoch 1."""


async def format_store(geometry: Geometry, settings: Settings = DEFAULT_SETTINGS) -> None:
    """Write an empty store. The volume itself is left as it is.

    The superblocks of an older store go first and the new ones come last, so that a crash leaves no store or a whole
    one. The journal is zeroed: a block of it is from then on either zero or intact.

    Args:
        geometry: of the store.
        settings: what happens when an extent cannot be copied.

    Raises:
        DiskError: the disk failed; there may be no store then.
    """
    device = geometry.area_device
    await Reserve(device)
    for sector in geometry.superblock_sectors:
        await WriteZeroes(device, sector, 1)
    await Flush(device)
    journal = geometry.journal_sectors
    await WriteZeroes(device, journal.start, len(journal))
    sector = geometry.block_sector(FIRST_GENERATION, 0)
    records: tuple[Record, ...] = (Checkpoint(1, 1),)
    if settings != DEFAULT_SETTINGS:
        records += (settings,)
    checkpoint = encode_block(
        geometry, sector, FORMAT_EPOCH, FIRST_GENERATION, FIRST_SEQUENCE, NO_CHECKSUM, records
    )
    await Write(device, sector, 1, checkpoint)
    await Flush(device)
    for copy, sector in enumerate(geometry.superblock_sectors):
        await Write(device, sector, 1, encode_superblock(geometry, copy))
    await Flush(device)
