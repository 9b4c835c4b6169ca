"""An active of one's own, put through the gate: first as one would naively write it, then mended.

    shadowshare gate --implementation own_active:naive      # violated, with a schedule that shows it
    shadowshare gate --implementation own_active:careful    # verified

It does one request after the other, and copies one extent at a time: slow, and easy to follow. How the journal is read
and appended to is the protocol's own code. The gate asks little of an active: a class whose `run` makes it, and the
methods of `NaiveActive` that have no underscore.
"""

from __future__ import annotations

from enum import Enum, auto

from shadowshare.models.computers import Implementation
from shadowshare.protocol.allocator import Allocator
from shadowshare.protocol.changes import changed_extents
from shadowshare.protocol.coordination import Mutex
from shadowshare.protocol.errors import (
    ActiveStopped,
    AreaFull,
    AreaInUse,
    DiskError,
    JournalFull,
    ReadError,
    ShadowCopyNotFound,
    WriteError,
)
from shadowshare.protocol.geometry import VOLUME_DEVICE, Geometry, Location
from shadowshare.protocol.giving_way import who_gives_way
from shadowshare.protocol.journal import JournalFollower
from shadowshare.protocol.journal_appender import JournalAppender
from shadowshare.protocol.layout import (
    Copied,
    Created,
    Deleted,
    Grown,
    Record,
    Reverted,
    Reverting,
    Settings,
    ShadowCopyId,
    encode_superblock,
)
from shadowshare.protocol.marks import reached
from shadowshare.protocol.operations import Buffer, Change, Discard, Flush, Read, Reserve, Write, WriteZeroes
from shadowshare.protocol.superblock import read_geometry
from shadowshare.protocol.view import View, look_up


class Rare(Enum):
    """Rare paths of this code: a gate under which they were not all taken is not green."""

    COPY_FAILED = auto()
    STOPPED = auto()
    REFUSED_IN_DOUBT = auto()


