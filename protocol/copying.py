"""Copy on write: an extent that the newest shadow copy has no copy of is copied to a slot before it may change.

Take a slot; read the old extent; write the slot; flush; append COPIED; flush. Concurrent writers share one journal
block and two flushes (group commit), and a second writer of an extent that is being copied waits for that copy.
"""

from __future__ import annotations

from collections.abc import Sequence

from shadowshare.protocol.checkpoint import runs_of
from shadowshare.protocol.committing import Committer
from shadowshare.protocol.errors import AreaFull, DiskError, JournalFull, ReadError, WriteError
from shadowshare.protocol.geometry import VOLUME_DEVICE
from shadowshare.protocol.giving_way import who_gives_way
from shadowshare.protocol.journal_appender import JournalAppender
from shadowshare.protocol.layout import Copied, Record, ShadowCopyId
from shadowshare.protocol.marks import Mark, reached
from shadowshare.protocol.operations import Event, Flush, Read, Write, together


class _Publication:
    """Copies whose slots are written, on their way into the journal."""

    __slots__ = ("copies", "error", "is_done")

    def __init__(self, copies: list[tuple[int, int]]) -> None:
        self.copies = copies
        """Pairs of extent and slot."""
        self.is_done = False
        self.error: Exception | None = None


class Copier(Committer):
    """Preserves extents, for any number of writers at once.

    Attributes:
        copied_bytes_at_once: of old extents, at most, that one request has in memory and in flight (or one extent, if
            that is larger). A discard of a whole volume must not read the whole volume first.
    """

    copied_bytes_at_once = 16 * 1024 * 1024

    def __init__(self, journal: JournalAppender) -> None:
        super().__init__(journal)
        self._publications: list[_Publication] = []
        self._copying: dict[int, Event] = {}

    def _portions(self, extents: range) -> list[range]:
        """Ranges to preserve one after the other. What is preserved stays so: no creation comes before the write."""
        if len(extents) == 1:
            return [extents]
        geometry = self.geometry
        count = max(1, self.copied_bytes_at_once // (geometry.extent_sectors * geometry.sector_bytes))
        return [extents[start : start + count] for start in range(0, len(extents), count)]

    def _missing(self, extents: range) -> list[int]:
        """Those of ``extents`` of which the newest shadow copy, if there is one, has no copy."""
        newest = self.view.newest
        if newest is None:
            return []
        slot_of = newest.table.get
        return [extent for extent in extents if slot_of(extent) is None]

    async def _preserve(self, extents: range) -> None:
        """Return once none of ``extents`` is missing in the newest shadow copy."""
        while missing := self._missing(extents):
            elsewhere = {
                id(event): event for extent in missing if (event := self._copying.get(extent)) is not None
            }
            mine = [extent for extent in missing if extent not in self._copying]
            if mine:
                await self._copy(mine)
            for event in elsewhere.values():
                reached(Mark.WAITED_FOR_COPY)
                await event
            self._refuse_if_stopped()

    async def _copy(self, extents: list[int]) -> None:
        """Copy extents to free slots and publish the copies, or do what the policy says if that cannot be."""
        done = Event()
        self._copying.update(dict.fromkeys(extents, done))
        try:
            try:
                slots = self._allocator.allocate(len(extents))
                await self._fill(extents, slots)
            except (AreaFull, ReadError, WriteError) as failure:
                await self._give_way(failure, len(extents))
            else:
                await self._publish(list(zip(extents, slots, strict=True)))
        finally:
            for extent in extents:
                del self._copying[extent]
            done.set()

    async def _give_way(self, failure: AreaFull | ReadError | WriteError, slot_count: int) -> None:
        """Do what the policy says, durably, or raise ``failure``. What is missing is to be asked again then."""
        async with self._committing:
            self._refuse_if_stopped()
            records = who_gives_way(self.view, failure, slot_count <= self._allocator.free_count)
            if records:
                await self._append(records)

    async def _fill(self, extents: list[int], slots: list[int]) -> None:
        """Copy the extents' data into the slots. On failure the slots are given up."""
        geometry = self.geometry
        spans = [geometry.extent_span(extent) for extent in extents]
        try:
            old = await together([Read(VOLUME_DEVICE, *span) for span in spans])
        except DiskError:
            reached(Mark.OLD_EXTENT_UNREADABLE)
            self._allocator.release(slots)
            raise
        try:
            await together(
                [
                    Write(geometry.area_device, geometry.slot_sector(slot), sector_count, data)
                    for slot, (_, sector_count), data in zip(slots, spans, old, strict=True)
                ]
            )
        except DiskError:
            reached(Mark.SLOT_QUARANTINED)
            for slot in slots:
                self._allocator.quarantine(slot)
            raise

    async def _publish(self, copies: list[tuple[int, int]]) -> None:
        """Return once the journal durably names ``copies``; whoever comes first publishes for all who wait."""
        publication = _Publication(copies)
        self._publications.append(publication)
        async with self._committing:
            if not publication.is_done:
                group, self._publications = self._publications, []
                await self._publish_group(group)
        if publication.error is not None:
            raise publication.error

    async def _publish_group(self, group: Sequence[_Publication]) -> None:
        if len(group) > 1:
            reached(Mark.PUBLISHED_TOGETHER)
        error: Exception | None = None
        try:
            copies = [copy for publication in group for copy in publication.copies]
            await self._or_stop(Flush(self.geometry.area_device))
            await self._append_copies(copies)
        except Exception as failure:  # noqa: BLE001 - every writer of the group must hear of it
            error = failure
        for publication in group:
            publication.is_done = True
            publication.error = error

    async def _append_copies(self, copies: list[tuple[int, int]]) -> None:
        """Append COPIED records for the shadow copy that is newest now; drop copies that nobody needs any more."""
        newest = self.view.newest
        if newest is None:
            reached(Mark.COPY_FOR_NOBODY)
            self._allocator.release([slot for _, slot in copies])
            return
        table = newest.table
        useful = [copy for copy in copies if copy[0] not in table]
        if len(useful) < len(copies):
            reached(Mark.COPY_ALREADY_THERE)
            self._allocator.release([slot for extent, slot in copies if extent in table])
        records = _copied_records(newest.id, useful)
        try:
            for start in range(0, len(records), self._journal.record_capacity):
                await self._append(records[start : start + self._journal.record_capacity])
        except (JournalFull, ReadError):
            self._allocator.release([slot for extent, slot in useful if extent not in table])
            raise


def _copied_records(shadow_copy: ShadowCopyId, copies: list[tuple[int, int]]) -> list[Record]:
    """COPIED records for pairs of extent and slot; neighbours in both become one record."""
    return [Copied(shadow_copy, *run) for run in runs_of(sorted(copies))]
