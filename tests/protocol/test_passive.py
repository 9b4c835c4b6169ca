"""What a passive reads is the image, with as few operations as it can, and nothing is ever written."""

from __future__ import annotations

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from shadowshare.protocol.errors import (
    OutOfRange,
    ReadError,
    ReadOnly,
    ShadowCopyInvalidated,
    ShadowCopyNotFound,
)
from shadowshare.protocol.journal import Progress
from shadowshare.protocol.layout import Created, Deleted, Invalidated, ShadowCopyId
from shadowshare.protocol.operations import Operation, Read
from shadowshare.protocol.passive import ByteRange, Passive, ShadowCopyInfo
from shadowshare.sim.inline import perform_inline
from tests.protocol.journal_writer import JournalWriter, perform_with
from tests.protocol.stores import (
    GEOMETRY,
    SECTOR_BYTES,
    Store,
    Tasks,
    formatted_disk,
    location_of,
    sector_of,
    small_geometry,
)

UNKNOWN = ShadowCopyId(9, 9)


class Reading:
    """A store whose last extent is short; two shadow copies, some extents copied for each; and a passive."""

    def __init__(self) -> None:
        geometry = small_geometry(volume_sector_count=15, half_block_count=16)
        self.store = Store(geometry)
        self.images = []
        self.shadow_copies = []
        for round_number in (1, 2):
            self.images.append(b"".join(self.store.volume()))
            self.shadow_copies.append(self.store.create())
            for sector in (2, 3, 5, 8, 14) if round_number == 1 else (0, 3, 4, 14):
                self.store.write(sector, 10 * round_number + sector)
        self.old, self.new = self.shadow_copies
        self.passive = self.store.passive()

    def read(self, shadow_copy: ShadowCopyId, offset: int, length: int) -> bytes:
        return bytes(self.store.run(self.passive.read(shadow_copy, offset, length), host=1))


READING = Reading()
VOLUME_BYTES = READING.store.geometry.volume_bytes
OFFSETS = st.integers(0, VOLUME_BYTES)
RANGES = st.tuples(OFFSETS, OFFSETS).map(lambda pair: ByteRange(min(pair), max(pair) - min(pair)))


@given(st.lists(RANGES, max_size=5), st.sampled_from([0, 1]))
def test_any_ranges_also_overlapping_unaligned_and_empty_ones(ranges: list[ByteRange], which: int) -> None:
    reading, image = READING, READING.images[which]
    buffers = reading.store.run(reading.passive.read_many(reading.shadow_copies[which], ranges), host=1)
    expected = [image[offset : offset + length] for offset, length in ranges]
    assert [bytes(buffer) for buffer in buffers] == expected


@pytest.mark.parametrize("which", [0, 1])
def test_the_whole_image_at_once_and_byte_by_byte(which: int) -> None:
    image, shadow_copy = READING.images[which], READING.shadow_copies[which]
    assert READING.read(shadow_copy, 0, VOLUME_BYTES) == image
    for offset in range(0, VOLUME_BYTES, 97):
        assert READING.read(shadow_copy, offset, 1) == image[offset : offset + 1]


@pytest.mark.parametrize(("offset", "length"), [(0, 0), (100, 0), (VOLUME_BYTES, 0)])
def test_nothing_is_read_of_an_empty_range(offset: int, length: int) -> None:
    READING.store.disk.trace.clear()
    assert READING.read(READING.old, offset, length) == b""
    assert not READING.store.disk.verbs()


BEYOND = [(-1, 1), (0, -1), (0, VOLUME_BYTES + 1), (VOLUME_BYTES, 1), (VOLUME_BYTES + 1, 0), (2**70, 1)]


@pytest.mark.parametrize(("offset", "length"), BEYOND)
def test_what_is_not_in_the_volume_is_refused(offset: int, length: int) -> None:
    READING.store.disk.trace.clear()
    ranges = [ByteRange(0, 1), ByteRange(offset, length)]
    with pytest.raises(OutOfRange, match="not all in the volume"):
        READING.store.run(READING.passive.read_many(READING.old, ranges), host=1)
    assert not READING.store.disk.verbs()


def test_a_write_is_refused() -> None:
    READING.store.disk.trace.clear()
    with pytest.raises(ReadOnly):
        READING.store.run(READING.passive.write(0, bytes(SECTOR_BYTES)), host=1)
    assert not READING.store.disk.verbs()


