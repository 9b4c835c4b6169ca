"""Every field of a superblock and of a journal block damaged: told of, or a typed error; never a crash, never a write.

Damage is of two kinds: bytes that changed, which a checksum tells, and a block that somebody made up with a right one.
"""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadowshare.protocol.layout import CHECKSUM_BYTES, SUPERBLOCK_BYTES, checksum_of
from shadowshare.sim.real.store_disks import locate
from tests.cli.running import refuse, run, succeed

SECTOR_BYTES = 512
VOLUME = random.Random(3).randbytes(16 * 1024)

SUPERBLOCK_FIELDS = {
    "magic": (0, 8),
    "version": (8, 4),
    "sector_bytes": (12, 4),
    "store_id": (16, 16),
    "extent_sectors": (32, 4),
    "flags": (36, 4),
    "volume_sector_count": (40, 8),
    "area_sector": (48, 8),
    "area_sector_count": (56, 8),
    "half_block_count": (64, 8),
    "slot_count": (72, 8),
    "copy": (80, 4),
    "reserved": (84, 4),
    "unused": (88, SUPERBLOCK_BYTES - CHECKSUM_BYTES - 88),
    "checksum": (SUPERBLOCK_BYTES - CHECKSUM_BYTES, CHECKSUM_BYTES),
}
BLOCK_FIELDS = {
    "magic": (0, 8),
    "store_id": (8, 16),
    "address": (24, 8),
    "epoch": (32, 8),
    "generation": (40, 8),
    "sequence": (48, 8),
    "previous": (56, 8),
    "record_count": (64, 2),
    "reserved": (66, 6),
    "record type": (72, 2),
    "record reserved": (74, 2),
    "record count": (76, 4),
    "record epoch": (80, 4),
    "record counter": (84, 4),
    "record first": (88, 8),
    "record second": (96, 8),
    "behind the record": (104, SECTOR_BYTES - CHECKSUM_BYTES - 104),
    "checksum": (SECTOR_BYTES - CHECKSUM_BYTES, CHECKSUM_BYTES),
}


