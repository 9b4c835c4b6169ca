"""Bugs of what the active keeps account of: slots, ids, the order of journal blocks, and what a deletion leaves."""

from __future__ import annotations

from collections.abc import Sequence

from shadowshare.protocol.active import Active
from shadowshare.protocol.allocator import Allocator
from shadowshare.protocol.coordination import Mutex
from shadowshare.protocol.journal import JournalFollower
from shadowshare.protocol.journal_appender import JournalAppender
from shadowshare.protocol.layout import Copied, Deleted, ShadowCopyId
from shadowshare.protocol.passive import Passive
from shadowshare.protocol.recovery import Recovery
from shadowshare.protocol.view import View

# -- slots, ids, order -------------------------------------------------------------------------------------------


class OneSlotForTwo(Active):
    """Extents of one write are recorded in one slot."""

    async def _publish(self, copies: list[tuple[int, int]]) -> None:
        _, slot = copies[0]
        await super()._publish([(extent, slot) for extent, _ in copies])


class ForgetsUsedSlots(Active):
    """A new active takes every slot for free."""

    def __init__(self, journal: JournalAppender) -> None:
        super().__init__(journal)
        self._allocator = Allocator(self.geometry.slot_count, ())


class IdUsedAgain(Active):
    """A shadow copy gets the first number that is free."""

    async def create(self, created_ns: int = 0) -> ShadowCopyId:
        self._creation_count = len(self.view.shadow_copies)
        return await super().create(created_ns)


class OpenMutex(Mutex):
    """Lets everybody in."""

    async def __aenter__(self) -> None:
        return


class TwoAppendAtOnce(Active):
    """Two tasks may append to the journal at the same time."""

    def __init__(self, journal: JournalAppender) -> None:
        super().__init__(journal)
        self._committing = OpenMutex()


# -- views that go wrong, the active's and the passives' alike ---------------------------------------------------


class NothingPassedOn(View):
    """A deleted shadow copy takes its copies with it."""

    def _apply_deleted(self, record: Deleted) -> Sequence[int]:
        deleted = next(copy for copy in self.shadow_copies if copy.id == record.shadow_copy)
        self.shadow_copies.remove(deleted)
        return list(deleted.table.values())


class LastCopyCounts(View):
    """Of two copies of an extent the later one counts."""

    def _apply_copied(self, record: Copied) -> Sequence[int]:
        table = self.shadow_copies[-1].table
        for offset in range(record.extent_count):
            table[record.extent + offset] = record.slot + offset
        return ()


class CopiesAgain(Active):
    """A second write of an extent copies it again."""

    def _missing(self, extents: range) -> list[int]:
        return [] if self.view.newest is None else list(extents)

    async def _preserve(self, extents: range) -> None:
        await self._copy(list(extents))

    async def _append_copies(self, copies: list[tuple[int, int]]) -> None:
        newest = self.view.newest
        assert newest is not None
        await self._append([Copied(newest.id, extent, slot, 1) for extent, slot in copies])


class FollowerWithNothingPassedOn(JournalFollower):
    """Applies deletions wrongly."""

    view_class = NothingPassedOn


class PassiveWithNothingPassedOn(Passive):
    """Copies of a deleted shadow copy are lost for the older one."""

    follower_class = FollowerWithNothingPassedOn


class RecoveryWithNothingPassedOn(Recovery):
    """Slots of a deleted shadow copy are free, also those that the older one needs."""

    follower_class = FollowerWithNothingPassedOn


class FollowerOfLastCopies(JournalFollower):
    """Applies a second copy of an extent."""

    view_class = LastCopyCounts


class PassiveOfLastCopies(Passive):
    """Reads the later one of two copies."""

    follower_class = FollowerOfLastCopies


class RecoveryOfLastCopies(Recovery):
    """A second write of an extent copies it again."""

    active_class = CopiesAgain
    follower_class = FollowerOfLastCopies
