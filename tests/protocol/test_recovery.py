"""Taking over: in the right order, with an epoch of its own, from nothing but what is durable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadowshare.protocol.errors import (
    DiskError,
    FlushError,
    JournalDamaged,
    JournalFull,
    NotAStore,
    ReadError,
    WriteError,
)
from shadowshare.protocol.formatting import format_store
from shadowshare.protocol.geometry import plan_geometry
from shadowshare.protocol.layout import Block, Copied, Created, ShadowCopyId, Takeover, decode_block
from shadowshare.protocol.operations import Flush, Operation, Reserve, Write
from shadowshare.protocol.recovery import Recovery, activate
from shadowshare.sim.disks.memory_disk import MemoryDisk
from shadowshare.sim.inline import perform_inline
from tests.protocol.journal_writer import JournalWriter
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
    small_geometry,
)

LOCATION = location_of(GEOMETRY)
BLOCK_OF_TAKEOVER = GEOMETRY.block_sector(1, 1)


def block_at(disk: MemoryDisk, position: int) -> Block:
    sector = GEOMETRY.block_sector(1, position)
    block = decode_block(GEOMETRY, sector, disk.sectors[sector])
    assert isinstance(block, Block)
    return block


def test_fence_flush_read_take_over_flush() -> None:
    disk = formatted_disk()
    perform_inline(activate(LOCATION), [disk])
    trace = list(disk.trace)
    verbs = disk.verbs()
    assert verbs[:2] == ["reserve", "flush"]
    assert set(verbs[2:-2]) == {"read"}
    assert verbs[-2:] == ["write", "flush"]
    assert trace[-2].sector == BLOCK_OF_TAKEOVER
    assert block_at(disk, 1).records == (Takeover(),)
    assert block_at(disk, 1).epoch == 1


def test_both_devices_are_fenced_and_flushed_before_the_first_read() -> None:
    geometry = plan_geometry(STORE_ID, SECTOR_BYTES, 2, 16, 1, 0, 60, half_block_count=12)
    trace: list[tuple[int, Operation]] = []

    class Traced(Disk):
        def perform(self, operation: Operation, host: int, issued_at: int) -> object:  # type: ignore[override]
            trace.append((operation.device, operation))
            return super().perform(operation, host, issued_at)

    disks = [Traced(SECTOR_BYTES, [bytes(SECTOR_BYTES)] * count) for count in (16, 60)]
    perform_inline(format_store(geometry), disks)
    trace.clear()
    perform_inline(activate(location_of(geometry)), disks)
    assert [(device, type(operation)) for device, operation in trace[:4]] == [
        (1, Reserve),
        (0, Reserve),
        (1, Flush),
        (0, Flush),
    ]
    assert [(device, operation.verb) for device, operation in trace[-2:]] == [(1, "write"), (1, "flush")]


def test_the_epoch_rises_each_time_and_no_id_comes_again() -> None:
    store = Store(small_geometry(half_block_count=40))
    ids = []
    for epoch in range(1, 9):
        ids += [store.create(), store.create()]
        assert ids[-1] == ShadowCopyId(epoch, 2)
        store.active = store.run(activate(location_of(store.geometry)), host=epoch)
        store.disk.reservation_holder = 0
    assert len(set(ids)) == len(ids)


@given(st.lists(st.booleans(), max_size=8))
def test_no_id_comes_again_after_a_power_loss(losses: list[bool]) -> None:
    """Of the last block, which was written and perhaps not flushed, the power loss decides."""
    store = Store(small_geometry(half_block_count=60))
    seen = []
    for kept in losses:
        tasks = Tasks(store.disk, store.active.create)
        tasks.step(0)
        tasks.step(0)
        store.disk.lose_power()
        for sector in list(store.disk.undecided):
            store.disk.survive(sector, -1 if kept else 0)
        seen.append((ShadowCopyId(store.active.digest()[2][0], 1), kept))  # type: ignore[index]
        store.active = store.run(activate(location_of(store.geometry)))
        assert [copy.id for copy in store.active.view.shadow_copies] == [
            one for one, survived in seen if survived
        ]
    new = store.create()
    assert new not in [one for one, _ in seen]


def test_what_was_visible_is_durable_once_recovery_read_it() -> None:
    store = Store()
    tasks = Tasks(store.disk, store.active.create)
    tasks.step(0)
    tasks.step(0)
    assert store.disk.versions
    recovered = store.run(activate(LOCATION), host=3)
    assert not store.disk.versions
    assert [copy.id for copy in recovered.view.shadow_copies] == [ShadowCopyId(1, 1)]


def test_slots_that_no_durable_record_names_are_free() -> None:
    store = Store()
    store.create()
    store.write(0, 1)
    tasks = Tasks(store.disk, lambda: store.active.write(1024, sector_of(7)))
    tasks.step(0)
    tasks.step(0)
    assert store.active.free_slot_count == GEOMETRY.slot_count - 2
    recovered = store.run(activate(LOCATION), host=3)
    assert recovered.free_slot_count == GEOMETRY.slot_count - 1


def test_a_recovery_that_crashes_anywhere_changes_no_image() -> None:
    store = Store(small_geometry(half_block_count=40))
    shadow_copy, image = store.create(), store.volume()
    store.write(0, 1, 2, 3)
    for step_count in range(12):
        tasks = Tasks(store.disk, lambda: activate(location_of(store.geometry)), host=4)
        for _ in range(step_count):
            if tasks.waiting:
                tasks.step(0)
        assert store.image(shadow_copy) == image
    store.active = store.run(activate(location_of(store.geometry)))
    store.write(4, 7)
    assert store.image(shadow_copy) == image


def test_a_takeover_follows_a_higher_epoch() -> None:
    disk = formatted_disk()
    writer = JournalWriter(GEOMETRY, disk)
    writer.append(Takeover(), epoch=41)
    writer.append(Created(ShadowCopyId(41, 1), 0))
    perform_inline(activate(LOCATION), [disk])
    assert block_at(disk, 3).epoch == 42


@pytest.mark.parametrize("window_block_count", [2, 3, 16])
def test_any_window_finds_the_end(window_block_count: int) -> None:
    store = Store()
    for _ in range(5):
        store.create()
    active = store.run(Recovery().run(LOCATION, window_block_count))
    assert len(active.view.shadow_copies) == 5


# -- when it cannot be done --------------------------------------------------------------------------------------


def test_without_a_store_nothing_is_written() -> None:
    disk = Disk(SECTOR_BYTES, [bytes(SECTOR_BYTES)] * 80)
    with pytest.raises(NotAStore):
        perform_inline(activate(LOCATION), [disk])
    assert set(disk.verbs()) == {"reserve", "flush", "read"}


def test_a_journal_without_room_is_refused() -> None:
    disk = formatted_disk()
    writer = JournalWriter(GEOMETRY, disk)
    while writer.blocks_left:
        writer.append(Takeover())
    before = list(disk.sectors)
    with pytest.raises(JournalFull):
        perform_inline(activate(LOCATION), [disk])
    assert disk.sectors == before


def test_a_slot_that_is_named_twice_is_refused_before_anything_is_written() -> None:
    disk = formatted_disk()
    shadow_copy = ShadowCopyId(1, 1)
    writer = JournalWriter(GEOMETRY, disk)
    writer.append(Created(shadow_copy, 0), Copied(shadow_copy, 0, 1, 1), Copied(shadow_copy, 2, 1, 1))
    before = list(disk.sectors)
    with pytest.raises(JournalDamaged, match="slot 1"):
        perform_inline(activate(LOCATION), [disk])
    assert disk.sectors == before


FAILURES: dict[str, tuple[type[Operation], int, DiskError]] = {
    "the fence": (Reserve, 0, WriteError("no")),
    "the first flush": (Flush, 0, FlushError("no")),
    "the last flush": (Flush, 1, FlushError("no")),
    "the takeover, each time": (Write, -1, WriteError("no")),
}


@pytest.mark.parametrize(("kind", "number", "error"), FAILURES.values(), ids=FAILURES)
def test_a_disk_error_ends_the_recovery(kind: type[Operation], number: int, error: DiskError) -> None:
    store = Store()
    shadow_copy, image = store.create(), store.volume()
    seen = [0]

    def fault(operation: Operation) -> DiskError | None:
        if type(operation) is not kind:
            return None
        seen[0] += 1
        return error if number in (-1, seen[0] - 1) else None

    store.disk.fails_instead = fault
    with pytest.raises(type(error)):
        store.run(activate(LOCATION))
    store.disk.behave()
    assert store.image(shadow_copy) == image


def test_a_read_error_ends_the_recovery() -> None:
    disk = formatted_disk()
    journal = GEOMETRY.journal_sectors
    disk.fails_instead = lambda operation: ReadError("no") if operation.sector in journal else None
    with pytest.raises(ReadError):
        perform_inline(activate(LOCATION), [disk])
    assert "write" not in disk.verbs()