def test_the_shadow_copies_are_listed() -> None:
    store = Store()
    passive = store.passive()
    assert store.run(passive.shadow_copies(), host=1) == []
    first = store.run(store.active.create(created_ns=77))
    store.write(0, 1)
    second = store.create()
    infos = store.run(passive.shadow_copies(), host=1)
    assert infos == [ShadowCopyInfo(first, 77, True, 1), ShadowCopyInfo(second, 0, True, 0)]


# -- operations --------------------------------------------------------------------------------------------------


def data_reads(store: Store) -> list[tuple[int, int]]:
    """Sector and count of each read outside the journal since the last time; the last read was a catch-up."""
    trace = list(store.disk.trace)
    store.disk.trace.clear()
    assert all(isinstance(operation, Read) for operation in trace)
    journal = [operation for operation in trace if operation.sector in store.geometry.journal_sectors]
    assert journal == trace[-1:]
    return [(operation.sector, operation.sector_count) for operation in trace[:-1]]


def test_what_is_in_the_volume_is_one_read_and_one_catch_up() -> None:
    store = Store()
    shadow_copy = store.create()
    passive = store.passive()
    store.run(passive.read(shadow_copy, 512, 8 * 512), host=1)
    assert data_reads(store) == [(1, 8)]


def test_neighbours_in_slots_are_one_read_and_one_catch_up() -> None:
    store = Store()
    shadow_copy = store.create()
    store.write(0, 1, 2, 3, 4, 5, 6)
    passive = store.passive()
    store.run(passive.read(shadow_copy, 512, 4 * 512), host=1)
    assert data_reads(store) == [(store.geometry.slot_sector(0) + 1, 4)]


def test_one_read_for_each_run_and_one_catch_up_for_all() -> None:
    store = Store()
    shadow_copy = store.create()
    for sector in (4, 2, 8):
        store.write(sector, sector)
    passive = store.passive()
    store.run(passive.read_many(shadow_copy, [ByteRange(0, 16 * 512), ByteRange(512, 2)]), host=1)
    slots = [store.geometry.slot_sector(slot) for slot in range(3)]
    runs = [(0, 2), (slots[1], 2), (slots[0], 2), (6, 2), (slots[2], 2), (10, 6)]
    assert data_reads(store) == [*runs, (1, 1)]


def test_an_old_cached_view_costs_one_more_read_of_what_changed() -> None:
    store = Store()
    shadow_copy = store.create()
    passive = store.passive()
    before = b"".join(store.volume())
    store.write(2, 7)
    store.disk.trace.clear()
    assert bytes(store.run(passive.read(shadow_copy, 0, len(before)), host=1)) == before
    journal, slot = store.geometry.journal_sectors, store.geometry.slot_sector(0)
    sectors = [operation.sector for operation in store.disk.trace]
    assert [sector for sector in sectors if sector not in journal] == [0, slot]
    assert [operation.sector_count for operation in store.disk.trace if operation.sector == slot] == [2]


def test_a_shadow_copy_newer_than_the_cached_view_is_found() -> None:
    store = Store()
    passive = store.passive()
    shadow_copy = store.create()
    assert bytes(store.run(passive.read(shadow_copy, 0, 512), host=1)) == sector_of(1000)


# -- what goes on meanwhile --------------------------------------------------------------------------------------


def test_a_write_during_the_read_is_not_seen() -> None:
    store = Store()
    shadow_copy = store.create()
    passive = store.passive()
    data = perform_with(passive.read(shadow_copy, 0, 1024), store.disk, {0: lambda: store.write(0, 7)})
    assert bytes(data) == sector_of(1000) + sector_of(1001)


def test_a_slot_used_again_during_the_read_is_noticed() -> None:
    store = Store(small_geometry(slot_count=1))
    first, passive = store.create(), store.passive()
    store.write(0, 7)
    store.run(passive.catch_up(), host=1)

    def reuse() -> None:
        store.run(store.active.delete(first))
        store.create()
        store.write(2, 8)

    with pytest.raises(ShadowCopyNotFound):
        perform_with(passive.read(first, 0, 512), store.disk, {0: reuse})


@pytest.mark.parametrize("moment", [0, 1, 2])
def test_a_deletion_during_the_read_is_an_error_or_too_late(moment: int) -> None:
    store = Store()
    shadow_copy = store.create()
    passive = store.passive()
    delete = {moment: lambda: store.run(store.active.delete(shadow_copy))}
    if moment == 2:
        assert bytes(perform_with(passive.read(shadow_copy, 0, 512), store.disk, delete)) == sector_of(1000)
    else:
        with pytest.raises(ShadowCopyNotFound):
            perform_with(passive.read(shadow_copy, 0, 512), store.disk, delete)


