"""Finding a store in files, whole and damaged."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shadowshare.protocol.errors import (
    CannotOpen,
    GeometryMismatch,
    Locked,
    NotAStore,
    ReadError,
    StoreError,
    SuperblockDamaged,
)
from shadowshare.protocol.formatting import format_store
from shadowshare.protocol.geometry import Geometry, Location, plan_geometry
from shadowshare.protocol.superblock import read_geometry
from shadowshare.sim.disks.file_disk import FileDisk
from shadowshare.sim.real import store_disks
from shadowshare.sim.real.store_disks import locate, open_disks
from shadowshare.sim.real.world import drive

VOLUME_BYTES = 256 * 1024
AREA_BYTES = 512 * 1024


class Made:
    """A store in files of a temporary directory."""

    def __init__(self, folder: Path, sector_bytes: int, is_apart: bool) -> None:
        self.volume, self.area = folder / "volume.img", folder / "area.img"
        self.volume.write_bytes(b"\1" * (VOLUME_BYTES + (0 if is_apart else AREA_BYTES)))
        self.area.write_bytes(b"\1" * AREA_BYTES)
        self.geometry: Geometry = plan_geometry(
            b"0123456789abcdef",
            sector_bytes,
            4,
            VOLUME_BYTES // sector_bytes,
            int(is_apart),
            0 if is_apart else VOLUME_BYTES // sector_bytes,
            AREA_BYTES // sector_bytes,
            16,
        )
        self.paths = (self.volume, self.area) if is_apart else (self.volume,)
        disks = [FileDisk.open(path, sector_bytes, writable=True) for path in self.paths]
        drive(format_store(self.geometry), disks)
        for disk in disks:
            disk.close()

    def damage(self, copy: int) -> None:
        """Flip a bit of one copy of the superblock."""
        with self.paths[-1].open("r+b") as file:
            file.seek(self.geometry.superblock_sectors[copy] * self.geometry.sector_bytes + 50)
            (byte,) = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte ^ 1]))


@pytest.fixture(params=[512, 4096])
def one(tmp_path: Path, request: pytest.FixtureRequest) -> Made:
    return Made(tmp_path, request.param, is_apart=False)


@pytest.fixture(params=[512, 4096])
def two(tmp_path: Path, request: pytest.FixtureRequest) -> Made:
    return Made(tmp_path, request.param, is_apart=True)


def test_a_store_on_one_device(one: Made) -> None:
    located = locate(one.volume)
    size = one.geometry.sector_bytes
    assert located.geometry == one.geometry
    assert located.sector_bytes == size
    count = (VOLUME_BYTES + AREA_BYTES) // size
    assert located.location == Location(0, (VOLUME_BYTES // size, count - 1), (count,))
    assert located.sector_counts == {0: (VOLUME_BYTES + AREA_BYTES) // size}


def test_a_store_on_two_devices(two: Made) -> None:
    located = locate(two.volume, two.area)
    size = two.geometry.sector_bytes
    assert located.geometry == two.geometry
    assert located.location == Location(
        1, (0, AREA_BYTES // size - 1), (VOLUME_BYTES // size, AREA_BYTES // size)
    )
    assert located.sector_counts == {0: VOLUME_BYTES // size, 1: AREA_BYTES // size}


def test_one_damaged_superblock_is_enough(two: Made) -> None:
    for copy in (1, 0):
        two.damage(copy)
        located = locate(two.volume, two.area)
        with open_disks(two.volume, two.area, writable=False) as store:
            assert drive(read_geometry(located.location), store.disks) == two.geometry
        two.damage(copy)
    two.damage(0)
    two.damage(1)
    with pytest.raises(SuperblockDamaged, match=r"area\.img"):
        locate(two.volume, two.area)


def test_a_damaged_superblock_on_a_shared_device_needs_to_know_where(one: Made) -> None:
    one.damage(1)
    with pytest.raises(SuperblockDamaged):
        locate(one.volume)
    assert locate(one.volume, area_offset_bytes=VOLUME_BYTES).geometry == one.geometry
    with open_disks(one.volume, writable=False, area_offset_bytes=VOLUME_BYTES) as store:
        assert store.located.geometry == one.geometry
    with pytest.raises(SuperblockDamaged):
        locate(one.volume, area_offset_bytes=VOLUME_BYTES - 4096)
    with pytest.raises(StoreError):
        locate(one.volume, area_offset_bytes=2**50)


def test_an_unreadable_last_sector(two: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    really_read = store_disks._bytes

    def read(disk: FileDisk, start: int, end: int) -> bytes:
        if end == AREA_BYTES:
            raise ReadError("bad sector")
        return really_read(disk, start, end)

    monkeypatch.setattr(store_disks, "_bytes", read)
    assert locate(two.volume, two.area).geometry == two.geometry
    two.damage(0)
    with pytest.raises(ReadError, match="bad sector"):
        locate(two.volume, two.area)


def test_a_truncated_device(two: Made) -> None:
    os.truncate(two.volume, VOLUME_BYTES - 4096)
    with pytest.raises(GeometryMismatch, match="on device 0"):
        locate(two.volume, two.area)
    os.truncate(two.volume, VOLUME_BYTES)
    os.truncate(two.area, AREA_BYTES - 4096)
    with pytest.raises(GeometryMismatch, match="on device 1"):
        locate(two.volume, two.area)


def test_a_truncated_and_damaged_device_says_that_it_is_damaged(two: Made) -> None:
    two.damage(0)
    os.truncate(two.area, AREA_BYTES - 4096)
    with pytest.raises(SuperblockDamaged):
        locate(two.volume, two.area)


def test_a_truncated_shared_device(one: Made) -> None:
    os.truncate(one.volume, VOLUME_BYTES + AREA_BYTES - 4096)
    with pytest.raises(NotAStore, match="truncated"):
        locate(one.volume)
    with pytest.raises(GeometryMismatch, match="it was truncated"):
        locate(one.volume, area_offset_bytes=VOLUME_BYTES)


def test_a_superblock_that_was_moved(one: Made) -> None:
    content = one.volume.read_bytes()
    one.volume.write_bytes(content[4096:])
    with pytest.raises(GeometryMismatch, match="moved"):
        locate(one.volume)
    with pytest.raises(GeometryMismatch, match="moved"):
        locate(one.volume, area_offset_bytes=VOLUME_BYTES - 4096)


@pytest.mark.parametrize("size_bytes", [512, 1024, 4096, 5 * 512, 64 * 4096])
def test_what_is_no_store(tmp_path: Path, size_bytes: int) -> None:
    path = tmp_path / "some.img"
    path.write_bytes(b"\xff" * size_bytes)
    with pytest.raises(NotAStore, match=r"some\.img"):
        locate(path)


def test_the_wrong_number_of_devices(two: Made, tmp_path: Path) -> None:
    with pytest.raises(CannotOpen, match="name both"):
        locate(two.area)
    with pytest.raises(NotAStore):
        locate(two.volume)
    with pytest.raises(CannotOpen, match="named twice"):
        locate(two.area, two.area)
    (tmp_path / "other").mkdir()
    one = Made(tmp_path / "other", two.geometry.sector_bytes, is_apart=False)
    with pytest.raises(CannotOpen, match="name no other one"):
        locate(two.volume, one.volume)
    with pytest.raises(CannotOpen, match="does not exist"):
        locate(tmp_path / "nothing", two.area)


def test_opening_is_all_or_nothing(two: Made) -> None:
    with FileDisk.open(two.area, two.geometry.sector_bytes, writable=True):
        with pytest.raises(Locked, match=r"area\.img"), open_disks(two.volume, two.area, writable=True):
            pass
        FileDisk.open(two.volume, two.geometry.sector_bytes, writable=True).close()
    with open_disks(two.volume, two.area, writable=True) as store:
        assert [disk.is_writable for disk in store.disks.values()] == [True, True]
