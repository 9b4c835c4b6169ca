"""Growing the differential area: what is where then, who knows of it, what is refused, and what a crash leaves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shadowshare.protocol.checking import check_store
from shadowshare.protocol.errors import (
    ActiveStopped,
    AreaFull,
    AreaInUse,
    FormatTooOld,
    GeometryMismatch,
    JournalDamaged,
    OutOfRange,
    WriteError,
)
from shadowshare.protocol.geometry import COUNT_MAXIMUM, Geometry, Location
from shadowshare.protocol.layout import Copied, Grown, decode_superblock
from shadowshare.protocol.operations import Operation
from shadowshare.protocol.view import View
from shadowshare.sim.inline import perform_inline
from tests.protocol.stores import (
    SECTOR_BYTES,
    Disk,
    Store,
    formatted_disk,
    freshly_loaded,
    sector_of,
    small_geometry,
)

SMALL = small_geometry(slot_count=2)
LARGE = SMALL.with_slots(5)


def roomy(geometry: Geometry = SMALL, sector_count: int = 40) -> Disk:
    """A formatted store on a disk that has become larger."""
    small = formatted_disk(geometry)
    return Disk(SECTOR_BYTES, [*small.sectors, *[bytes(SECTOR_BYTES)] * sector_count])


def grown_store() -> Store:
    store = Store(SMALL, roomy())
    store.run(store.active.grow(LARGE.area_sector_count))
    return store


def findings(disk: Disk, geometry: Geometry) -> tuple[object, ...]:
    location = Location(geometry.area_device, geometry.superblock_sectors, (len(disk.sectors),))
    return perform_inline(check_store(location), [disk]).findings


def test_new_slots_are_used_and_all_hosts_follow() -> None:
    store = Store(SMALL, roomy())
    old_passive = store.passive()
    shadow_copy, image = store.create(), store.volume()
    store.write(0, 1, 2, 3, 4)
    with pytest.raises(AreaFull):
        store.write(4, 5)
    assert store.run(store.active.grow(LARGE.area_sector_count)) == 5
    store.write(4, 5, 6, 7, 8)
    whole = b"".join(image)
    assert bytes(store.run(old_passive.read(shadow_copy, 0, len(whole)), host=1)) == whole
    assert store.image(shadow_copy) == image
    assert old_passive.view.slot_count == store.passive().view.slot_count == 5
    assert findings(store.disk, LARGE) == ()


def test_both_superblocks_say_so_and_the_old_second_one_becomes_a_slot() -> None:
    store = grown_store()
    first, last = LARGE.superblock_sectors
    found = [decode_superblock(store.disk.sectors[sector]) for sector in (first, last)]
    assert found == [SMALL.grown(LARGE.area_sector_count)] * 2
    store.create()
    store.write(0, *range(1, 9))
    with pytest.raises(Exception, match="no superblock"):
        decode_superblock(store.disk.sectors[SMALL.superblock_sectors[1]])
    assert store.active.free_slot_count == 1


def test_the_next_active_and_the_one_after_a_turnover_know_of_the_slots() -> None:
    store = grown_store()
    shadow_copy, image = store.create(), store.volume()
    store.write(0, *range(1, 9))
    again = Store(SMALL, store.disk)
    assert again.active.free_slot_count == 1
    for _ in range(40):
        again.run(again.active.set_policy(again.active.view.settings))
    assert freshly_loaded(again.disk, SMALL).view.slot_count == 5
    assert again.image(shadow_copy) == image
    assert findings(again.disk, LARGE) == ()


def test_it_can_grow_again_and_by_less_than_a_slot() -> None:
    store = grown_store()
    assert store.run(store.active.grow(LARGE.area_sector_count + 1)) == 5
    assert store.run(store.active.grow(LARGE.area_sector_count + 2)) == 6
    assert store.run(store.active.grow(LARGE.area_sector_count + 2)) == 6
    assert findings(store.disk, SMALL.with_slots(6)) == ()


# -- refused -------------------------------------------------------------------------------------------------------


def test_it_never_shrinks() -> None:
    store = grown_store()
    store.create()
    store.write(0, 1)
    held = b"".join(store.disk.sectors)
    for sector_count in (LARGE.area_sector_count - 1, SMALL.area_sector_count, 0):
        with pytest.raises(AreaInUse, match="1 of its 5 slots are in use"):
            store.run(store.active.grow(sector_count))
    with pytest.raises(OutOfRange):
        store.run(store.active.grow(COUNT_MAXIMUM + 1))
    assert b"".join(store.disk.sectors) == held


def test_a_store_of_version_1_cannot_grow() -> None:
    geometry = replace(SMALL, format_version=1)
    store = Store(geometry, roomy(geometry))
    with pytest.raises(FormatTooOld, match="version 1"):
        store.run(store.active.grow(LARGE.area_sector_count))


def test_a_device_that_is_too_small_changes_nothing_that_counts() -> None:
    store = Store(SMALL, roomy())
    last = LARGE.superblock_sectors[1]

    def beyond(operation: Operation) -> WriteError | None:
        return WriteError("beyond the end") if operation.sector == last else None

    store.disk.fails_instead = beyond
    with pytest.raises(WriteError):
        store.run(store.active.grow(LARGE.area_sector_count))
    with pytest.raises(ActiveStopped):
        store.write(0, 1)
    store.disk.behave()
    again = Store(SMALL, store.disk)
    assert again.active.view.slot_count == 2
    assert findings(store.disk, SMALL) == ()


def test_slots_for_which_there_is_no_room_are_told_of() -> None:
    store = Store(SMALL, roomy())
    store.run(store.active._append([Grown(9)]))
    before = list(store.disk.sectors)
    with pytest.raises(GeometryMismatch, match="9 slots"):
        Store(SMALL, store.disk)
    assert list(store.disk.sectors) == before, "a store that is refused is left as it is"
    assert "9 slots" in str(findings(store.disk, SMALL))


@pytest.mark.parametrize("slot_count", [0, 3, 4, COUNT_MAXIMUM + 1, 2**64 - 1])
def test_a_journal_whose_slots_do_not_grow_is_damaged(slot_count: int) -> None:
    view = View(4, 4)
    with pytest.raises(JournalDamaged, match="4 slots"):
        view.apply(Grown(slot_count))
    assert view.slot_count == 4


def test_what_was_read_of_a_slot_twice_is_found_in_new_slots_too() -> None:
    """The checker keeps account of slots that formatting did not make."""
    store = grown_store()
    store.create()
    store.write(0, *range(1, 9))
    newest = store.active.view.newest
    assert newest is not None
    taken = newest.table[3]
    assert taken >= 2
    store.run(store.active._journal.put((Copied(newest.id, 7, taken, 1),)))
    assert f"slot {taken} is used for a second copy" in str(findings(store.disk, LARGE))
    assert sector_of(1) == store.disk.sectors[0]
