"""Protocol bugs on purpose: a gate that does not find them proves nothing.

Each mutant is a small override of the real code. Its ``scenario`` is the one that is known to kill it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from shadowshare.models.computers import Implementation
from shadowshare.protocol.active import Active
from shadowshare.protocol.errors import FlushError, ShadowshareError, WriteError
from shadowshare.protocol.geometry import VOLUME_DEVICE
from shadowshare.protocol.journal import JournalFollower, Mark, Progress
from shadowshare.protocol.journal_appender import JournalAppender
from shadowshare.protocol.layout import Copied, Deleted, ShadowCopyId
from shadowshare.protocol.operations import Buffer, Change, Flush, Read, Write
from shadowshare.protocol.passive import Passive, Run
from shadowshare.protocol.recovery import Recovery
from shadowshare.protocol.table import Table


class UnknownMutant(ShadowshareError):
    """There is no mutant of this name."""


class Mutant(NamedTuple):
    """One bug.

    Attributes:
        name: lower case with hyphens.
        story: what is wrong.
        scenario: a built-in scenario that finds it.
        implementation: the code with the bug.
    """

    name: str
    story: str
    scenario: str
    implementation: Implementation


# -- the passive -------------------------------------------------------------------------------------------------


class _NoRecheck(Passive):
    def _settle(
        self,
        run: Run,
        buffer: Buffer,
        tables: Sequence[Table],
        progress: Progress,
        settled: dict[int, Buffer],
    ) -> list[tuple[int, int]]:
        if run.is_copied:
            return super()._settle(run, buffer, tables, progress, settled)
        settled[run.volume_sector] = buffer
        return []


class _EarlyRecheck(Passive):
    async def _read_runs(self, runs: Sequence[Run]) -> list[Buffer]:
        await self._journal.catch_up()
        return await super()._read_runs(runs)

    async def _determine_again(self, runs: Sequence[Run], mark: Mark) -> Progress:
        return self._journal.since(mark)


class _CachedRecheck(Passive):
    async def _determine_again(self, runs: Sequence[Run], mark: Mark) -> Progress:
        return Progress.ADVANCED


class _HitWithoutCatchUp(Passive):
    async def _determine_again(self, runs: Sequence[Run], mark: Mark) -> Progress:
        if all(run.is_copied for run in runs):
            return Progress.SAME
        return await super()._determine_again(runs, mark)


class _FirstRunOnly(Passive):
    async def _determine_again(self, runs: Sequence[Run], mark: Mark) -> Progress:
        self._first = runs[0]
        return await super()._determine_again(runs, mark)

    def _settle(
        self,
        run: Run,
        buffer: Buffer,
        tables: Sequence[Table],
        progress: Progress,
        settled: dict[int, Buffer],
    ) -> list[tuple[int, int]]:
        if run == self._first:
            return super()._settle(run, buffer, tables, progress, settled)
        settled[run.volume_sector] = buffer
        return []


class _HitSurvivesReload(Passive):
    async def _determine_again(self, runs: Sequence[Run], mark: Mark) -> Progress:
        progress = await super()._determine_again(runs, mark)
        return Progress.ADVANCED if progress is Progress.RELOADED else progress


class _OwnCatchUpOnly(Passive):
    async def _determine_again(self, runs: Sequence[Run], mark: Mark) -> Progress:
        return await self._journal.catch_up()


class _NewestTableOnly(Passive):
    def _cached_tables(self, shadow_copy: ShadowCopyId) -> Sequence[Table]:
        return super()._cached_tables(shadow_copy)[-1:]


class _OwnTableOnly(Passive):
    def _cached_tables(self, shadow_copy: ShadowCopyId) -> Sequence[Table]:
        return super()._cached_tables(shadow_copy)[:1]


class _TrustsItsLastBlock(JournalFollower):
    def _is_last_applied(self, raw: Buffer) -> bool:
        return True


class _LastBlockNotReadAgain(Passive):
    follower_class = _TrustsItsLastBlock


# -- the active --------------------------------------------------------------------------------------------------


class _EntryBeforeData(Active):
    async def _fill(self, extents: list[int], slots: list[int]) -> None:
        return

    async def _publish(self, copies: list[tuple[int, int]]) -> None:
        await super()._publish(copies)
        await super()._fill([extent for extent, _ in copies], [slot for _, slot in copies])


class _VolumeBeforeEntry(Active):
    async def _preserve(self, extents: range) -> None:
        newest = self.view.newest
        missing = [extent for extent in extents if newest is not None and extent not in newest.table]
        slots = self._allocator.allocate(len(missing))
        await self._fill(missing, slots)
        self._unpublished = list(zip(missing, slots, strict=True))

    async def _change(self, operation: Change) -> None:
        await super()._change(operation)
        if self._unpublished:
            await self._publish(self._unpublished)


class _NoFlushBeforeEntry(Active):
    async def _publish(self, copies: list[tuple[int, int]]) -> None:
        async with self._committing:
            await self._append_copies(copies)


class _CarelessAppender(JournalAppender):
    async def _write(self, sector: int, raw: bytes) -> None:
        with suppress(WriteError):
            await Write(self.follower.geometry.area_device, sector, 1, raw)


class _UnflushedAppender(JournalAppender):
    async def _flush(self) -> None:
        return


class _PartialCopy(Active):
    async def _change(self, operation: Change) -> None:
        self._touched = range(operation.sector, operation.sector + operation.sector_count)
        await super()._change(operation)

    async def _fill(self, extents: list[int], slots: list[int]) -> None:
        for extent, slot in zip(extents, slots, strict=True):
            first, sector_count = self.geometry.extent_span(extent)
            for sector in range(first, first + sector_count):
                if sector in self._touched:
                    data = await Read(VOLUME_DEVICE, sector, 1)
                    at = self.geometry.slot_sector(slot) + sector - first
                    await Write(self.geometry.area_device, at, 1, data)


class _FirstExtentOnly(Active):
    async def _preserve(self, extents: range) -> None:
        await super()._preserve(extents[:1])


class _DiscardWithoutCopy(Active):
    async def discard(self, offset: int, length: int) -> None:
        preserve, self._preserve = self._preserve, self._do_not_preserve  # type: ignore[method-assign]
        try:
            await super().discard(offset, length)
        finally:
            self._preserve = preserve  # type: ignore[method-assign]

    async def _do_not_preserve(self, extents: range) -> None:
        return


class _EarlyReuse(Active):
    async def delete(self, shadow_copy: ShadowCopyId) -> None:
        oldest = self.view.shadow_copies[0] if self.view.shadow_copies else None
        if oldest is None or oldest.id != shadow_copy:
            await super().delete(shadow_copy)
            return
        self._allocator.release(list(oldest.table.values()))
        async with self._committing:
            await self._journal.append([Deleted(shadow_copy)])


class _CreationWithoutDrain(Active):
    async def create(self, created_ns: int = 0) -> ShadowCopyId:
        inside, self._writes._inside_count = self._writes._inside_count, 0
        try:
            return await super().create(created_ns)
        finally:
            self._writes._inside_count += inside


class _CreationWithoutFlush(Active):
    async def _or_stop(self, flush: Flush) -> None:
        if self._writes.is_open:
            await super()._or_stop(flush)


class _CreationDespiteDoubt(Active):
    async def create(self, created_ns: int = 0) -> ShadowCopyId:
        self._in_doubt = None
        return await super().create(created_ns)


class _NoQuarantine(Active):
    async def _fill(self, extents: list[int], slots: list[int]) -> None:
        try:
            await super()._fill(extents, slots)
        except WriteError:
            self._allocator.release(slots)
            raise


class _RecordsForWhomItCopied(Active):
    async def _copy(self, extents: list[int]) -> None:
        self._copied_for = self.view.newest
        await super()._copy(extents)

    async def _append_copies(self, copies: list[tuple[int, int]]) -> None:
        assert self._copied_for is not None
        copied = [Copied(self._copied_for.id, extent, slot, 1) for extent, slot in copies]
        await self._append(copied)


class _GoesOnAfterFailedFlush(Active):
    async def _or_stop(self, flush: Flush) -> None:
        with suppress(FlushError):
            await flush


class _IgnoresCopyInProgress(Active):
    async def _preserve(self, extents: range) -> None:
        await super()._preserve(range(0) if any(extent in self._copying for extent in extents) else extents)


# -- recovery ----------------------------------------------------------------------------------------------------


class _NoTakeover(Recovery):
    async def _take_over(self, follower: JournalFollower) -> JournalAppender:
        if follower.cursor.epoch == 0:
            return await super()._take_over(follower)
        return JournalAppender(follower, follower.cursor.epoch)


class _NoFirstFlush(Recovery):
    async def _settle(self, devices: list[int]) -> None:
        return


class _NoFence(Recovery):
    async def _fence(self, devices: list[int]) -> None:
        return


class _CarelessJournal(Recovery):
    async def _take_over(self, follower: JournalFollower) -> JournalAppender:
        journal = await super()._take_over(follower)
        return _CarelessAppender(follower, journal.epoch)


class _UnflushedEntry(Recovery):
    async def _take_over(self, follower: JournalFollower) -> JournalAppender:
        journal = await super()._take_over(follower)
        return _UnflushedAppender(follower, journal.epoch)


def _passive(name: str, scenario: str, passive: type[Passive], story: str) -> Mutant:
    return Mutant(name, story, scenario, Implementation(passive=passive))


def _active(name: str, scenario: str, active: type[Active], story: str) -> Mutant:
    recovery = type(f"RecoveryFor{active.__name__}", (Recovery,), {"active_class": active})
    return Mutant(name, story, scenario, Implementation(recovery=recovery))


def _recovery(name: str, scenario: str, recovery: type[Recovery], story: str) -> Mutant:
    return Mutant(name, story, scenario, Implementation(recovery=recovery))


MUTANTS: tuple[Mutant, ...] = (
    _passive(
        "no-recheck", "reader-before-volume-read", _NoRecheck, "what was read from the volume is believed"
    ),
    _passive(
        "early-recheck",
        "reader-before-volume-read",
        _EarlyRecheck,
        "the re-check starts before the read ended",
    ),
    _passive(
        "cached-recheck",
        "reader-before-volume-read",
        _CachedRecheck,
        "the re-check asks the cached view only",
    ),
    _passive(
        "first-run-only",
        "batch-one-overwritten",
        _FirstRunOnly,
        "only the first extent of a batch is re-checked",
    ),
    _passive(
        "hit-without-catch-up", "slot-reuse-during-read", _HitWithoutCatchUp, "no catch-up after a slot read"
    ),
    _passive(
        "hit-survives-reload",
        "ghost-mapping-comes-back",
        _HitSurvivesReload,
        "a slot read is kept across a reload",
    ),
    _passive(
        "own-catch-up-only",
        "two-tasks-of-a-passive",
        _OwnCatchUpOnly,
        "what another task of the host caught up with is missed",
    ),
    _passive(
        "newest-table-only", "older-reads-forward", _NewestTableOnly, "only the newest table is looked up"
    ),
    _passive(
        "own-table-only",
        "creation-during-read",
        _OwnTableOnly,
        "only the shadow copy's own table is looked up",
    ),
    _passive(
        "last-block-not-read-again",
        "ghost-of-a-copy",
        _LastBlockNotReadAgain,
        "catch-up trusts the last applied block",
    ),
    _active(
        "entry-before-data",
        "reader-before-volume-read",
        _EntryBeforeData,
        "the journal names a slot not yet written",
    ),
    _active(
        "volume-before-entry",
        "reader-before-volume-read",
        _VolumeBeforeEntry,
        "the volume changes before the journal",
    ),
    _active(
        "no-flush-before-entry",
        "crash-before-volume-write",
        _NoFlushBeforeEntry,
        "no flush between slot and journal",
    ),
    _active(
        "partial-extent-copy", "partial-extent-write", _PartialCopy, "only the touched sectors are copied"
    ),
    _active(
        "first-extent-only",
        "partial-extent-write",
        _FirstExtentOnly,
        "a write across extents copies the first only",
    ),
    _active(
        "discard-without-copy", "discard-and-zeroes", _DiscardWithoutCopy, "a discard does not copy first"
    ),
    _active(
        "early-slot-reuse",
        "slot-reuse-before-deletion-is-durable",
        _EarlyReuse,
        "slots are free before a deletion is durable",
    ),
    _active(
        "creation-without-drain",
        "creation-with-writes-in-flight",
        _CreationWithoutDrain,
        "creation does not wait for writes",
    ),
    _active(
        "ignores-copy-in-progress",
        "two-writers-one-extent",
        _IgnoresCopyInProgress,
        "a second writer does not wait for the copy",
    ),
    _active(
        "creation-without-flush",
        "creation-and-power-loss",
        _CreationWithoutFlush,
        "creation does not flush the volume first",
    ),
    _active(
        "creation-despite-doubt",
        "write-error-lands-late",
        _CreationDespiteDoubt,
        "creation after a volume write that may still land",
    ),
    _active(
        "no-quarantine",
        "write-error-lands-late",
        _NoQuarantine,
        "a slot whose write reported an error is used again",
    ),
    _active(
        "records-for-whom-it-copied",
        "deletion-while-copying",
        _RecordsForWhomItCopied,
        "a copy is recorded for the shadow copy that was newest when it began",
    ),
    _active(
        "goes-on-after-failed-flush", "flush-fails", _GoesOnAfterFailedFlush, "a failed flush counts as done"
    ),
    _recovery(
        "ignores-journal-error",
        "journal-write-error-landed",
        _CarelessJournal,
        "a journal write that reported an error counts as done",
    ),
    _recovery(
        "no-flush-after-entry",
        "crash-before-volume-write",
        _UnflushedEntry,
        "no flush between journal and volume",
    ),
    _recovery("no-takeover", "ghost-of-a-creation", _NoTakeover, "recovery goes on in the old epoch"),
    _recovery(
        "no-first-flush", "recovery-is-interrupted", _NoFirstFlush, "recovery reads what may still vanish"
    ),
    _recovery("no-fence", "crash-before-journal", _NoFence, "recovery does not fence the crashed host"),
)


def mutant(name: str) -> Mutant:
    """The mutant of this name.

    Raises:
        UnknownMutant: there is none; the message lists those that are.
    """
    for candidate in MUTANTS:
        if candidate.name == name:
            return candidate
    raise UnknownMutant(f"there is no mutant {name!r}; there are: {', '.join(one.name for one in MUTANTS)}")
