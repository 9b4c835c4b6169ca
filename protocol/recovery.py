"""Becoming the active: the first time, after a crash, or after another host. There is no other way to begin.

Fence; flush; only then read the journal, or a block that was visible and is not durable could vanish later; load;
append TAKEOVER with a higher epoch and flush, before any other write. Nothing is taken over from a cached view.
"""

from __future__ import annotations

from shadowshare.protocol.active import Active
from shadowshare.protocol.geometry import VOLUME_DEVICE, Location
from shadowshare.protocol.journal import WINDOW_BLOCK_COUNT, JournalFollower
from shadowshare.protocol.journal_appender import JournalAppender
from shadowshare.protocol.operations import Flush, Reserve
from shadowshare.protocol.superblock import read_geometry


class Recovery:
    """The steps of becoming the active, in their order."""

    active_class: type[Active] = Active
    follower_class: type[JournalFollower] = JournalFollower
    appender_class: type[JournalAppender] = JournalAppender

    async def run(self, location: Location, window_block_count: int = WINDOW_BLOCK_COUNT) -> Active:
        """Take the store at ``location`` over; ``window_block_count`` journal blocks are read at once.

        Raises:
            StoreError: there is no store, or it is damaged; nothing but a reservation was changed.
            JournalFull: an earlier version of this program filled the journal to its last block.
            DiskError: the disk failed, or another host took over in the meantime.
        """
        devices = list(dict.fromkeys((location.area_device, VOLUME_DEVICE)))
        await self._fence(devices)
        await self._settle(devices)
        follower = self.follower_class(await read_geometry(location), window_block_count)
        await follower.load()
        journal = self.appender_class(follower, follower.cursor.epoch + 1)
        # Made first, for it refuses slots that cannot be; then nothing must have been written.
        active = self.active_class(journal)
        await self._take_over(journal)
        return active

    async def _fence(self, devices: list[int]) -> None:
        """Have every write of an earlier active refused from here on, also those in flight.

        The area first: who wrote TAKEOVER held it when its turn on the volume had come. Of two that take over at once,
        the one that comes to the volume later but to the area earlier is refused its TAKEOVER, so it never writes.
        """
        for device in devices:
            await Reserve(device)

    async def _settle(self, devices: list[int]) -> None:
        """Make what is visible durable, so that what is read next cannot vanish."""
        for device in devices:
            await Flush(device)

    async def _take_over(self, journal: JournalAppender) -> None:
        """Append TAKEOVER, so that no block which was seen and lost can be mistaken for what follows."""
        await journal.take_over()


async def activate(location: Location) -> Active:
    """Become the active of the store at ``location``; see `Recovery.run`."""
    return await Recovery().run(location)
