"""Turning the journal over: in the right order, over whatever a crash left, and for ever in a fixed space."""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import pytest

from shadowshare.protocol.active import Active
from shadowshare.protocol.checking import check_store
from shadowshare.protocol.errors import ActiveStopped, JournalFull, ReadError, ShadowCopyNotFound, WriteError
from shadowshare.protocol.geometry import Geometry
from shadowshare.protocol.layout import (
    Created,
    ShadowCopyId,
)
from shadowshare.protocol.operations import Operation, Write
from shadowshare.protocol.passive import Passive
from shadowshare.protocol.recovery import activate
from tests.protocol.journal_writer import JournalWriter
from tests.protocol.stores import (
    SECTOR_BYTES,
    Disk,
    Store,
    Tasks,
    contents_of,
    formatted_disk,
    freshly_loaded,
    is_block_write,
    location_of,
    sector_of,
    small_geometry,
)

TINY = small_geometry(half_block_count=4)


def generation_of(store: Store) -> int:
    return freshly_loaded(store.disk, store.geometry).cursor.generation


def places(geometry: Geometry, trace: Iterable[Operation]) -> list[str]:
    """Writes by half and position of the journal, with how many blocks; other operations by their verbs."""
    found = []
    for operation in trace:
        if is_block_write(geometry, operation):
            half, position = divmod(
                operation.sector - geometry.journal_sectors.start, geometry.half_block_count
            )
            found.append(f"write {half}:{position} x {operation.sector_count}")
        else:
            found.append(operation.verb)
    return found


# -- order -------------------------------------------------------------------------------------------------------


def test_checkpoint_flush_seal_flush_and_then_the_block() -> None:
    store = Store(TINY)
    store.create()
    store.disk.trace.clear()
    store.create()
    assert [one for one in places(TINY, store.disk.trace) if "read" not in one] == [
        "flush",  # of the volume, before a creation
        *("write 0:0 x 1", "flush", "write 1:2 x 1", "flush"),
        *("write 0:1 x 1", "flush"),
    ]


def test_the_last_part_is_written_when_the_others_are_durable() -> None:
    geometry = small_geometry(half_block_count=8)
    store = Store(geometry)
    while len(store.active.view.shadow_copies) < 25:
        store.create()
    at = generation_of(store)
    while generation_of(store) == at:
        store.disk.trace.clear()
        store.create()
    written = places(geometry, store.disk.trace)
    half = (generation_of(store) - 1) % 2
    first = written.index(f"write {half}:0 x 2")
    assert written[first : first + 4] == [
        f"write {half}:0 x 2",
        "flush",
        f"write {half}:2 x 1",
        "flush",
    ]


def test_only_the_first_turnover_of_an_active_looks_for_what_was_left() -> None:
    store = Store(TINY)
    reads = []
    for _ in range(5):
        store.disk.trace.clear()
        store.run(store.active.delete(store.create()))
        reads.append(store.disk.verbs().count("read"))
    assert reads == [1, 0, 0, 0, 0]


# -- for ever ----------------------------------------------------------------------------------------------------


class Life:
    """A store in which things happen at random, and what every shadow copy must hold."""

    def __init__(self, geometry: Geometry, seed: int) -> None:
        self.chance = random.Random(seed)
        self.store = Store(geometry)
        self.images: dict[ShadowCopyId, list[bytes]] = {}
        self.host = 0
        self.number = 5000

    def happen(self) -> None:
        """Something, or the deletion of the oldest shadow copy if there is no room for it in the journal."""
        try:
            self._try_something()
        except JournalFull:
            oldest = self.store.active.view.shadow_copies[0].id
            self.store.run(self.store.active.delete(oldest))
            del self.images[oldest]

    def _try_something(self) -> None:
        chance, store = self.chance, self.store
        draw = chance.random()
        if not self.images or (draw < 0.2 and len(self.images) < 3):
            self.images[store.create()] = store.volume()
        elif draw < 0.4:
            doomed = chance.choice(list(self.images))
            store.run(store.active.delete(doomed))
            del self.images[doomed]
        elif draw < 0.43:
            store.active = store.run(activate(location_of(store.geometry)))
        else:
            self.number += 1
            sector = chance.randrange(store.geometry.volume_sector_count - 1)
            store.write(sector, self.number, self.number)
        store.disk.trace.clear()

    def check(self, passive: Passive) -> None:
        """Every shadow copy that the passive is asked for has its image, however old the passive's view is."""
        if not self.images:
            self.store.run(passive.catch_up(), host=9)
        for shadow_copy, image in self.images.items():
            data = bytes(
                self.store.run(passive.read(shadow_copy, 0, self.store.geometry.volume_bytes), host=9)
            )
            assert data == b"".join(image)


