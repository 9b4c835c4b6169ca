"""Which slots of the differential area are free. Only the active needs to know."""

from __future__ import annotations

from collections.abc import Iterable

from shadowshare.protocol.errors import AreaFull, JournalDamaged
from shadowshare.protocol.marks import Mark, reached

_FREE = b"\0"


class Allocator:
    """Hands out free slots, next fit: from where the last one was taken onwards, then from the start.

    Next fit gives neighbouring extents neighbouring slots, and reuses a freed slot as late as it can.

    Args:
        slot_count: slots in the area.
        used: the slots that durable records name.

    Raises:
        JournalDamaged: a slot is named twice, or does not exist.
    """

    __slots__ = ("_cursor", "_quarantined", "_used", "free_count")

    def __init__(self, slot_count: int, used: Iterable[int]) -> None:
        self._used = bytearray(slot_count)
        self._cursor = 0
        self._quarantined: list[int] = []
        self.free_count = slot_count
        for slot in used:
            if not 0 <= slot < slot_count or self._used[slot]:
                raise JournalDamaged(f"the journal has two copies in slot {slot}, or the slot does not exist")
            self._used[slot] = 1
            self.free_count -= 1

    def allocate(self, slot_count: int) -> list[int]:
        """Take ``slot_count`` free slots.

        Raises:
            AreaFull: there are fewer; none was taken.
        """
        if slot_count > self.free_count:
            reached(Mark.AREA_FULL)
            raise AreaFull(
                f"the differential area has {self.free_count} free slots, {slot_count} are needed: "
                "delete shadow copies to make room"
            )
        slots = []
        for _ in range(slot_count):
            slot = self._used.find(_FREE, self._cursor)
            if slot < 0:
                reached(Mark.SLOT_SEARCH_WRAPPED)
                slot = self._used.find(_FREE)
            self._used[slot] = 1
            self._cursor = slot + 1
            slots.append(slot)
        self.free_count -= slot_count
        return slots

    def release(self, slots: Iterable[int]) -> None:
        """Give slots back that no durable record names any more, and no write in flight may still reach."""
        for slot in slots:
            self._used[slot] = 0
            self.free_count += 1

    def quarantine(self, slot: int) -> None:
        """Keep an allocated slot out of use until recovery: a write to it that reported an error may still land."""
        self._quarantined.append(slot)

    def grow(self, slot_count: int) -> None:
        """Have ``slot_count`` slots from now on; the new ones are free."""
        new_count = slot_count - len(self._used)
        self._used.extend(bytes(new_count))
        self.free_count += new_count

    def digest(self) -> tuple[object, ...]:
        """What the view does not tell of this allocator's state."""
        return (self._cursor, *self._quarantined)
