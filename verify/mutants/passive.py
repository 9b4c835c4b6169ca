"""Bugs of the passive: how it looks up, reads, and determines again."""

from __future__ import annotations

from collections.abc import Sequence

from shadowshare.protocol.errors import ReadError
from shadowshare.protocol.journal import Bookmark, JournalFollower, Progress
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.protocol.operations import Buffer
from shadowshare.protocol.passive import ByteRange, Passive, Run, ShadowCopyInfo
from shadowshare.protocol.table import Table


class NoRecheck(Passive):
    """What was read from the volume is believed."""

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


class VolumeWithoutCatchUp(Passive):
    """No catch-up after a read of the volume."""

    async def _determine_again(self, runs: Sequence[Run], bookmark: Bookmark) -> Progress:
        if not any(run.is_copied for run in runs):
            return Progress.SAME
        return await super()._determine_again(runs, bookmark)


class EarlyRecheck(Passive):
    """The re-check starts before the read ended."""

    async def _read_runs(self, runs: Sequence[Run]) -> list[Buffer]:
        await self._journal.catch_up()
        return await super()._read_runs(runs)

    async def _determine_again(self, runs: Sequence[Run], bookmark: Bookmark) -> Progress:
        return self._journal.since(bookmark)


class CachedRecheck(Passive):
    """The re-check asks the cached view only."""

    async def _determine_again(self, runs: Sequence[Run], bookmark: Bookmark) -> Progress:
        return Progress.ADVANCED


class HitWithoutCatchUp(Passive):
    """No catch-up after a slot read."""

    async def _determine_again(self, runs: Sequence[Run], bookmark: Bookmark) -> Progress:
        if all(run.is_copied for run in runs):
            return Progress.SAME
        return await super()._determine_again(runs, bookmark)


class HitCheckedBefore(Passive):
    """The catch-up for a slot read starts before the read ended."""

    async def _read_runs(self, runs: Sequence[Run]) -> list[Buffer]:
        if all(run.is_copied for run in runs):
            await self._journal.catch_up()
        return await super()._read_runs(runs)

    async def _determine_again(self, runs: Sequence[Run], bookmark: Bookmark) -> Progress:
        if all(run.is_copied for run in runs):
            return self._journal.since(bookmark)
        return await super()._determine_again(runs, bookmark)


class RetryWithoutRecheck(Passive):
    """A read that failed is done again, after the re-check."""

    _failed: list[Buffer] | None = None

    async def _read_runs(self, runs: Sequence[Run]) -> list[Buffer]:
        try:
            return await super()._read_runs(runs)
        except ReadError:
            self._failed = []
            return self._failed

    async def _determine_again(self, runs: Sequence[Run], bookmark: Bookmark) -> Progress:
        progress = await super()._determine_again(runs, bookmark)
        failed, self._failed = self._failed, None
        if failed is not None:
            failed += await super()._read_runs(runs)
        return progress


class FirstRunOnly(Passive):
    """Only the first extent of a batch is re-checked."""

    async def _determine_again(self, runs: Sequence[Run], bookmark: Bookmark) -> Progress:
        self._first = runs[0]
        return await super()._determine_again(runs, bookmark)

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


class HitSurvivesReload(Passive):
    """A slot read is kept across a reload."""

    async def _determine_again(self, runs: Sequence[Run], bookmark: Bookmark) -> Progress:
        progress = await super()._determine_again(runs, bookmark)
        return Progress.ADVANCED if progress is Progress.RELOADED else progress


class OwnCatchUpOnly(Passive):
    """What another task of the host caught up with is missed."""

    async def _determine_again(self, runs: Sequence[Run], bookmark: Bookmark) -> Progress:
        return await self._journal.catch_up()


class NewestTableOnly(Passive):
    """Only the newest table is looked up."""

    def _cached_tables(self, shadow_copy: ShadowCopyId) -> Sequence[Table]:
        return super()._cached_tables(shadow_copy)[-1:]


class ListOfBefore(Passive):
    """The re-check knows only the shadow copies of before the read."""

    _tables: Sequence[Table] | None = None

    async def read_many(self, shadow_copy: ShadowCopyId, ranges: Sequence[ByteRange]) -> list[Buffer]:
        self._tables = None
        return await super().read_many(shadow_copy, ranges)

    def _cached_tables(self, shadow_copy: ShadowCopyId) -> Sequence[Table]:
        if self._tables is None:
            self._tables = super()._cached_tables(shadow_copy)
        return self._tables


class OwnTableOnly(Passive):
    """Only the shadow copy's own table is looked up."""

    def _cached_tables(self, shadow_copy: ShadowCopyId) -> Sequence[Table]:
        return super()._cached_tables(shadow_copy)[:1]


class BookmarkNotRenewed(Passive):
    """A read that is repeated is judged by what happened since it was begun, and not since it was repeated."""

    def __init__(self, journal: JournalFollower) -> None:
        super().__init__(journal)
        self._begun: Bookmark | None = None

    async def read_many(self, shadow_copy: ShadowCopyId, ranges: Sequence[ByteRange]) -> list[Buffer]:
        self._begun = None
        return await super().read_many(shadow_copy, ranges)

    async def _determine_again(self, runs: Sequence[Run], bookmark: Bookmark) -> Progress:
        if self._begun is None:
            self._begun = bookmark
        return await super()._determine_again(runs, self._begun)


class ListsFromTheCache(Passive):
    """A list of the shadow copies is of when the host last read something."""

    async def shadow_copies(self) -> list[ShadowCopyInfo]:
        copies = self.view.shadow_copies
        return [ShadowCopyInfo(one.id, one.created_ns, one.is_valid, len(one.table)) for one in copies]


class ListsTheValidOnly(Passive):
    """A list of the shadow copies leaves out those that lost their image, so that nobody deletes them."""

    async def shadow_copies(self) -> list[ShadowCopyInfo]:
        return [one for one in await super().shadow_copies() if one.is_valid]
