"""What the active does when the disk reports errors: no image is lost, and after a doubt it does nothing more."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from shadowshare.protocol.errors import ActiveStopped, DiskError, Fenced, FlushError, ReadError, WriteError
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.protocol.operations import Flush, Operation, Read, Write
from shadowshare.protocol.recovery import activate
from tests.protocol.stores import GEOMETRY, Fault, Store, Tasks, is_block_write, location_of, sector_of

ERROR = WriteError("the device reported an error")


def fail(count: int, applies: Callable[[Operation], bool], error: DiskError = ERROR) -> Fault:
    """The next ``count`` operations that it applies to end with an error."""
    left = [count]

    def fault(operation: Operation) -> DiskError | None:
        if not left[0] or not applies(operation):
            return None
        left[0] -= 1
        return error

    return fault


def is_slot_write(operation: Operation) -> bool:
    return isinstance(operation, Write) and operation.sector >= GEOMETRY.slot_sector(0)


def is_volume_write(operation: Operation) -> bool:
    return isinstance(operation, Write) and operation.sector < GEOMETRY.volume_sector_count


def is_flush(operation: Operation) -> bool:
    return isinstance(operation, Flush)


def is_block(operation: Operation) -> bool:
    return is_block_write(GEOMETRY, operation)


class Written:
    """A store with a shadow copy and one extent copied, and its image."""

    def __init__(self) -> None:
        self.store = Store()
        self.image = self.store.volume()
        self.shadow_copy = self.store.create()
        self.store.write(0, 1)
        self.volume = self.store.volume()
        self.disk = self.store.disk
        self.disk.trace.clear()

    def check_stopped(self) -> None:
        """Every request is refused without an operation, the volume is as it was, and recovery puts all right."""
        active, data = self.store.active, bytes(512)
        self.disk.behave()
        self.disk.trace.clear()
        requests: list[Coroutine[Any, Any, Any]] = [
            active.write(0, data),
            active.write_zeroes(0, 512),
            active.discard(0, 512),
            active.flush(),
            active.create(),
            active.delete(self.shadow_copy),
        ]
        for request in requests:
            with pytest.raises(ActiveStopped, match="open the store again"):
                self.store.run(request)
        assert not self.disk.verbs()
        self.check_images()

    def check_images(self) -> None:
        assert self.store.volume() == self.volume
        self.store.active = self.store.run(activate(location_of(GEOMETRY)), host=3)
        assert self.store.image(self.shadow_copy) == self.image
        self.disk.reservation_holder = 0
        self.store.write(4, 9)
        assert self.store.image(self.shadow_copy) == self.image


# -- slots -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("landed", [False, True])
def test_a_slot_whose_write_failed_is_not_used_until_recovery(landed: bool) -> None:
    written = Written()
    store = written.store
    free = store.active.free_slot_count
    setattr(written.disk, "fails_after" if landed else "fails_instead", fail(1, is_slot_write))
    with pytest.raises(WriteError):
        store.write(2, 7)
    assert store.volume() == written.volume
    assert store.active.free_slot_count == free - 1
    quarantined = {operation.sector for operation in written.disk.trace if is_slot_write(operation)}
    written.disk.trace.clear()
    store.write(2, *range(14))
    used = {operation.sector for operation in written.disk.trace if is_slot_write(operation)}
    assert len(used) == 7
    assert used.isdisjoint(quarantined)
    assert store.image(written.shadow_copy) == written.image
    store.active = store.run(activate(location_of(GEOMETRY)))
    assert store.active.free_slot_count == GEOMETRY.slot_count - 8


def test_a_slot_is_free_again_when_the_old_extent_could_not_be_read() -> None:
    written = Written()
    free = written.store.active.free_slot_count
    written.disk.fails_instead = fail(
        1, lambda operation: isinstance(operation, Read), ReadError("bad sector")
    )
    with pytest.raises(ReadError):
        written.store.write(2, 7)
    assert written.store.active.free_slot_count == free
    assert written.store.volume() == written.volume
    written.store.write(2, 7)


def test_one_failed_slot_of_several_fails_the_write() -> None:
    written = Written()
    written.disk.fails_instead = fail(1, is_slot_write)
    with pytest.raises(WriteError):
        written.store.write(2, 7, 8, 9, 10)
    assert not [operation for operation in written.disk.trace if is_block(operation)]
    written.check_images()


# -- the journal -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("landed", [False, True])
@pytest.mark.parametrize("count", [1, 2])
def test_a_block_whose_write_failed_is_written_again(landed: bool, count: int) -> None:
    written = Written()
    setattr(written.disk, "fails_after" if landed else "fails_instead", fail(count, is_block))
    written.store.write(2, 7)
    writes = [operation for operation in written.disk.trace if is_block(operation)]
    assert len(writes) == count + 1
    assert len({operation.identity() for operation in writes}) == 1
    assert written.store.image(written.shadow_copy) == written.image


Request = Callable[[Written], Coroutine[Any, Any, Any]]
REQUESTS: dict[str, Request] = {
    "write": lambda written: written.store.active.write(1024, sector_of(7)),
    "create": lambda written: written.store.active.create(),
}


@pytest.mark.parametrize("landed", [False, True])
@pytest.mark.parametrize("request_name", REQUESTS)
def test_after_three_errors_only_recovery_may_write(request_name: str, landed: bool) -> None:
    written = Written()
    setattr(written.disk, "fails_after" if landed else "fails_instead", fail(3, is_block))
    with pytest.raises(WriteError):
        written.store.run(REQUESTS[request_name](written))
    written.check_stopped()


@pytest.mark.parametrize("flush_number", [0, 1])
@pytest.mark.parametrize("request_name", REQUESTS)
def test_after_a_failed_flush_only_recovery_may_write(request_name: str, flush_number: int) -> None:
    written = Written()
    flushes: list[Operation] = []

    def fault(operation: Operation) -> DiskError | None:
        if not is_flush(operation):
            return None
        flushes.append(operation)
        return FlushError("cache lost") if len(flushes) == flush_number + 1 else None

    written.disk.fails_instead = fault
    with pytest.raises(FlushError):
        written.store.run(REQUESTS[request_name](written))
    written.check_stopped()


def test_a_failed_flush_of_the_volume_stops_the_active() -> None:
    written = Written()
    written.disk.fails_instead = fail(1, is_flush, FlushError("cache lost"))
    with pytest.raises(FlushError):
        written.store.run(written.store.active.flush())
    written.check_stopped()


def test_a_deletion_that_may_have_landed_stops_the_active() -> None:
    written = Written()
    written.disk.fails_instead = fail(3, is_block)
    with pytest.raises(WriteError):
        written.store.run(written.store.active.delete(written.shadow_copy))
    written.check_stopped()


# -- the volume, and another active ------------------------------------------------------------------------------


@pytest.mark.parametrize("landed", [False, True])
def test_a_failed_write_of_the_volume_stops_nothing(landed: bool) -> None:
    written = Written()
    setattr(written.disk, "fails_after" if landed else "fails_instead", fail(1, is_volume_write))
    with pytest.raises(WriteError):
        written.store.write(2, 7)
    assert (written.store.volume()[2] == sector_of(7)) is landed
    written.store.write(2, 8)
    assert written.store.image(written.shadow_copy) == written.image


def test_no_shadow_copy_is_created_while_a_failed_write_may_still_land() -> None:
    """It would land in the image. Recovery fences it; then there is no doubt any more."""
    written = Written()
    written.disk.fails_instead = fail(1, is_volume_write)
    with pytest.raises(WriteError):
        written.store.write(2, 7)
    before = list(written.disk.sectors)
    with pytest.raises(ActiveStopped, match="may still land"):
        written.store.create()
    assert written.disk.sectors == before
    written.store.write(2, 8)
    written.store.active = written.store.run(activate(location_of(GEOMETRY)))
    image = written.store.volume()
    assert written.store.image(written.store.create()) == image


def test_an_active_that_was_replaced_is_fenced() -> None:
    written = Written()
    written.store.run(activate(location_of(GEOMETRY)), host=3)
    for sector in (0, 2):
        with pytest.raises(Fenced):
            written.store.write(sector, 7)
    assert written.store.volume() == written.volume


# -- whoever waited ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("has_copy", [False, True])
def test_a_write_held_by_a_creation_that_stops_the_active_is_refused(has_copy: bool) -> None:
    """The creation may have landed: a write now would change the image of a shadow copy that passives see."""
    store = Store()
    if has_copy:
        store.create()
        store.write(2, 6)
    store.disk.fails_after = fail(3, is_block)
    before = store.volume()
    tasks = Tasks(store.disk, store.active.create, lambda: store.active.write(1024, sector_of(7)))
    results = tasks.finish()
    assert results[0] == ERROR
    assert isinstance(results[1], ActiveStopped)
    assert store.volume() == before
    store.disk.behave()
    created = ShadowCopyId(1, 2 if has_copy else 1)
    assert store.image(created) == before


def test_writes_that_wait_for_a_copy_that_fails_make_their_own() -> None:
    written = Written()
    active = written.store.active
    written.disk.fails_instead = fail(1, is_slot_write)
    tasks = Tasks(
        written.disk, lambda: active.write(1024, sector_of(7)), lambda: active.write(1536, sector_of(8))
    )
    results = tasks.finish()
    assert results == {0: ERROR, 1: None}
    assert written.store.image(written.shadow_copy) == written.image


def test_all_writes_of_a_group_fail_with_their_block() -> None:
    written = Written()
    active = written.store.active
    written.disk.fails_instead = fail(3, is_block)
    tasks = Tasks(
        written.disk,
        *[lambda sector=sector: active.write(512 * sector, sector_of(7)) for sector in (2, 4, 6)],
    )
    for _ in range(2):
        for task in range(3):
            tasks.step(task)
    results = tasks.finish()
    assert all(isinstance(result, WriteError | ActiveStopped) for result in results.values())
    written.check_stopped()
