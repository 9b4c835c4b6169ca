"""One damaged copy of the superblock is survived; when none can be used, the reason is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadowshare.protocol.errors import (
    GeometryMismatch,
    NotAStore,
    ReadError,
    StoreError,
    SuperblockDamaged,
    UnsupportedFormat,
)
from shadowshare.protocol.geometry import Geometry, Location, plan_geometry
from shadowshare.protocol.layout import CHECKSUM_BYTES, checksum_of, encode_superblock
from shadowshare.protocol.superblock import read_geometry
from shadowshare.sim.disks.memory_disk import MemoryDisk
from shadowshare.sim.inline import perform_inline
from tests.protocol.stores import GEOMETRY, SECTOR_BYTES, Disk, formatted_disk, location_of

FIRST, LAST = GEOMETRY.superblock_sectors


def read(disk: Disk, location: Location | None = None) -> Geometry:
    return perform_inline(read_geometry(location or location_of(GEOMETRY)), [disk])


def test_the_first_copy_is_enough() -> None:
    disk = formatted_disk()
    assert read(disk) == GEOMETRY
    assert [operation.sector for operation in disk.trace] == [FIRST]


@given(st.sampled_from([FIRST, LAST]), st.integers(0, SECTOR_BYTES - 1), st.integers(1, 255))
def test_one_damaged_copy_is_survived(sector: int, offset: int, mask: int) -> None:
    disk = formatted_disk()
    damage(disk, sector, offset, mask)
    assert read(disk) == GEOMETRY


def damage(disk: Disk, sector: int, offset: int = 50, mask: int = 1) -> None:
    raw = bytearray(disk.sectors[sector])
    raw[offset] ^= mask
    disk.sectors[sector] = bytes(raw)


def _of_another_version(disk: Disk, sector: int) -> None:
    body = disk.sectors[sector][:8] + bytes([9]) + disk.sectors[sector][9:-CHECKSUM_BYTES]
    disk.sectors[sector] = body + checksum_of(body)


def _wiped(disk: Disk, sector: int) -> None:
    disk.sectors[sector] = bytes(SECTOR_BYTES)


def _moved(disk: Disk, sector: int) -> None:
    elsewhere = replace(GEOMETRY, area_sector=GEOMETRY.area_sector + 5)
    disk.sectors[sector] = encode_superblock(elsewhere, 0)


Harm = Callable[[Disk, int], None]
HARMS: dict[str, tuple[Harm, type[StoreError]]] = {
    "damaged": (damage, SuperblockDamaged),
    "of another version": (_of_another_version, UnsupportedFormat),
    "moved": (_moved, GeometryMismatch),
    "wiped": (_wiped, NotAStore),
}


@pytest.mark.parametrize(("harm", "kind"), HARMS.values(), ids=HARMS)
@pytest.mark.parametrize("sector", [FIRST, LAST])
def test_one_unusable_copy_is_survived(harm: Harm, kind: type[StoreError], sector: int) -> None:
    disk = formatted_disk()
    harm(disk, sector)
    assert read(disk) == GEOMETRY


@pytest.mark.parametrize(("harm", "kind"), HARMS.values(), ids=HARMS)
def test_two_unusable_copies_are_refused(harm: Harm, kind: type[StoreError]) -> None:
    disk = formatted_disk()
    for sector in (FIRST, LAST):
        harm(disk, sector)
    with pytest.raises(kind):
        read(disk)


@pytest.mark.parametrize(("harm", "kind"), [HARMS["damaged"], HARMS["of another version"], HARMS["moved"]])
@pytest.mark.parametrize("sectors", [(FIRST, LAST), (LAST, FIRST)])
def test_the_reason_is_not_that_there_is_no_store(
    harm: Harm, kind: type[StoreError], sectors: tuple[int, int]
) -> None:
    disk = formatted_disk()
    harm(disk, sectors[0])
    _wiped(disk, sectors[1])
    with pytest.raises(kind):
        read(disk)


def test_a_store_that_was_moved_is_refused() -> None:
    disk = formatted_disk()
    moved = Disk(SECTOR_BYTES, [bytes(SECTOR_BYTES)] * 3 + disk.sectors)
    with pytest.raises(GeometryMismatch, match="the device was moved"):
        read(moved, Location(0, (FIRST + 3, LAST + 3)))


def test_a_truncated_disk_is_an_error_of_the_disk() -> None:
    disk = formatted_disk()
    _wiped(disk, FIRST)
    truncated = Disk(SECTOR_BYTES, disk.sectors[:-4])
    with pytest.raises(ReadError):
        read(truncated)


@pytest.mark.parametrize("sector", [FIRST, LAST])
def test_one_unreadable_copy_is_survived(sector: int) -> None:
    disk = formatted_disk()
    disk.fails_instead = lambda operation: ReadError("bad sector") if operation.sector == sector else None
    assert read(disk) == GEOMETRY


def test_two_unreadable_copies_are_an_error_of_the_disk() -> None:
    disk = formatted_disk()
    disk.fails_instead = lambda operation: ReadError("bad sector")
    with pytest.raises(ReadError):
        read(disk)


def test_nowhere_to_look() -> None:
    with pytest.raises(NotAStore):
        read(formatted_disk(), Location(0, ()))


def test_a_superblock_that_claims_more_than_the_devices_have_is_refused_and_the_other_copy_used() -> None:
    """A right checksum, and sizes with which any host would run out of memory."""
    geometry = plan_geometry(bytes(range(16)), 512, 2, 16, 0, 16, 60, half_block_count=12)
    huge = replace(geometry, slot_count=2**40, area_sector_count=2**45)
    disk = MemoryDisk.blank(512, 76)
    disk.sectors[16] = encode_superblock(huge, 0)
    location = Location(0, geometry.superblock_sectors, (76,))
    with pytest.raises(GeometryMismatch, match="needs"):
        perform_inline(read_geometry(location), [disk])
    disk.sectors[75] = encode_superblock(geometry, 1)
    assert perform_inline(read_geometry(location), [disk]) == geometry


@pytest.mark.parametrize("change", [{"area_device": 1}, {"sector_bytes": 4096}])
def test_a_superblock_of_another_kind_of_device_is_refused(change: dict[str, Any]) -> None:
    geometry = plan_geometry(bytes(range(16)), 512, 2, 16, 0, 16, 60, half_block_count=12)
    disk = MemoryDisk.blank(512, 76)
    disk.sectors[16] = encode_superblock(replace(geometry, **change), 0)[:512]
    with pytest.raises(GeometryMismatch, match="another store's"):
        perform_inline(read_geometry(Location(0, geometry.superblock_sectors)), [disk])