def test_an_unknown_shadow_copy_is_an_error() -> None:
    store = Store()
    with pytest.raises(ShadowCopyNotFound):
        store.run(store.passive().read(UNKNOWN, 0, 512), host=1)


@pytest.mark.parametrize("verb", ["read of the volume", "catch-up"])
def test_a_read_error_is_passed_on_and_the_next_read_is_right(verb: str) -> None:
    store = Store()
    shadow_copy = store.create()
    passive = store.passive()
    journal = store.geometry.journal_sectors

    def fails(operation: Operation) -> ReadError | None:
        return ReadError("no") if (operation.sector in journal) == (verb == "catch-up") else None

    store.disk.fails_instead = fails
    with pytest.raises(ReadError):
        store.run(passive.read(shadow_copy, 0, 512), host=1)
    store.disk.behave()
    store.write(0, 7)
    assert bytes(store.run(passive.read(shadow_copy, 0, 512), host=1)) == sector_of(1000)


# -- blocks that a power loss takes away -------------------------------------------------------------------------


class Ghost:
    """A journal with one shadow copy and, as its last block, something that a power loss takes away later."""

    def __init__(self) -> None:
        self.disk = formatted_disk()
        self.writer = JournalWriter(GEOMETRY, self.disk)
        self.writer.take_over()
        self.shadow_copy = ShadowCopyId(1, 1)
        self.writer.append(Created(self.shadow_copy, 0))
        self.passive = perform_inline(Passive.open(location_of(GEOMETRY)), [self.disk])

    def lose(self) -> None:
        self.writer.take_over()


def test_an_invalidation_that_never_happened_is_forgotten() -> None:
    ghost = Ghost()
    ghost.writer.put(ghost.writer.last.position + 1, Invalidated())
    with pytest.raises(ShadowCopyInvalidated):
        perform_inline(ghost.passive.read(ghost.shadow_copy, 0, 512), [ghost.disk])
    ghost.lose()
    assert bytes(perform_inline(ghost.passive.read(ghost.shadow_copy, 0, 512), [ghost.disk])) == sector_of(
        1000
    )


def test_a_deletion_that_never_happened_is_forgotten() -> None:
    ghost = Ghost()
    ghost.writer.put(ghost.writer.last.position + 1, Deleted(ghost.shadow_copy))
    with pytest.raises(ShadowCopyNotFound):
        perform_inline(ghost.passive.read(ghost.shadow_copy, 0, 512), [ghost.disk])
    ghost.lose()
    assert bytes(perform_inline(ghost.passive.read(ghost.shadow_copy, 0, 512), [ghost.disk])) == sector_of(
        1000
    )


# -- several tasks -----------------------------------------------------------------------------------------------


def test_a_second_task_does_not_hide_a_change_from_the_first() -> None:
    """The second one catches up after the first one looked the extent up, and before that one does so again."""
    store = Store()
    shadow_copy = store.create()
    passive = store.passive()
    tasks = Tasks(store.disk, lambda: passive.read(shadow_copy, 0, 512), passive.catch_up, host=1)
    store.write(0, 7)
    for task in (1, 0):
        if task in tasks.waiting:
            tasks.step(task)
    assert bytes(tasks.finish()[0]) == sector_of(1000)


@settings(phases=[Phase.generate])
@given(st.lists(st.integers(0, 99), max_size=30))
def test_several_tasks_of_one_passive(order: list[int]) -> None:
    store = Store()
    shadow_copy = store.create()
    passive = store.passive()
    functions = [lambda: passive.read(shadow_copy, 0, 1024)] * 2
    tasks = Tasks(store.disk, *functions, passive.catch_up, passive.shadow_copies, host=1)
    for step, number in enumerate(order):
        if step % 5 == 2 and store.active.free_slot_count and step < 20:
            store.write(step // 5, 7 + step)
        if tasks.waiting:
            tasks.step(sorted(tasks.waiting)[number % len(tasks.waiting)])
    results = tasks.finish()
    for task in (0, 1):
        assert bytes(results[task]) == sector_of(1000) + sector_of(1001)
    assert results[2] in (Progress.SAME, Progress.ADVANCED)
