"""Generations: following a SEAL, and choosing the checkpoint to load from."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shadowshare.protocol.errors import JournalDamaged, ReadError, StoreError
from shadowshare.protocol.journal import JournalFollower, Progress
from shadowshare.protocol.layout import (
    Block,
    Checkpoint,
    Copied,
    Created,
    Deleted,
    Record,
    Seal,
    ShadowCopyId,
    decode_block,
)
from shadowshare.protocol.operations import Operation, Read
from shadowshare.sim.disks.memory_disk import Answer
from shadowshare.sim.inline import perform_inline
from tests.protocol.journal_writer import JournalWriter, Place, perform_with
from tests.protocol.stores import GEOMETRY, Disk, Tasks, contents_of, formatted_disk, freshly_loaded

FIRST, SECOND = (ShadowCopyId(1, counter) for counter in (1, 2))
EMPTY_SECTOR = bytes(GEOMETRY.sector_bytes)


class Turning:
    """A journal of generation 1 whose checkpoint has three parts, and a follower at its end."""

    def __init__(self) -> None:
        self.disk: Disk = formatted_disk()
        self.writer = JournalWriter(GEOMETRY, self.disk)
        self.writer.take_over()
        self.writer.append(Created(FIRST, 5), Copied(FIRST, 0, 0, 3))
        self.writer.append(Created(SECOND, 6), Copied(SECOND, 0, 3, 3))
        self.follower = freshly_loaded(self.disk)
        self.disk.trace.clear()

    def catch_up(self) -> Progress:
        return perform_with(self.follower.catch_up(), self.disk, {})

    def generation_loaded(self) -> int:
        """Which generation a fresh load ends in; it must have the right view."""
        follower = JournalFollower(GEOMETRY)
        perform_with(follower.load(), self.disk, {})
        assert contents_of(follower.view) == contents_of(self.writer.view)
        return follower.cursor.generation

    def is_up_to_date(self) -> bool:
        return contents_of(self.follower.view) == contents_of(self.writer.view)


# -- following ---------------------------------------------------------------------------------------------------


def test_a_seal_is_followed_without_a_reload() -> None:
    turning = Turning()
    turning.writer.turn_over()
    turning.writer.append(Deleted(FIRST))
    assert perform_inline(turning.follower.catch_up(), [turning.disk]) is Progress.ADVANCED
    assert turning.is_up_to_date()
    assert turning.follower.cursor.generation == 2
    assert turning.disk.verbs() == ["read"] * 3


def test_several_turnovers_are_followed_one_by_one() -> None:
    turning = Turning()
    for generation in range(2, 7):
        turning.writer.turn_over(records_per_part=generation)
        assert turning.catch_up() is Progress.ADVANCED
        assert turning.follower.cursor.generation == generation
        assert turning.is_up_to_date()
        assert turning.generation_loaded() == generation


@pytest.mark.parametrize("turnover_count", [2, 3, 4])
def test_turnovers_that_a_passive_missed_are_a_reload(turnover_count: int) -> None:
    turning = Turning()
    for _ in range(turnover_count):
        turning.writer.turn_over()
    turning.writer.append(Deleted(FIRST))
    assert turning.catch_up() is Progress.RELOADED
    assert turning.is_up_to_date()
    assert turning.catch_up() is Progress.SAME


class TornDisk(Disk):
    """Something happens within the first read of several sectors, once the first of them was read."""

    __slots__ = ("happen",)
    happen: Callable[[], object] | None

    def perform(self, operation: Operation, host: int, issued_at: int) -> Answer:
        first: bytes = self.sectors[operation.sector]
        happen, self.happen = self.happen, None
        if happen is None:
            return super().perform(operation, host, issued_at)
        happen()
        answer = super().perform(operation, host, issued_at)
        assert isinstance(answer, bytes)
        return first + answer[len(first) :]


def test_two_turnovers_within_one_read_are_a_reload() -> None:
    """My last block was read before, and is unchanged; what stands behind it is of a much later time."""
    turning = Turning()
    torn = TornDisk(turning.disk.sector_bytes, turning.disk.sectors)
    torn.sectors = turning.disk.sectors

    def turn_over_twice() -> None:
        turning.writer.turn_over()
        turning.writer.turn_over(records_per_part=1)
        turning.writer.append(Deleted(FIRST))

    torn.happen = turn_over_twice
    assert perform_inline(turning.follower.catch_up(), [torn]) is Progress.RELOADED
    assert turning.is_up_to_date()


def test_two_turnovers_between_the_seal_and_its_checkpoint_are_a_reload() -> None:
    turning = Turning()
    turning.writer.turn_over()

    def turn_over_twice() -> None:
        turning.writer.turn_over()
        turning.writer.append(Deleted(FIRST))
        turning.writer.turn_over(records_per_part=1)

    assert perform_with(turning.follower.catch_up(), turning.disk, {1: turn_over_twice}) is Progress.RELOADED
    assert turning.is_up_to_date()


def test_earlier_parts_are_not_needed_to_follow() -> None:
    turning = Turning()
    turning.writer.turn_over()
    turning.disk.sectors[GEOMETRY.block_sector(2, 0)] = EMPTY_SECTOR
    assert turning.catch_up() is Progress.ADVANCED
    assert turning.is_up_to_date()
    assert turning.follower.cursor.generation == 2


def test_a_read_error_while_following_a_seal_is_made_up_for() -> None:
    turning = Turning()
    parts = turning.writer.checkpoint()
    turning.writer.seal(parts)
    turning.writer.append(Deleted(FIRST))
    sector = GEOMETRY.block_sector(2, len(parts) - 1)
    turning.disk.fails_instead = lambda operation: ReadError("no") if operation.sector == sector else None
    with pytest.raises(ReadError):
        perform_inline(turning.follower.catch_up(), [turning.disk])
    turning.disk.behave()
    assert turning.catch_up() is Progress.ADVANCED
    assert turning.is_up_to_date()


def test_a_task_that_comes_while_another_one_follows_a_seal_follows_it_too() -> None:
    turning = Turning()
    turning.writer.turn_over()
    turning.writer.append(Deleted(FIRST))
    seen: list[bool] = []

    async def follows() -> None:
        await turning.follower.catch_up()
        seen.append(turning.is_up_to_date())

    async def comes_later() -> None:
        await Read(0, 0, 1)
        await follows()

    tasks = Tasks(turning.disk, follows, comes_later)
    tasks.step(0)
    while 1 in tasks.waiting:
        tasks.step(1)
    tasks.finish()
    assert seen == [True, True]


# -- seals that lead nowhere -------------------------------------------------------------------------------------


def _erase_last_part(turning: Turning, parts: list[Place]) -> Record:
    turning.disk.sectors[GEOMETRY.block_sector(2, len(parts) - 1)] = EMPTY_SECTOR
    return Seal(2, len(parts), parts[-1].checksum)


NOWHERE: dict[str, Callable[[Turning, list[Place]], Record]] = {
    "the last part is missing": _erase_last_part,
    "another checksum": lambda turning, parts: Seal(2, len(parts), b"another!"),
    "another generation": lambda turning, parts: Seal(3, len(parts), parts[-1].checksum),
    "its own generation": lambda turning, parts: Seal(1, len(parts), parts[-1].checksum),
    "no parts": lambda turning, parts: Seal(2, 0, parts[-1].checksum),
    "fewer parts": lambda turning, parts: Seal(2, len(parts) - 1, parts[-1].checksum),
    "more parts than a half has": lambda turning, parts: Seal(2, 2**32 - 1, parts[-1].checksum),
}


@pytest.mark.parametrize("seal_of", NOWHERE.values(), ids=NOWHERE)
@pytest.mark.parametrize("has_checkpoint", [False, True])
def test_a_seal_that_leads_nowhere(
    seal_of: Callable[[Turning, list[Place]], Record], has_checkpoint: bool
) -> None:
    """If the checkpoint of a higher generation is complete, the journal is read from there; else it is damaged."""
    turning = Turning()
    parts = turning.writer.checkpoint()
    assert len(parts) == 3
    turning.writer.append(seal_of(turning, parts))
    if not has_checkpoint:
        turning.disk.sectors[GEOMETRY.block_sector(2, 0)] = EMPTY_SECTOR
    if has_checkpoint and seal_of is not _erase_last_part:
        assert turning.catch_up() is Progress.RELOADED
        assert turning.is_up_to_date()
        assert turning.generation_loaded() == 2
        return
    for _ in range(2):
        with pytest.raises(JournalDamaged):
            turning.catch_up()
    with pytest.raises(JournalDamaged):
        perform_with(JournalFollower(GEOMETRY).load(), turning.disk, {})


# -- which checkpoint --------------------------------------------------------------------------------------------


def test_a_checkpoint_without_its_seal_is_loaded() -> None:
    turning = Turning()
    turning.writer.checkpoint()
    assert turning.generation_loaded() == 2
    assert turning.catch_up() is Progress.SAME


def _part(turning: Turning, position: int, *records: Record, **changes: object) -> None:
    """Another block in place of a part of the checkpoint of generation 2."""
    before = turning.writer.last
    sequence = before.sequence + 1 + position
    fields = {"generation": 2, "sequence": sequence, **changes}
    turning.writer.put(position, *records, **fields)


def _rewrite(turning: Turning, head: Record | None = None, **changes: object) -> None:
    """The last part anew, chained to the one before it, except for what is changed."""
    before, last = (GEOMETRY.block_sector(2, position) for position in (1, 2))
    second, old = (decode_block(GEOMETRY, sector, turning.disk.sectors[sector]) for sector in (before, last))
    assert isinstance(second, Block)
    assert isinstance(old, Block)
    fields: dict[str, object] = {"previous": second.checksum, "epoch": old.epoch, **changes}
    _part(turning, 2, head or old.records[0], *old.records[1:], **fields)


def _erase(position: int) -> Callable[[Turning], None]:
    def erase(turning: Turning) -> None:
        turning.disk.sectors[GEOMETRY.block_sector(2, position)] = EMPTY_SECTOR

    return erase


def _damage(turning: Turning) -> None:
    sector = GEOMETRY.block_sector(2, 1)
    raw = bytearray(turning.disk.sectors[sector])
    raw[90] ^= 1
    turning.disk.sectors[sector] = bytes(raw)


INCOMPLETE: dict[str, Callable[[Turning], None]] = {
    "no first part": _erase(0),
    "no second part": _erase(1),
    "no last part": _erase(2),
    "a damaged part": _damage,
    "a part of another chain": lambda turning: _rewrite(turning, previous=b"another!"),
    "a part of another epoch": lambda turning: _rewrite(turning, epoch=2),
    "a part with another number": lambda turning: _rewrite(turning, Checkpoint(2, 3)),
    "a part of more": lambda turning: _rewrite(turning, Checkpoint(3, 4)),
    "a part with another sequence number": lambda turning: _rewrite(turning, sequence=77),
    "a part that is none": lambda turning: _rewrite(turning, Deleted(FIRST)),
    "a head that is none": lambda turning: _part(turning, 0, Deleted(FIRST)),
    "a head that is not the first": lambda turning: _part(turning, 0, Checkpoint(2, 3)),
    "a head of 2^32 - 1": lambda turning: _part(turning, 0, Checkpoint(1, 2**32 - 1)),
    "a head of none": lambda turning: _part(turning, 0, Checkpoint(1, 0)),
}


@pytest.mark.parametrize("harm", INCOMPLETE.values(), ids=INCOMPLETE)
def test_an_incomplete_checkpoint_is_not_loaded(harm: Callable[[Turning], None]) -> None:
    turning = Turning()
    assert len(turning.writer.checkpoint()) == 3
    harm(turning)
    assert turning.generation_loaded() == 1
    assert turning.catch_up() is Progress.SAME
    turning.writer.append(Deleted(FIRST))
    assert turning.catch_up() is Progress.ADVANCED
    assert turning.is_up_to_date()


def test_rewriting_a_part_with_nothing_changed_keeps_it() -> None:
    """Else the test above would see only a helper that breaks whatever it touches."""
    turning = Turning()
    turning.writer.checkpoint()
    before = list(turning.disk.sectors)
    _rewrite(turning)
    assert turning.disk.sectors == before
    assert turning.generation_loaded() == 2


def test_without_any_checkpoint_the_store_is_damaged() -> None:
    turning = Turning()
    turning.disk.sectors[GEOMETRY.block_sector(1, 0)] = EMPTY_SECTOR
    with pytest.raises(JournalDamaged, match="no complete checkpoint"):
        perform_with(JournalFollower(GEOMETRY).load(), turning.disk, {}, limit=10)


def test_a_checkpoint_that_cannot_be_true_is_damage() -> None:
    turning = Turning()
    turning.writer.put(0, Checkpoint(1, 1), Deleted(SECOND), generation=2)
    with pytest.raises(StoreError, match="does not exist"):
        perform_with(JournalFollower(GEOMETRY).load(), turning.disk, {})


# -- what the writing side owes to readers -----------------------------------------------------------------------


def test_the_last_part_must_be_written_when_the_others_are_durable() -> None:
    """A reader that loaded a checkpoint looks only at its last part again, and would not notice another one's loss.

    Here a power loss takes the first part away, so that the journal goes on in generation 1. This shows the harm; what
    prevents it is a flush before the last part, so that only the last part can get lost.
    """
    turning = Turning()
    turning.writer.checkpoint()
    reader = freshly_loaded(turning.disk)
    turning.disk.sectors[GEOMETRY.block_sector(2, 0)] = EMPTY_SECTOR
    turning.writer.take_over()
    turning.writer.append(Copied(SECOND, 5, 8, 1))
    assert turning.generation_loaded() == 1
    assert perform_inline(reader.catch_up(), [turning.disk]) is Progress.SAME
    assert contents_of(reader.view) != contents_of(turning.writer.view)


def test_a_lost_last_part_is_noticed() -> None:
    turning = Turning()
    parts = turning.writer.checkpoint()
    reader = freshly_loaded(turning.disk)
    turning.disk.sectors[GEOMETRY.block_sector(2, len(parts) - 1)] = EMPTY_SECTOR
    turning.writer.take_over()
    turning.writer.append(Copied(SECOND, 5, 8, 1))
    assert perform_with(reader.catch_up(), turning.disk, {}) is Progress.RELOADED
    assert contents_of(reader.view) == contents_of(turning.writer.view)


def test_what_is_left_of_a_lost_checkpoint_must_be_erased_before_the_next() -> None:
    """The next one of the same generation may be shorter. Behind it then stands what does not follow, for good."""
    turning = Turning()
    parts = turning.writer.checkpoint()
    turning.disk.sectors[GEOMETRY.block_sector(2, 0)] = EMPTY_SECTOR
    turning.writer.take_over()
    turning.writer.turn_over(records_per_part=10)
    with pytest.raises(JournalDamaged, match="does not follow"):
        turning.catch_up()
    for position in range(1, len(parts)):
        turning.disk.sectors[GEOMETRY.block_sector(2, position)] = EMPTY_SECTOR
    assert turning.generation_loaded() == 2
