"""The writing side of the journal, of the one active."""

from __future__ import annotations

from collections.abc import Iterable

from shadowshare.protocol.errors import JournalFull, WriteError
from shadowshare.protocol.journal import JournalFollower
from shadowshare.protocol.layout import (
    CHECKSUM_BYTES,
    Block,
    Record,
    Seal,
    Takeover,
    encode_block,
    record_capacity,
)
from shadowshare.protocol.marks import Mark, reached
from shadowshare.protocol.operations import Flush, Write

RESERVED_BLOCK_COUNT = 2
"""Blocks at the end of each half that only a TAKEOVER and a SEAL may use."""


class JournalAppender:
    """Appends to the journal that ``follower`` has followed to its end. At most one block is not yet durable.

    Args:
        follower: takes in each block as soon as it is durable.
        epoch: of the blocks to append.
        write_attempt_count: how often a block is written before an error of the disk is believed.
    """

    def __init__(self, follower: JournalFollower, epoch: int, write_attempt_count: int = 3) -> None:
        self.follower = follower
        self.epoch = epoch
        self._write_attempt_count = write_attempt_count
        self.record_capacity = record_capacity(follower.geometry.sector_bytes)

    async def append(self, records: Iterable[Record]) -> list[int]:
        """Append one block and return the slots that it freed, once it is durable.

        Raises:
            JournalFull: only the reserved blocks are left; nothing was written.
            DiskError: the block may or may not be there, now or later: only recovery may write from here on.
        """
        follower, geometry = self.follower, self.follower.geometry
        contents = tuple(records)
        cursor = follower.cursor
        position = cursor.position + 1
        reserved = 0 if isinstance(contents[0], Takeover | Seal) else RESERVED_BLOCK_COUNT
        if position + reserved >= geometry.half_block_count:
            reached(Mark.JOURNAL_FULL)
            raise JournalFull(
                f"the journal half of {geometry.half_block_count} blocks is full; "
                "this version does not turn it over: format a store with a larger journal"
            )
        sector = geometry.block_sector(cursor.generation, position)
        raw = encode_block(
            geometry,
            sector,
            self.epoch,
            cursor.generation,
            cursor.sequence + 1,
            cursor.checksum,
            tuple(contents),
        )
        await self._write(sector, raw)
        await self._flush()
        block = Block(
            self.epoch,
            cursor.generation,
            cursor.sequence + 1,
            cursor.checksum,
            contents,
            raw[-CHECKSUM_BYTES:],
        )
        return follower.apply(block, raw)

    async def _write(self, sector: int, raw: bytes) -> None:
        """Write a block; after an error, which may have landed, write the identical bytes again."""
        for attempts_left in reversed(range(self._write_attempt_count)):
            try:
                await Write(self.follower.geometry.area_device, sector, 1, raw)
            except WriteError:
                if not attempts_left:
                    raise
                reached(Mark.JOURNAL_WRITTEN_AGAIN)
            else:
                return

    async def _flush(self) -> None:
        """Make the block durable before anything relies on it."""
        await Flush(self.follower.geometry.area_device)
