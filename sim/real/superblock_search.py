"""Finding where a differential area begins when the superblock at the end of the device is damaged.

On a device that volume and area share, nothing but that last superblock says where the area begins. So look for the
first one, from the end backwards. A volume may hold anything, also what looks like a superblock: only one that belongs
where it is and has a journal of its own store behind it counts, one that fits this device to the sector before all
others; and if there are two, none does.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from shadowshare.protocol.errors import CannotOpen, DiskError, StoreError
from shadowshare.protocol.geometry import SECTOR_BYTES, VOLUME_DEVICE, Geometry
from shadowshare.protocol.layout import (
    SUPERBLOCK_BYTES,
    SUPERBLOCK_MAGIC,
    Block,
    decode_block,
    decode_superblock,
)
from shadowshare.protocol.operations import Read
from shadowshare.sim.disks.file_disk import FileDisk

SEARCH_BYTES = 4 * 1024**3
"""How much of the device's end is searched: a few seconds."""

_CHUNK_BYTES = 4 * 1024**2


class _Found(NamedTuple):
    """A first superblock: where it is, and whether its store ends where the device does.

    A device may have been made larger, for the store to grow.
    """

    offset_bytes: int
    is_exact: bool


def find_area_offset_bytes(path: Path, search_bytes: int = SEARCH_BYTES) -> int | None:
    """The byte at which the only differential area on this device begins; None if there is none, or several.

    Raises:
        CannotOpen: the device cannot be opened.
        ReadError: the disk failed.
    """
    with _open(path) as disk:
        size_bytes = disk.sector_count * disk.sector_bytes
        found: list[_Found] = []
        end = size_bytes
        while end > max(0, size_bytes - search_bytes):
            start = max(0, size_bytes - search_bytes, end - _CHUNK_BYTES)
            found += _superblocks_in(disk, start, end)
            end = start
    fitting = [one for one in found if one.is_exact] or found
    return fitting[0].offset_bytes if len(fitting) == 1 else None


def _open(path: Path) -> FileDisk:
    """Open with the largest sectors that the device's size allows; the store's may be as small, not larger."""
    try:
        return FileDisk.open(path, max(SECTOR_BYTES), writable=False)
    except CannotOpen:
        return FileDisk.open(path, min(SECTOR_BYTES), writable=False)


def _superblocks_in(disk: FileDisk, start: int, end: int) -> Iterator[_Found]:
    """First superblocks that fit this device, in whole sectors ``[start, end)`` of bytes."""
    data = _read(disk, start, end)
    place = data.find(SUPERBLOCK_MAGIC)
    while place >= 0:
        if place % SECTOR_BYTES[0] == 0:
            fitting = _fitting(disk, start + place, data[place : place + SUPERBLOCK_BYTES])
            if fitting is not None:
                yield fitting
        place = data.find(SUPERBLOCK_MAGIC, place + 1)


def _fitting(disk: FileDisk, offset_bytes: int, raw: bytes) -> _Found | None:
    """The superblock at a place, if it is one that belongs there and has a journal; None if not."""
    try:
        geometry = decode_superblock(raw)
    except StoreError:
        return None
    device_bytes = disk.sector_count * disk.sector_bytes
    first, last = (sector * geometry.sector_bytes for sector in geometry.superblock_sectors)
    end = last + geometry.sector_bytes
    is_here = geometry.area_device == VOLUME_DEVICE and first == offset_bytes
    if not is_here or end > device_bytes or not _has_journal(disk, geometry):
        return None
    return _Found(offset_bytes, end == device_bytes)


def _has_journal(disk: FileDisk, geometry: Geometry) -> bool:
    """Whether a half of the journal begins with an intact block of this store."""
    for generation in (1, 2):
        sector = geometry.block_sector(generation, 0)
        start = sector * geometry.sector_bytes
        if isinstance(
            decode_block(geometry, sector, _read(disk, start, start + geometry.sector_bytes)), Block
        ):
            return True
    return False


def _read(disk: FileDisk, start: int, end: int) -> bytes:
    size = disk.sector_bytes
    first, stop = start // size, -(-end // size)
    answer = disk.perform(Read(VOLUME_DEVICE, first, stop - first))
    if isinstance(answer, DiskError):
        raise answer
    assert isinstance(answer, bytes | memoryview)
    return bytes(answer)[start - first * size : end - first * size]
