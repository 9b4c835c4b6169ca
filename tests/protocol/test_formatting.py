"""Formatting leaves the volume alone, and whenever it is interrupted, either no store or a whole one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shadowshare.protocol.checking import check_store
from shadowshare.protocol.errors import StoreError
from shadowshare.protocol.formatting import format_store
from shadowshare.protocol.geometry import Geometry, plan_geometry
from shadowshare.protocol.passive import Passive
from shadowshare.protocol.superblock import read_geometry
from shadowshare.sim.disks.memory_disk import MemoryDisk
from shadowshare.sim.inline import perform_inline
from tests.protocol.stores import (
    GEOMETRY,
    SECTOR_BYTES,
    STORE_ID,
    Disk,
    Store,
    Tasks,
    formatted_disk,
    location_of,
    sector_of,
)

OTHER = replace(GEOMETRY, store_id=bytes(16), half_block_count=8, slot_count=16)
"""A store in the same place."""
OPERATION_COUNT = 10


def old_disk() -> Disk:
    """The other store, with a shadow copy and some copies; everything is durable."""
    store = Store(OTHER)
    store.create()
    store.write(0, 1, 2, 3)
    store.run(store.active.flush())
    store.disk.reservation_holder = None
    return store.disk


def garbage_disk() -> Disk:
    return Disk(SECTOR_BYTES, [sector_of(5)] * (GEOMETRY.area_sector + GEOMETRY.area_sector_count))


def check_none_or_whole(disk: MemoryDisk, old: Geometry | None) -> Geometry | None:
    """What can be opened is as formatted, or the old store as it was."""
    try:
        geometry = perform_inline(read_geometry(location_of(GEOMETRY)), [disk])
    except StoreError:
        return None
    assert geometry in (GEOMETRY, old)
    passive = perform_inline(Passive.open(location_of(geometry)), [disk])
    assert len(passive.view.shadow_copies) == (1 if geometry == OTHER else 0)
    return geometry


def test_a_formatted_store_has_no_findings() -> None:
    for disk in (garbage_disk(), old_disk()):
        perform_inline(format_store(GEOMETRY), [disk])
        result = perform_inline(check_store(location_of(GEOMETRY)), [disk])
        assert result.is_intact, result.findings
        assert not disk.versions, "all of it is durable"


@pytest.mark.parametrize("area_device", [0, 1])
def test_nothing_but_superblocks_and_journal_is_written(area_device: int) -> None:
    geometry = plan_geometry(STORE_ID, SECTOR_BYTES, 2, 16, area_device, 16, 60, half_block_count=12)
    disks = [Disk(SECTOR_BYTES, [sector_of(number) for number in range(80)]) for _ in range(2)]
    perform_inline(format_store(geometry), disks)
    written = {*geometry.superblock_sectors, *geometry.journal_sectors}
    for device, disk in enumerate(disks):
        for number, sector in enumerate(disk.sectors):
            assert (sector != sector_of(number)) == (device == area_device and number in written)
    assert not disks[1 - area_device].trace


@settings(max_examples=150)
@given(
    st.booleans(),
    st.integers(0, OPERATION_COUNT),
    st.sampled_from(["all", "none", "some"]),
    st.randoms(use_true_random=False),
    st.sets(st.sampled_from(GEOMETRY.superblock_sectors)),
)
def test_a_crash_leaves_no_store_or_a_whole_one(
    is_old: bool, step_count: int, survivors: str, random: object, kept: set[int]
) -> None:
    disk = old_disk() if is_old else garbage_disk()
    tasks = Tasks(disk, lambda: format_store(GEOMETRY))
    for _ in range(step_count):
        tasks.step(0)
    assert (not tasks.waiting) == (step_count == OPERATION_COUNT)
    check_none_or_whole(disk, OTHER if is_old else None)
    disk.lose_power()
    for sector in list(disk.undecided):
        if sector in GEOMETRY.superblock_sectors:
            stays = sector in kept
        else:
            stays = survivors == "all" or (survivors == "some" and random.random() < 0.5)  # type: ignore[attr-defined]
        disk.survive(sector, -1 if stays else 0)
    found = check_none_or_whole(disk, OTHER if is_old else None)
    if step_count == OPERATION_COUNT:
        assert found == GEOMETRY
    assert [disk.sectors[number] for number in range(3, 16)] == [
        sector_of(1000 + number if is_old else 5) for number in range(3, 16)
    ]


def test_two_formats_of_one_geometry_are_the_same() -> None:
    first, second = formatted_disk(), formatted_disk()
    assert first.sectors == second.sectors
