"""Several tasks of the active at once: they share blocks, wait for each other where they must, and keep every image."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shadowshare.protocol.errors import ShadowCopyNotFound
from shadowshare.protocol.layout import ShadowCopyId
from tests.protocol.stores import (
    GEOMETRY,
    Store,
    Tasks,
    contents_of,
    freshly_loaded,
    is_block_write,
    sector_of,
    small_geometry,
)

TaskFunction = Callable[[], Coroutine[Any, Any, Any]]


def writer(store: Store, sector: int, *numbers: int) -> TaskFunction:
    return lambda: store.active.write(512 * sector, b"".join(sector_of(number) for number in numbers))


def block_count(store: Store) -> int:
    return len(
        {operation.sector for operation in store.disk.trace if is_block_write(store.geometry, operation)}
    )


def test_writers_that_come_during_a_commit_share_the_next_block() -> None:
    store = Store()
    store.create()
    store.disk.trace.clear()
    tasks = Tasks(store.disk, *[writer(store, 2 * extent, extent) for extent in range(5)])
    for _ in range(2):
        for task in range(5):
            tasks.step(task)
    assert list(tasks.waiting) == [0]
    assert tasks.finish() == dict.fromkeys(range(5))
    assert block_count(store) == 2
    assert store.disk.verbs().count("flush") == 4
    assert len(list(store.active.view.used_slots())) == 5


def test_a_second_writer_of_an_extent_waits_for_its_copy() -> None:
    store = Store()
    shadow_copy, before = store.create(), store.volume()
    store.disk.trace.clear()
    tasks = Tasks(store.disk, writer(store, 0, 1), writer(store, 0, 2), writer(store, 1, 3, 4))
    tasks.finish()
    assert block_count(store) == 2
    assert len(list(store.active.view.used_slots())) == 2
    assert store.image(shadow_copy) == before


def test_a_creation_waits_for_writes_and_holds_new_ones() -> None:
    store = Store()
    tasks = Tasks(store.disk, writer(store, 0, 1), store.active.create, writer(store, 2, 2))
    assert list(tasks.waiting) == [0]
    tasks.step(0)
    assert list(tasks.waiting) == [1]
    image = store.volume()
    for _ in range(3):
        assert list(tasks.waiting) == [1]
        tasks.step(1)
    results = tasks.finish()
    assert image[0] == sector_of(1)
    assert store.image(results[1]) == image


STEPS = st.one_of(
    st.tuples(st.just("write"), st.integers(0, 15), st.integers(1, 5)),
    st.tuples(st.just("create"), st.just(0), st.just(0)),
    st.tuples(st.just("delete"), st.integers(0, 9), st.just(0)),
)


class Crowd:
    """Tasks that each carry out some steps, and the images that must come out."""

    def __init__(self, scripts: list[list[tuple[str, int, int]]]) -> None:
        self.store = Store(small_geometry(slot_count=40, half_block_count=60))
        self.images: dict[ShadowCopyId, list[bytes]] = {}
        self.number = 0
        self.tasks = Tasks(self.store.disk, *[self.function(script) for script in scripts])

    def function(self, script: list[tuple[str, int, int]]) -> TaskFunction:
        async def task() -> None:
            for verb, first, count in script:
                await self.carry_out(verb, first, count)

        return task

    async def carry_out(self, verb: str, first: int, count: int) -> None:
        active = self.store.active
        if verb == "create":
            shadow_copy = await active.create()
            self.images[shadow_copy] = self.store.volume()
        elif verb == "delete" and self.images:
            victim = list(self.images)[first % len(self.images)]
            self.images.pop(victim)
            try:
                await active.delete(victim)
            except ShadowCopyNotFound as error:
                raise AssertionError("nobody else deleted it") from error
        elif verb == "write":
            self.number += 1
            numbers = [100 * self.number + index for index in range(min(count, 16 - first))]
            await active.write(512 * first, b"".join(map(sector_of, numbers)))


@settings(max_examples=150)
@given(
    st.lists(st.lists(STEPS, max_size=5), min_size=2, max_size=4), st.lists(st.integers(0, 99), max_size=120)
)
def test_every_image_stays_what_it_was_at_its_creation(
    scripts: list[list[tuple[str, int, int]]], order: list[int]
) -> None:
    crowd = Crowd(scripts)
    store, tasks = crowd.store, crowd.tasks
    for number in order:
        if tasks.waiting:
            tasks.step(sorted(tasks.waiting)[number % len(tasks.waiting)])
    assert tasks.finish() == dict.fromkeys(range(len(scripts)))
    for shadow_copy, image in crowd.images.items():
        assert store.image(shadow_copy) == image
    assert [copy.id for copy in store.active.view.shadow_copies] == sorted(crowd.images)
    used = list(store.active.view.used_slots())
    assert len(used) == len(set(used))
    assert store.active.free_slot_count == store.geometry.slot_count - len(used)
    assert contents_of(freshly_loaded(store.disk, store.geometry).view) == contents_of(store.active.view)


def test_deleting_the_shadow_copy_that_is_being_copied_for_drops_the_copy() -> None:
    store = Store()
    shadow_copy = store.create()
    tasks = Tasks(store.disk, writer(store, 0, 1), lambda: store.active.delete(shadow_copy))
    tasks.step(0)
    tasks.step(1)
    tasks.step(1)
    assert tasks.finish() == {0: None, 1: None}
    assert store.active.free_slot_count == GEOMETRY.slot_count
    assert store.volume()[0] == sector_of(1)
