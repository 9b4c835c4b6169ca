"""The active computer: writes the volume, and copies an extent into the differential area before it changes.

Each touched extent that the newest shadow copy has no copy of is copied first (`shadowshare.protocol.copying`); only
then the volume is written.

An active begins by recovery (`shadowshare.protocol.recovery`) and holds a view that is durable: a record is taken into
it only after the flush that follows its block.
"""

from __future__ import annotations

from shadowshare.protocol.coordination import Gate
from shadowshare.protocol.copying import Copier
from shadowshare.protocol.errors import (
    ActiveStopped,
    DiskError,
    OutOfRange,
    ShadowCopyNotFound,
    TooManyShadowCopies,
)
from shadowshare.protocol.geometry import VOLUME_DEVICE, Geometry
from shadowshare.protocol.giving_way import check_settings
from shadowshare.protocol.growing import Grower
from shadowshare.protocol.journal_appender import JournalAppender
from shadowshare.protocol.layout import Created, Deleted, Settings, ShadowCopyId
from shadowshare.protocol.marks import Mark, reached
from shadowshare.protocol.operations import Buffer, Change, Discard, Flush, Read, Write, WriteZeroes
from shadowshare.protocol.reverting import REVERT_VERSION, Advance, Reverter, tell_nobody
from shadowshare.protocol.view import SHADOW_COPY_COUNT_MAXIMUM


