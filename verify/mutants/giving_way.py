"""Bugs of what happens when an extent cannot be copied: who gives way, and when that is durable."""

from __future__ import annotations

from collections.abc import Sequence

from shadowshare.protocol.active import Active
from shadowshare.protocol.errors import AreaFull, JournalFull, ReadError, WriteError
from shadowshare.protocol.journal import JournalFollower
from shadowshare.protocol.layout import Deleted, Invalidated, Settings
from shadowshare.protocol.operations import Change
from shadowshare.protocol.passive import Passive
from shadowshare.protocol.policy import Policy
from shadowshare.protocol.recovery import Recovery
from shadowshare.protocol.view import View

Failure = AreaFull | ReadError | WriteError


class SlotsLostWithoutJournal(Active):
    """A write that is refused for want of room in the journal keeps the slots that it took."""

    async def _append_copies(self, copies: list[tuple[int, int]]) -> None:
        try:
            await super()._append_copies(copies)
        except JournalFull:
            self._allocator.allocate(len(copies))
            raise


class PolicyBeforeItsRecord(Active):
    """The policy is in force before the journal says so."""

    async def set_policy(self, settings: Settings) -> None:
        self.view.settings = settings
        await super().set_policy(settings)


class InvalidatesAfterwards(Active):
    """The volume changes before the shadow copies are invalidated."""

    _is_due = False

    async def _preserve(self, extents: range) -> None:
        try:
            await super()._preserve(extents)
        except AreaFull:
            self._is_due = True

    async def _give_way(self, failure: Failure, slot_count: int) -> None:
        raise failure

    async def _change(self, operation: Change) -> None:
        await super()._change(operation)
        if self._is_due and self.view.newest is not None:
            await self._append([Invalidated()])


class InvalidatesWithoutFlush(Active):
    """The volume changes before an invalidation is durable."""

    async def _give_way(self, failure: Failure, slot_count: int) -> None:
        journal = self._journal
        flush, journal._flush = journal._flush, self._do_not_flush  # type: ignore[method-assign]
        try:
            await super()._give_way(failure, slot_count)
        finally:
            journal._flush = flush  # type: ignore[method-assign]

    async def _do_not_flush(self) -> None:
        return


class GivesUpTheNewestOnly(Active):
    """Only the shadow copy that needs the copy gives way, and older ones that read through it do not."""

    async def _give_way(self, failure: Failure, slot_count: int) -> None:
        newest = self.view.newest
        async with self._committing:
            if newest is not None:
                await self._append([Deleted(newest.id)])


class ReusesBeforeItIsDurable(Active):
    """Room is made before the deletion of the oldest shadow copy is durable."""

    async def _give_way(self, failure: Failure, slot_count: int) -> None:
        oldest = self.view.shadow_copies[0]
        slots = list(oldest.table.values())
        self._allocator.release(slots)
        self._owed = Deleted(oldest.id)
        extents = [extent for extent in self._copying if extent not in oldest.table]
        taken = self._allocator.allocate(len(extents))
        await self._fill(extents, taken)
        async with self._committing:
            await self._journal.append([self._owed])
        await self._publish(list(zip(extents, taken, strict=True)))


class ForgetsThePolicy(View):
    """Knows the policy of formatting only."""

    def apply(self, record: object) -> Sequence[int]:
        return () if isinstance(record, Settings) else super().apply(record)  # type: ignore[arg-type]


class FollowerWithoutPolicy(JournalFollower):
    """Does not take in what the policy is."""

    view_class = ForgetsThePolicy


class PolicyOfBefore(Recovery):
    """A change of the policy is not followed."""

    follower_class = FollowerWithoutPolicy


class DeletesWhateverThePolicy(Active):
    """The oldest shadow copy is deleted, whatever the policy says."""

    async def _give_way(self, failure: Failure, slot_count: int) -> None:
        view = self.view
        settings, view.settings = view.settings, Settings(Policy.DELETE_OLDEST, 0)
        try:
            await super()._give_way(failure, slot_count)
        finally:
            view.settings = settings


class DeletesTwice(Active):
    """A writer that waited while another one made room deletes a shadow copy all the same."""

    async def _give_way(self, failure: Failure, slot_count: int) -> None:
        async with self._committing:
            newest = self.view.newest
            if newest is not None:
                oldest = next(copy for copy in self.view.shadow_copies if copy.is_valid)
                await self._append([Deleted(oldest.id)])


class IgnoresInvalidation(View):
    """Goes on to believe in a shadow copy that lost its image."""

    def _apply_invalidated(self) -> Sequence[int]:
        return ()


class FollowerThatIgnoresInvalidation(JournalFollower):
    """Does not take in that shadow copies lost their image."""

    view_class = IgnoresInvalidation


class ServesTheInvalidated(Passive):
    """A passive returns bytes of a shadow copy that lost its image."""

    follower_class = FollowerThatIgnoresInvalidation
