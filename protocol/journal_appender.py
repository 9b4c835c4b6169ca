"""The writing side of the journal, of the one active."""

from __future__ import annotations

from collections.abc import Iterable

from shadowshare.protocol.checkpoint import RESERVED_BLOCK_COUNT, JournalBudget
from shadowshare.protocol.errors import JournalFull, WriteError
from shadowshare.protocol.journal import JournalFollower
from shadowshare.protocol.layout import (
    CHECKSUM_BYTES,
    Block,
    Record,
    Takeover,
    encode_block,
    record_capacity,
)
from shadowshare.protocol.marks import Mark, reached
from shadowshare.protocol.operations import Flush, Write
from shadowshare.protocol.turnover import Turnover


class JournalAppender:
    """Appends to the journal that ``follower`` has followed to its end, and turns it over when a half is full.

    At most one block that readers can come to is not yet durable.

    Args:
        follower: takes in each block as soon as it is durable.
        epoch: of the blocks to append.
        write_attempt_count: how often a block is written before an error of the disk is believed.
    """

    turnover_class: type[Turnover] = Turnover
    budget_class: type[JournalBudget] = JournalBudget

    def __init__(self, follower: JournalFollower, epoch: int, write_attempt_count: int = 3) -> None:
        self.follower = follower
        self.geometry = follower.geometry
        self.epoch = epoch
        self.record_capacity = record_capacity(self.geometry.sector_bytes)
        self.budget = self.budget_class(self.geometry)
        self.sectors_in_doubt: set[int] = set()
        """Where a write reported an error, and may still land, though it was done again."""
        self._write_attempt_count = write_attempt_count
        self._turnover = self.turnover_class(self)

    @property
    def blocks_left(self) -> int:
        """Blocks of the current half behind the last one."""
        return self.geometry.half_block_count - 1 - self.follower.cursor.position

    def digest(self) -> tuple[object, ...]:
        """What the follower's digest does not tell of this appender's state."""
        return (self.epoch, tuple(sorted(self.sectors_in_doubt)), self._turnover.digest())

    async def take_over(self) -> None:
        """Append TAKEOVER, the first block of a new active, behind whatever a crash left of a turnover.

        Raises:
            JournalFull: an earlier version of this program filled the half to its last block.
            JournalDamaged: the two halves do not belong together.
            DiskError: the disk failed.
        """
        await self._turnover.finish()
        if self.blocks_left < RESERVED_BLOCK_COUNT:
            reached(Mark.TURNED_OVER_BY_RECOVERY)
            await self._turnover.run()
        await self.put((Takeover(),))

    async def append(self, records: Iterable[Record]) -> list[int]:
        """Append one block and return the slots that it freed, once it is durable.

        Raises:
            JournalFull: a checkpoint would not fit into a half of this journal; nothing was written.
            ActiveStopped: the other half must not be used before recovery.
            ReadError: the other half could not be looked at; nothing was written.
            DiskError: the block may or may not be there, now or later: only recovery may write from here on.
        """
        contents = tuple(records)
        if not self.budget.has_room(self.follower.view, contents):
            reached(Mark.JOURNAL_FULL)
            raise JournalFull(
                f"the journal has halves of {self.geometry.half_block_count} blocks, too few for a summary of more "
                "copies: delete shadow copies, or format a store with a larger journal"
            )
        if self.blocks_left <= RESERVED_BLOCK_COUNT:
            await self._turnover.run()
        return await self.put(contents)

    async def put(self, records: tuple[Record, ...]) -> list[int]:
        """Write a block behind the last one, whatever room is kept for, and take it in once it is durable."""
        geometry, cursor = self.geometry, self.follower.cursor
        sector = geometry.block_sector(cursor.generation, cursor.position + 1)
        block, raw = self.encode(sector, cursor.generation, cursor.sequence + 1, cursor.checksum, records)
        await self._write(sector, raw)
        await self._flush()
        return self.follower.apply(block, raw)

    def encode(
        self, sector: int, generation: int, sequence: int, previous: bytes, records: tuple[Record, ...]
    ) -> tuple[Block, bytes]:
        """A block of this epoch, and the bytes of its sector."""
        raw = encode_block(self.geometry, sector, self.epoch, generation, sequence, previous, records)
        return Block(self.epoch, generation, sequence, previous, records, raw[-CHECKSUM_BYTES:]), raw

    async def _write(self, sector: int, raw: bytes) -> None:
        """Write neighbouring blocks; after an error, which may have landed, write the identical bytes again."""
        sector_count = len(raw) // self.geometry.sector_bytes
        for attempts_left in reversed(range(self._write_attempt_count)):
            try:
                await Write(self.geometry.area_device, sector, sector_count, raw)
            except WriteError:
                self.sectors_in_doubt.add(sector)
                if not attempts_left:
                    raise
                reached(Mark.JOURNAL_WRITTEN_AGAIN)
            else:
                return

    async def _flush(self) -> None:
        """Make what was written durable before anything relies on it."""
        await Flush(self.geometry.area_device)