class Active(Copier):
    """The active computer's access to a store. Make one with `shadowshare.protocol.recovery.activate`.

    Requests may be made by several tasks at once. After an error that leaves the journal in doubt every request that
    writes is refused with `ActiveStopped`: open the store again, which fences what may still be in flight.
    """

    reverter_class: type[Reverter] = Reverter
    grower_class: type[Grower] = Grower

    def __init__(self, journal: JournalAppender) -> None:
        super().__init__(journal)
        self._reverter = self.reverter_class(self)
        self._grower = self.grower_class(self)
        self._creation_count = 0
        self._writes = Gate()
        self._in_doubt: str | None = None

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
        """Bytes ``[offset, offset + length)`` of the live volume; while it is being reverted, of what it reverts to.

        Raises:
            OutOfRange: the range reaches beyond the volume.
            ReadError: the disk failed.
        """
        first, end = self.geometry.covering_sectors(offset, length)
        if not length:
            return b""
        if self.view.reverting is None:
            data = await Read(VOLUME_DEVICE, first, end - first)
        else:
            data = await self._read_while_reverting(first, end)
        start = offset - first * self.geometry.sector_bytes
        return data if len(data) == length else data[start : start + length]

    async def _read_while_reverting(self, first: int, end: int) -> Buffer:
        while (source := self.view.reverting) is not None:
            reached(Mark.READ_WHILE_REVERTING)
            data = await self._reverter.read(source, first, end)
            if self.view.reverting == source:
                return data
            # The slots that were read may have been used for others since.
            reached(Mark.REVERTED_DURING_READ)
        return await Read(VOLUME_DEVICE, first, end - first)

    async def write(self, offset: int, data: Buffer) -> None:
        """Write ``data`` to the live volume at ``offset``; both whole sectors.

        Raises:
            OutOfRange: not whole sectors, or beyond the volume.
            AreaFull, JournalFull: an extent could not be preserved; the volume was not changed. Extents that were
                preserved before it stay so, and keep their slots.
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
        if self.view.reverting is not None or not self._writes.try_enter():
            await self._enter()
        try:
            extent_sectors = self.geometry.extent_sectors
            first = operation.sector // extent_sectors
            last = (operation.sector + operation.sector_count - 1) // extent_sectors
            for extents in self._portions(range(first, last + 1)):
                if self._missing(extents):
                    await self._preserve(extents)
            await self._change_volume(operation)
        finally:
            self._writes.leave()

    async def _enter(self) -> None:
        """Begin a write, once nothing holds it and the volume holds what it is."""
        while True:
            if not self._writes.try_enter():
                reached(Mark.WRITE_HELD_BY_CREATION)
                await self._writes.enter()
            if self._stopped is None and self.view.reverting is None:
                return
            self._writes.leave()
            # What held this write may have stopped the active, and a block of it landed all the same.
            self._refuse_if_stopped()
            await self.finish_revert()

    async def _change_volume(self, operation: Change) -> None:
        """Change the volume; after an error the change may still land, and no image may depend on it."""
        try:
            await operation
        except DiskError as error:
            reached(Mark.VOLUME_IN_DOUBT)
            self._in_doubt = str(error)
            raise

    # -- shadow copies -------------------------------------------------------------------------------------------

    async def create(self, created_ns: int = 0) -> ShadowCopyId:
        """Create a shadow copy: its image is the volume as every write acknowledged before, and none begun after.

        Args:
            created_ns: wall-clock time to record, nanoseconds since 1970.

        Raises:
            TooManyShadowCopies, JournalFull: nothing was created.
            AreaFull, ReadError: a revert that was begun could not be finished first.
            DiskError: the disk failed; the shadow copy may exist.
            ActiveStopped: only recovery may write; or a write of the volume reported an error and could still land, in
                the image: recovery, which fences it, must come first.
        """
        await self.hold_writes()
        try:
            return await self.create_held(created_ns)
        finally:
            await self.let_writes_go_on()

    async def hold_writes(self) -> None:
        """Hold new writes, wait until those under way have ended, and be ready to create a shadow copy.

        Whoever calls this calls `let_writes_go_on` afterwards, unless this fails.

        Raises:
            TooManyShadowCopies, DiskError, ActiveStopped: as for `create`; no write is held.
        """
        self._refuse_if_stopped()
        await self._writes.close()
        try:
            self._refuse_in_doubt("create a shadow copy")
            await self._go_on_reverting()
            if len(self.view.shadow_copies) >= SHADOW_COPY_COUNT_MAXIMUM:
                raise TooManyShadowCopies(
                    f"the store has {SHADOW_COPY_COUNT_MAXIMUM} shadow copies: delete one first"
                )
            await self._or_stop(Flush(VOLUME_DEVICE))
        except BaseException:
            await self._writes.reopen()
            raise

    async def create_held(self, created_ns: int) -> ShadowCopyId:
        """Create a shadow copy while writes are held; see `create`."""
        self._creation_count += 1
        shadow_copy = ShadowCopyId(self._journal.epoch, self._creation_count)
        async with self._committing:
            await self._append([Created(shadow_copy, created_ns)])
        return shadow_copy

    async def let_writes_go_on(self) -> None:
        """Let the writes go on that `hold_writes` held."""
        await self._writes.reopen()

    async def delete(self, shadow_copy: ShadowCopyId) -> None:
        """Delete a shadow copy, the newest or any other. Its slots are reused only once this is durable.

        That to which the volume is being reverted is deleted when that is finished.

        Raises:
            ShadowCopyNotFound: there is none of this id.
            JournalFull: nothing was deleted.
            AreaFull, ReadError: a revert to it that was begun could not be finished first.
            DiskError: the disk failed; the shadow copy may be gone.
            ActiveStopped: only recovery may write.
        """
        self._refuse_if_stopped()
        while True:
            async with self._committing:
                if all(copy.id != shadow_copy for copy in self.view.shadow_copies):
                    raise ShadowCopyNotFound(f"there is no shadow copy {shadow_copy}")
                if self.view.reverting != shadow_copy:
                    await self._append([Deleted(shadow_copy)])
                    return
            reached(Mark.DELETION_WAITED_FOR_REVERT)
            await self.finish_revert()

    async def revert(self, shadow_copy: ShadowCopyId, advance: Advance = tell_nobody) -> None:
        """Make the volume the image of ``shadow_copy`` again, durably. Newer shadow copies keep theirs, too.

        Writes wait meanwhile, and reads are given the image. If this is interrupted, whoever wants to change the volume
        next finishes it first; see `shadowshare.protocol.reverting`. If it cannot be finished, because of an error, the
        volume can be reverted to another shadow copy instead.

        Args:
            shadow_copy: whose image it is to be.
            advance: told how many more bytes have been put back, of `changed_bytes`.

        Raises:
            ShadowCopyNotFound, ShadowCopyInvalidated, FormatTooOld: nothing was changed.
            AreaFull, JournalFull: there is no room for the copies that other shadow copies need; nothing was changed,
                unless a disk failed before.
            DiskError: the disk failed; the revert may have begun.
            ActiveStopped: only recovery may write; or a write of the volume reported an error and could still land.
        """
        self._refuse_if_stopped()
        self.geometry.require_version(
            REVERT_VERSION,
            "the volume cannot be reverted: export the shadow copy, and write it to the volume",
        )
        await self._writes.close()
        try:
            self._refuse_in_doubt("revert the volume")
            if self.view.reverting != shadow_copy:
                await self._reverter.begin(shadow_copy)
            await self._reverter.finish(advance)
        finally:
            await self._writes.reopen()

    def changed_bytes(self, shadow_copy: ShadowCopyId) -> int:
        """How much of the volume a revert to a shadow copy writes; raises as that does if there is none."""
        return self._reverter.changed_bytes(shadow_copy)

    async def finish_revert(self) -> None:
        """Finish a revert that was begun and interrupted, if there is one. Raises as `revert` does."""
        self._refuse_if_stopped()
        await self._writes.close()
        try:
            self._refuse_in_doubt("finish the revert of the volume")
            await self._go_on_reverting()
        finally:
            await self._writes.reopen()

    async def _go_on_reverting(self) -> None:
        if self.view.reverting is not None:
            reached(Mark.REVERT_RESUMED)
            await self._reverter.finish()

    def _refuse_in_doubt(self, request: str) -> None:
        """Refuse what must be sure of the volume, while a write that reported an error may still land in it."""
        if self._in_doubt is not None:
            reached(Mark.CREATION_REFUSED_IN_DOUBT)
            raise ActiveStopped(
                f"a write of the volume reported an error ({self._in_doubt}) and may still land: "
                f"open the store again before you {request}"
            )

    async def grow(self, area_sector_count: int) -> int:
        """Let the differential area have ``area_sector_count`` sectors, as its device has by now. Everything goes on.

        Returns:
            How many slots there are then.

        Raises:
            AreaInUse: it would shrink; nothing was changed.
            FormatTooOld, OutOfRange: it cannot be so large; nothing was changed.
            JournalFull: it is larger, but the new slots are not used.
            DiskError: the disk failed; the store may have grown. Its device may be too small.
            ActiveStopped: only recovery may write.
        """
        self._refuse_if_stopped()
        async with self._committing:
            self._refuse_if_stopped()
            await self._grower.grow(self._grower.plan(area_sector_count))
        return self.view.slot_count

    def plan_growth(self, area_sector_count: int) -> Geometry:
        """What `grow` would make of the store; raises as that does if it would be refused."""
        return self._grower.plan(area_sector_count)

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
