"""``shadowshare store check --repair``: says what it would do, does that and nothing else, and checks again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shadowshare.protocol.geometry import Geometry
from shadowshare.sim.real.store_disks import locate
from tests.cli.running import run, succeed

SECTOR_BYTES = 512


class Made:
    """A store with a shadow copy and a write since."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_bytes(b"o" * 16384)
        sizes = ("--sector-size", "512", "--area-size", "32K", "--journal-size", "16K", "--extent-size", "1K")
        succeed("store", "format", path, *sizes)
        succeed("store", "create", path)
        succeed("store", "write", path, 0, stdin=b"n" * 3000)
        self.geometry: Geometry = locate(path).geometry

    def damage(self, sector: int) -> None:
        raw = bytearray(self.path.read_bytes())
        raw[sector * SECTOR_BYTES + 40] ^= 0x10
        self.path.write_bytes(raw)

    def check(self, *options: str) -> tuple[int, Any]:
        result = run("store", "check", self.path, "--json", *options)
        return result.exit_code, json.loads(result.stdout)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path / "disk.img")


@pytest.mark.parametrize("copy", [0, 1])
def test_a_superblock_is_written_again_from_the_other_one(made: Made, copy: int) -> None:
    intact = made.path.read_bytes()
    made.damage(made.geometry.superblock_sectors[copy])
    exit_code, answer = made.check("--repair", "--yes")
    assert (exit_code, answer["verdict"], len(answer["repaired"])) == (0, "intact", 1)
    assert made.path.read_bytes() == intact


def test_what_does_not_belong_into_the_unused_half_becomes_zero(made: Made) -> None:
    intact = made.path.read_bytes()
    made.damage(made.geometry.block_sector(2, 3))
    assert made.check()[0] == 1
    assert made.check("--repair", "--yes")[0] == 0
    assert made.path.read_bytes() == intact


def test_what_would_be_done_is_said_and_nothing_changed(made: Made) -> None:
    made.damage(made.geometry.superblock_sectors[0])
    damaged = made.path.read_bytes()
    result = run("store", "check", made.path, "--repair")
    assert result.exit_code == 1
    assert "would write superblock copy 0 again" in result.stdout
    assert "nothing was changed: say --yes" in result.stdout
    exit_code, answer = made.check("--repair")
    assert (exit_code, answer["repaired"]) == (1, [])
    assert "write superblock copy 0 again" in answer["findings"][0]["repair"]
    assert made.path.read_bytes() == damaged


def test_it_says_what_it_did(made: Made) -> None:
    made.damage(made.geometry.superblock_sectors[0])
    lines = succeed("store", "check", made.path, "--repair", "--yes").stdout.splitlines()
    assert "repaired: 1" in lines
    assert lines[-1].startswith("intact: ")


def test_a_damaged_journal_is_not_guessed_at_nor_anything_else_touched(made: Made) -> None:
    """With a journal that cannot be followed, nobody knows which superblock is right, nor which half is needed."""
    made.damage(made.geometry.block_sector(1, 1))
    made.damage(made.geometry.block_sector(2, 3))
    made.damage(made.geometry.superblock_sectors[0])
    damaged = made.path.read_bytes()
    exit_code, answer = made.check("--repair", "--yes")
    assert (exit_code, answer["repaired"]) == (1, [])
    assert all(finding["repair"] is None for finding in answer["findings"])
    assert made.path.read_bytes() == damaged
    assert "nothing that can be repaired" in run("store", "check", made.path, "--repair").stdout


def test_nothing_is_done_to_an_intact_store(made: Made) -> None:
    intact = made.path.read_bytes()
    assert made.check("--repair", "--yes") == made.check()
    assert made.path.read_bytes() == intact


def test_yes_alone_is_refused(made: Made) -> None:
    result = run("store", "check", made.path, "--yes")
    assert result.exit_code == 2
    assert "--repair" in result.stderr


def test_without_any_superblock_nothing_can_be_told(made: Made) -> None:
    for sector in made.geometry.superblock_sectors:
        made.damage(sector)
    assert run("store", "check", made.path, "--repair", "--yes").exit_code == 2
