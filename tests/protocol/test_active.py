"""The active copies before it writes, with exactly the operations it needs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadowshare.protocol.active import Active
from shadowshare.protocol.errors import (
    AreaFull,
    JournalFull,
    OutOfRange,
    ShadowCopyNotFound,
    TooManyShadowCopies,
)
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.protocol.operations import Flush, Operation, Read, Write
from shadowshare.protocol.recovery import activate
from shadowshare.protocol.view import SHADOW_COPY_COUNT_MAXIMUM
from tests.protocol.stores import (
    GEOMETRY,
    SECTOR_BYTES,
    Store,
    contents_of,
    freshly_loaded,
    is_block_write,
    location_of,
    sector_of,
    small_geometry,
)

VOLUME_BYTES = GEOMETRY.volume_bytes


def places(store: Store) -> list[str]:
    """What was done since the last time, and where."""
    geometry, words = store.geometry, []
    for operation in store.disk.trace:
        if isinstance(operation, Flush):
            words.append("flush")
        elif operation.sector in geometry.journal_sectors:
            words.append(f"{operation.verb} journal")
        elif operation.sector < geometry.volume_sector_count:
            words.append(f"{operation.verb} volume")
        else:
            words.append(f"{operation.verb} slot")
    store.disk.trace.clear()
    return words


FIRST_WRITE = ["read volume", "write slot", "flush", "write journal", "flush", "write volume"]


# -- how many operations -----------------------------------------------------------------------------------------


def test_without_a_shadow_copy_a_write_is_one_operation() -> None:
    store = Store()
    store.write(3, 7)
    assert places(store) == ["write volume"]


def test_a_first_write_copies_and_the_second_does_not() -> None:
    store = Store()
    store.create()
    places(store)
    store.write(3, 7)
    assert places(store) == FIRST_WRITE
    store.write(3, 8)
    store.write(2, 9)
    assert places(store) == ["write volume"] * 2


def test_many_extents_are_one_block_and_two_flushes() -> None:
    store = Store()
    store.create()
    places(store)
    store.write(1, *range(12))
    done = places(store)
    assert done == ["read volume"] * 7 + ["write slot"] * 7 + FIRST_WRITE[2:]


def test_only_the_extents_that_are_missing_are_copied() -> None:
    store = Store()
    store.create()
    store.write(2, 1)
    store.write(6, 1)
    places(store)
    store.write(0, *range(10))
    assert places(store) == ["read volume"] * 3 + ["write slot"] * 3 + FIRST_WRITE[2:]


def test_a_creation_is_two_flushes_and_a_block() -> None:
    store = Store()
    store.create()
    assert places(store) == ["flush", "write journal", "flush"]


def test_a_deletion_is_a_block_and_a_flush() -> None:
    store = Store()
    shadow_copy = store.create()
    places(store)
    store.run(store.active.delete(shadow_copy))
    assert places(store) == ["write journal", "flush"]


def store_with_every_other_extent_copied(half_block_count: int) -> tuple[Store, ShadowCopyId, list[bytes]]:
    """A write of its first 28 extents needs 14 records, since no two missing ones are neighbours; 13 fit a block."""
    store = Store(small_geometry(volume_sector_count=64, slot_count=40, half_block_count=half_block_count))
    shadow_copy, before = store.create(), store.volume()
    for extent in (*range(1, 29, 2), 29, 30, 31, 28):
        store.write(2 * extent, 1)
    places(store)
    return store, shadow_copy, before


def test_more_copies_than_a_block_has_room_for() -> None:
    store, shadow_copy, before = store_with_every_other_extent_copied(half_block_count=25)
    store.write(0, *range(56))
    assert places(store)[28:] == ["flush", *["write journal", "flush"] * 2, "write volume"]
    assert store.image(shadow_copy) == before


# -- zero, discard, read, flush ----------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["zero", "discard"])
def test_zeroes_and_discards_copy_first(verb: str) -> None:
    store = Store()
    shadow_copy = store.create()
    before = store.volume()
    places(store)
    change = store.active.write_zeroes if verb == "zero" else store.active.discard
    store.run(change(512, 2 * 512))
    assert places(store) == ["read volume"] * 2 + ["write slot"] * 2 + [*FIRST_WRITE[2:5], f"{verb} volume"]
    assert store.volume()[1:3] == [bytes(512)] * 2
    assert store.image(shadow_copy) == before


@given(st.integers(0, VOLUME_BYTES), st.integers(0, VOLUME_BYTES))
def test_any_bytes_of_the_volume_can_be_read(one: int, other: int) -> None:
    start, end = sorted((one, other))
    data = STORE.run(STORE.active.read(start, end - start))
    assert bytes(data) == b"".join(STORE.volume())[start:end]


STORE = Store()
BEYOND = [(-512, 512), (VOLUME_BYTES, 512), (0, VOLUME_BYTES + 512), (512, -512), (2**70, 512)]


@pytest.mark.parametrize(("offset", "length"), BEYOND)
@pytest.mark.parametrize("verb", ["read", "write", "write_zeroes", "discard"])
def test_what_is_not_in_the_volume_is_refused(verb: str, offset: int, length: int) -> None:
    if verb == "write" and length < 0:
        return
    STORE.disk.trace.clear()
    argument = bytes(length) if verb == "write" else length
    with pytest.raises(OutOfRange, match="not all in the volume"):
        STORE.run(getattr(STORE.active, verb)(offset, argument))
    assert not STORE.disk.verbs()


@pytest.mark.parametrize(("offset", "length"), [(1, 512), (0, 511), (100, 412), (511, 1)])
@pytest.mark.parametrize("verb", ["write", "write_zeroes", "discard"])
def test_parts_of_sectors_cannot_be_changed(verb: str, offset: int, length: int) -> None:
    argument = bytes(length) if verb == "write" else length
    STORE.disk.trace.clear()
    with pytest.raises(OutOfRange, match="not whole sectors"):
        STORE.run(getattr(STORE.active, verb)(offset, argument))
    assert not STORE.disk.verbs()


@pytest.mark.parametrize("offset", [0, 512, VOLUME_BYTES])
def test_nothing_is_done_for_an_empty_range(offset: int) -> None:
    STORE.disk.trace.clear()
    STORE.run(STORE.active.write(offset, b""))
    STORE.run(STORE.active.write_zeroes(offset, 0))
    STORE.run(STORE.active.discard(offset, 0))
    assert STORE.run(STORE.active.read(offset, 0)) == b""
    assert not STORE.disk.verbs()


def test_a_flush_is_one_flush() -> None:
    STORE.disk.trace.clear()
    STORE.run(STORE.active.flush())
    assert STORE.disk.verbs() == ["flush"]


# -- images ------------------------------------------------------------------------------------------------------


def test_the_last_extent_may_be_short() -> None:
    store = Store(small_geometry(volume_sector_count=15, extent_sectors=4))
    shadow_copy = store.create()
    before = store.volume()
    places(store)
    store.write(14, 7)
    assert places(store) == FIRST_WRITE
    assert store.image(shadow_copy) == before


CHANGES = st.one_of(
    st.tuples(st.just("write"), st.integers(0, 15), st.integers(1, 6)),
    st.tuples(st.just("create"), st.just(0), st.just(0)),
    st.tuples(st.just("delete"), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("recover"), st.just(0), st.just(0)),
)


@given(st.lists(CHANGES, max_size=25))
def test_every_image_stays_what_it_was(changes: list[tuple[str, int, int]]) -> None:
    store = Store(small_geometry(slot_count=40, half_block_count=40))
    images: dict[ShadowCopyId, list[bytes]] = {}
    for number, (verb, first, count) in enumerate(changes):
        if verb == "create":
            images[store.create()] = store.volume()
        elif verb == "delete" and images:
            victim = list(images)[first % len(images)]
            store.run(store.active.delete(victim))
            del images[victim]
        elif verb == "recover":
            store.active = store.run(activate(location_of(store.geometry)))
        elif verb == "write":
            store.write(first, *[100 * number + index for index in range(min(count, 16 - first))])
        assert contents_of(freshly_loaded(store.disk, store.geometry).view) == contents_of(store.active.view)
        used = list(store.active.view.used_slots())
        assert store.active.free_slot_count == store.geometry.slot_count - len(used)
    for shadow_copy, image in images.items():
        assert store.image(shadow_copy) == image


def test_ids_count_up() -> None:
    store = Store()
    assert [store.create(), store.create()] == [ShadowCopyId(1, 1), ShadowCopyId(1, 2)]
    store.run(store.active.delete(ShadowCopyId(1, 2)))
    assert store.create() == ShadowCopyId(1, 3)


# -- no room -----------------------------------------------------------------------------------------------------


def test_nothing_is_written_when_the_area_is_full() -> None:
    store = Store(small_geometry(slot_count=3))
    shadow_copy = store.create()
    store.write(0, 1, 2, 3, 4)
    before = list(store.disk.sectors)
    with pytest.raises(AreaFull, match="1 free slots, 2 are needed"):
        store.write(5, 7, 8)
    assert store.disk.sectors == before
    store.write(4, 9)
    assert store.active.free_slot_count == 0
    store.run(store.active.delete(shadow_copy))
    assert store.active.free_slot_count == 3
    store.create()
    store.write(5, 7, 8)


def fill_journal(store: Store) -> list[ShadowCopyId]:
    """Create until a summary of more would not fit in a half; the last creation was refused."""
    created: list[ShadowCopyId] = []
    while True:
        try:
            created.append(store.create())
        except JournalFull:
            return created


def test_nothing_of_a_write_is_in_the_volume_when_the_journal_is_full() -> None:
    store = Store()
    created = fill_journal(store)
    before, free = store.volume(), store.active.free_slot_count
    with pytest.raises(JournalFull):
        store.write(0, 7)
    assert store.volume() == before
    assert store.active.free_slot_count == free
    assert [copy.id for copy in store.active.view.shadow_copies] == created
    assert contents_of(freshly_loaded(store.disk).view) == contents_of(store.active.view)


def test_a_full_journal_has_room_for_takeovers_and_deletions() -> None:
    store = Store()
    created = fill_journal(store)
    for _ in range(20):
        store.active = store.run(activate(location_of(GEOMETRY)))
    assert [copy.id for copy in store.active.view.shadow_copies] == created
    for shadow_copy in created:
        store.run(store.active.delete(shadow_copy))
    assert store.active.view.shadow_copies == []
    store.create()


def test_a_write_that_needs_two_blocks_and_has_room_for_one() -> None:
    store, shadow_copy, before = store_with_every_other_extent_copied(half_block_count=8)
    volume = store.volume()
    with pytest.raises(JournalFull):
        store.write(0, *range(56))
    assert store.volume() == volume
    used = list(store.active.view.used_slots())
    assert len(used) == 18 + 13
    assert store.active.free_slot_count == 40 - len(used)
    assert store.image(shadow_copy) == before


def test_there_are_only_so_many_shadow_copies() -> None:
    store = Store(small_geometry(half_block_count=SHADOW_COPY_COUNT_MAXIMUM + 10))
    for _ in range(SHADOW_COPY_COUNT_MAXIMUM):
        store.create()
    places(store)
    with pytest.raises(TooManyShadowCopies):
        store.create()
    assert not places(store)


def test_what_does_not_exist_cannot_be_deleted() -> None:
    store = Store()
    shadow_copy = store.create()
    store.run(store.active.delete(shadow_copy))
    places(store)
    with pytest.raises(ShadowCopyNotFound):
        store.run(store.active.delete(shadow_copy))
    assert not places(store)


def test_a_block_is_written_once_to_its_sector() -> None:
    store = Store()
    store.create()
    store.write(0, 1)
    store.write(4, 1)
    sectors = [operation.sector for operation in store.disk.trace if is_block_write(GEOMETRY, operation)]
    assert len(sectors) == len(set(sectors)) == 3
    assert [type(operation) for operation in _other_journal_access(store.disk.trace)] == []


def _other_journal_access(trace: list[Operation]) -> list[Operation]:
    return [
        operation
        for operation in trace
        if operation.sector in GEOMETRY.journal_sectors and not isinstance(operation, Read | Write)
    ]


def test_data_written_is_data_read() -> None:
    store = Store()
    store.write(2, 7, 8)
    data = store.run(store.active.read(2 * SECTOR_BYTES, 2 * SECTOR_BYTES))
    assert bytes(data) == sector_of(7) + sector_of(8)


# -- how much at once --------------------------------------------------------------------------------------------


def test_a_discard_of_the_whole_volume_reads_no_more_at_once_than_it_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    extent_bytes = GEOMETRY.extent_sectors * SECTOR_BYTES
    monkeypatch.setattr(Active, "copied_bytes_at_once", 3 * extent_bytes + 1)
    store = Store()
    store.run(store.active.create())
    places(store)
    store.run(store.active.discard(0, VOLUME_BYTES))
    portion = ["read volume"] * 3 + ["write slot"] * 3 + ["flush", "write journal", "flush"]
    rest = ["read volume"] * 2 + ["write slot"] * 2 + ["flush", "write journal", "flush"]
    assert places(store) == [*portion, *portion, *rest, "discard volume"]
