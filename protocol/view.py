"""The view: which shadow copies exist, and which extent of which one is in which slot.

It is a pure function of the journal, by `View.apply`. The active, the passives, recovery, the checker and the oracle
all use that one function.

Only the newest shadow copy receives copies. An older one reads forward: an extent's image is the first copy of it in
this shadow copy or a later one, else it is still in the volume.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shadowshare.protocol.errors import JournalDamaged, ShadowCopyInvalidated, ShadowCopyNotFound
from shadowshare.protocol.geometry import COUNT_MAXIMUM
from shadowshare.protocol.layout import (
    Copied,
    Created,
    Deleted,
    Grown,
    Invalidated,
    Record,
    Reverted,
    Reverting,
    Settings,
    ShadowCopyId,
)
from shadowshare.protocol.marks import Mark, reached
from shadowshare.protocol.policy import DEFAULT_POLICY, NO_WARNING_PERCENT
from shadowshare.protocol.table import Table

SHADOW_COPY_COUNT_MAXIMUM = 512
"""Bounds a look-up, which passes through the tables from an older shadow copy to the newest."""


DEFAULT_SETTINGS = Settings(DEFAULT_POLICY, NO_WARNING_PERCENT)
"""Of a store whose journal says nothing else."""


class ShadowCopy:
    """One shadow copy: its id, when it was created, and its own copies."""

    __slots__ = ("created_ns", "id", "is_valid", "table")

    def __init__(self, shadow_copy: ShadowCopyId, created_ns: int, extent_count: int) -> None:
        self.id = shadow_copy
        self.created_ns = created_ns
        self.is_valid = True
        self.table = Table(extent_count)


class View:
    """What the journal says up to some block.

    Args:
        extent_count: extents in the volume.
        slot_count: slots that formatting made in the differential area.
    """

    __slots__ = (
        "_chains",
        "_copy_count",
        "_extent_count",
        "is_grown",
        "reverting",
        "settings",
        "shadow_copies",
        "slot_count",
    )

    def __init__(self, extent_count: int, slot_count: int) -> None:
        self._extent_count = extent_count
        self.slot_count = slot_count
        """Slots that there are."""
        self.is_grown = False
        """Whether these are more than formatting made."""
        self._copy_count = 0
        self._chains: dict[ShadowCopyId, tuple[Table, ...]] = {}
        self.shadow_copies: list[ShadowCopy] = []
        """In order of creation. The invalidated ones are the oldest."""
        self.settings = DEFAULT_SETTINGS
        """What happens when an extent cannot be copied."""
        self.reverting: ShadowCopyId | None = None
        """The shadow copy whose image the volume is, while it is being put back; else None."""

    # -- questions -----------------------------------------------------------------------------------------------

    @property
    def newest(self) -> ShadowCopy | None:
        """The shadow copy that receives copies, if there is a valid one."""
        if self.shadow_copies and self.shadow_copies[-1].is_valid:
            return self.shadow_copies[-1]
        return None

    def tables(self, shadow_copy: ShadowCopyId) -> tuple[Table, ...]:
        """The tables to look an extent up in: of this shadow copy, then of each later one.

        Raises:
            ShadowCopyNotFound: no such shadow copy exists.
            ShadowCopyInvalidated: it exists, but its image is lost.
        """
        chain = self._chains.get(shadow_copy)
        if chain is None:
            chain = self._chains[shadow_copy] = self._chain(shadow_copy)
        return chain

    def _chain(self, shadow_copy: ShadowCopyId) -> tuple[Table, ...]:
        for index, candidate in enumerate(self.shadow_copies):
            if candidate.id == shadow_copy:
                if not candidate.is_valid:
                    raise ShadowCopyInvalidated(
                        f"shadow copy {shadow_copy} lost its image: it can only be deleted"
                    )
                return tuple([later.table for later in self.shadow_copies[index:]])
        raise ShadowCopyNotFound(f"there is no shadow copy {shadow_copy}: it was deleted, or never created")

    def find(self, shadow_copy: ShadowCopyId, extent: int) -> int | None:
        """The slot that holds the shadow copy's image of an extent; None if the volume still does.

        Raises:
            ShadowCopyNotFound: no such shadow copy exists.
            ShadowCopyInvalidated: it exists, but its image is lost.
        """
        return look_up(self.tables(shadow_copy), extent)

    def used_slots(self) -> Iterator[int]:
        """Every slot that a copy is in."""
        for shadow_copy in self.shadow_copies:
            yield from shadow_copy.table.values()

    def copied_extent_count(self) -> int:
        """How many copies there are, of all shadow copies together."""
        return sum(len(shadow_copy.table) for shadow_copy in self.shadow_copies)

    @property
    def is_area_low(self) -> bool:
        """Whether as many slots are used as the store's users want to be warned of."""
        percent = self.settings.warning_percent
        return 0 < percent <= 100 * self.copied_extent_count() / self.slot_count

    # -- change --------------------------------------------------------------------------------------------------

    def apply(self, record: Record) -> Sequence[int]:
        """Take in the next record of the journal. Records that concern only the journal itself change nothing.

        Returns:
            The slots that became free.

        Raises:
            JournalDamaged: the record cannot be true after those before it.
        """
        if isinstance(record, Copied):
            return self._apply_copied(record)
        self._chains.clear()
        self._refuse_while_reverting(record)
        if isinstance(record, Created):
            return self._apply_created(record)
        freed: Sequence[int] = ()
        if isinstance(record, Deleted):
            freed = self._apply_deleted(record)
        elif isinstance(record, Invalidated):
            freed = self._apply_invalidated()
        elif isinstance(record, Settings):
            self.settings = record
        elif isinstance(record, Grown):
            self._apply_grown(record)
        elif isinstance(record, Reverting):
            self.reverting = record.shadow_copy
        elif isinstance(record, Reverted):
            self.reverting = None
        self._copy_count -= len(freed)
        return freed

    def _refuse_while_reverting(self, record: Record) -> None:
        """The image that is being put back stays, and what is half put back becomes no image."""
        source = self.reverting
        if isinstance(record, Reverted):
            is_true = record.shadow_copy == source
        elif isinstance(record, Reverting):
            is_true = any(copy.id == record.shadow_copy and copy.is_valid for copy in self.shadow_copies)
        else:
            is_true = source is None or not (
                isinstance(record, Created | Invalidated) or record == Deleted(source)
            )
        if not is_true:
            raise JournalDamaged(f"the journal has {record}, while the volume is being reverted to {source}")

    def _apply_copied(self, record: Copied) -> Sequence[int]:
        shadow_copy, extent, slot, count = record
        newest = self.newest
        if newest is None or newest.id != shadow_copy:
            raise JournalDamaged(
                f"the journal has a copy for {shadow_copy}, which is not the newest shadow copy"
            )
        if not (0 < count <= self._extent_count - extent and count <= self.slot_count - slot):
            raise JournalDamaged(f"the journal has a copy beyond the volume or the slots: {record}")
        if self._copy_count + count > self.slot_count:
            raise JournalDamaged(f"the journal has more copies than there are slots: {record}")
        self._copy_count += count
        table = newest.table
        for offset in range(count):
            if extent + offset in table:
                raise JournalDamaged(
                    f"the journal has a second copy of extent {extent + offset} for {shadow_copy}"
                )
            table[extent + offset] = slot + offset
        return ()

    def _apply_created(self, record: Created) -> Sequence[int]:
        if any(shadow_copy.id == record.shadow_copy for shadow_copy in self.shadow_copies):
            raise JournalDamaged(f"the journal creates shadow copy {record.shadow_copy} twice")
        if len(self.shadow_copies) >= SHADOW_COPY_COUNT_MAXIMUM:
            raise JournalDamaged(f"the journal creates more than {SHADOW_COPY_COUNT_MAXIMUM} shadow copies")
        self.shadow_copies.append(ShadowCopy(record.shadow_copy, record.created_ns, self._extent_count))
        return ()

    def _apply_deleted(self, record: Deleted) -> Sequence[int]:
        ids = [shadow_copy.id for shadow_copy in self.shadow_copies]
        if record.shadow_copy not in ids:
            raise JournalDamaged(
                f"the journal deletes shadow copy {record.shadow_copy}, which does not exist"
            )
        index = ids.index(record.shadow_copy)
        shadow_copy = self.shadow_copies.pop(index)
        older = self.shadow_copies[index - 1] if index else None
        if older is None or not older.is_valid:
            return list(shadow_copy.table.values())
        return _pass_to_older(shadow_copy, older)

    def _apply_grown(self, record: Grown) -> None:
        if not self.slot_count < record.slot_count <= COUNT_MAXIMUM:
            raise JournalDamaged(
                f"the journal says that {self.slot_count} slots have grown to {record.slot_count}"
            )
        self.slot_count, self.is_grown = record.slot_count, True

    def _apply_invalidated(self) -> Sequence[int]:
        reached(Mark.SHADOW_COPIES_INVALIDATED)
        freed = list(self.used_slots())
        for shadow_copy in self.shadow_copies:
            shadow_copy.is_valid = False
            shadow_copy.table = Table(self._extent_count)
        return freed


def look_up(tables: Sequence[Table], extent: int) -> int | None:
    """The first slot in ``tables`` for an extent; None if it is in none of them."""
    for table in tables:
        slot = table.get(extent)
        if slot is not None:
            return slot
    return None


def _pass_to_older(deleted: ShadowCopy, older: ShadowCopy) -> list[int]:
    """Give ``older`` the copies it lacks; the rest of the deleted one's slots are free.

    Walks the smaller of the two tables.
    """
    copy_count = len(deleted.table)
    freed = _merge(deleted, older)
    if freed:
        reached(Mark.COPY_SUPERSEDED_BY_OLDER)
    if len(freed) < copy_count:
        reached(Mark.COPY_PASSED_TO_OLDER)
    return freed


def _merge(deleted: ShadowCopy, older: ShadowCopy) -> list[int]:
    freed = []
    if len(deleted.table) <= len(older.table):
        for extent, slot in deleted.table.items():
            if extent in older.table:
                freed.append(slot)
            else:
                older.table[extent] = slot
        return freed
    for extent, slot in older.table.items():
        if extent in deleted.table:
            freed.append(deleted.table[extent])
        deleted.table[extent] = slot
    older.table = deleted.table
    return freed
