"""What a checkpoint says: records that rebuild a view from nothing, and how many journal blocks they take.

A checkpoint is bounded by a half of the journal, so the view must be bounded too (`JournalBudget`): what the active
appends is refused early enough that whatever is deleted later, the view always fits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shadowshare.protocol.geometry import Geometry
from shadowshare.protocol.layout import (
    Copied,
    Created,
    Grown,
    Invalidated,
    Record,
    Reverting,
    Settings,
    record_capacity,
)
from shadowshare.protocol.view import DEFAULT_SETTINGS, View

RESERVED_BLOCK_COUNT = 2
"""Blocks at the end of each half that only a TAKEOVER and a SEAL may use."""


def checkpoint_records(view: View) -> Iterator[Record]:
    """Records that rebuild ``view``, as few as there are runs of copies."""
    if view.is_grown:
        yield Grown(view.slot_count)
    if view.settings != DEFAULT_SETTINGS:
        yield view.settings
    invalid = [copy for copy in view.shadow_copies if not copy.is_valid]
    for copy in invalid:
        yield Created(copy.id, copy.created_ns)
    if invalid:
        yield Invalidated()
    for copy in view.shadow_copies[len(invalid) :]:
        yield Created(copy.id, copy.created_ns)
        for extent, slot, extent_count in runs_of(copy.table.sorted_items()):
            yield Copied(copy.id, extent, slot, extent_count)
    if view.reverting is not None:
        yield Reverting(view.reverting)


def runs_of(copies: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
    """Extent, slot and length of each run in pairs of extent and slot by extent: neighbours in both."""
    first = first_slot = length = 0
    for extent, slot in copies:
        if length and (extent, slot) == (first + length, first_slot + length):
            length += 1
            continue
        if length:
            yield first, first_slot, length
        first, first_slot, length = extent, slot, 1
    if length:
        yield first, first_slot, length


def checkpoint_record_count(view: View) -> int:
    """How many `checkpoint_records` there are."""
    return sum(1 for _ in checkpoint_records(view))


class JournalBudget:
    """How many records a checkpoint may have, and whether more may be appended.

    A checkpoint leaves room for one more block and the reserved ones. Only half of that room is given to copies and
    creations: a run of a merged table begins and ends where a run of one of the tables did that were merged, so
    deletions at most double the runs that there are. Hence a deletion never needs to be refused.

    Args:
        geometry: the store's.
    """

    def __init__(self, geometry: Geometry) -> None:
        self.records_per_part = record_capacity(geometry.sector_bytes) - 1
        self.part_count_maximum = geometry.half_block_count - RESERVED_BLOCK_COUNT - 1
        self.record_count_maximum = self.part_count_maximum * self.records_per_part // 2
        self._known_count: int | None = None
        """No fewer records than the view takes; None when they must be counted anew."""

    def part_count(self, record_count: int) -> int:
        """Blocks that a checkpoint of so many records takes."""
        return max(1, -(-record_count // self.records_per_part))

    def has_room(self, view: View, records: Iterable[Record]) -> bool:
        """Whether ``records`` may be appended to the journal that means ``view``."""
        added = sum(
            1 for record in records if isinstance(record, Copied | Created | Settings | Reverting | Grown)
        )
        if not added:
            self._known_count = None  # a deletion may have made runs of runs
            return True
        most = view.copied_extent_count() + len(view.shadow_copies) + 4
        if most + added > self.record_count_maximum:
            if self._known_count is None or self._known_count + added > self.record_count_maximum:
                self._known_count = checkpoint_record_count(view)
            most = self._known_count
        if most + added > self.record_count_maximum:
            return False
        if self._known_count is not None:
            self._known_count += added
        return True
