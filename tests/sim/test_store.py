"""A store on files, as Python programs use it: what the commands cannot show, above all failures in the middle."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shadowshare.protocol.errors import CannotOpen, NotAStore, ShadowCopyNotFound, WriteError
from shadowshare.protocol.geometry import Geometry
from shadowshare.protocol.layout import encode_superblock
from shadowshare.sim.real import store_format
from shadowshare.sim.real.export import export_to_path
from shadowshare.sim.real.store import FormatOptions, Store
from shadowshare.sim.real.superblock_search import find_area_offset_bytes

VOLUME = random.Random(4).randbytes(256 * 1024)
OPTIONS = FormatOptions(area_bytes=1024 * 1024, journal_bytes=512 * 1024, extent_bytes=16 * 1024)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(VOLUME)
    return path


@pytest.mark.parametrize("has_own_area", [False, True])
def test_a_format_that_fails_leaves_the_files_as_they_were(
    image: Path, has_own_area: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(coroutine: Any, disks: object) -> None:
        coroutine.close()
        raise WriteError("the disk is broken")

    monkeypatch.setattr(store_format, "drive", fail)
    area = image.with_name("area.img") if has_own_area else None
    with pytest.raises(WriteError):
        Store(image, area).format(OPTIONS)
    assert [path.name for path in image.parent.iterdir()] == ["disk.img"]
    assert image.read_bytes() == VOLUME


def test_an_export_that_fails_in_the_middle_leaves_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"new"
        raise ShadowCopyNotFound("it was deleted meanwhile")

    target = tmp_path / "export.img"
    target.write_bytes(b"old")
    with pytest.raises(ShadowCopyNotFound):
        export_to_path(chunks(), target)
    assert [path.name for path in tmp_path.iterdir()] == ["export.img"]
    assert target.read_bytes() == b"old"


def test_an_export_follows_a_link_and_writes_a_special_file_in_place(tmp_path: Path) -> None:
    target, link = tmp_path / "export.img", tmp_path / "link"
    link.symlink_to(target)
    assert export_to_path([b"new"], link) == 3
    assert (link.is_symlink(), target.read_bytes()) == (True, b"new")
    assert export_to_path([b"new"], Path("/dev/null")) == 3
    with pytest.raises(CannotOpen, match="cannot be written"):
        export_to_path([b"new"], tmp_path)


def test_copies_of_its_own_are_not_counted_as_inherited(image: Path) -> None:
    store = Store(image)
    store.format(OPTIONS)
    with store.open_active() as active:
        active.create()
        active.write(0, b"first")
        active.create()
        active.write(0, b"again")
        active.write(100_000, b"other")
    with store.open_passive() as passive:
        assert [info.own_copy_count for info in passive.shadow_copies()] == [1, 2]
        assert passive.usage().inherited_copy_counts == (1, 0)


def test_a_write_becomes_durable_in_pieces_of_any_size(image: Path) -> None:
    store = Store(image)
    store.format(OPTIONS)
    generator = random.Random(5)
    expected = bytearray(VOLUME)
    with store.open_active() as active, store.open_passive() as passive:
        shadow_copy = active.create()
        for _ in range(30):
            length = generator.choice([0, 1, 511, 4096, 5000, 40_000])
            offset = generator.randrange(len(VOLUME) - length)
            data = generator.randbytes(length)
            active.write(offset, data)
            expected[offset : offset + length] = data
            assert active.read(offset, length) == data
        assert b"".join(map(bytes, passive.chunks(None))) == expected
        assert b"".join(map(bytes, passive.chunks(shadow_copy))) == VOLUME


# -- the superblock at the end is gone ---------------------------------------------------------------------------


def lose_last_superblock(image: Path, geometry: Geometry) -> None:
    with image.open("r+b") as file:
        file.seek(geometry.superblock_sectors[1] * geometry.sector_bytes)
        file.write(bytes(geometry.sector_bytes))


def test_the_area_is_searched_for(image: Path) -> None:
    store = Store(image)
    lose_last_superblock(image, store.format(OPTIONS))
    assert find_area_offset_bytes(image) == len(VOLUME)
    assert find_area_offset_bytes(image, search_bytes=4096) is None
    with store.open_passive() as passive:
        assert passive.shadow_copies() == []


def test_where_the_area_begins_can_be_said(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lose_last_superblock(image, Store(image).format(OPTIONS))
    monkeypatch.setattr("shadowshare.sim.real.store.find_area_offset_bytes", lambda path: None)
    with pytest.raises(NotAStore):
        Store(image).check()
    assert len(Store(image, area_offset_bytes=len(VOLUME)).check().findings) == 1
    with pytest.raises(NotAStore):
        Store(image, area_offset_bytes=0).check()


def test_a_store_that_was_formatted_again_is_found_and_not_the_one_before(image: Path) -> None:
    store = Store(image)
    store.format(OPTIONS)
    smaller = FormatOptions(volume_bytes=128 * 1024, journal_bytes=64 * 1024, extent_bytes=16 * 1024)
    geometry = store.format(smaller, force=True)
    lose_last_superblock(image, geometry)
    assert find_area_offset_bytes(image) == 128 * 1024


def made_up_superblock(geometry: Geometry) -> bytes:
    """What a hostile user of the volume could write into it: the area is said to begin in the middle of the volume."""
    area_sector = geometry.area_sector // 2
    area_sector_count = geometry.area_sector + geometry.area_sector_count - area_sector
    fake = Geometry(bytes(16), geometry.sector_bytes, 4, area_sector, 0, area_sector, area_sector_count, 4, 1)
    return encode_superblock(fake, 0)


def test_what_looks_like_a_superblock_in_the_volume_does_not_count(image: Path) -> None:
    store = Store(image)
    geometry = store.format(OPTIONS)
    with store.open_active() as active:
        active.write(len(VOLUME) // 2, made_up_superblock(geometry))
    lose_last_superblock(image, geometry)
    assert find_area_offset_bytes(image) == len(VOLUME)


def test_two_areas_are_none(image: Path) -> None:
    """A whole store inside the volume, made to fit this device: which one is it?"""
    store = Store(image)
    geometry = store.format(OPTIONS)
    whole = image.read_bytes()
    inner = image.with_name("inner.img")
    inner.write_bytes(VOLUME[: len(VOLUME) // 2])
    area_bytes = len(whole) - len(VOLUME) // 2
    Store(inner).format(FormatOptions(area_bytes=area_bytes, journal_bytes=64 * 1024, extent_bytes=16 * 1024))
    with store.open_active() as active:
        active.write(len(VOLUME) // 2, inner.read_bytes()[len(VOLUME) // 2 : len(VOLUME)])
    lose_last_superblock(image, geometry)
    assert find_area_offset_bytes(image) is None
    with pytest.raises(NotAStore):
        store.check()
