"""What gives way when an extent cannot be copied: who, when, and that nobody does without need."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shadowshare.protocol.errors import AreaFull, FormatTooOld, OutOfRange, ReadError, ShadowCopyInvalidated
from shadowshare.protocol.formatting import format_store
from shadowshare.protocol.layout import Settings, ShadowCopyId
from shadowshare.protocol.operations import Operation
from shadowshare.protocol.policy import Policy
from shadowshare.protocol.view import DEFAULT_SETTINGS
from shadowshare.sim.inline import perform_inline
from tests.protocol.stores import GEOMETRY, Store, formatted_disk, freshly_loaded, sector_of, small_geometry

TWO_SLOTS = small_geometry(slot_count=2)


def store_with(policy: Policy, warning_percent: int = 0) -> Store:
    store = Store(TWO_SLOTS)
    store.run(store.active.set_policy(Settings(policy, warning_percent)))
    return store


def ids(store: Store) -> list[ShadowCopyId]:
    return [copy.id for copy in store.active.view.shadow_copies]


def test_a_write_without_a_slot_is_refused_by_default() -> None:
    store = Store(TWO_SLOTS)
    store.create()
    before = store.volume()
    with pytest.raises(AreaFull):
        store.run(store.active.write(0, b"x" * 512 * 6))
    assert store.volume() == before


def test_all_shadow_copies_lose_their_image_and_their_slots_are_free() -> None:
    store = store_with(Policy.INVALIDATE)
    older, newer = store.create(), store.create()
    store.write(0, 1, 2)
    store.write(2, 3, 4)
    store.write(4, 5)
    assert store.volume()[:5] == [sector_of(number) for number in (1, 2, 3, 4, 5)]
    for shadow_copy in (older, newer):
        with pytest.raises(ShadowCopyInvalidated):
            store.image(shadow_copy)
    assert store.active.free_slot_count == 2
    held = store.volume()
    newest = store.create()
    store.write(0, 6)
    assert store.image(newest) == held


def test_only_as_many_shadow_copies_are_deleted_as_it_takes() -> None:
    store = store_with(Policy.DELETE_OLDEST)
    made = []
    for number in range(3):
        made.append(store.create())
        store.write(2 * number, number) if number < 2 else None
    held = store.volume()
    store.write(4, 9)
    assert ids(store) == made[1:]
    assert store.image(made[2]) == held


def test_a_write_that_needs_more_slots_than_there_are_deletes_all() -> None:
    store = store_with(Policy.DELETE_OLDEST)
    store.create()
    store.write(0, *range(1, 9))
    assert ids(store) == []
    assert store.volume()[:8] == [sector_of(number) for number in range(1, 9)]
    assert store.active.free_slot_count == 2


@pytest.mark.parametrize("policy", Policy)
def test_an_old_extent_that_cannot_be_read(policy: Policy) -> None:
    """Deleting shadow copies would not help: only invalidating them lets the write go on."""
    store = store_with(policy)
    shadow_copy = store.create()
    store.disk.fails_instead = fails_reading_sector_zero
    if policy is Policy.INVALIDATE:
        store.write(0, 1)
        assert not store.active.view.shadow_copies[0].is_valid
    else:
        with pytest.raises(ReadError):
            store.write(0, 1)
        store.disk.behave()
        assert store.image(shadow_copy)[0] == sector_of(1000)


def fails_reading_sector_zero(operation: Operation) -> ReadError | None:
    is_it = operation.verb == "read" and operation.sector == 0 and operation.sector_count == 2
    return ReadError("a bad sector") if is_it else None


def test_policy_and_threshold_are_what_every_host_finds() -> None:
    store = store_with(Policy.DELETE_OLDEST, 50)
    expected = Settings(Policy.DELETE_OLDEST, 50)
    assert store.passive().view.settings == expected
    assert freshly_loaded(store.disk, TWO_SLOTS).view.settings == expected
    assert Store(TWO_SLOTS, store.disk).active.view.settings == expected


def test_the_area_is_low_from_the_threshold_on() -> None:
    store = store_with(Policy.FAIL_WRITE, 50)
    store.create()
    assert not store.active.view.is_area_low
    store.write(0, 1)
    assert store.active.view.is_area_low
    store.run(store.active.set_policy(Settings(Policy.FAIL_WRITE, 51)))
    assert not store.active.view.is_area_low
    store.run(store.active.set_policy(Settings(Policy.FAIL_WRITE, 0)))
    store.write(2, 1)
    assert not store.active.view.is_area_low


def test_formatting_chooses_the_policy() -> None:
    disk = formatted_disk()
    chosen = Settings(Policy.INVALIDATE, 75)
    perform_inline(format_store(GEOMETRY, chosen), [disk])
    assert freshly_loaded(disk).view.settings == chosen


def test_a_store_of_version_1_works_as_it_always_did_and_has_one_policy() -> None:
    geometry = replace(TWO_SLOTS, format_version=1)
    store = Store(geometry, formatted_disk(geometry))
    assert store.active.geometry.format_version == 1
    shadow_copy = store.create()
    store.write(0, 1)
    assert store.image(shadow_copy)[0] == sector_of(1000)
    held = b"".join(store.disk.sectors)
    with pytest.raises(FormatTooOld, match="version 1"):
        store.run(store.active.set_policy(Settings(Policy.INVALIDATE, 0)))
    assert b"".join(store.disk.sectors) == held
    store.run(store.active.set_policy(DEFAULT_SETTINGS))


@pytest.mark.parametrize("percent", [-1, 101])
def test_a_threshold_that_is_no_percentage_is_refused(percent: int) -> None:
    store = Store()
    with pytest.raises(OutOfRange, match="from 0"):
        store.run(store.active.set_policy(Settings(Policy.INVALIDATE, percent)))
