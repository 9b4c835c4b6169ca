"""Bugs of recovery and of appending to the journal."""

from __future__ import annotations

from contextlib import suppress

from shadowshare.protocol.errors import WriteError
from shadowshare.protocol.geometry import VOLUME_DEVICE
from shadowshare.protocol.journal_appender import JournalAppender
from shadowshare.protocol.operations import Write
from shadowshare.protocol.recovery import Recovery


class CarelessAppender(JournalAppender):
    """Believes that a write which reported an error is done."""

    async def _write(self, sector: int, raw: bytes) -> None:
        with suppress(WriteError):
            await Write(self.follower.geometry.area_device, sector, 1, raw)


class UnflushedAppender(JournalAppender):
    """Does not wait until a block is durable."""

    async def _flush(self) -> None:
        return


class NoTakeover(Recovery):
    """Recovery goes on in the old epoch."""

    async def _take_over(self, journal: JournalAppender) -> None:
        if journal.epoch == 1:
            await super()._take_over(journal)
        else:
            journal.epoch -= 1


class NoFirstFlush(Recovery):
    """Recovery reads what may still vanish."""

    async def _settle(self, devices: list[int]) -> None:
        return


class NoFirstFlushOfArea(Recovery):
    """Recovery reads what may still vanish: it flushes the volume's device only."""

    async def _settle(self, devices: list[int]) -> None:
        await super()._settle([VOLUME_DEVICE])


class NoFence(Recovery):
    """Recovery does not fence the crashed host."""

    async def _fence(self, devices: list[int]) -> None:
        return


class CarelessJournal(Recovery):
    """A journal write that reported an error counts as done."""

    appender_class = CarelessAppender


class UnflushedEntry(Recovery):
    """No flush between journal and volume."""

    appender_class = UnflushedAppender