class NaiveActive:
    """Writes the volume as soon as the old extent is in its slot. That it is there, the journal says afterwards."""

    def __init__(self, journal: JournalAppender) -> None:
        self.geometry = journal.geometry
        self._journal = journal
        self._slots = Allocator(self.view.slot_count, self.view.used_slots())
        self._turn = Mutex()
        self._creation_count = 0
        self._stopped = False
        self._in_doubt = False

    @property
    def view(self) -> View:
        """What is durable in the journal."""
        return self._journal.follower.view

    def digest(self) -> tuple[object, ...]:
        """All that is remembered between two requests."""
        follower = self._journal.follower
        known = (follower.digest, follower.cursor.checksum, self._journal.digest(), self._slots.digest())
        return (*known, self.geometry.area_sector_count, self._creation_count, self._stopped, self._in_doubt)

    # -- requests ------------------------------------------------------------------------------------------------

    async def read(self, offset: int, length: int) -> Buffer:
        """Bytes of the volume, as it is now; while it is reverted, of what it is reverted to."""
        first, end = self.geometry.covering_sectors(offset, length)
        start = offset - first * self.geometry.sector_bytes
        async with self._turn:
            whole = b"".join([await Read(*self._place_of(sector), 1) for sector in range(first, end)])
        return whole[start : start + length]

    async def write(self, offset: int, data: Buffer) -> None:
        """Write whole sectors of the volume."""
        size = self.geometry.sector_bytes
        await self._change(Write(VOLUME_DEVICE, offset // size, len(data) // size, data))

    async def write_zeroes(self, offset: int, length: int) -> None:
        """Make whole sectors of the volume zero."""
        size = self.geometry.sector_bytes
        await self._change(WriteZeroes(VOLUME_DEVICE, offset // size, length // size))

    async def discard(self, offset: int, length: int) -> None:
        """Discard whole sectors of the volume."""
        size = self.geometry.sector_bytes
        await self._change(Discard(VOLUME_DEVICE, offset // size, length // size))

    async def flush(self) -> None:
        """Make durable what was written to the volume."""
        self._refuse_if_stopped()
        await self._flush(VOLUME_DEVICE)

    async def create(self, created_ns: int) -> ShadowCopyId:
        """Create a shadow copy of the volume as it is now, and note the time."""
        async with self._turn:
            self._refuse_if_stopped()
            self._refuse_in_doubt()
            await self._finish_revert()
            await self._flush(VOLUME_DEVICE)
            self._creation_count += 1
            shadow_copy = ShadowCopyId(self._journal.epoch, self._creation_count)
            await self._append(Created(shadow_copy, created_ns))
            return shadow_copy

    async def delete(self, shadow_copy: ShadowCopyId) -> None:
        """Delete a shadow copy."""
        async with self._turn:
            self._refuse_if_stopped()
            if shadow_copy not in [copy.id for copy in self.view.shadow_copies]:
                raise ShadowCopyNotFound(f"there is no shadow copy {shadow_copy}")
            if self.view.reverting == shadow_copy:
                await self._finish_revert()
            await self._append(Deleted(shadow_copy))

    async def revert(self, shadow_copy: ShadowCopyId) -> None:
        """Make the volume the image of a shadow copy again."""
        async with self._turn:
            self._refuse_if_stopped()
            self._refuse_in_doubt()
            if self.view.reverting != shadow_copy:
                self._refuse_without_room(shadow_copy)
                await self._append(Reverting(shadow_copy))
            await self._finish_revert()

    async def grow(self, area_sector_count: int) -> None:
        """Let the differential area have so many sectors, as its device has by now."""
        async with self._turn:
            self._refuse_if_stopped()
            larger = self.geometry.grown(area_sector_count)
            if area_sector_count < self.geometry.area_sector_count:
                raise AreaInUse("the differential area cannot shrink")
            await self._write_superblock(larger, 1)
            await self._write_superblock(larger, 0)
            self.geometry = larger
            if larger.slot_count_maximum > self.view.slot_count:
                await self._append(Grown(larger.slot_count_maximum))
                self._slots.grow(larger.slot_count_maximum)

    async def set_policy(self, settings: Settings) -> None:
        """Say what gives way from now on when an extent cannot be copied."""
        async with self._turn:
            self._refuse_if_stopped()
            await self._append(settings)

    # -- copy on write -------------------------------------------------------------------------------------------

    async def _change(self, operation: Change) -> None:
        """Change the volume; what the newest shadow copy needs of it is copied."""
        async with self._turn:
            self._refuse_if_stopped()
            await self._finish_revert()
            await self._preserve_and_change(operation)

    async def _preserve_and_change(self, operation: Change) -> None:
        copies = [(extent, await self._copy(extent)) for extent in self._missing(operation)]
        await self._change_volume(operation)
        for extent, slot in copies:
            await self._publish(extent, slot)

    def _missing(self, operation: Change) -> list[int]:
        """The extents that are changed, and of which the newest shadow copy has no copy."""
        size, newest = self.geometry.extent_sectors, self.view.newest
        if newest is None:
            return []
        last = (operation.sector + operation.sector_count - 1) // size
        return [
            extent for extent in range(operation.sector // size, last + 1) if newest.table.get(extent) is None
        ]

    async def _copy(self, extent: int) -> int:
        """Copy an extent; the slot where it is."""
        sector, sector_count = self.geometry.extent_span(extent)
        (slot,) = self._slots.allocate(1)
        try:
            old = await Read(VOLUME_DEVICE, sector, sector_count)
        except ReadError:
            self._slots.release([slot])
            raise
        try:
            await Write(self.geometry.area_device, self.geometry.slot_sector(slot), sector_count, old)
        except WriteError:
            self._slots.quarantine(slot)  # the write may still land there
            raise
        return slot

    async def _publish(self, extent: int, slot: int) -> None:
        """Say in the journal where the copy is."""
        newest = self.view.newest
        assert newest is not None
        try:
            await self._append(Copied(newest.id, extent, slot, 1))
        except JournalFull:
            self._slots.release([slot])
            raise

    async def _change_volume(self, operation: Change) -> None:
        try:
            await operation
        except DiskError:
            self._in_doubt = (
                True  # it may still land, and must not come into a shadow copy that is created before
            )
            raise

    # -- reverting -----------------------------------------------------------------------------------------------

    def _refuse_without_room(self, shadow_copy: ShadowCopyId) -> None:
        """Nobody gives way to a revert: there must be a slot for each extent that the newest shadow copy needs."""
        changed = changed_extents(self.view, shadow_copy, None)
        newest = self.view.newest
        assert newest is not None
        extents = [extent for first, count in changed for extent in range(first, first + count)]
        needed = [extent for extent in extents if extent not in newest.table]
        if len(needed) > self._slots.free_count:
            raise AreaFull(f"to revert to {shadow_copy} needs {len(needed)} slots: delete shadow copies")
        records: list[Record] = [
            Reverting(shadow_copy),
            *(Copied(newest.id, extent, 0, 1) for extent in needed),
        ]
        if not self._journal.budget.has_room(self.view, records):
            raise JournalFull(f"the journal is too small to revert to {shadow_copy}: delete shadow copies")

    async def _finish_revert(self) -> None:
        """Put back what differs, if a revert has begun; all of it, however far somebody came before."""
        source = self.view.reverting
        if source is None:
            return
        self._refuse_in_doubt()
        for first, count in changed_extents(self.view, source, None):
            for extent in range(first, first + count):
                await self._put_back(source, extent)
        await self._flush(VOLUME_DEVICE)
        await self._append(Reverted(source))

    async def _put_back(self, source: ShadowCopyId, extent: int) -> None:
        slot = look_up(self.view.tables(source), extent)
        if slot is None:
            return  # it is still in the volume
        sector, sector_count = self.geometry.extent_span(extent)
        image = await Read(self.geometry.area_device, self.geometry.slot_sector(slot), sector_count)
        await self._preserve_and_change(Write(VOLUME_DEVICE, sector, sector_count, image))

    def _place_of(self, sector: int) -> tuple[int, int]:
        """Device and sector where a sector of the volume is."""
        source, (extent, within) = self.view.reverting, divmod(sector, self.geometry.extent_sectors)
        slot = None if source is None else look_up(self.view.tables(source), extent)
        if slot is None:
            return VOLUME_DEVICE, sector
        return self.geometry.area_device, self.geometry.slot_sector(slot) + within

    # -- what may fail -------------------------------------------------------------------------------------------

    async def _write_superblock(self, geometry: Geometry, copy: int) -> None:
        try:
            sector = geometry.superblock_sectors[copy]
            await Write(geometry.area_device, sector, 1, encode_superblock(geometry, copy))
        except DiskError:
            self._stop()
            raise
        await self._flush(geometry.area_device)

    async def _append(self, record: Record) -> None:
        try:
            self._slots.release(await self._journal.append([record]))
        except (DiskError, ActiveStopped):
            self._stop()
            raise

    async def _flush(self, device: int) -> None:
        try:
            await Flush(device)
        except DiskError:
            self._stop()
            raise

    def _stop(self) -> None:
        """Nobody knows what is in the journal, or what is durable: only who fences and begins anew can tell."""
        reached(Rare.STOPPED)
        self._stopped = True

    def _refuse_if_stopped(self) -> None:
        if self._stopped:
            raise ActiveStopped("this active stopped after an error: open the store again")

    def _refuse_in_doubt(self) -> None:
        """No image may depend on what may still land."""
        if self._in_doubt:
            reached(Rare.REFUSED_IN_DOUBT)
            raise ActiveStopped("a write of the volume failed, and may still land: open the store again")


class CarefulActive(NaiveActive):
    """Writes the volume when the journal says, durably, where the old extent is; and that must be durable before."""

    async def _preserve_and_change(self, operation: Change) -> None:
        while missing := self._missing(operation):
            try:
                slot = await self._copy(missing[0])
            except (AreaFull, ReadError, WriteError) as failure:
                reached(Rare.COPY_FAILED)
                for record in who_gives_way(self.view, failure, is_room=False):
                    await self._append(record)
            else:
                await self._flush(self.geometry.area_device)
                await self._publish(missing[0], slot)
        await self._change_volume(operation)


class NaiveRecovery:
    """How the computer becomes the active: it shuts out the one before, reads the journal, and says so in it."""

    active_class: type[NaiveActive] = NaiveActive

    async def run(self, location: Location, window_block_count: int) -> NaiveActive:
        """Take the store over; so many blocks of the journal are read at once."""
        devices = list(dict.fromkeys((location.area_device, VOLUME_DEVICE)))
        for device in devices:
            await Reserve(device)
        for device in devices:
            await Flush(device)
        follower = JournalFollower(await read_geometry(location), window_block_count)
        await follower.load()
        journal = JournalAppender(follower, follower.cursor.epoch + 1)
        await journal.take_over()
        return self.active_class(journal)


class CarefulRecovery(NaiveRecovery):
    """The same, for the active that was mended."""

    active_class = CarefulActive


naive = Implementation(recovery=NaiveRecovery, own_marks=frozenset(Rare))  # type: ignore[arg-type]
careful = Implementation(recovery=CarefulRecovery, own_marks=frozenset(Rare))  # type: ignore[arg-type]
