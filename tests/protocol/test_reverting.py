"""Reverting the volume: what it becomes, what shadow copies keep, what is refused, and what goes on afterwards."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadowshare.protocol.errors import (
    ActiveStopped,
    AreaFull,
    FormatTooOld,
    JournalDamaged,
    JournalFull,
    ShadowCopyInvalidated,
    ShadowCopyNotFound,
    WriteError,
)
from shadowshare.protocol.layout import (
    Created,
    Deleted,
    Invalidated,
    Reverted,
    Reverting,
    Settings,
    ShadowCopyId,
)
from shadowshare.protocol.marks import Mark, recording
from shadowshare.protocol.operations import Operation
from shadowshare.protocol.policy import Policy
from shadowshare.protocol.view import View
from tests.protocol.stores import GEOMETRY, SECTOR_BYTES, Store, formatted_disk, sector_of, small_geometry


def fails_writing_the_volume(operation: Operation) -> WriteError | None:
    is_it = operation.verb == "write" and operation.sector < GEOMETRY.volume_sector_count
    return WriteError("a bad sector") if is_it else None


def fails_writing_a_slot(operation: Operation) -> WriteError | None:
    is_it = operation.verb == "write" and operation.sector >= GEOMETRY.slot_sector(0)
    return WriteError("a bad sector") if is_it else None


def interrupted() -> tuple[Store, ShadowCopyId, list[bytes]]:
    """A store whose active died when it had begun to revert; the shadow copy, and its image."""
    store = Store()
    shadow_copy, image = store.create(), store.volume()
    store.write(0, 1)
    store.write(6, 2)
    store.disk.fails_instead = fails_writing_the_volume
    with pytest.raises(WriteError):
        store.run(store.active.revert(shadow_copy))
    store.disk.behave()
    return Store(disk=store.disk), shadow_copy, image


def live(store: Store) -> list[bytes]:
    data = bytes(store.run(store.active.read(0, GEOMETRY.volume_bytes)))
    return [data[start : start + SECTOR_BYTES] for start in range(0, len(data), SECTOR_BYTES)]


@given(
    st.lists(
        st.one_of(st.just("create"), st.tuples(st.integers(0, 14), st.integers(1, 2)), st.integers(0, 5)),
        max_size=14,
    )
)
def test_the_volume_becomes_the_image_and_all_shadow_copies_keep_theirs(steps: list[object]) -> None:
    store = Store(small_geometry(slot_count=64, half_block_count=40))
    images = {store.create(): store.volume()}
    for number, step in enumerate(steps):
        if step == "create":
            images[store.create()] = store.volume()
        elif isinstance(step, tuple):
            store.write(step[0], *range(number * 10, number * 10 + step[1]))
        elif isinstance(step, int):
            shadow_copy = list(images)[step % len(images)]
            store.run(store.active.revert(shadow_copy))
            assert store.volume() == live(store) == images[shadow_copy]
            assert store.active.view.reverting is None
        for shadow_copy, image in images.items():
            assert store.image(shadow_copy) == image


def test_nothing_is_copied_twice_and_neighbours_are_put_back_in_one_piece() -> None:
    store = Store()
    shadow_copy = store.create()
    store.write(0, *range(1, 7))
    store.disk.trace.clear()
    store.run(store.active.revert(shadow_copy))
    verbs = ["write", "flush", "read", "write", "flush", "write", "flush"]
    assert store.disk.verbs() == verbs


def test_an_interrupted_revert_is_finished_by_whoever_writes_next() -> None:
    store, shadow_copy, image = interrupted()
    assert store.active.view.reverting == shadow_copy
    assert live(store) == image
    assert store.passive().view.reverting == shadow_copy
    with recording() as marks:
        store.write(6, 9)
    assert Mark.REVERT_RESUMED in marks
    image[6] = sector_of(9)
    assert store.volume() == image
    assert store.active.view.reverting is None


def test_an_interrupted_revert_is_finished_before_a_shadow_copy_is_created() -> None:
    store, _, image = interrupted()
    assert store.image(store.create()) == image


def test_an_interrupted_revert_can_be_finished_by_itself_and_then_nothing_is_left_to_do() -> None:
    store, _, image = interrupted()
    store.run(store.active.finish_revert())
    assert store.volume() == image
    store.disk.trace.clear()
    store.run(store.active.finish_revert())
    assert store.disk.trace == []


def test_what_it_reverts_to_is_deleted_only_when_that_is_finished() -> None:
    store, shadow_copy, image = interrupted()
    store.run(store.active.delete(shadow_copy))
    assert store.volume() == image
    assert not store.active.view.shadow_copies


def test_others_may_be_deleted_meanwhile() -> None:
    store = Store()
    first, image = store.create(), store.volume()
    store.write(0, 1)
    second = store.create()
    store.write(2, 2)
    store.disk.fails_instead = fails_writing_the_volume
    with pytest.raises(WriteError):
        store.run(store.active.revert(first))
    store.disk.behave()
    store = Store(disk=store.disk)
    store.run(store.active.delete(second))
    assert store.active.view.reverting == first
    assert live(store) == image
    store.run(store.active.finish_revert())
    assert store.volume() == image == store.image(first)


def test_an_interrupted_revert_can_be_given_up_for_another_one() -> None:
    store = Store()
    first = store.create()
    store.write(0, 1)
    second, image = store.create(), store.volume()
    store.write(0, 2)
    store.disk.fails_instead = fails_writing_the_volume
    with pytest.raises(WriteError):
        store.run(store.active.revert(first))
    store.disk.behave()
    store = Store(disk=store.disk)
    store.run(store.active.revert(second))
    assert store.volume() == image == store.image(second)


# -- refused -------------------------------------------------------------------------------------------------------


def test_without_an_image_nothing_is_changed() -> None:
    store = Store(small_geometry(slot_count=1))
    store.run(store.active.set_policy(Settings(Policy.INVALIDATE, 0)))
    shadow_copy = store.create()
    store.write(0, 1)
    store.write(2, 1)
    held = b"".join(store.disk.sectors)
    with pytest.raises(ShadowCopyInvalidated):
        store.run(store.active.revert(shadow_copy))
    with pytest.raises(ShadowCopyNotFound):
        store.run(store.active.revert(ShadowCopyId(7, 7)))
    assert b"".join(store.disk.sectors) == held


@pytest.mark.parametrize("policy", Policy)
def test_without_room_nothing_is_changed_whatever_the_policy(policy: Policy) -> None:
    store = Store(small_geometry(slot_count=2))
    store.run(store.active.set_policy(Settings(policy, 0)))
    first = store.create()
    store.write(0, 1, 2, 3, 4)
    second = store.create()
    held = b"".join(store.disk.sectors)
    with pytest.raises(AreaFull, match=r"2 extents .* only 0 slots"):
        store.run(store.active.revert(first))
    assert b"".join(store.disk.sectors) == held
    store.run(store.active.delete(second))
    store.run(store.active.revert(first))
    assert store.volume() == store.image(first)


def test_without_room_in_the_journal_nothing_is_changed() -> None:
    store = Store(small_geometry(64, 1, 64, 5))
    first = store.create()
    for sector in range(0, 18, 2):
        store.write(sector, 1)
    store.create()
    held = b"".join(store.disk.sectors)
    with pytest.raises(JournalFull):
        store.run(store.active.revert(first))
    assert b"".join(store.disk.sectors) == held


def test_nobody_gives_way_when_a_copy_fails_in_the_middle() -> None:
    store = Store()
    store.run(store.active.set_policy(Settings(Policy.INVALIDATE, 0)))
    first, image = store.create(), store.volume()
    store.write(0, 1)
    second, newer = store.create(), store.volume()
    store.disk.fails_instead = fails_writing_a_slot
    with recording() as marks, pytest.raises(WriteError):
        store.run(store.active.revert(first))
    assert Mark.NOBODY_GIVES_WAY_TO_A_REVERT in marks
    store.disk.behave()
    store.run(store.active.finish_revert())
    assert store.volume() == image == store.image(first)
    assert store.image(second) == newer


def test_a_revert_waits_for_recovery_when_a_write_may_still_land() -> None:
    store = Store()
    shadow_copy = store.create()
    store.write(0, 1)
    store.disk.fails_after = fails_writing_the_volume
    with pytest.raises(WriteError):
        store.write(0, 2)
    store.disk.behave()
    with pytest.raises(ActiveStopped, match="revert the volume"):
        store.run(store.active.revert(shadow_copy))


def test_a_store_of_version_1_cannot_be_reverted() -> None:
    geometry = replace(GEOMETRY, format_version=1)
    store = Store(geometry, formatted_disk(geometry))
    shadow_copy = store.create()
    with pytest.raises(FormatTooOld, match="version 1"):
        store.run(store.active.revert(shadow_copy))


# -- what a journal cannot say -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "record",
    [
        Created(ShadowCopyId(1, 3), 0),
        Deleted(ShadowCopyId(1, 1)),
        Invalidated(),
        Reverting(ShadowCopyId(9, 9)),
        Reverted(ShadowCopyId(1, 2)),
    ],
)
def test_records_that_cannot_be_true_during_a_revert(record: Created | Deleted | Invalidated) -> None:
    view = View(4, 4)
    for first in (Created(ShadowCopyId(1, 1), 0), Created(ShadowCopyId(1, 2), 0)):
        view.apply(first)
    view.apply(Reverting(ShadowCopyId(1, 1)))
    with pytest.raises(JournalDamaged, match=r"reverted to 1\.1"):
        view.apply(record)


def test_the_end_of_a_revert_needs_a_beginning() -> None:
    view = View(4, 4)
    view.apply(Created(ShadowCopyId(1, 1), 0))
    with pytest.raises(JournalDamaged):
        view.apply(Reverted(ShadowCopyId(1, 1)))


def test_it_tells_how_far_it_is() -> None:
    store = Store()
    shadow_copy = store.create()
    store.write(0, *range(1, 5))
    store.active.copied_bytes_at_once = 2 * SECTOR_BYTES
    store.write(14, 1)
    told: list[int] = []
    store.run(store.active.revert(shadow_copy, told.append))
    assert sum(told) == store.active.changed_bytes(shadow_copy) == 6 * SECTOR_BYTES
    assert len(told) == 3
