"""Which extents changed: everything that differs is listed, whatever was created, deleted and written."""

from __future__ import annotations

import random

import pytest

from shadowshare.protocol.changes import ExtentRun, changed_extents, runs_of
from shadowshare.protocol.errors import ShadowCopyInvalidated, ShadowCopyNotFound
from shadowshare.protocol.layout import Invalidated, ShadowCopyId
from tests.protocol.stores import Store, small_geometry

GEOMETRY = small_geometry(slot_count=64, half_block_count=200)
EXTENTS = range(GEOMETRY.extent_count)


def extents_of(runs: list[ExtentRun]) -> set[int]:
    return {extent for first, count in runs for extent in range(first, first + count)}


def differing(one: list[bytes], other: list[bytes]) -> set[int]:
    return {sector // GEOMETRY.extent_sectors for sector in range(len(one)) if one[sector] != other[sector]}


@pytest.mark.parametrize("seed", range(12))
def test_what_differs_is_listed_and_nothing_that_was_not_written_since(seed: int) -> None:
    draw = random.Random(seed)
    store = Store(GEOMETRY)
    images: dict[ShadowCopyId, list[bytes]] = {}
    written: dict[ShadowCopyId, set[int]] = {}
    for step in range(30):
        verb = draw.choice(["create", "write", "write", "delete"])
        if verb == "create" or not images:
            made = store.create()
            images[made], written[made] = store.volume(), set()
        elif verb == "delete" and len(images) > 2:
            gone = draw.choice(list(images))
            store.run(store.active.delete(gone))
            del images[gone]
        else:
            sector = draw.randrange(GEOMETRY.volume_sector_count)
            store.write(sector, step)
            for base in images:
                written[base].add(sector // GEOMETRY.extent_sectors)
    passive = store.passive()
    for base, image in images.items():
        now = extents_of(store.run(passive.changed(base), host=1))
        assert differing(image, store.volume()) <= now
        assert now == written[base]
        for target, other in images.items():
            listed = extents_of(store.run(passive.changed(base, target), host=1))
            assert listed == extents_of(store.run(passive.changed(target, base), host=1))
            assert differing(image, other) <= listed <= written[min(base, target)]


def test_neighbours_are_one_run() -> None:
    assert runs_of([0, 1, 2, 5, 7, 8]) == [(0, 3), (5, 1), (7, 2)]
    assert runs_of([]) == []


def test_a_shadow_copy_and_itself() -> None:
    store = Store()
    shadow_copy = store.create()
    store.write(0, 1)
    assert changed_extents(store.active.view, shadow_copy, shadow_copy) == []


def test_an_unknown_or_invalidated_shadow_copy_is_refused() -> None:
    store = Store()
    old = store.create()
    passive = store.passive()
    with pytest.raises(ShadowCopyNotFound):
        store.run(passive.changed(old, ShadowCopyId(9, 9)), host=1)
    store.run(store.active._append([Invalidated()]))
    new = store.create()
    for base, target in ((old, None), (new, old), (old, new)):
        with pytest.raises(ShadowCopyInvalidated):
            store.run(passive.changed(base, target), host=1)


def test_one_read_of_the_journal_is_all_that_it_costs() -> None:
    store = Store()
    shadow_copy = store.create()
    passive = store.passive()
    store.run(passive.changed(shadow_copy), host=1)
    assert store.disk.verbs() == ["read"]
