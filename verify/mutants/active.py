"""Bugs of the active: what it copies, records and flushes, and in which order."""

from __future__ import annotations

from contextlib import suppress

from shadowshare.protocol.active import Active
from shadowshare.protocol.errors import AreaFull, DiskError, FlushError, WriteError
from shadowshare.protocol.geometry import VOLUME_DEVICE
from shadowshare.protocol.journal_appender import JournalAppender
from shadowshare.protocol.layout import Copied, Deleted, ShadowCopyId
from shadowshare.protocol.operations import Change, Flush, Read, Write, together


class EntryBeforeData(Active):
    """The journal names a slot not yet written."""

    async def _fill(self, extents: list[int], slots: list[int]) -> None:
        return

    async def _publish(self, copies: list[tuple[int, int]]) -> None:
        await super()._publish(copies)
        await super()._fill([extent for extent, _ in copies], [slot for _, slot in copies])


class VolumeBeforeEntry(Active):
    """The volume changes before the journal."""

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


class CopyAfterWrite(Active):
    """The extent is copied when the volume has changed."""

    _to_copy = range(0)

    async def _preserve(self, extents: range) -> None:
        self._to_copy = extents

    async def _change(self, operation: Change) -> None:
        await super()._change(operation)
        await super()._preserve(self._to_copy)


class EntryAndVolumeTogether(Active):
    """The journal block and the volume are written at the same time."""

    def __init__(self, journal: JournalAppender) -> None:
        super().__init__(journal)
        self._waiting: Change | None = None
        journal._write = self._write_both  # type: ignore[method-assign]

    async def _change(self, operation: Change) -> None:
        self._waiting = operation
        await super()._change(operation)

    async def _write_both(self, sector: int, raw: bytes) -> None:
        block = Write(self.geometry.area_device, sector, 1, raw)
        volume, self._waiting = self._waiting, None
        await together([block] if volume is None else [block, volume])

    async def _change_volume(self, operation: Change) -> None:
        if self._waiting is operation:
            await super()._change_volume(operation)


class NoFlushBeforeEntry(Active):
    """No flush between slot and journal."""

    async def _publish(self, copies: list[tuple[int, int]]) -> None:
        async with self._committing:
            await self._append_copies(copies)


class FlushesVolumeOnly(Active):
    """Every flush goes to the volume's device."""

    async def _or_stop(self, flush: Flush) -> None:
        await super()._or_stop(Flush(VOLUME_DEVICE))


class PartialCopy(Active):
    """Only the touched sectors are copied."""

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


class FirstExtentOnly(Active):
    """A write across extents copies the first only."""

    async def _preserve(self, extents: range) -> None:
        await super()._preserve(extents[:1])


class OneBufferForAll(Active):
    """The old extents are read into one buffer, one over the other."""

    async def _fill(self, extents: list[int], slots: list[int]) -> None:
        geometry = self.geometry
        spans = [geometry.extent_span(extent) for extent in extents]
        buffer = (await together([Read(VOLUME_DEVICE, *span) for span in spans]))[-1]
        for slot in slots:
            await Write(geometry.area_device, geometry.slot_sector(slot), geometry.extent_sectors, buffer)


class IgnoresCopyError(Active):
    """A copy that could not be made counts as made."""

    async def _fill(self, extents: list[int], slots: list[int]) -> None:
        with suppress(DiskError):
            await super()._fill(extents, slots)


class GoesOnWhenFull(Active):
    """A write for which there is no slot is done all the same."""

    async def _preserve(self, extents: range) -> None:
        with suppress(AreaFull):
            await super()._preserve(extents)


class WaitsForSlot(Active):
    """A write for which there is no slot waits for one, and is never told that there is none."""

    async def _preserve(self, extents: range) -> None:
        while True:
            with suppress(AreaFull):
                return await super()._preserve(extents)
            await Flush(self.geometry.area_device)


class DiscardWithoutCopy(Active):
    """A discard does not copy first."""

    async def discard(self, offset: int, length: int) -> None:
        preserve, self._preserve = self._preserve, self._do_not_preserve  # type: ignore[method-assign]
        try:
            await super().discard(offset, length)
        finally:
            self._preserve = preserve  # type: ignore[method-assign]

    async def _do_not_preserve(self, extents: range) -> None:
        return


class EarlyReuse(Active):
    """Slots are free before a deletion is durable."""

    async def delete(self, shadow_copy: ShadowCopyId) -> None:
        oldest = self.view.shadow_copies[0] if self.view.shadow_copies else None
        if oldest is None or oldest.id != shadow_copy:
            await super().delete(shadow_copy)
            return
        self._allocator.release(list(oldest.table.values()))
        async with self._committing:
            await self._journal.append([Deleted(shadow_copy)])


class CreationWithoutDrain(Active):
    """Creation does not wait for writes."""

    async def create(self, created_ns: int = 0) -> ShadowCopyId:
        inside, self._writes._inside_count = self._writes._inside_count, 0
        try:
            return await super().create(created_ns)
        finally:
            self._writes._inside_count += inside


class CreationWithoutFlush(Active):
    """Creation does not flush the volume first."""

    async def _or_stop(self, flush: Flush) -> None:
        if self._writes._reopened is None:
            await super()._or_stop(flush)


class CreationDespiteDoubt(Active):
    """Creation after a volume write that may still land."""

    async def create(self, created_ns: int = 0) -> ShadowCopyId:
        self._in_doubt = None
        return await super().create(created_ns)


class NoQuarantine(Active):
    """A slot whose write reported an error is used again."""

    async def _fill(self, extents: list[int], slots: list[int]) -> None:
        try:
            await super()._fill(extents, slots)
        except WriteError:
            self._allocator.release(slots)
            raise


class RecordsForWhomItCopied(Active):
    """A copy is recorded for the shadow copy that was newest when it began."""

    async def _copy(self, extents: list[int]) -> None:
        self._copied_for = self.view.newest
        await super()._copy(extents)

    async def _append_copies(self, copies: list[tuple[int, int]]) -> None:
        assert self._copied_for is not None
        copied = [Copied(self._copied_for.id, extent, slot, 1) for extent, slot in copies]
        await self._append(copied)


class GoesOnAfterFailedFlush(Active):
    """A failed flush counts as done."""

    async def _or_stop(self, flush: Flush) -> None:
        with suppress(FlushError):
            await flush


class IgnoresCopyInProgress(Active):
    """A second writer does not wait for the copy."""

    async def _preserve(self, extents: range) -> None:
        await super()._preserve(range(0) if any(extent in self._copying for extent in extents) else extents)
