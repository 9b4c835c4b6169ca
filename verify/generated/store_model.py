"""As much of a store as says which steps can be done before a race, and what may run out in it."""

from __future__ import annotations

from collections.abc import Iterable

from shadowshare.scenarios.definition import StoreShape
from shadowshare.verify.rules.room import record_count_maximum

SECTOR_BYTES_LEAST = 512
"""Larger sectors have room for more records."""


class StoreModel:
    """Shadow copies, slots and records of a checkpoint, counted.

    Each of the methods that stand for a step does it if it can be done, and says whether it was.

    Args:
        shape: of the store, in which an active has begun.
    """

    def __init__(self, shape: StoreShape) -> None:
        self.copies: dict[str, set[int]] = {}
        """By name, the oldest first: the extents that are copied."""
        self._record_count_maximum = record_count_maximum(shape.half_blocks, SECTOR_BYTES_LEAST)
        self.slot_count = self._free_slot_count = shape.slots
        """Slots that there are."""
        self._is_grown = False

    @property
    def free_record_count(self) -> int:
        """How many records may come to the journal before one is refused, at least."""
        used = len(self.copies) + sum(map(len, self.copies.values())) + 1 + self._is_grown
        return max(0, self._record_count_maximum - used)

    def create(self, name: str) -> bool:
        """Create a shadow copy."""
        if not self.free_record_count:
            return False
        self.copies[name] = set()
        return True

    def change(self, extents: Iterable[int]) -> bool:
        """Write, zero or discard some extents."""
        return not self.copies or self._copy(set(extents), self.free_record_count)

    def _copy(self, extents: set[int], record_count_maximum: int) -> bool:
        """Copy some extents for the newest shadow copy, if it has no copies of them."""
        newest = next(reversed(self.copies.values()))
        missing = extents - newest
        if len(missing) > min(self._free_slot_count, max(0, record_count_maximum)):
            return False
        newest |= missing
        self._free_slot_count -= len(missing)
        return True

    def revert(self, name: str) -> bool:
        """Revert the volume to a shadow copy: what was copied for it or a later one is put back."""
        names = list(self.copies)
        changed = set[int]().union(*(self.copies[later] for later in names[names.index(name) :]))
        has_room = self.free_record_count > 0
        return has_room and self._copy(changed, self.free_record_count - 1)

    def grow(self, slot_count: int) -> bool:
        """Let the differential area have so many slots; it does not shrink."""
        if slot_count < self.slot_count or not self.free_record_count:
            return False
        self._is_grown = self._is_grown or slot_count > self.slot_count
        self._free_slot_count += slot_count - self.slot_count
        self.slot_count = slot_count
        return True

    def delete(self, name: str) -> bool:
        """Delete a shadow copy; the next older one gets the copies that it lacks. This can always be done."""
        names = list(self.copies)
        position = names.index(name)
        freed = self.copies.pop(name)
        if position:
            older = self.copies[names[position - 1]]
            freed, merged = freed & older, freed - older
            older |= merged
        self._free_slot_count += len(freed)
        return True
