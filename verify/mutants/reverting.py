"""Bugs of reverting the volume: what is put back, when the journal says so, and what goes on meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from shadowshare.protocol.active import Active
from shadowshare.protocol.changes import ExtentRun, runs_of
from shadowshare.protocol.errors import AreaFull, ReadError, WriteError
from shadowshare.protocol.geometry import VOLUME_DEVICE
from shadowshare.protocol.layout import Created, Deleted, Record, Reverted, Reverting, ShadowCopyId
from shadowshare.protocol.operations import Buffer, Flush, Read
from shadowshare.protocol.reverting import Reverter
from shadowshare.protocol.turnover import Part, Turnover


class PutsBackFirst(Reverter):
    """The image is put back before the journal says that the volume is being reverted."""

    async def begin(self, shadow_copy: ShadowCopyId) -> None:
        for batch in self._batches(shadow_copy):
            await self._put_back(shadow_copy, batch)
        await super().begin(shadow_copy)


class CountsAsDoneTooEarly(Reverter):
    """A revert counts as done before what was put back is durable."""

    async def _settle(self) -> None:
        return


class PutsBackWithoutCopy(Reverter):
    """What is put back overwrites extents that newer shadow copies have no copy of."""

    async def _put_back(self, source: ShadowCopyId, extents: range) -> None:
        active = self._active
        active._preserve = self._do_not_preserve  # type: ignore[method-assign]
        await super()._put_back(source, extents)

    async def _do_not_preserve(self, extents: range) -> None:
        return


class PutsBackItsOwnCopiesOnly(Reverter):
    """Only what was copied while the shadow copy was the newest is put back."""

    def _changed(self, source: ShadowCopyId) -> list[ExtentRun]:
        return runs_of(sorted(self._view.tables(source)[0].keys()))


class ResumesBehindWhatWasCopied(Reverter):
    """Who goes on with a revert takes extents that the newest shadow copy has a copy of for put back."""

    _has_begun = False

    async def begin(self, shadow_copy: ShadowCopyId) -> None:
        self._has_begun = True
        await super().begin(shadow_copy)

    def _changed(self, source: ShadowCopyId) -> list[ExtentRun]:
        changed, newest = super()._changed(source), self._view.newest
        if self._has_begun or newest is None:
            return changed
        extents = [extent for first, count in changed for extent in range(first, first + count)]
        return runs_of([extent for extent in extents if extent not in newest.table])


class NeverDone(Reverter):
    """The journal never says that a revert is done."""

    async def _commit(self, record: Record) -> None:
        if not isinstance(record, Reverted):
            await super()._commit(record)


class BeginsWithoutRoom(Reverter):
    """A revert begins though there are not slots enough for the copies that it needs."""

    def _refuse_without_room(self, shadow_copy: ShadowCopyId) -> None:
        return


class LooksBeforeItsTurn(Reverter):
    """Whether the shadow copy is there is asked before its deletion, which is under way, has ended."""

    async def begin(self, shadow_copy: ShadowCopyId) -> None:
        self._refuse_without_room(shadow_copy)
        await self._commit(Reverting(shadow_copy))


class WritesInBetween(Active):
    """A write does not care for a revert that was interrupted."""

    async def _enter(self) -> None:
        self._refuse_if_stopped()
        await self._writes.enter()


class CreatesInBetween(Active):
    """A creation does not care for a revert that was interrupted."""

    async def create(self, created_ns: int = 0) -> ShadowCopyId:
        self._creation_count += 1
        shadow_copy = ShadowCopyId(self._journal.epoch, self._creation_count)
        await self._or_stop(Flush(VOLUME_DEVICE))
        async with self._committing:
            await self._append([Created(shadow_copy, created_ns)])
        return shadow_copy


class DeletesTheSource(Active):
    """A shadow copy is deleted though the volume is just being reverted to it."""

    async def delete(self, shadow_copy: ShadowCopyId) -> None:
        async with self._committing:
            await self._append([Deleted(shadow_copy)])


class ReadsWhatIsInTheVolume(Active):
    """The volume is read as it is in the middle of a revert."""

    async def _read_while_reverting(self, first: int, end: int) -> Buffer:
        return await Read(VOLUME_DEVICE, first, end - first)


class ReadsSlotsOfBefore(Active):
    """What was read from the slots of a revert's source is returned, though the revert is over by then."""

    async def _read_while_reverting(self, first: int, end: int) -> Buffer:
        source = self.view.reverting
        assert source is not None
        return await self._reverter.read(source, first, end)


class OthersGiveWay(Active):
    """Shadow copies give way to a revert as they do to a write, that to which it reverts among them."""

    reverter_class = BeginsWithoutRoom

    async def _give_way(self, failure: AreaFull | ReadError | WriteError, slot_count: int) -> None:
        view = self.view
        source, view.reverting = view.reverting, None
        try:
            await super()._give_way(failure, slot_count)
        finally:
            with suppress(AttributeError):
                view.reverting = source


class CheckpointWithoutRevert(Turnover):
    """A checkpoint does not say that the volume is being reverted."""

    def _parts(self, generation: int, part_count: int) -> Iterator[Part]:
        view = self._appender.follower.view
        source, view.reverting = view.reverting, None
        try:
            yield from super()._parts(generation, part_count)
        finally:
            view.reverting = source
