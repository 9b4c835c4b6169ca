"""Making a new, empty store."""

from __future__ import annotations

from shadowshare.protocol.geometry import Geometry
from shadowshare.protocol.layout import NO_CHECKSUM, Checkpoint, encode_block, encode_superblock
from shadowshare.protocol.operations import Flush, Reserve, Write, WriteZeroes

FIRST_GENERATION = 1
FIRST_SEQUENCE = 1
FORMAT_EPOCH = 0
"""Blocks that formatting wrote; the first active takes over with epoch 1."""


async def format_store(geometry: Geometry) -> None:
    """Write an empty store. The volume itself is left as it is.

    The superblocks of an older store go first and the new ones come last, so that a crash leaves no store or a whole
    one. The journal is zeroed: a block of it is from then on either zero or intact.

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
    checkpoint = encode_block(
        geometry, sector, FORMAT_EPOCH, FIRST_GENERATION, FIRST_SEQUENCE, NO_CHECKSUM, (Checkpoint(1, 1),)
    )
    await Write(device, sector, 1, checkpoint)
    await Flush(device)
    for copy, sector in enumerate(geometry.superblock_sectors):
        await Write(device, sector, 1, encode_superblock(geometry, copy))
    await Flush(device)
