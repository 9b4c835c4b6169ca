"""What a checkpoint says, and that it always fits in a half of the journal."""

from __future__ import annotations

import random

from shadowshare.protocol.checkpoint import (
    JournalBudget,
    checkpoint_record_count,
    checkpoint_records,
)
from shadowshare.protocol.layout import (
    Checkpoint,
    Copied,
    Created,
    Deleted,
    Invalidated,
    Reverted,
    Reverting,
    Settings,
    ShadowCopyId,
)
from shadowshare.protocol.policy import POLICIES
from shadowshare.protocol.view import View
from tests.protocol.journal_writer import JournalWriter
from tests.protocol.stores import contents_of, formatted_disk, freshly_loaded, small_geometry


def rebuilt(view: View) -> View:
    copy = View(1000, 1000)
    for record in checkpoint_records(view):
        copy.apply(record)
    return copy


def test_a_checkpoint_rebuilds_the_view() -> None:
    chance = random.Random(3)
    view = View(1000, 1000)
    free = list(range(1000))
    for counter in range(1, 40):
        view.apply(Created(ShadowCopyId(1, counter), counter))
        newest = view.newest
        assert newest is not None
        for _ in range(chance.randrange(8)):
            extent = chance.randrange(1000)
            if extent not in newest.table:
                view.apply(Copied(newest.id, extent, free.pop(0), 1))
        if counter % 11 == 0:
            view.apply(Invalidated())
            view.apply(Settings(chance.choice(POLICIES), counter))
        if chance.random() < 0.4:
            free += view.apply(Deleted(chance.choice(view.shadow_copies).id))
        if counter % 5 == 0 and view.newest is not None:
            view.apply(Reverting(view.newest.id))
            assert rebuilt(view).reverting == view.reverting == view.newest.id
            assert checkpoint_record_count(view) == len(list(checkpoint_records(view)))
            view.apply(Reverted(view.newest.id))
        assert contents_of(rebuilt(view)) == contents_of(view)
        assert rebuilt(view).settings == view.settings
        assert checkpoint_record_count(view) == len(list(checkpoint_records(view)))


def test_neighbours_become_one_record() -> None:
    view = View(1000, 1000)
    one = ShadowCopyId(1, 1)
    view.apply(Created(one, 0))
    for extent, slot in ((5, 10), (4, 9), (6, 11), (7, 20), (9, 21)):
        view.apply(Copied(one, extent, slot, 1))
    assert list(checkpoint_records(view))[1:] == [
        Copied(one, 4, 9, 3),
        Copied(one, 7, 20, 1),
        Copied(one, 9, 21, 1),
    ]


def test_what_was_admitted_fits_whatever_is_deleted() -> None:
    """The worst case: deletions that cut the runs of an older table by those of a newer one."""
    geometry = small_geometry(volume_sector_count=400, extent_sectors=1, slot_count=600, half_block_count=8)
    for seed in range(4):
        chance = random.Random(seed)
        budget, view = JournalBudget(geometry), View(400, 600)
        slot, refused = 0, 0
        for counter in range(1, 200):
            record: Created | Copied = Created(ShadowCopyId(1, counter), 0)
            if counter % 6 != 1 and view.newest is not None:
                length = chance.randrange(1, 30)
                extent = chance.randrange(370)
                if slot + length > 600 or any(
                    one in view.newest.table for one in range(extent, extent + length)
                ):
                    continue
                record = Copied(view.newest.id, extent, slot, length)
            if not budget.has_room(view, [record]):
                refused += 1
                continue
            view.apply(record)
            slot += getattr(record, "extent_count", 0)
        assert refused
        while view.shadow_copies:
            assert budget.part_count(checkpoint_record_count(view)) <= budget.part_count_maximum
            doomed = chance.choice(view.shadow_copies[1:] or view.shadow_copies).id
            assert budget.has_room(view, [Deleted(doomed)])
            view.apply(Deleted(doomed))


def test_parts_without_records_are_parts() -> None:
    """What covers an abandoned checkpoint says nothing but which part it is."""
    geometry = small_geometry(half_block_count=9)
    disk = formatted_disk(geometry)
    writer = JournalWriter(geometry, disk)
    writer.take_over()
    for position in range(3):
        writer.last = writer.put(position, Checkpoint(position + 1, 3), generation=2)
    assert freshly_loaded(disk, geometry).cursor.generation == 2
