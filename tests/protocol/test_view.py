"""The view equals a naive model that keeps for each shadow copy the place of every single extent."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shadowshare.protocol.errors import JournalDamaged, ShadowCopyInvalidated, ShadowCopyNotFound
from shadowshare.protocol.layout import (
    Checkpoint,
    Copied,
    Created,
    Deleted,
    Invalidated,
    Record,
    Seal,
    ShadowCopyId,
    Takeover,
)
from shadowshare.protocol.view import SHADOW_COPY_COUNT_MAXIMUM, View, look_up
from tests.protocol.stores import contents_of

EXTENT_COUNT = 6
SLOT_COUNT = 9

Image = dict[int, int]
"""Extent to slot; an extent that is not in it is in the volume."""


class ViewAgainstModel(RuleBasedStateMachine):
    """In the model a copy goes into the image of every shadow copy that still finds the extent in the volume."""

    def __init__(self) -> None:
        super().__init__()
        self.view = View(EXTENT_COUNT, SLOT_COUNT)
        self.images: dict[ShadowCopyId, Image | None] = {}
        self.deleted: list[ShadowCopyId] = []
        self.count = 0

    def newest(self) -> ShadowCopyId | None:
        newest = list(self.images)[-1] if self.images else None
        return None if newest is None or self.images[newest] is None else newest

    def named(self) -> set[int]:
        return {slot for image in self.images.values() if image is not None for slot in image.values()}

    @rule()
    def create(self) -> None:
        self.count += 1
        shadow_copy = ShadowCopyId(1, self.count)
        assert not self.view.apply(Created(shadow_copy, self.count))
        self.images[shadow_copy] = {}

    @precondition(lambda self: self.newest() is not None)
    @rule(extent=st.integers(0, EXTENT_COUNT - 1), count=st.integers(1, 3), data=st.data())
    def copy(self, extent: int, count: int, data: st.DataObject) -> None:
        newest = self.newest()
        assert newest is not None
        image = self.images[newest]
        assert image is not None
        named = self.named()
        slots = [
            slot for slot in range(SLOT_COUNT - count + 1) if named.isdisjoint(range(slot, slot + count))
        ]
        extents = range(extent, extent + count)
        if not slots or extents.stop > EXTENT_COUNT or any(one in image for one in extents):
            return
        slot = data.draw(st.sampled_from(slots))
        assert not self.view.apply(Copied(newest, extent, slot, count))
        for other in self.images.values():
            if other is not None:
                for offset, one in enumerate(extents):
                    other.setdefault(one, slot + offset)

    @precondition(lambda self: self.images)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        shadow_copy = data.draw(st.sampled_from(list(self.images)))
        before = self.named()
        freed = self.view.apply(Deleted(shadow_copy))
        del self.images[shadow_copy]
        self.deleted.append(shadow_copy)
        self.check_freed(freed, before)

    @rule()
    def invalidate(self) -> None:
        before = self.named()
        freed = self.view.apply(Invalidated())
        self.images = dict.fromkeys(self.images)
        self.check_freed(freed, before)

    def check_freed(self, freed: object, before: set[int]) -> None:
        assert isinstance(freed, list)
        assert len(freed) == len(set(freed))
        assert set(freed) == before - self.named()

    @rule(record=st.sampled_from([Takeover(), Seal(2, 1, bytes(8)), Checkpoint(1, 1)]))
    def note(self, record: Record) -> None:
        before = contents_of(self.view)
        assert not self.view.apply(record)
        assert contents_of(self.view) == before

    @invariant()
    def every_extent_is_found_where_it_is(self) -> None:
        for shadow_copy, image in self.images.items():
            if image is None:
                with pytest.raises(ShadowCopyInvalidated):
                    self.view.find(shadow_copy, 0)
                continue
            for extent in range(EXTENT_COUNT):
                assert self.view.find(shadow_copy, extent) == image.get(extent)
                assert look_up(self.view.tables(shadow_copy), extent) == image.get(extent)

    @invariant()
    def no_slot_is_named_twice(self) -> None:
        used = list(self.view.used_slots())
        assert len(used) == len(set(used)) == self.view.copied_extent_count()
        assert set(used) == self.named()

    @invariant()
    def the_shadow_copies_are_those_that_live(self) -> None:
        assert [copy.id for copy in self.view.shadow_copies] == list(self.images)
        assert (None if self.view.newest is None else self.view.newest.id) == self.newest()
        for shadow_copy in self.deleted:
            with pytest.raises(ShadowCopyNotFound):
                self.view.tables(shadow_copy)


TestViewAgainstModel = ViewAgainstModel.TestCase
TestViewAgainstModel.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


# -- what cannot be true -----------------------------------------------------------------------------------------

OLD, NEW, UNKNOWN = ShadowCopyId(1, 1), ShadowCopyId(1, 2), ShadowCopyId(3, 4)


def view_with_two() -> View:
    view = View(EXTENT_COUNT, SLOT_COUNT)
    for record in (Created(OLD, 0), Copied(OLD, 0, 0, 2), Created(NEW, 0), Copied(NEW, 0, 2, 1)):
        view.apply(record)
    return view


UNTRUE: dict[str, tuple[Record, str]] = {
    "a copy for an older one": (Copied(OLD, 3, 5, 1), "not the newest"),
    "a copy for nobody": (Copied(UNKNOWN, 3, 5, 1), "not the newest"),
    "a copy of nothing": (Copied(NEW, 3, 5, 0), "beyond"),
    "a copy of the extent behind the last": (Copied(NEW, EXTENT_COUNT, 5, 1), "beyond"),
    "a copy of the last extent and one more": (Copied(NEW, EXTENT_COUNT - 1, 5, 2), "beyond"),
    "a copy into the slot behind the last": (Copied(NEW, 3, SLOT_COUNT, 1), "beyond"),
    "a copy into the last slot and one more": (Copied(NEW, 3, SLOT_COUNT - 1, 2), "beyond"),
    "a copy of 2^32 - 1 extents": (Copied(NEW, 1, 4, 2**32 - 1), "beyond"),
    "a copy from the end of the world": (Copied(NEW, 2**64 - 1, 4, 1), "beyond"),
    "a copy to the end of the world": (Copied(NEW, 3, 2**64 - 1, 1), "beyond"),
    "a second copy": (Copied(NEW, 0, 5, 1), "second copy of extent 0"),
    "a creation again": (Created(OLD, 7), "twice"),
    "a deletion of nobody": (Deleted(UNKNOWN), "does not exist"),
}


@pytest.mark.parametrize(("record", "message"), UNTRUE.values(), ids=UNTRUE)
def test_a_record_that_cannot_be_true_is_refused(record: Record, message: str) -> None:
    view = view_with_two()
    before = contents_of(view)
    with pytest.raises(JournalDamaged, match=message):
        view.apply(record)
    assert contents_of(view) == before


def test_the_last_extent_and_the_last_slot_can_be_copied() -> None:
    view = view_with_two()
    view.apply(Copied(NEW, EXTENT_COUNT - 2, SLOT_COUNT - 2, 2))
    assert view.find(NEW, EXTENT_COUNT - 1) == SLOT_COUNT - 1


def test_an_invalidated_one_receives_no_copies() -> None:
    view = view_with_two()
    view.apply(Invalidated())
    with pytest.raises(JournalDamaged, match="not the newest"):
        view.apply(Copied(NEW, 3, 5, 1))


def test_there_are_only_so_many_shadow_copies() -> None:
    view = View(EXTENT_COUNT, SLOT_COUNT)
    for counter in range(SHADOW_COPY_COUNT_MAXIMUM):
        view.apply(Created(ShadowCopyId(1, counter), 0))
    with pytest.raises(JournalDamaged, match="more than"):
        view.apply(Created(UNKNOWN, 0))
    view.apply(Deleted(ShadowCopyId(1, 0)))
    view.apply(Created(UNKNOWN, 0))


def test_a_view_of_an_endless_store_takes_no_memory() -> None:
    view = View(2**48, 2**48)
    view.apply(Created(NEW, 0))
    view.apply(Copied(NEW, 2**48 - 1, 2**48 - 1, 1))
    assert view.copied_extent_count() == 1
