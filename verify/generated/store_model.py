"""As much of a store as says which steps can be done before a race, and what may run out in it."""

from __future__ import annotations

from collections.abc import Iterable

from shadowshare.scenarios.definition import StoreShape

USED_BLOCK_COUNT = 2
"""Blocks of the journal that are written when the active has begun: by formatting, and its TAKEOVER."""

RESERVED_BLOCK_COUNT = 2
"""Blocks of a half of the journal that are kept for TAKEOVER and SEAL."""


class StoreModel:
    """Shadow copies, slots and journal blocks, counted.

    Each of the methods that stand for a step does it if it can be done, and says whether it was.

    Args:
        shape: of the store, in which an active has begun.
    """

    def __init__(self, shape: StoreShape) -> None:
        self.copies: dict[str, set[int]] = {}
        """By name, the oldest first: the extents that are copied."""
        self.free_block_count = shape.half_blocks - USED_BLOCK_COUNT - RESERVED_BLOCK_COUNT
        self._free_slot_count = shape.slots

    def create(self, name: str) -> bool:
        """Create a shadow copy."""
        if not self.free_block_count:
            return False
        self.free_block_count -= 1
        self.copies[name] = set()
        return True

    def change(self, extents: Iterable[int]) -> bool:
        """Write, zero or discard some extents."""
        newest = next(reversed(self.copies.values()), None)
        missing = set() if newest is None else set(extents) - newest
        if newest is None or not missing:
            return True
        if len(missing) > self._free_slot_count or not self.free_block_count:
            return False
        newest |= missing
        self._free_slot_count -= len(missing)
        self.free_block_count -= 1
        return True

    def delete(self, name: str) -> bool:
        """Delete a shadow copy; the next older one gets the copies that it lacks."""
        if not self.free_block_count:
            return False
        self.free_block_count -= 1
        names = list(self.copies)
        position = names.index(name)
        freed = self.copies.pop(name)
        if position:
            older = self.copies[names[position - 1]]
            freed, merged = freed & older, freed - older
            older |= merged
        self._free_slot_count += len(freed)
        return True
