"""Reverting a real volume, through the commands: whole, interrupted, and refused."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from shadowshare.sim.real.store import Store
from tests.cli.running import MEBIBYTE, refuse, succeed, succeed_with_json

VOLUME = random.Random(2).randbytes(MEBIBYTE)
SIZES = ("--journal-size", "256K", "--extent-size", "16K")


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A store with a shadow copy, and a volume that was written since."""
    image = tmp_path / "disk.img"
    image.write_bytes(VOLUME)
    succeed("store", "format", image, "--area-size", "2M", *SIZES)
    succeed("store", "create", image)
    succeed("store", "write", image, "8K", stdin=b"x" * 70_000)
    succeed("store", "discard", image, "512K", "64K")
    return image


def live(image: Path) -> bytes:
    return succeed("store", "read", image, "--live").stdout_bytes


def test_a_revert_that_can_be_undone(image: Path) -> None:
    written = live(image)
    answer = succeed_with_json("store", "revert", image, "oldest", "--keep")
    assert answer["id"] == "1.1"
    assert live(image) == VOLUME
    assert succeed("store", "revert", image, answer["kept"]).stdout.strip() == answer["kept"]
    assert live(image) == written
    assert succeed("store", "read", image, "1.1").stdout_bytes == VOLUME
    assert succeed("store", "check", image).stdout.startswith("intact: 2 shadow copies")


def test_what_is_interrupted_counts_and_the_next_write_goes_on(image: Path) -> None:
    with Store(image).open_active() as active:
        active.world.run(active.active._reverter.begin(active.find("oldest")))
    raw = image.read_bytes()[: len(VOLUME)]
    assert raw != VOLUME, "nothing has been put back yet"
    assert live(image) == VOLUME
    assert "revert   to 1.1, not finished" in succeed("store", "show", image).stdout
    assert succeed_with_json("store", "show", image)["reverting_to"] == "1.1"
    assert succeed("store", "check", image).stdout.startswith("intact")
    succeed("store", "write", image, "0", stdin=b"y" * 4096)
    assert image.read_bytes()[: len(VOLUME)] == b"y" * 4096 + VOLUME[4096:]
    assert succeed_with_json("store", "show", image)["reverting_to"] is None


def test_a_revert_without_room_changes_nothing(tmp_path: Path) -> None:
    image = tmp_path / "small.img"
    image.write_bytes(VOLUME)
    succeed("store", "format", image, "--area-size", "384K", "--journal-size", "128K", "--extent-size", "16K")
    succeed("store", "create", image)
    succeed("store", "write", image, "0", stdin=b"x" * 12 * 16384)
    before = live(image)
    ids = [one["id"] for one in succeed_with_json("store", "list", image)["shadow_copies"]]
    refused = refuse("store", "revert", image, "oldest", "--keep")
    assert "12 extents must be copied" in refused
    assert live(image) == before
    assert [one["id"] for one in succeed_with_json("store", "list", image)["shadow_copies"]] == ids
    succeed("store", "revert", image, "oldest")
    assert live(image) == VOLUME
