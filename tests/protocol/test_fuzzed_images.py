"""Mutated images of stores, and random ones: the truth or a typed error, soon, and in little memory.

``HYPOTHESIS_PROFILE=nightly pytest tests/protocol/test_fuzzed_images.py`` tries many more.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shadowshare.protocol.checking import CheckResult, check_store
from shadowshare.protocol.errors import ShadowshareError
from shadowshare.protocol.layout import Grown, ShadowCopyId
from shadowshare.protocol.passive import Passive
from shadowshare.protocol.recovery import activate
from shadowshare.protocol.repairing import repair_store
from shadowshare.sim.disks.memory_disk import MemoryDisk
from shadowshare.sim.inline import perform_inline
from tests.protocol.images import (
    GEOMETRY,
    LIVES,
    LOCATION,
    SECTOR_BYTES,
    SECTOR_COUNT,
    Edit,
    Step,
    TooMuch,
    bounded,
    edited,
    edits,
    flips,
    lived,
    superblock_field,
)

MEMORY_BYTES_MAXIMUM = 1024 * 1024
"""For anything that is done with an image of 38 KiB."""

RICH: tuple[Step, ...] = (
    *(("create", 0), ("write", 0), ("create", 0), ("write", 3), ("turn over", 0)),
    *(("write", 0), ("create", 0), ("delete", 1)),
)
REVERTING: tuple[Step, ...] = (*RICH, ("revert", 0), ("write", 1), ("begin to revert", 1), ("recover", 0))
life = lru_cache(maxsize=64)(lived)


async def read_everything() -> dict[ShadowCopyId, bytes]:
    """What a passive makes of a store."""
    passive = await Passive.open(LOCATION)
    infos = await passive.shadow_copies()
    return {
        info.id: bytes(await passive.read(info.id, 0, GEOMETRY.volume_bytes))
        for info in infos
        if info.is_valid
    }


async def take_over() -> None:
    """What a host that recovers a store does with it."""
    active = await activate(LOCATION)
    for shadow_copy in [one.id for one in active.view.shadow_copies][:2]:
        await active.delete(shadow_copy)
    await active.create()
    await active.write(0, bytes(4 * SECTOR_BYTES))


USES: dict[str, Callable[[], Coroutine[Any, Any, object]]] = {
    "check": lambda: check_store(LOCATION),
    "read": read_everything,
    "take over": take_over,
    "repair": lambda: repair_store(LOCATION),
}


@pytest.mark.parametrize("use", USES)
@given(life_before=LIVES, changes=st.lists(edits, min_size=1, max_size=4))
@example(life_before=RICH, changes=[])
@example(life_before=REVERTING, changes=[])
def test_a_mutated_image_leads_to_an_answer_or_a_typed_error(
    use: str, life_before: tuple[Step, ...], changes: list[Edit]
) -> None:
    with suppress(ShadowshareError):
        bounded(USES[use](), edited(life(life_before), changes))


@pytest.mark.parametrize("use", USES)
@given(
    sectors=st.dictionaries(st.integers(0, SECTOR_COUNT - 1), st.binary(min_size=1, max_size=SECTOR_BYTES))
)
def test_a_random_image_leads_to_a_typed_error(use: str, sectors: dict[int, bytes]) -> None:
    disk = MemoryDisk.blank(SECTOR_BYTES, SECTOR_COUNT)
    for sector, raw in sectors.items():
        disk.sectors[sector] = raw.ljust(SECTOR_BYTES, b"\0")
    with pytest.raises(ShadowshareError):
        bounded(USES[use](), disk)


@given(life_before=LIVES, changes=st.lists(flips, min_size=1, max_size=3))
@example(life_before=RICH, changes=[])
def test_of_changed_bytes_nobody_reads_anything_wrong(
    life_before: tuple[Step, ...], changes: list[Edit]
) -> None:
    """Where a checksum can tell it does: every shadow copy is as it was, or there is an error."""
    truth = bounded(read_everything(), life(life_before))
    with suppress(ShadowshareError):
        assert bounded(read_everything(), edited(life(life_before), changes)) == truth


@given(life_before=LIVES)
@example(life_before=RICH)
@example(life_before=REVERTING)
def test_a_store_that_was_lived_in_is_intact(life_before: tuple[Step, ...]) -> None:
    result = bounded(check_store(LOCATION), life(life_before))
    assert result.is_intact, result.findings


@given(life_before=LIVES, changes=st.lists(flips, min_size=1, max_size=3))
def test_a_repair_makes_nothing_worse_and_is_done_once(
    life_before: tuple[Step, ...], changes: list[Edit]
) -> None:
    disk = edited(life(life_before), changes)
    with suppress(ShadowshareError):
        before = bounded(check_store(LOCATION), disk)
        repaired, after = bounded(repair_store(LOCATION), disk)
        assert after.repairs == ()
        assert len(after.findings) == len(before.findings) - len(repaired)
        if after.is_intact:
            assert bounded(read_everything(), disk) == bounded(read_everything(), life(life_before))


@given(changes=st.lists(edits, min_size=1, max_size=4))
def test_little_memory_is_enough(changes: list[Edit]) -> None:
    assert peak_bytes(edited(life(RICH), changes)) < MEMORY_BYTES_MAXIMUM


@pytest.mark.parametrize("field", [48, 56, 64, 72, 40])
@pytest.mark.parametrize("value", [2**20, 2**32, 2**47])
def test_sizes_that_a_superblock_makes_up_cost_no_memory(field: int, value: int) -> None:
    hostile = [superblock_field(copy, field, 8, value) for copy in (0, 1)]
    areas = [superblock_field(copy, 56, 8, 2**48) for copy in (0, 1)]
    for changes in (hostile, [*areas, *hostile]):
        assert peak_bytes(edited(life(RICH), changes)) < MEMORY_BYTES_MAXIMUM


@pytest.mark.parametrize("slot_count", [2**20, 2**32, 2**47])
def test_slots_that_a_journal_makes_up_cost_no_memory(slot_count: int) -> None:
    disk = edited(life(RICH), [])
    active = perform_inline(activate(LOCATION), [disk])
    perform_inline(active._append([Grown(slot_count)]), [disk])
    assert peak_bytes(disk) < MEMORY_BYTES_MAXIMUM
    assert str(slot_count) in str(bounded(check_store(LOCATION), disk).findings)


def peak_bytes(disk: MemoryDisk) -> int:
    """The memory that all uses of an image take at most."""
    tracemalloc.start()
    try:
        for use in USES.values():
            with suppress(ShadowshareError):
                bounded(use(), disk)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_bound_would_notice() -> None:
    async def for_ever() -> None:
        while True:
            await check_store(LOCATION)

    with pytest.raises(TooMuch):
        bounded(for_ever(), life(RICH))


def test_the_rich_life_has_what_it_says() -> None:
    result: CheckResult = perform_inline(check_store(LOCATION), [life(RICH)])
    assert result.end.generation == 2
    assert result.shadow_copy_count == 2
    assert result.used_slot_count > 1
