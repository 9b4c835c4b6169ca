"""The active computer: writes the volume, and copies an extent into the differential area before it changes.

For each touched extent that the newest shadow copy has no copy of: take a slot; read the old extent; write the slot;
flush; append COPIED; flush; only then write the volume. Concurrent writers share one journal block and two flushes
(group commit), and a second writer of an extent that is being copied waits for that copy.

An active begins by recovery (`shadowshare.protocol.recovery`) and holds a view that is durable: a record is taken into
it only after the flush that follows its block.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shadowshare.protocol.allocator import Allocator
from shadowshare.protocol.checkpoint import runs_of
from shadowshare.protocol.coordination import Gate, Mutex
from shadowshare.protocol.errors import (
    ActiveStopped,
    AreaFull,
    DiskError,
    JournalDamaged,
    JournalFull,
    OutOfRange,
    ReadError,
    ShadowCopyNotFound,
    TooManyShadowCopies,
    WriteError,
)
from shadowshare.protocol.geometry import VOLUME_DEVICE, Geometry
from shadowshare.protocol.giving_way import check_settings, who_gives_way
from shadowshare.protocol.journal_appender import JournalAppender
from shadowshare.protocol.layout import Copied, Created, Deleted, Record, Settings, ShadowCopyId
from shadowshare.protocol.marks import Mark, reached
from shadowshare.protocol.operations import (
    Buffer,
    Change,
    Discard,
    Event,
    Flush,
    Read,
    Write,
    WriteZeroes,
    together,
)
from shadowshare.protocol.view import SHADOW_COPY_COUNT_MAXIMUM, View


class _Publication:
    """Copies whose slots are written, on their way into the journal."""

    __slots__ = ("copies", "error", "is_done")

    def __init__(self, copies: list[tuple[int, int]]) -> None:
        self.copies = copies
        """Pairs of extent and slot."""
        self.is_done = False
        self.error: Exception | None = None


class Active:
    """The active computer's access to a store. Make one with `shadowshare.protocol.recovery.activate`.

    Requests may be made by several tasks at once. After an error that leaves the journal in doubt every request that
    writes is refused with `ActiveStopped`: open the store again, which fences what may still be in flight.
    """

    def __init__(self, journal: JournalAppender) -> None:
        self.geometry: Geometry = journal.follower.geometry
        self._journal = journal
        self._allocator = Allocator(self.geometry.slot_count, self.view.used_slots())
        self._creation_count = 0
        self._writes = Gate()
        self._committing = Mutex()
        self._publications: list[_Publication] = []
        self._copying: dict[int, Event] = {}
        self._stopped: str | None = None
        self._in_doubt: str | None = None

    @property
    def view(self) -> View:
        """What is durable in the journal."""
        return self._journal.follower.view

    @property
    def free_slot_count(self) -> int:
        """Slots that are free for copies."""
        return self._allocator.free_count

    def digest(self) -> tuple[object, ...]:
        """The whole state while no request is being carried out."""
        follower = self._journal.follower
        return (
            follower.digest,
            follower.cursor.checksum,
            self._journal.digest(),
            self._creation_count,
            self._allocator.digest(),
            self._stopped,
            self._in_doubt,
        )

    # -- the volume ----------------------------------------------------------------------------------------------

    async def read(self, offset: int, length: int) -> Buffer:
        """Bytes ``[offset, offset + length)`` of the live volume.

        Raises:
            OutOfRange: the range reaches beyond the volume.
            ReadError: the disk failed.
        """
        first, end = self.geometry.covering_sectors(offset, length)
        if not length:
            return b""
        data = await Read(VOLUME_DEVICE, first, end - first)
        start = offset - first * self.geometry.sector_bytes
        return data if len(data) == length else data[start : start + length]

    async def write(self, offset: int, data: Buffer) -> None:
        """Write ``data`` to the live volume at ``offset``; both whole sectors.

        Raises:
            OutOfRange: not whole sectors, or beyond the volume.
            AreaFull, JournalFull: an extent could not be preserved; the volume was not changed.
            DiskError: the disk failed; the write may have landed, shadow copies are intact.
            ActiveStopped: only recovery may write.
        """
        sector, sector_count = self._whole_sectors(offset, len(data))
        await self._change(Write(VOLUME_DEVICE, sector, sector_count, data))

    async def write_zeroes(self, offset: int, length: int) -> None:
        """Make whole sectors of the live volume zero. Raises as `write` does."""
        await self._change(WriteZeroes(VOLUME_DEVICE, *self._whole_sectors(offset, length)))

    async def discard(self, offset: int, length: int) -> None:
        """Discard whole sectors of the live volume, which read as zeroes then. Raises as `write` does."""
        await self._change(Discard(VOLUME_DEVICE, *self._whole_sectors(offset, length)))

    async def flush(self) -> None:
        """Make every write to the volume durable that was acknowledged before."""
        self._refuse_if_stopped()
        await self._or_stop(Flush(VOLUME_DEVICE))

    def _whole_sectors(self, offset: int, length: int) -> tuple[int, int]:
        size = self.geometry.sector_bytes
        if offset % size or length % size:
            raise OutOfRange(f"a write of {length} bytes at {offset} is not whole sectors of {size} bytes")
        first, end = self.geometry.covering_sectors(offset, length)
        return first, end - first

    async def _change(self, operation: Change) -> None:
        """Preserve what ``operation`` changes, then let it change the volume."""
        self._refuse_if_stopped()
        if not operation.sector_count:
            return
        if not self._writes.try_enter():
            reached(Mark.WRITE_HELD_BY_CREATION)
            await self._writes.enter()
        try:
            # Again: the creation that held this write may have stopped the active, and have landed all the same.
            self._refuse_if_stopped()
            extent_sectors = self.geometry.extent_sectors
            first = operation.sector // extent_sectors
            last = (operation.sector + operation.sector_count - 1) // extent_sectors
            extents = range(first, last + 1)
            if self._missing(extents):
                await self._preserve(extents)
            await self._change_volume(operation)
        finally:
            self._writes.leave()

    async def _change_volume(self, operation: Change) -> None:
        """Change the volume; after an error the change may still land, and no creation may come before it."""
        try:
            await operation
        except DiskError as error:
            reached(Mark.VOLUME_IN_DOUBT)
            self._in_doubt = str(error)
            raise

    # -- copy on write -------------------------------------------------------------------------------------------

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

    # -- shadow copies -------------------------------------------------------------------------------------------

    async def create(self, created_ns: int = 0) -> ShadowCopyId:
        """Create a shadow copy: its image is the volume as every write acknowledged before, and none begun after.

        Args:
            created_ns: wall-clock time to record, nanoseconds since 1970.

        Raises:
            TooManyShadowCopies, JournalFull: nothing was created.
            DiskError: the disk failed; the shadow copy may exist.
            ActiveStopped: only recovery may write; or a write of the volume reported an error and could still land, in
                the image: recovery, which fences it, must come first.
        """
        self._refuse_if_stopped()
        await self._writes.close()
        try:
            if self._in_doubt is not None:
                reached(Mark.CREATION_REFUSED_IN_DOUBT)
                raise ActiveStopped(
                    f"a write of the volume reported an error ({self._in_doubt}) and may still land: "
                    "open the store again before you create a shadow copy"
                )
            if len(self.view.shadow_copies) >= SHADOW_COPY_COUNT_MAXIMUM:
                raise TooManyShadowCopies(
                    f"the store has {SHADOW_COPY_COUNT_MAXIMUM} shadow copies: delete one first"
                )
            self._creation_count += 1
            shadow_copy = ShadowCopyId(self._journal.epoch, self._creation_count)
            await self._or_stop(Flush(VOLUME_DEVICE))
            async with self._committing:
                await self._append([Created(shadow_copy, created_ns)])
            return shadow_copy
        finally:
            await self._writes.reopen()

    async def delete(self, shadow_copy: ShadowCopyId) -> None:
        """Delete a shadow copy, the newest or any other. Its slots are reused only once this is durable.

        Raises:
            ShadowCopyNotFound: there is none of this id.
            JournalFull: nothing was deleted.
            DiskError: the disk failed; the shadow copy may be gone.
            ActiveStopped: only recovery may write.
        """
        self._refuse_if_stopped()
        async with self._committing:
            if all(copy.id != shadow_copy for copy in self.view.shadow_copies):
                raise ShadowCopyNotFound(f"there is no shadow copy {shadow_copy}")
            await self._append([Deleted(shadow_copy)])

    async def set_policy(self, settings: Settings) -> None:
        """Say what happens from now on when an extent cannot be copied.

        Raises:
            FormatTooOld, OutOfRange: the store, or the settings, cannot be so; nothing was changed.
            JournalFull: nothing was changed.
            DiskError: the disk failed; the settings may have changed.
            ActiveStopped: only recovery may write.
        """
        self._refuse_if_stopped()
        check_settings(self.geometry, settings)
        async with self._committing:
            await self._append([settings])

    # -- errors --------------------------------------------------------------------------------------------------

    async def _append(self, records: Iterable[Record]) -> None:
        """Append a block, take it in once it is durable, and only then let its freed slots be reused."""
        self._refuse_if_stopped()
        try:
            self._allocator.release(await self._journal.append(records))
        except ReadError:
            raise  # while looking at the half that is needed next: nothing was written
        except (DiskError, JournalDamaged, ActiveStopped) as error:
            reached(Mark.STOPPED_BY_JOURNAL)
            self._stopped = str(error)
            raise

    async def _or_stop(self, flush: Flush) -> None:
        """Flush; after a failed flush this active counts as crashed."""
        try:
            await flush
        except DiskError as error:
            reached(Mark.STOPPED_BY_FLUSH)
            self._stopped = str(error)
            raise

    def _refuse_if_stopped(self) -> None:
        if self._stopped is not None:
            reached(Mark.REFUSED_WHILE_STOPPED)
            raise ActiveStopped(
                f"this active stopped after an error ({self._stopped}): open the store again to recover it"
            )


def _copied_records(shadow_copy: ShadowCopyId, copies: list[tuple[int, int]]) -> list[Record]:
    """COPIED records for pairs of extent and slot; neighbours in both become one record."""
    return [Copied(shadow_copy, *run) for run in runs_of(sorted(copies))]