@pytest.mark.parametrize("half_block_count", [4, 7])
def test_a_thousand_turnovers_with_slow_passives(half_block_count: int) -> None:
    life = Life(small_geometry(slot_count=32, half_block_count=half_block_count), seed=half_block_count)
    passives = [life.store.passive() for _ in range(6)]
    begun = step = 0
    while begun < 1000:
        life.happen()
        step += 1
        begun = life.store.active._journal.follower.cursor.generation
        if step % 40 == 0:
            slow = life.chance.choice(passives)
            life.check(slow)
            assert contents_of(slow.view) == contents_of(life.store.active.view)
    for passive in passives:
        life.check(passive)
    result = life.store.run(check_store(location_of(life.store.geometry)))
    assert result.is_intact
    used = sum(1 for _ in life.store.active.view.used_slots())
    assert life.store.active.free_slot_count == life.store.geometry.slot_count - used


# -- a power loss anywhere ---------------------------------------------------------------------------------------


def survive(disk: Disk, chance: random.Random) -> None:
    disk.lose_power()
    for sector in list(disk.undecided):
        disk.survive(sector, chance.randrange(len(disk.undecided[sector])))


@pytest.mark.parametrize("seed", range(6))
def test_a_power_loss_at_any_step_of_a_life_in_tiny_halves(seed: int) -> None:
    """The host stops after so many operations of a request, the disks keep what they like, and another one goes on.

    What was acknowledged is there; what was not is there or not; no slot is lost; and recovery may be interrupted too.
    """
    chance = random.Random(seed)
    store = Store(small_geometry(slot_count=10, half_block_count=4))
    images: dict[ShadowCopyId, list[bytes]] = {}
    passive = store.passive()
    for number in range(60):
        request = _request(store.active, images, chance, number)
        volume = store.volume()
        tasks = Tasks(store.disk, request)
        for _ in range(chance.randrange(14)):
            if tasks.waiting:
                tasks.step(0)
        if 0 in tasks.results and isinstance(tasks.results[0], ShadowCopyId):
            images[tasks.results[0]] = volume
        survive(store.disk, chance)
        interrupted = Tasks(store.disk, lambda: activate(location_of(store.geometry)))
        for _ in range(chance.randrange(16)):
            if interrupted.waiting:
                interrupted.step(0)
        survive(store.disk, chance)
        store.active = store.run(activate(location_of(store.geometry)))
        exist = [copy.id for copy in store.active.view.shadow_copies]
        for one in exist:
            images.setdefault(one, volume)
        for one in [one for one in images if one not in exist]:
            del images[one]
        for shadow_copy, image in images.items():
            assert store.image(shadow_copy) == image
            data = store.run(passive.read(shadow_copy, 0, store.geometry.volume_bytes), host=7)
            assert bytes(data) == b"".join(image)
        used = sum(1 for _ in store.active.view.used_slots())
        assert store.active.free_slot_count == store.geometry.slot_count - used
        assert store.run(check_store(location_of(store.geometry))).is_intact
    assert generation_of(store) > 40


def _request(
    active: Active, images: dict[ShadowCopyId, list[bytes]], chance: random.Random, number: int
) -> Callable[[], Coroutine[Any, Any, Any]]:
    if not images or (chance.random() < 0.3 and len(images) < 3):
        return active.create
    if len(images) == 3 or chance.random() < 0.2 or active.free_slot_count < 2:
        return lambda: active.delete(chance.choice(list(images)))
    sector = chance.randrange(15)
    return lambda: active.write(sector * SECTOR_BYTES, sector_of(9000 + number) * 2)