class Specimen:
    """A store of 512-byte sectors with a little history, to be damaged over and over."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "disk.img"
        self.path.write_bytes(VOLUME)
        sizes = ("--sector-size", "512", "--area-size", "32K", "--journal-size", "16K", "--extent-size", "1K")
        succeed("store", "format", self.path, *sizes)
        succeed("store", "create", self.path)
        succeed("store", "write", self.path, 0, stdin=b"n" * 3000)
        self.raw = self.path.read_bytes()
        geometry = locate(self.path).geometry
        self.superblocks = geometry.superblock_sectors
        self.blocks = [geometry.block_sector(1, position) for position in range(5)]

    def damage(
        self, sector: int, change: Callable[[bytearray], None], is_checksum_right: bool = False
    ) -> None:
        """Change a sector of what is on disk now."""
        raw = bytearray(self.path.read_bytes())
        start = sector * SECTOR_BYTES
        block = raw[start : start + SECTOR_BYTES]
        change(block)
        if is_checksum_right:
            block[-CHECKSUM_BYTES:] = checksum_of(bytes(block[:-CHECKSUM_BYTES]))
        raw[start : start + SECTOR_BYTES] = block
        self.path.write_bytes(raw)

    def check(self) -> tuple[int, Any]:
        """Exit code and answer of ``check``."""
        result = run("store", "check", self.path, "--json")
        return result.exit_code, json.loads(result.stdout) if result.stdout else None


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Specimen:
    return Specimen(tmp_path_factory.mktemp("damage"))


@pytest.fixture
def specimen(pristine: Specimen) -> Specimen:
    pristine.path.write_bytes(pristine.raw)
    return pristine


def flipping(field: tuple[int, int]) -> Callable[[bytearray], None]:
    offset, length = field

    def flip(block: bytearray) -> None:
        block[offset + length // 2] ^= 0x10

    return flip


# -- superblocks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("copy", [0, 1])
@pytest.mark.parametrize("field", SUPERBLOCK_FIELDS.values(), ids=SUPERBLOCK_FIELDS)
def test_one_damaged_superblock_is_told_of_and_the_other_one_used(
    specimen: Specimen, field: tuple[int, int], copy: int
) -> None:
    specimen.damage(specimen.superblocks[copy], flipping(field))
    exit_code, answer = specimen.check()
    assert (exit_code, answer["verdict"], len(answer["findings"])) == (1, "damaged", 1)
    assert f"superblock copy {copy}" in answer["findings"][0]["what"]
    assert succeed("store", "read", specimen.path, "1.1").stdout_bytes == VOLUME
    assert succeed("store", "create", specimen.path).stdout == "3.1\n"


@pytest.mark.parametrize("field", SUPERBLOCK_FIELDS.values(), ids=SUPERBLOCK_FIELDS)
def test_two_damaged_superblocks_are_a_typed_error(specimen: Specimen, field: tuple[int, int]) -> None:
    for sector in specimen.superblocks:
        specimen.damage(sector, flipping(field))
    damaged = specimen.path.read_bytes()
    for command in (
        ["check"],
        ["list"],
        ["show"],
        ["read", "1.1"],
        ["create"],
        ["delete", "1.1"],
        ["discard", 0, 512],
    ):
        said = refuse("store", command[0], specimen.path, *command[1:])
        assert "superblock" in said
    assert specimen.path.read_bytes() == damaged


@pytest.mark.parametrize("value", [0, 1, 3, 2**31, 2**32 - 1, 2**63, 2**64 - 1])
@pytest.mark.parametrize("field", SUPERBLOCK_FIELDS.values(), ids=SUPERBLOCK_FIELDS)
def test_a_made_up_superblock_with_a_right_checksum_crashes_nothing(
    specimen: Specimen, field: tuple[int, int], value: int
) -> None:
    offset, length = field

    def put(block: bytearray) -> None:
        size = min(8, length)
        block[offset : offset + size] = struct.pack("<Q", value)[:size]

    for sector in specimen.superblocks:
        specimen.damage(sector, put, is_checksum_right=True)
    damaged = specimen.path.read_bytes()
    assert run("store", "check", specimen.path).exit_code in (0, 1, 2)
    assert run("store", "show", specimen.path).exit_code in (0, 2)
    assert run("store", "read", specimen.path, "1.1").exit_code in (0, 2)
    assert specimen.path.read_bytes() == damaged
    assert run("store", "create", specimen.path).exit_code in (0, 2)


# -- journal blocks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("position", range(5))
@pytest.mark.parametrize("field", BLOCK_FIELDS.values(), ids=BLOCK_FIELDS)
def test_a_damaged_journal_block_is_a_typed_error_and_told_of(
    specimen: Specimen, field: tuple[int, int], position: int
) -> None:
    specimen.damage(specimen.blocks[position], flipping(field))
    damaged = specimen.path.read_bytes()
    for command in (["list"], ["show"], ["read", "1.1"], ["create"], ["write", 0], ["delete", "1.1"]):
        assert "journal is damaged" in refuse("store", command[0], specimen.path, *command[1:], stdin=b"x")
    exit_code, answer = specimen.check()
    assert (exit_code, answer["verdict"]) == (1, "damaged")
    assert any(f"sector {specimen.blocks[position]} " in finding["where"] for finding in answer["findings"])
    assert specimen.path.read_bytes() == damaged


made_up_values = st.one_of(
    st.integers(0, 8), st.integers(0, 2**64 - 1), st.sampled_from([2**31, 2**32 - 1, 2**63, 2**64 - 1])
)


@given(st.integers(0, 5), st.sampled_from(sorted(BLOCK_FIELDS)), made_up_values)
def test_a_made_up_journal_block_with_a_right_checksum_crashes_nothing(
    pristine: Specimen, position: int, field: str, value: int
) -> None:
    pristine.path.write_bytes(pristine.raw)
    offset, length = BLOCK_FIELDS[field]
    sector = pristine.blocks[0] + position  # one behind the last is made up altogether

    def put(block: bytearray) -> None:
        if position == len(pristine.blocks):
            start = pristine.blocks[-1] * SECTOR_BYTES
            block[:] = pristine.raw[start : start + SECTOR_BYTES]
        size = min(8, length)
        block[offset : offset + size] = struct.pack("<Q", value)[:size]

    pristine.damage(sector, put, is_checksum_right=True)
    damaged = pristine.path.read_bytes()
    assert run("store", "check", pristine.path).exit_code in (0, 1)
    assert run("store", "show", pristine.path).exit_code in (0, 2)
    assert run("store", "list", pristine.path).exit_code in (0, 2)
    assert run("store", "read", pristine.path, "1.1").exit_code in (0, 2)
    assert pristine.path.read_bytes() == damaged
    assert run("store", "create", pristine.path).exit_code in (0, 2)


@given(st.binary(min_size=1, max_size=64), st.integers(0, 48 * 1024 - 1))
def test_any_bytes_written_anywhere_crash_nothing(pristine: Specimen, data: bytes, offset: int) -> None:
    raw = bytearray(pristine.raw)
    raw[offset : offset + len(data)] = data
    pristine.path.write_bytes(raw[: len(pristine.raw)])
    for command in (["check"], ["show"], ["read", "1.1"]):
        assert run("store", command[0], pristine.path, *command[1:]).exit_code in (0, 1, 2)
    assert pristine.path.read_bytes() == raw[: len(pristine.raw)]
