"""Growing a real store, through the commands: with a passive that is open, interrupted, and refused."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from shadowshare.protocol.layout import encode_superblock
from shadowshare.sim.real.store import Store
from tests.cli.running import MEBIBYTE, refuse, succeed, succeed_with_json

VOLUME = random.Random(3).randbytes(MEBIBYTE)
SIZES = ("--area-size", "256K", "--journal-size", "128K", "--extent-size", "16K", "--sector-size", "4096")


@pytest.fixture(params=["area behind the volume", "area on a device of its own"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """A store whose area is full."""
    image = tmp_path / "disk.img"
    image.write_bytes(VOLUME)
    area = [] if "behind" in request.param else ["--area", str(tmp_path / "area.img")]
    succeed("store", "format", image, *area, *SIZES)
    place = [str(image), *area]
    succeed("store", "create", *place)
    slot_count = succeed_with_json("store", "show", *place)["slots"]["free_count"]
    succeed("store", "write", *place, "0", stdin=b"x" * 16384 * slot_count)
    refuse("store", "write", *place, "512K", stdin=b"y" * 16384)
    return place


def device(place: list[str]) -> Path:
    return Path(place[-1])


def image_of(place: list[str]) -> bytes:
    return succeed("store", "read", *place, "newest").stdout_bytes


def test_a_passive_that_is_open_follows(place: list[str]) -> None:
    store = Store(place[0], place[2] if place[1:] else None)
    with store.open_passive() as passive:
        shadow_copy = passive.shadow_copies()[0].id
        grown = succeed_with_json("store", "grow", *place, "--area-size", "1M")
        succeed("store", "write", *place, "512K", stdin=b"y" * 10 * 16384)
        assert bytes(passive.read(shadow_copy, 0, len(VOLUME))) == VOLUME
        assert passive.usage().slot_count == grown["slot_count"]
    assert image_of(place) == VOLUME
    assert succeed_with_json("store", "show", *place)["store"]["area_bytes"] == MEBIBYTE
    assert f"of {grown['slot_count']} slots" in succeed("store", "check", *place).stdout


def test_a_device_that_was_made_larger_is_found_and_filled(place: list[str]) -> None:
    os.truncate(device(place), device(place).stat().st_size + MEBIBYTE)
    assert succeed("store", "check", *place).stdout.startswith("intact")
    succeed("store", "grow", *place)
    succeed("store", "write", *place, "512K", stdin=b"y" * 16384)
    assert image_of(place) == VOLUME
    assert succeed("store", "check", *place).stdout.startswith("intact")


@pytest.mark.parametrize("written", [(1,), (1, 0)], ids=["one superblock", "both superblocks"])
def test_what_was_interrupted_is_the_store_of_before_and_grows_again(
    place: list[str], written: tuple[int, ...]
) -> None:
    with Store(place[0], place[2] if place[1:] else None).open_active() as active:
        geometry = active.geometry.grown(active.geometry.area_sector_count + 40)
    os.truncate(device(place), device(place).stat().st_size + 40 * 4096)
    with device(place).open("r+b") as opened:
        for copy in written:
            opened.seek(geometry.superblock_sectors[copy] * 4096)
            opened.write(encode_superblock(geometry, copy))
    assert succeed("store", "check", *place).stdout.startswith("intact")
    assert image_of(place) == VOLUME
    before = succeed_with_json("store", "show", *place)["store"]["slot_count"]
    assert succeed_with_json("store", "grow", *place)["slot_count"] == before + 10
    assert succeed("store", "check", *place).stdout.startswith("intact")


def test_it_never_shrinks_and_nothing_is_changed(place: list[str]) -> None:
    size = device(place).stat().st_size
    refused = refuse("store", "grow", *place, "--area-size", "128K")
    assert "can grow, but not shrink" in refused
    assert device(place).stat().st_size == size
    assert image_of(place) == VOLUME
