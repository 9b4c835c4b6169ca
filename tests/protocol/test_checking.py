"""The checker finds every single damaged byte, and nothing in an intact store."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadowshare.protocol.checking import CheckResult, check_store
from shadowshare.protocol.errors import ReadError, StoreError
from shadowshare.protocol.formatting import format_store
from shadowshare.protocol.geometry import Geometry, Location, plan_geometry
from shadowshare.protocol.layout import (
    CHECKSUM_BYTES,
    Block,
    Checkpoint,
    Copied,
    Created,
    Deleted,
    Invalidated,
    Record,
    Seal,
    ShadowCopyId,
    Takeover,
    checksum_of,
    decode_block,
    encode_block,
)
from shadowshare.protocol.operations import Operation, Read
from shadowshare.protocol.recovery import activate
from shadowshare.sim.disks.memory_disk import Answer, MemoryDisk
from shadowshare.sim.inline import perform_inline

SECTOR_BYTES = 512
STORE_ID = bytes(range(16))
GEOMETRY = plan_geometry(STORE_ID, SECTOR_BYTES, 2, 16, 0, 16, 60, half_block_count=12)
LOCATION = Location(0, GEOMETRY.superblock_sectors)
BLOCK_OF_TAKEOVER = GEOMETRY.block_sector(1, 1)


async def live_a_little() -> None:
    active = await activate(LOCATION)
    await active.create()
    await active.write(0, bytes([1]) * SECTOR_BYTES)
    second = await active.create()
    await active.write(0, bytes([2]) * 5 * SECTOR_BYTES)
    await active.delete(second)


def lived_in_disk(geometry: Geometry = GEOMETRY) -> MemoryDisk:
    disk = MemoryDisk.blank(SECTOR_BYTES, geometry.area_sector + geometry.area_sector_count)
    perform_inline(format_store(geometry), [disk])
    perform_inline(live_a_little(), [disk])
    return disk


def check(disk: MemoryDisk) -> CheckResult:
    return perform_inline(check_store(LOCATION), [disk])


def test_an_intact_store_has_no_findings() -> None:
    result = check(lived_in_disk())
    assert result.is_intact, result.findings
    assert result.shadow_copy_count == 1
    assert result.used_slot_count == 3
    assert result.used_block_count == 1 + 1 + 2 + 2 + 1
    assert [counts["intact"] for counts in result.block_counts] == [7, 0]


METADATA_SECTORS = (*GEOMETRY.superblock_sectors, *GEOMETRY.journal_sectors)


@given(
    st.sampled_from(METADATA_SECTORS),
    st.integers(0, SECTOR_BYTES - 1),
    st.integers(1, 255),
)
def test_one_damaged_byte_anywhere_in_the_metadata_is_found(sector: int, offset: int, mask: int) -> None:
    disk = lived_in_disk()
    raw = bytearray(disk.sectors[sector])
    raw[offset] ^= mask
    disk.sectors[sector] = bytes(raw)
    result = check(disk)
    assert not result.is_intact
    assert any(str(sector) in finding.where for finding in result.findings), result.findings


def test_nothing_can_be_said_without_a_superblock() -> None:
    disk = lived_in_disk()
    for sector in GEOMETRY.superblock_sectors:
        disk.sectors[sector] = bytes(SECTOR_BYTES)
    with pytest.raises(StoreError):
        check(disk)


class DiskWithBadSector(MemoryDisk):
    """Whoever reads the bad sector gets an error."""

    __slots__ = ("bad_sector",)
    bad_sector: int

    def perform(self, operation: Operation, host: int, issued_at: int) -> Answer:
        end = operation.sector + operation.sector_count
        if isinstance(operation, Read) and operation.sector <= self.bad_sector < end:
            return ReadError("bad sector")
        return super().perform(operation, host, issued_at)


@pytest.mark.parametrize(
    "sector", [*GEOMETRY.superblock_sectors, BLOCK_OF_TAKEOVER, GEOMETRY.block_sector(2, 7)]
)
def test_an_unreadable_sector_is_a_finding(sector: int) -> None:
    disk = DiskWithBadSector(SECTOR_BYTES, lived_in_disk().sectors)
    disk.bad_sector = sector
    findings = check(disk).findings
    assert any(str(sector) in finding.where for finding in findings), findings


def replaced_fields(raw: bytes, offset: int, mask: int) -> bytes:
    """A journal block with a byte changed and a right checksum."""
    changed = bytearray(raw)
    changed[offset] ^= mask
    changed[-CHECKSUM_BYTES:] = checksum_of(bytes(changed[:-CHECKSUM_BYTES]))
    return bytes(changed)


LAST_BLOCK = GEOMETRY.block_sector(1, 6)


@given(st.integers(0, 5), st.integers(0, SECTOR_BYTES - CHECKSUM_BYTES - 1), st.integers(1, 255))
def test_a_changed_field_with_a_right_checksum_breaks_the_chain(
    position: int, offset: int, mask: int
) -> None:
    disk = lived_in_disk()
    sector = GEOMETRY.block_sector(1, position)
    disk.sectors[sector] = replaced_fields(disk.sectors[sector], offset, mask)
    assert not check(disk).is_intact


@given(st.integers(0, SECTOR_BYTES - CHECKSUM_BYTES - 1), st.integers(1, 255))
def test_a_changed_field_of_the_last_block_is_found_or_could_be_true(offset: int, mask: int) -> None:
    """There is no block behind it whose link would tell."""
    disk = lived_in_disk()
    before = disk.sectors[LAST_BLOCK]
    disk.sectors[LAST_BLOCK] = replaced_fields(before, offset, mask)
    if check(disk).is_intact:
        block = decode_block(GEOMETRY, LAST_BLOCK, disk.sectors[LAST_BLOCK])
        assert isinstance(block, Block)
        assert (
            encode_block(GEOMETRY, LAST_BLOCK, 1, 1, 7, block.previous, block.records)
            == disk.sectors[LAST_BLOCK]
        ), "only the record can be another one"
        (record,) = block.records
        assert record in (Deleted(FIRST), Invalidated(), Takeover()), "which would be true, too"


def append(disk: MemoryDisk, *records: Record, skip: int = 0) -> int:
    """Append a block that is intact, whatever its records say; ``skip`` blocks are left out before it."""
    position, last = 0, None
    while isinstance(
        block := decode_block(GEOMETRY, GEOMETRY.block_sector(1, position), _at(disk, position)), Block
    ):
        position, last = position + 1, block
    assert last is not None
    sector = GEOMETRY.block_sector(1, position + skip)
    sequence = last.sequence + 1 + skip
    disk.sectors[sector] = encode_block(GEOMETRY, sector, last.epoch, 1, sequence, last.checksum, records)
    return sector


def _at(disk: MemoryDisk, position: int) -> bytes:
    content: bytes = disk.sectors[GEOMETRY.block_sector(1, position)]
    return content


FIRST = ShadowCopyId(1, 1)
UNTRUE = {
    "slot used twice": ([Copied(FIRST, 7, 0, 1)], "slot 0 is used for a second copy"),
    "slot beyond the area": ([Copied(FIRST, 7, 10**6, 1)], "beyond the volume or the slots"),
    "extent beyond the volume": ([Copied(FIRST, 8, 5, 1)], "beyond the volume or the slots"),
    "id used again": ([Created(ShadowCopyId(1, 2), 0)], "not a new one of epoch 1"),
    "id of another epoch": ([Created(ShadowCopyId(9, 9), 0)], "not a new one of epoch 1"),
    "a SEAL that is not the first record": (
        [Deleted(FIRST), Seal(2, 1, bytes(8))],
        "SEAL stands where none may be",
    ),
    "a TAKEOVER that is not the first record": (
        [Deleted(FIRST), Takeover()],
        "TAKEOVER stands where none may be",
    ),
    "a CHECKPOINT in the middle": ([Checkpoint(1, 1)], "CHECKPOINT stands where none may be"),
    "more copies than slots": (
        [
            record
            for n in (3, 4)
            for record in (Created(ShadowCopyId(1, n), 0), Copied(ShadowCopyId(1, n), 0, 4, 8))
        ],
        "more copies than there are slots",
    ),
    "deletion of nothing": ([Deleted(ShadowCopyId(4, 4))], "does not exist"),
}


@pytest.mark.parametrize(("records", "message"), UNTRUE.values(), ids=UNTRUE)
def test_an_untrue_record_is_found(records: list[Record], message: str) -> None:
    disk = lived_in_disk()
    append(disk, *records)
    assert any(message in finding.what for finding in check(disk).findings)


def test_a_slot_may_be_used_again_after_the_block_that_frees_it() -> None:
    disk = lived_in_disk()
    append(disk, Deleted(FIRST))
    append(disk, Created(ShadowCopyId(1, 3), 0))
    append(disk, Copied(ShadowCopyId(1, 3), 7, 0, 1))
    assert check(disk).is_intact


MISPLACED: dict[str, Callable[[MemoryDisk], tuple[int, str]]] = {
    "a block behind a gap": lambda disk: (append(disk, Deleted(FIRST), skip=2), "not part of the journal"),
    "a block of another store": lambda disk: (_foreign(disk), "foreign"),
    "a block at another address": lambda disk: (_moved(disk), "foreign"),
}


def _foreign(disk: MemoryDisk) -> int:
    other = plan_geometry(bytes(16), SECTOR_BYTES, 2, 16, 0, 16, 60, half_block_count=12)
    sector = other.block_sector(2, 5)
    disk.sectors[sector] = encode_block(other, sector, 0, 2, 1, bytes(8), (Checkpoint(1, 1),))
    return sector


def _moved(disk: MemoryDisk) -> int:
    sector = GEOMETRY.block_sector(2, 3)
    disk.sectors[sector] = disk.sectors[BLOCK_OF_TAKEOVER]
    return sector


def test_a_block_with_bytes_that_nobody_writes_is_found() -> None:
    disk = lived_in_disk()
    disk.sectors[LAST_BLOCK] = replaced_fields(disk.sectors[LAST_BLOCK], 66, 1)
    (finding,) = check(disk).findings
    assert "bytes that nobody writes" in finding.what
    assert (finding.device, finding.sector, finding.sector_count, finding.repair) == (0, LAST_BLOCK, 1, None)


def checkpoint(disk: MemoryDisk, generation: int, epoch: int, *records: Record) -> int:
    """Write a checkpoint of one part into a half."""
    sector = GEOMETRY.block_sector(generation, 0)
    disk.sectors[sector] = encode_block(
        GEOMETRY, sector, epoch, generation, 8, bytes(8), (Checkpoint(1, 1), *records)
    )
    return sector


COPIES = [Copied(FIRST, 0, 0, 1), Copied(FIRST, 1, 2, 2)]


def turned_over(*records: Record) -> MemoryDisk:
    """The journal goes on in the other half, behind a checkpoint that says ``records``."""
    disk = lived_in_disk()
    sector = checkpoint(disk, 2, 1, *records)
    append(disk, Seal(2, 1, disk.sectors[sector][-CHECKSUM_BYTES:]))
    return disk


def test_a_journal_that_turned_over_is_intact() -> None:
    result = check(turned_over(Created(FIRST, 0), *COPIES))
    assert result.is_intact, result.findings
    assert result.end.generation == 2


def test_a_checkpoint_that_says_something_else_than_the_journal_before_is_found() -> None:
    (finding,) = check(turned_over(Created(FIRST, 0), *COPIES[:1])).findings
    assert "says something else" in finding.what
    assert finding.sector == GEOMETRY.block_sector(2, 0)


def test_a_checkpoint_with_an_id_of_a_later_epoch_is_found() -> None:
    findings = check(turned_over(Created(ShadowCopyId(7, 1), 0))).findings
    assert any("cannot know" in finding.what for finding in findings)


def test_a_block_of_a_generation_to_which_the_journal_has_not_come_is_found() -> None:
    disk = lived_in_disk()
    sector = GEOMETRY.block_sector(4, 3)
    disk.sectors[sector] = encode_block(GEOMETRY, sector, 1, 4, 9, bytes(8), (Deleted(FIRST),))
    (finding,) = check(disk).findings
    assert "to which the journal has not come" in finding.what


def test_what_a_passive_in_the_older_half_may_still_read_is_not_zeroed() -> None:
    """It would take the zeroes for the end of the journal, and believe for ever what it knows."""
    for position, is_repaired in ((3, False), (7, False), (8, True)):
        disk = turned_over(Created(FIRST, 0), *COPIES)
        assert isinstance(decode_block(GEOMETRY, GEOMETRY.block_sector(1, 7), _at(disk, 7)), Block), (
            "the SEAL"
        )
        disk.sectors[GEOMETRY.block_sector(1, position)] = b"x" * SECTOR_BYTES
        (finding,) = check(disk).findings
        assert (finding.repair is not None) == is_repaired


def test_an_unfinished_checkpoint_of_the_next_generation_is_no_damage() -> None:
    disk = lived_in_disk()
    sector = GEOMETRY.block_sector(2, 0)
    disk.sectors[sector] = encode_block(GEOMETRY, sector, 1, 2, 9, bytes(8), (Checkpoint(1, 2),))
    assert check(disk).is_intact


@pytest.mark.parametrize("misplace", MISPLACED.values(), ids=MISPLACED)
def test_an_intact_block_in_a_wrong_place_is_found(misplace: Callable[[MemoryDisk], tuple[int, str]]) -> None:
    disk = lived_in_disk()
    sector, message = misplace(disk)
    findings = check(disk).findings
    assert any(message in finding.what and str(sector) in finding.where for finding in findings), findings
