"""The table in the journal's docstring, row by row, against journals written block by block."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shadowshare.protocol.errors import JournalDamaged
from shadowshare.protocol.journal import IDENTICAL_LOOK_COUNT, JournalFollower, Progress
from shadowshare.protocol.layout import Copied, Created, Deleted, Record, ShadowCopyId, Takeover, encode_block
from shadowshare.protocol.marks import Mark, recording
from shadowshare.sim.inline import perform_inline
from tests.protocol.journal_writer import JournalWriter, perform_with
from tests.protocol.stores import GEOMETRY, Disk, Tasks, contents_of, formatted_disk, freshly_loaded

FIRST, SECOND, THIRD = (ShadowCopyId(1, counter) for counter in (1, 2, 3))
EMPTY_SECTOR = bytes(GEOMETRY.sector_bytes)


class Journal:
    """A journal of four blocks, a follower that has applied them all, and a writer to go on."""

    def __init__(self, window_block_count: int = 16) -> None:
        self.disk: Disk = formatted_disk()
        self.writer = JournalWriter(GEOMETRY, self.disk)
        self.writer.take_over()
        self.before_last = self.writer.last
        self.writer.append(Created(FIRST, 5))
        self.writer.append(Copied(FIRST, 0, 0, 2))
        self.before_last = self.writer.last
        self.writer.append(Created(SECOND, 6), Copied(SECOND, 0, 2, 1))
        self.follower = JournalFollower(GEOMETRY, window_block_count)
        perform_inline(self.follower.load(), [self.disk])
        self.disk.trace.clear()
        assert self.is_up_to_date()

    def catch_up(self) -> Progress:
        return perform_with(self.follower.catch_up(), self.disk, {})

    def is_up_to_date(self) -> bool:
        return contents_of(self.follower.view) == contents_of(self.writer.view)

    def erase(self, position: int) -> None:
        self.disk.sectors[self.writer.sector(position)] = EMPTY_SECTOR

    def lose_last_block(self) -> None:
        """As a power loss does; the writer goes on before it."""
        self.erase(self.writer.last.position)
        self.writer.last = self.before_last
        self.writer.view.apply(Deleted(SECOND))


# -- the end -----------------------------------------------------------------------------------------------------


def test_nothing_new_is_one_read() -> None:
    journal = Journal()
    cursor, digest = journal.follower.cursor, journal.follower.digest
    assert perform_inline(journal.follower.catch_up(), [journal.disk]) is Progress.SAME
    assert journal.disk.verbs() == ["read"]
    assert (journal.follower.cursor, journal.follower.digest) == (cursor, digest)


def test_the_end_of_the_half_is_the_end() -> None:
    journal = Journal()
    while journal.writer.blocks_left:
        journal.writer.append(Created(ShadowCopyId(2, journal.writer.last.position), 0))
    assert journal.catch_up() is Progress.ADVANCED
    assert journal.is_up_to_date()
    assert journal.catch_up() is Progress.SAME


def test_blocks_of_a_lower_generation_are_the_end() -> None:
    journal = Journal()
    journal.writer.turn_over()
    journal.writer.turn_over(records_per_part=10)
    assert journal.writer.last[1:4:2] == (3, 0)
    journal.catch_up()
    assert journal.follower.cursor.generation == 3
    assert journal.catch_up() is Progress.SAME
    assert journal.is_up_to_date()


# -- a block that fits -------------------------------------------------------------------------------------------


def test_a_block_that_fits_is_applied() -> None:
    journal = Journal()
    digest = journal.follower.digest
    journal.writer.append(Copied(SECOND, 1, 3, 1))
    journal.writer.append(Deleted(FIRST))
    assert journal.catch_up() is Progress.ADVANCED
    assert journal.is_up_to_date()
    assert journal.follower.cursor.checksum == journal.writer.last.checksum
    assert journal.follower.digest != digest


@pytest.mark.parametrize("window_block_count", range(1, 17))
def test_every_window_gives_the_same_view(window_block_count: int) -> None:
    journal = Journal(window_block_count)
    for slot in range(4, 10):
        journal.writer.append(Copied(SECOND, slot - 3, slot, 1))
    assert perform_inline(journal.follower.catch_up(), [journal.disk]) is Progress.ADVANCED
    assert journal.is_up_to_date()
    window = max(2, window_block_count)
    assert max(operation.sector_count for operation in journal.disk.trace) <= window
    journal.writer.turn_over()
    journal.writer.append(Deleted(FIRST))
    assert journal.catch_up() is Progress.ADVANCED
    assert journal.is_up_to_date()
    assert contents_of(freshly_loaded(journal.disk).view) == contents_of(journal.writer.view)


EPOCHS: dict[str, tuple[int, Record, bool]] = {
    "the same": (1, Deleted(FIRST), True),
    "the same, with a takeover": (1, Takeover(), True),
    "higher, with a takeover": (2, Takeover(), True),
    "much higher, with a takeover": (2**40, Takeover(), True),
    "higher, without": (2, Deleted(FIRST), False),
    "lower": (0, Deleted(FIRST), False),
    "lower, with a takeover": (0, Takeover(), False),
}


@pytest.mark.parametrize(("epoch", "record", "fits"), EPOCHS.values(), ids=EPOCHS)
def test_the_epoch_rises_only_by_a_takeover(epoch: int, record: Record, fits: bool) -> None:
    journal = Journal()
    journal.writer.append(record, epoch=epoch)
    if fits:
        assert journal.catch_up() is Progress.ADVANCED
        assert journal.is_up_to_date()
        assert journal.follower.cursor.epoch == epoch
    else:
        with pytest.raises(JournalDamaged, match="does not follow"):
            journal.catch_up()


@pytest.mark.parametrize("epoch", [1, 2])
def test_the_epoch_may_rise_by_a_seal(epoch: int) -> None:
    journal = Journal()
    journal.writer.seal(journal.writer.checkpoint(), epoch=epoch)
    assert journal.catch_up() is Progress.ADVANCED
    assert journal.follower.cursor.epoch == epoch
    journal.writer.append(Takeover())
    assert journal.catch_up() is Progress.ADVANCED
    assert contents_of(freshly_loaded(journal.disk).view) == contents_of(journal.follower.view)


# -- blocks that do not fit --------------------------------------------------------------------------------------

MISFITS: dict[str, dict[str, object]] = {
    "a number left out": {"sequence": 7},
    "a number again": {"sequence": 5},
    "another chain": {"previous": b"another!"},
    "a higher generation": {"generation": 3},
    "the generation of the other half": {"generation": 2},
}


def put_misfit(journal: Journal, changes: dict[str, object]) -> int:
    """A block behind the last one that does not follow it, in the same half whatever its generation says."""
    writer = journal.writer
    sector = writer.sector(writer.last.position + 1)
    if changes.get("generation") == 2:
        raw = _block_at(writer, sector, generation=2)
        writer.disk.sectors[sector] = raw
    else:
        writer.put(writer.last.position + 1, Deleted(FIRST), **changes)
    return sector


def _block_at(writer: JournalWriter, sector: int, generation: int) -> bytes:
    last = writer.last
    return encode_block(
        GEOMETRY, sector, last.epoch, generation, last.sequence + 1, last.checksum, (Deleted(FIRST),)
    )


@pytest.mark.parametrize("changes", MISFITS.values(), ids=MISFITS)
def test_a_block_that_does_not_fit_and_stays_is_damage(changes: dict[str, object]) -> None:
    journal = Journal()
    put_misfit(journal, changes)
    with pytest.raises(JournalDamaged, match="does not follow"):
        journal.catch_up()
    with pytest.raises(JournalDamaged, match="does not follow"):
        perform_with(JournalFollower(GEOMETRY).load(), journal.disk, {})


@pytest.mark.parametrize("changes", MISFITS.values(), ids=MISFITS)
def test_a_block_that_does_not_fit_and_goes_is_a_reload(changes: dict[str, object]) -> None:
    journal = Journal()
    put_misfit(journal, changes)
    append: Callable[[], int] = lambda: journal.writer.append(Deleted(FIRST))  # noqa: E731
    assert perform_with(journal.follower.catch_up(), journal.disk, {1: append}) is Progress.RELOADED
    assert journal.is_up_to_date()


def test_my_last_block_is_another_one() -> None:
    journal = Journal()
    journal.lose_last_block()
    journal.writer.take_over()
    assert journal.catch_up() is Progress.RELOADED
    assert journal.is_up_to_date()
    assert journal.catch_up() is Progress.SAME


def test_my_last_block_is_gone() -> None:
    journal = Journal()
    journal.lose_last_block()
    assert journal.catch_up() is Progress.RELOADED
    assert journal.is_up_to_date()


# -- neither zero nor intact, and gaps ---------------------------------------------------------------------------


def damage(journal: Journal, sector: int) -> None:
    raw = bytearray(journal.disk.sectors[sector])
    raw[100] ^= 1
    journal.disk.sectors[sector] = bytes(raw)


def test_a_damaged_block_is_found_after_a_few_looks() -> None:
    journal = Journal()
    damage(journal, journal.writer.append(Deleted(FIRST)))
    with pytest.raises(JournalDamaged, match="neither empty nor intact"):
        journal.catch_up()
    with pytest.raises(JournalDamaged, match="neither empty nor intact"):
        perform_inline(journal.follower.catch_up(), [journal.disk])
    assert journal.disk.verbs() == ["read"] * IDENTICAL_LOOK_COUNT


def test_a_damaged_block_that_heals_is_no_damage() -> None:
    journal = Journal()
    sector = journal.writer.append(Deleted(FIRST))
    intact = journal.disk.sectors[sector]
    damage(journal, sector)
    heal = {2: lambda: journal.disk.sectors.__setitem__(sector, intact)}
    assert perform_with(journal.follower.catch_up(), journal.disk, heal) is Progress.ADVANCED
    assert journal.is_up_to_date()


@pytest.mark.parametrize("distance", [2, 3, 7])
def test_a_block_behind_a_gap_is_damage(distance: int) -> None:
    journal = Journal()
    journal.writer.put(journal.writer.last.position + distance, Deleted(FIRST))
    with pytest.raises(JournalDamaged, match="or a gap"):
        journal.catch_up()


def test_a_gap_that_closes_is_no_damage() -> None:
    """A read of several blocks is not atomic: it may miss one and see the next."""
    journal = Journal()
    sector = journal.writer.append(Copied(SECOND, 1, 3, 1))
    raw = journal.disk.sectors[sector]
    journal.writer.append(Deleted(FIRST))
    journal.disk.sectors[sector] = EMPTY_SECTOR
    close = {1: lambda: journal.disk.sectors.__setitem__(sector, raw)}
    assert perform_with(journal.follower.catch_up(), journal.disk, close) is Progress.ADVANCED
    assert journal.is_up_to_date()


def test_damage_may_be_repaired_afterwards() -> None:
    journal = Journal()
    sector = journal.writer.append(Deleted(FIRST))
    intact = journal.disk.sectors[sector]
    damage(journal, sector)
    with pytest.raises(JournalDamaged):
        journal.catch_up()
    journal.disk.sectors[sector] = intact
    assert journal.catch_up() is Progress.ADVANCED
    assert journal.is_up_to_date()


@pytest.mark.parametrize("record", [Copied(FIRST, 5, 5, 1), Copied(SECOND, 99, 5, 1), Deleted(THIRD)])
def test_a_record_that_cannot_be_true_is_damage_each_time(record: Record) -> None:
    journal = Journal()
    journal.writer.put(journal.writer.last.position + 1, Created(THIRD, 0), Deleted(THIRD), record)
    for _ in range(2):
        with pytest.raises(JournalDamaged):
            journal.catch_up()
    with pytest.raises(JournalDamaged):
        perform_with(JournalFollower(GEOMETRY).load(), journal.disk, {})


# -- several tasks -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_tasks_that_catch_up_at_once_need_no_reload(order: tuple[int, int]) -> None:
    journal = Journal()
    journal.writer.append(Copied(SECOND, 1, 3, 1))
    tasks = Tasks(journal.disk, journal.follower.catch_up, journal.follower.catch_up)
    for task in order:
        tasks.step(task)
    assert Progress.RELOADED not in tasks.finish().values()
    assert journal.is_up_to_date()


def replace_last_block(journal: Journal) -> None:
    journal.lose_last_block()
    journal.writer.take_over()


def test_of_two_tasks_that_have_to_load_one_does() -> None:
    journal = Journal()
    replace_last_block(journal)
    tasks = Tasks(journal.disk, journal.follower.catch_up, journal.follower.catch_up)
    tasks.step(0)
    tasks.step(1)
    with recording() as marks:
        assert tasks.finish() == {0: Progress.RELOADED, 1: Progress.RELOADED}
    assert Mark.LOADED_BY_ANOTHER_TASK in marks
    assert journal.is_up_to_date()
    places = [(operation.sector, operation.sector_count) for operation in journal.disk.trace]
    assert places.count((journal.writer.sector(0), 1)) == 2, (
        "one load: it looks at the head, and reads each part"
    )


def test_a_view_that_is_loaded_is_shown_when_it_is_whole() -> None:
    journal = Journal()
    before = contents_of(journal.follower.view)
    replace_last_block(journal)
    tasks = Tasks(journal.disk, journal.follower.catch_up)
    while contents_of(journal.follower.view) == before:
        tasks.step(0)
    assert journal.is_up_to_date()


def test_a_view_that_cannot_be_loaded_stays_as_it_was() -> None:
    journal = Journal()
    before = contents_of(journal.follower.view)
    replace_last_block(journal)
    damage(journal, journal.writer.sector(1))
    with pytest.raises(JournalDamaged):
        journal.catch_up()
    assert contents_of(journal.follower.view) == before


def test_what_happened_since_a_mark_is_told_whoever_did_it() -> None:
    journal = Journal()
    follower, mark = journal.follower, journal.follower.bookmark()
    assert follower.since(mark) is Progress.SAME
    journal.writer.append(Copied(SECOND, 1, 3, 1))
    journal.catch_up()
    assert journal.catch_up() is Progress.SAME
    assert follower.since(mark) is Progress.ADVANCED
    perform_inline(follower.load(), [journal.disk])
    assert follower.since(mark) is Progress.RELOADED
    assert follower.since(follower.bookmark()) is Progress.SAME