# -- what a crash left -------------------------------------------------------------------------------------------


def test_a_longer_checkpoint_that_was_abandoned_is_covered() -> None:
    """By another program, which made more parts of the same view: behind a shorter one they would be damage."""
    geometry = small_geometry(half_block_count=9)
    disk = formatted_disk(geometry)
    writer = JournalWriter(geometry, disk)
    writer.take_over()
    for counter in range(1, 6):
        writer.append(Created(ShadowCopyId(1, counter), 0))
    assert len(writer.checkpoint(records_per_part=1)) == 5
    disk.sectors[geometry.block_sector(2, 4)] = bytes(SECTOR_BYTES)
    store = Store(geometry, disk)
    slow = store.passive()
    store.create()
    assert freshly_loaded(disk, geometry).cursor.generation == 2
    assert len(store.passive().view.shadow_copies) == 6
    store.run(slow.catch_up(), host=1)
    assert contents_of(slow.view) == contents_of(store.active.view)
    assert store.run(check_store(location_of(geometry))).is_intact


def test_recovery_finishes_a_turnover_without_its_seal_for_those_who_follow() -> None:
    geometry = small_geometry(half_block_count=6)
    disk = formatted_disk(geometry)
    writer = JournalWriter(geometry, disk)
    writer.take_over()
    writer.append(Created(ShadowCopyId(1, 1), 0))
    follower = freshly_loaded(disk, geometry)
    writer.checkpoint()
    store = Store(geometry, disk)
    store.write(0, 77)
    assert generation_of(store) == 2
    store.run(follower.catch_up())
    assert contents_of(follower.view) == contents_of(store.active.view)


def test_a_half_that_an_earlier_version_filled_is_refused_unchanged() -> None:
    disk = formatted_disk(TINY)
    writer = JournalWriter(TINY, disk)
    while writer.blocks_left:
        writer.take_over()
    before = list(disk.sectors)
    with pytest.raises(JournalFull, match="format a store"):
        Store(TINY, disk)
    assert disk.sectors == before


# -- errors ------------------------------------------------------------------------------------------------------


def test_a_half_in_which_a_write_may_still_land_is_not_used_again() -> None:
    store = Store(TINY)
    failed: list[Operation] = []

    def fails_once(operation: Operation) -> WriteError | None:
        if is_block_write(TINY, operation) and not failed:
            failed.append(operation)
            return WriteError("no")
        return None

    store.disk.fails_after = fails_once
    shadow_copy = store.create()
    store.write(0, 1)
    with pytest.raises(ActiveStopped, match="may still land"):
        store.write(4, 1)
    late = failed[0]
    assert isinstance(late, Write)
    store.disk.behave()
    store.active = store.run(activate(location_of(TINY)), host=1)
    store.run(store.active.write(4 * SECTOR_BYTES, sector_of(2)), host=1)
    with pytest.raises(ShadowCopyNotFound):
        store.run(store.active.delete(ShadowCopyId(9, 9)), host=1)
    assert store.image(shadow_copy)[4] == sector_of(1004)


def test_an_error_while_looking_at_the_other_half_changes_nothing() -> None:
    store = Store(TINY)
    shadow_copy = store.create()
    store.active = store.run(activate(location_of(TINY)))
    free, volume = store.active.free_slot_count, store.volume()
    store.disk.fails_instead = lambda operation: ReadError("no") if operation.verb == "read" else None
    with pytest.raises(ReadError):
        store.run(store.active.delete(shadow_copy))
    journal = TINY.journal_sectors
    store.disk.fails_instead = lambda operation: (
        ReadError("no") if operation.verb == "read" and operation.sector in journal else None
    )
    with pytest.raises(ReadError):
        store.write(0, 1)
    assert (store.active.free_slot_count, store.volume()) == (free, volume)
    store.disk.behave()
    store.write(0, 1)
    assert store.image(shadow_copy) == volume
