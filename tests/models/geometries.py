"""Small stores for tests of the models."""

from __future__ import annotations

from shadowshare.protocol.geometry import Geometry

SECTOR_BYTES = 512


def geometry(volume_sector_count: int = 11, extent_sectors: int = 4, slot_count: int = 4) -> Geometry:
    """A store; by default with three extents, of which the last has three sectors and the others four."""
    half_block_count = 16
    area_sector_count = 2 + 2 * half_block_count + slot_count * extent_sectors
    return Geometry(
        b"store for tests!",
        SECTOR_BYTES,
        extent_sectors,
        volume_sector_count,
        0,
        volume_sector_count,
        area_sector_count,
        half_block_count,
        slot_count,
    )
