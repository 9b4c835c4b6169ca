"""The passive computer: reads shadow copies from the shared disk, with no lock, no message and no write.

A read looks the extents up in the cached view, reads each from its slot or from the volume, and *afterwards* determines
again, by one catch-up with the journal for the whole batch:

- read from the volume, and still not copied: the volume held the image while it was read, since the copy of an extent
  is published before the volume changes;
- read from a slot, still mapped to that slot, and no reload in between: the slot was not reused, since a slot is
  reused only after the record that frees it is published. A reload discards what was read from slots: the same mapping
  may have come back, after a power loss, with other bytes;
- anything else: discard what was read, and read that extent again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from shadowshare.protocol.changes import ExtentRun, changed_extents
from shadowshare.protocol.errors import ReadOnly, ShadowCopyInvalidated, ShadowCopyNotFound
from shadowshare.protocol.geometry import VOLUME_DEVICE, Geometry, Location
from shadowshare.protocol.journal import WINDOW_BLOCK_COUNT, Bookmark, Cursor, JournalFollower, Progress
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.protocol.marks import Mark, reached
from shadowshare.protocol.operations import Buffer, Read, together
from shadowshare.protocol.superblock import read_geometry
from shadowshare.protocol.table import Table
from shadowshare.protocol.view import View, look_up


class ByteRange(NamedTuple):
    """``length`` bytes of the volume from ``offset`` on."""

    offset: int
    length: int


class ShadowCopyInfo(NamedTuple):
    """What a passive can tell about a shadow copy."""

    id: ShadowCopyId
    created_ns: int
    is_valid: bool
    own_copy_count: int
    """Extents that were copied while it was the newest (or that it inherited from a deleted one)."""


class Run(NamedTuple):
    """Sectors of the volume whose image lies in consecutive sectors of one device, in one kind of place."""

    volume_sector: int
    sector_count: int
    device: int
    sector: int
    is_copied: bool


class _Request:
    """One byte range of a batch: the sectors that cover it, and what was read of them and proved right."""

    __slots__ = ("byte_range", "end", "first", "settled")

    def __init__(self, byte_range: ByteRange, first: int, end: int) -> None:
        self.byte_range = byte_range
        self.first = first
        self.end = end
        self.settled: dict[int, Buffer] = {}

    def cut(self, sector_bytes: int) -> Buffer:
        """The bytes of the range, without a copy if they were read in one piece."""
        parts, sector = [], self.first
        while sector < self.end:
            parts.append(self.settled[sector])
            sector += len(parts[-1]) // sector_bytes
        whole = parts[0] if len(parts) == 1 else b"".join(parts)
        start = self.byte_range.offset - self.first * sector_bytes
        if start == 0 and len(whole) == self.byte_range.length:
            return whole
        return whole[start : start + self.byte_range.length]


_Part = tuple[_Request, int, int]
"""A request, and the sectors of it that are still to be read: first and end."""


class Passive:
    """A passive computer's access to a store. Make one with `Passive.open`."""

    follower_class: type[JournalFollower] = JournalFollower

    def __init__(self, journal: JournalFollower) -> None:
        self.geometry: Geometry = journal.geometry
        self._journal = journal

    @classmethod
    async def open(cls, location: Location, window_block_count: int = WINDOW_BLOCK_COUNT) -> Passive:
        """Open the store at ``location`` for reading.

        Raises:
            StoreError: there is no store, or it is damaged.
            ReadError: the disk failed.
        """
        journal = cls.follower_class(await read_geometry(location), window_block_count)
        await journal.load()
        return cls(journal)

    @property
    def view(self) -> View:
        """What the journal said when it was last caught up with."""
        return self._journal.view

    @property
    def cursor(self) -> Cursor:
        """The last journal block taken in."""
        return self._journal.cursor

    def digest(self) -> tuple[object, ...]:
        """The whole state between two requests: what was applied since the last load, and the last block."""
        return (self._journal.digest, self._journal.cursor.checksum)

    # -- requests ------------------------------------------------------------------------------------------------

    async def catch_up(self) -> Progress:
        """Bring the cached view up to date."""
        return await self._journal.catch_up()

    async def shadow_copies(self) -> list[ShadowCopyInfo]:
        """The shadow copies that exist now, oldest first."""
        await self.catch_up()
        return [
            ShadowCopyInfo(copy.id, copy.created_ns, copy.is_valid, len(copy.table))
            for copy in self._journal.view.shadow_copies
        ]

    async def read(self, shadow_copy: ShadowCopyId, offset: int, length: int) -> Buffer:
        """Bytes ``[offset, offset + length)`` of a shadow copy."""
        return (await self.read_many(shadow_copy, [ByteRange(offset, length)]))[0]

    async def read_many(self, shadow_copy: ShadowCopyId, ranges: Sequence[ByteRange]) -> list[Buffer]:
        """Several byte ranges of a shadow copy, in one batch with one catch-up.

        Raises:
            ShadowCopyNotFound: there is no such shadow copy, or no longer.
            ShadowCopyInvalidated: its image is lost.
            OutOfRange: a range reaches beyond the volume; nothing was read.
            StoreError: the journal is damaged.
            ReadError: the disk failed.
        """
        wanted = [self._request(byte_range) for byte_range in ranges]
        try:
            tables = self._cached_tables(shadow_copy)
        except (ShadowCopyNotFound, ShadowCopyInvalidated):
            reached(Mark.SHADOW_COPY_NOT_IN_VIEW)
            await self.catch_up()
            tables = self._cached_tables(shadow_copy)
        pending = self._plan(tables, [(one, one.first, one.end) for one in wanted])
        while pending:
            bookmark = self._journal.bookmark()
            runs = [run for _, run in pending]
            buffers = await self._read_runs(runs)
            progress = await self._determine_again(runs, bookmark)
            tables = self._tables_again(shadow_copy)
            stale: list[_Part] = []
            for (one, run), buffer in zip(pending, buffers, strict=True):
                unproved = self._settle(run, buffer, tables, progress, one.settled)
                stale += [(one, first, end) for first, end in unproved]
            pending = self._plan(tables, stale)
        return [one.cut(self.geometry.sector_bytes) for one in wanted]

    async def changed(self, base: ShadowCopyId, target: ShadowCopyId | None = None) -> list[ExtentRun]:
        """Every extent that may differ between two shadow copies, or one and the volume: `changed_extents`.

        Compared with the volume, the answer has every extent that differed when this was called. What is written
        meanwhile may be in it or not.

        Args:
            base: a shadow copy.
            target: another one, older or newer; None is the volume.

        Raises:
            ShadowCopyNotFound, ShadowCopyInvalidated, StoreError, ReadError: as `read_many` does.
        """
        await self.catch_up()
        return changed_extents(self.view, base, target)

    async def write(self, offset: int, data: Buffer) -> None:
        """Refused.

        Raises:
            ReadOnly: always.
        """
        raise ReadOnly("a passive computer never writes: open the store as the active one")

    # -- the steps of a read -------------------------------------------------------------------------------------

    def _cached_tables(self, shadow_copy: ShadowCopyId) -> Sequence[Table]:
        return self._journal.view.tables(shadow_copy)

    def _tables_again(self, shadow_copy: ShadowCopyId) -> Sequence[Table]:
        """As `_cached_tables`, when data was read and the host caught up since."""
        try:
            return self._cached_tables(shadow_copy)
        except ShadowCopyNotFound:
            reached(Mark.DELETED_DURING_READ)
            raise

    async def _read_runs(self, runs: Sequence[Run]) -> list[Buffer]:
        return await together([Read(run.device, run.sector, run.sector_count) for run in runs])

    async def _determine_again(self, runs: Sequence[Run], bookmark: Bookmark) -> Progress:
        """Catch up by a read that starts after all of ``runs`` were read, wherever they were read from.

        Returns what happened since ``bookmark``, when the runs were planned: another task of this host may have
        caught up in between.
        """
        own = await self._journal.catch_up()
        progress = self._journal.since(bookmark)
        if progress is not own:
            reached(Mark.CAUGHT_UP_BY_ANOTHER_TASK)
        return progress

    def _settle(
        self,
        run: Run,
        buffer: Buffer,
        tables: Sequence[Table],
        progress: Progress,
        settled: dict[int, Buffer],
    ) -> list[tuple[int, int]]:
        """Keep what is proved right by volume sector; return the sector ranges that must be read again."""
        whole = (run.volume_sector, run.volume_sector + run.sector_count)
        if progress is Progress.SAME:
            settled[run.volume_sector] = buffer
            return []
        if run.is_copied and progress is Progress.RELOADED:
            reached(Mark.SLOT_DISCARDED_BY_RELOAD)
            return [whole]
        if self._runs_of(tables, *whole) == [run]:
            if progress is Progress.RELOADED:
                reached(Mark.VOLUME_KEPT_AFTER_RELOAD)
            settled[run.volume_sector] = buffer
            return []
        reached(Mark.COPIED_DURING_READ)
        stale = []
        size = self.geometry.sector_bytes
        parts = list(self._extents_of(*whole))
        for first, end in parts:
            part = Run(first, end - first, run.device, run.sector + first - run.volume_sector, run.is_copied)
            if self._runs_of(tables, first, end) == [part]:
                start = (first - run.volume_sector) * size
                settled[first] = buffer[start : start + (end - first) * size]
            else:
                stale.append((first, end))
        if len(stale) < len(parts):
            reached(Mark.KEPT_IN_PART)
        return stale

    # -- ranges and runs -----------------------------------------------------------------------------------------

    def _request(self, byte_range: ByteRange) -> _Request:
        return _Request(byte_range, *self.geometry.covering_sectors(*byte_range))

    def _extents_of(self, first: int, end: int) -> Iterable[tuple[int, int]]:
        """The sector range cut at extent boundaries."""
        extent_sectors = self.geometry.extent_sectors
        cuts = [first, *range((first // extent_sectors + 1) * extent_sectors, end, extent_sectors), end]
        return pairwise(cuts)

    def _plan(self, tables: Sequence[Table], parts: Iterable[_Part]) -> list[tuple[_Request, Run]]:
        return [(one, run) for one, first, end in parts for run in self._runs_of(tables, first, end)]

    def _runs_of(self, tables: Sequence[Table], first: int, end: int) -> list[Run]:
        """Where the image of a sector range lies, neighbours joined."""
        if first >= end:
            return []
        if not any(tables):
            return [Run(first, end - first, VOLUME_DEVICE, first, False)]
        runs: list[Run] = []
        for start, stop in self._extents_of(first, end):
            run = self._run_of(tables, start, stop)
            last = runs[-1] if runs else None
            if (
                last is not None
                and last.is_copied == run.is_copied
                and last.sector + last.sector_count == run.sector
            ):
                runs[-1] = last._replace(sector_count=last.sector_count + run.sector_count)
            else:
                runs.append(run)
        return runs

    def _run_of(self, tables: Sequence[Table], first: int, end: int) -> Run:
        """Where the image of sectors of one extent lies."""
        geometry = self.geometry
        extent, within = divmod(first, geometry.extent_sectors)
        slot = look_up(tables, extent)
        if slot is None:
            return Run(first, end - first, VOLUME_DEVICE, first, False)
        return Run(first, end - first, geometry.area_device, geometry.slot_sector(slot) + within, True)
