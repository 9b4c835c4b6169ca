"""Bugs of following the journal: what a catch-up believes, leaves out, and where it stops."""

from __future__ import annotations

from shadowshare.protocol.geometry import Location
from shadowshare.protocol.journal import (
    WINDOW_BLOCK_COUNT,
    JournalFollower,
    Progress,
    _Look,
    _Patience,
)
from shadowshare.protocol.layout import Block, Takeover, decode_block
from shadowshare.protocol.operations import Buffer, WriteZeroes
from shadowshare.protocol.passive import Passive
from shadowshare.protocol.recovery import Recovery


class TrustsItsLastBlock(JournalFollower):
    """Believes that the last block it applied is still there."""

    def _is_last_applied(self, raw: Buffer) -> bool:
        return True


class LastBlockNotReadAgain(Passive):
    """Catch-up trusts the last applied block."""

    follower_class = TrustsItsLastBlock


class ComparesNumbers(JournalFollower):
    """Believes that a block with the number of the last one is that one."""

    def _is_last_applied(self, raw: Buffer) -> bool:
        sector = self.geometry.block_sector(self.cursor.generation, self.cursor.position)
        block = decode_block(self.geometry, sector, raw)
        return isinstance(block, Block) and block.sequence == self.cursor.sequence


class LastBlockByNumber(Passive):
    """Of the last applied block only the number is compared."""

    follower_class = ComparesNumbers


class NeverReloads(JournalFollower):
    """Takes whatever does not follow for the end."""

    def _examine(self, first: int, block_count: int, data: Buffer) -> _Look:
        look = super()._examine(first, block_count, data)
        return _Look.END if look is _Look.RELOAD else look


class NoReload(Passive):
    """What no longer follows is the end, and the view is kept."""

    follower_class = NeverReloads


class StopsAtItsWindow(JournalFollower):
    """Takes the end of what one read returned for the end of the journal."""

    def _examine(self, first: int, block_count: int, data: Buffer) -> _Look:
        look = super()._examine(first, block_count, data)
        return _Look.END if look is _Look.MORE else look


class OneWindowOnly(Passive):
    """A catch-up does not read on when its window was full."""

    follower_class = StopsAtItsWindow


class LoadsInTheSharedView(JournalFollower):
    """Loads whenever it has to, whatever other tasks of the host do with the view meanwhile."""

    async def _load_in_turn(self, patience: _Patience) -> None:
        await self._load(patience)


class LoadsSideBySide(Passive):
    """Tasks of a host load the view that they share, each for itself and at the same time."""

    follower_class = LoadsInTheSharedView


class BelievesWhoLoads(JournalFollower):
    """Takes what another task has loaded for what it would find itself."""

    async def _load_in_turn(self, patience: _Patience) -> None:
        load_count = self._load_count
        async with self._loading:
            is_loaded = self._load_count != load_count
        if not is_loaded:
            await super()._load_in_turn(patience)


class WaitsInsteadOfLooking(Passive):
    """A task that waited while another one loaded the view does not catch up itself."""

    follower_class = BelievesWhoLoads


class Forgetful(JournalFollower):
    """Can pass over a block and not take in what it says."""

    _forgets = False

    def apply(self, block: Block, raw: bytes) -> list[int]:
        if not self._forgets:
            return super().apply(block, raw)
        freed = super().apply(block._replace(records=(Takeover(),)), raw)
        self._digest ^= 1  # another view than that of a host that took the block in
        return freed


class ForgetsTheFirst(Forgetful):
    """Begins one block too late."""

    async def catch_up(self) -> Progress:
        self._forgets = True
        return await super().catch_up()

    def apply(self, block: Block, raw: bytes) -> list[int]:
        freed = super().apply(block, raw)
        self._forgets = False
        return freed


class FirstChangeLost(Passive):
    """A catch-up leaves out the first new block."""

    follower_class = ForgetsTheFirst


class LooksForTheEndAgain(Forgetful):
    """Reads what is new, and then once more to find out up to where."""

    async def catch_up(self) -> Progress:
        progress = await super().catch_up()
        self._forgets = True
        await super().catch_up()
        self._forgets = False
        return progress


class PositionReadLater(Passive):
    """A catch-up notes an end of the journal that it has not read up to."""

    follower_class = LooksForTheEndAgain


class CleansUp(Passive):
    """A passive that opens the store cleans up behind the journal's end."""

    @classmethod
    async def open(cls, location: Location, window_block_count: int = WINDOW_BLOCK_COUNT) -> Passive:
        passive = await super().open(location, window_block_count)
        cursor = passive.cursor
        end = passive.geometry.block_sector(cursor.generation, cursor.position) + 1
        await WriteZeroes(passive.geometry.area_device, end, 1)
        return passive


class LoadsTheCheckpointOnly(JournalFollower):
    """Takes the checkpoint for the whole journal."""

    async def _follow_to_end(self, patience: _Patience) -> bool:
        return True


class CheckpointOnly(Recovery):
    """Recovery does not read what was appended behind the checkpoint."""

    follower_class = LoadsTheCheckpointOnly
