"""Reverting: the volume becomes the image of a shadow copy again, and every shadow copy keeps its own.

1. Hold new writes and wait until those under way have ended.
2. Append REVERTING; flush. From here on the volume *is* that image: whoever reads it is given the image, and whoever
   wants to change it has to finish first, also after a crash.
3. Put back every extent that may differ, as ordinary writes do: copied first for the newest shadow copy, if that has no
   copy of it. Flush the volume.
4. Append REVERTED; flush; let writes go on.

Where an extent of the image lies cannot change meanwhile: the shadow copy is not deleted, and deleting a later one
passes on what it needs. So whoever resumes puts everything back once more, with the same bytes; how far the one before
came need not be known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from shadowshare.protocol.changes import ExtentRun, changed_extents
from shadowshare.protocol.checkpoint import runs_of
from shadowshare.protocol.errors import AreaFull, JournalFull
from shadowshare.protocol.geometry import VOLUME_DEVICE
from shadowshare.protocol.layout import Copied, Record, Reverted, Reverting, ShadowCopyId
from shadowshare.protocol.marks import Mark, reached
from shadowshare.protocol.operations import Buffer, Flush, Read, Write, together
from shadowshare.protocol.view import View, look_up

if TYPE_CHECKING:
    from shadowshare.protocol.active import Active


REVERT_VERSION = 2
"""The first version of the format that has records for it."""


Advance = Callable[[int], None]
"""Told how many more bytes are done."""


def tell_nobody(_: int) -> None:
    """What is done is nobody's concern."""


class Reverter:
    """Reverts the volume for an active, whose writes are held meanwhile.

    Args:
        active: whose volume it is.
    """

    def __init__(self, active: Active) -> None:
        self._active = active
        self._geometry = active.geometry

    @property
    def _view(self) -> View:
        return self._active.view

    async def begin(self, shadow_copy: ShadowCopyId) -> None:
        """Make the image of ``shadow_copy`` the volume, though nothing of it has been put back yet.

        Raises:
            ShadowCopyNotFound, ShadowCopyInvalidated: it has no image; nothing was changed.
            AreaFull, JournalFull: there is no room for the copies that others need first; nothing was changed.
            DiskError: the disk failed; the revert may have begun.
        """
        # Together, or a deletion that comes in between could take the source away.
        async with self._active._committing:
            self._refuse_without_room(shadow_copy)
            await self._active._append([Reverting(shadow_copy)])

    async def finish(self, advance: Advance = tell_nobody) -> None:
        """Put everything back, from the beginning, if a revert has begun.

        Args:
            advance: told how many bytes of the volume have been put back since the last time.

        Raises:
            AreaFull, JournalFull, ReadError, WriteError: something could not be put back; it may be tried again.
            DiskError: the disk failed.
        """
        source = self._view.reverting
        if source is None:
            return
        for batch in self._batches(source):
            await self._put_back(source, batch)
            advance(len(batch) * self._geometry.extent_sectors * self._geometry.sector_bytes)
        await self._settle()
        await self._commit(Reverted(source))

    async def _commit(self, record: Record) -> None:
        async with self._active._committing:
            await self._active._append([record])

    def _refuse_without_room(self, shadow_copy: ShadowCopyId) -> None:
        """What is put back must not be lost for want of a slot when half of it is: nobody gives way to a revert."""
        active, newest = self._active, self._view.newest
        changed = changed_extents(self._view, shadow_copy, None)
        assert newest is not None
        needed = [
            extent
            for first, count in changed
            for extent in range(first, first + count)
            if extent not in newest.table
        ]
        if len(needed) > active.free_slot_count:
            reached(Mark.NO_ROOM_TO_REVERT)
            raise AreaFull(
                f"to revert to {shadow_copy}, {len(needed)} extents must be copied for shadow copy {newest.id} first, "
                f"but only {active.free_slot_count} slots are free: delete shadow copies to make room"
            )
        records: list[Record] = [Copied(newest.id, extent, 0, 1) for extent in needed]
        if not active._journal.budget.has_room(self._view, [Reverting(shadow_copy), *records]):
            raise JournalFull(
                f"to revert to {shadow_copy}, {len(needed)} extents must be copied first, and the journal is too "
                "small for a summary of so many copies: delete shadow copies"
            )

    # -- putting back --------------------------------------------------------------------------------------------

    def changed_bytes(self, source: ShadowCopyId) -> int:
        """How much of the volume is put back, in whole extents.

        Raises:
            ShadowCopyNotFound, ShadowCopyInvalidated: it has no image.
        """
        extent_bytes = self._geometry.extent_sectors * self._geometry.sector_bytes
        return extent_bytes * sum(run.extent_count for run in self._changed(source))

    def _changed(self, source: ShadowCopyId) -> list[ExtentRun]:
        """What may differ between the image and what is in the volume."""
        return changed_extents(self._view, source, None)

    def _batches(self, source: ShadowCopyId) -> Iterator[range]:
        for first, count in self._changed(source):
            yield from self._active._portions(range(first, first + count))

    async def _put_back(self, source: ShadowCopyId, extents: range) -> None:
        """Write the image of neighbouring extents to the volume, copied first for whoever lacks a copy."""
        await self._active._preserve(extents)
        tables = self._view.tables(source)
        pairs = [(extent, slot) for extent in extents if (slot := look_up(tables, extent)) is not None]
        reads, places = [], []
        for extent, slot, count in runs_of(pairs):
            sector, _ = self._geometry.extent_span(extent)
            last, last_count = self._geometry.extent_span(extent + count - 1)
            places.append((sector, last + last_count - sector))
            reads.append(Read(self._geometry.area_device, self._geometry.slot_sector(slot), places[-1][1]))
        for (sector, sector_count), data in zip(places, await together(reads), strict=True):
            await self._active._change_volume(Write(VOLUME_DEVICE, sector, sector_count, data))

    async def _settle(self) -> None:
        """What was put back must be durable before it counts as being in the volume."""
        await self._active._or_stop(Flush(VOLUME_DEVICE))

    # -- reading meanwhile ---------------------------------------------------------------------------------------

    async def read(self, source: ShadowCopyId, first: int, end: int) -> Buffer:
        """Sectors ``[first, end)`` of the volume while it is being reverted: of the image, wherever that lies."""
        geometry, tables = self._geometry, self._view.tables(source)
        reads = []
        while first < end:
            extent, within = divmod(first, geometry.extent_sectors)
            count = min(geometry.extent_sectors - within, end - first)
            slot = look_up(tables, extent)
            if slot is None:
                reads.append(Read(VOLUME_DEVICE, first, count))
            else:
                reads.append(Read(geometry.area_device, geometry.slot_sector(slot) + within, count))
            first += count
        return b"".join(await together(reads))
