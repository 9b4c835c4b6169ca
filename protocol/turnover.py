"""Turning the journal over: a checkpoint at the start of the other half, then a SEAL behind the last block of this one.

While generation g ends in one half, the checkpoint of generation g + 1 is written over what generation g - 1 left in
the other::

    half of g        | ... | last block | SEAL of g + 1 |  (what g - 2 left)
    half of g + 1    | checkpoint 1 .. n | ...             (what g - 1 left)

1. All parts of the checkpoint but the last; flush. The last part; flush. Who loads the journal takes the checkpoint
   from the moment when its last part is visible, and looks again at that part alone. So only that part may get lost.
2. SEAL directly behind the last block; flush. Who follows the journal comes to the new half by it alone. So nothing is
   appended behind the checkpoint before SEAL is durable.

Nothing is erased, and nothing is ever made zero again: to a slow reader of generation g - 1 a zero behind its last
block would be the end of the journal, where a block of g + 1 tells it to load. What an abandoned checkpoint of the
same generation left is covered by parts without records, since it would not follow the new one.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from shadowshare.protocol.checkpoint import checkpoint_record_count, checkpoint_records
from shadowshare.protocol.errors import ActiveStopped, JournalDamaged, JournalFull
from shadowshare.protocol.layout import Block, Checkpoint, NoBlock, Seal, decode_block
from shadowshare.protocol.marks import Mark, reached
from shadowshare.protocol.operations import Read

if TYPE_CHECKING:
    from shadowshare.protocol.journal_appender import JournalAppender

CHUNK_BLOCK_COUNT = 256
"""Blocks of a half that one operation reads or writes."""


class Part(NamedTuple):
    """A part of a checkpoint, ready to be written."""

    sector: int
    block: Block
    raw: bytes


class Turnover:
    """Turns the journal over for an appender.

    Args:
        appender: whose blocks end the current generation.
    """

    def __init__(self, appender: JournalAppender) -> None:
        self._appender = appender
        self._geometry = appender.geometry
        self._generation_begun = 0
        """The last generation that this active began: of the one behind it nothing can be left by anybody else."""

    def digest(self) -> tuple[object, ...]:
        """What is remembered between two turnovers."""
        return (self._generation_begun,)

    # -- turn over -----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Go on in the other half.

        Raises:
            JournalFull: the journal is too small to be turned over; nothing was written.
            ActiveStopped: a write that reported an error may still land in the other half.
            ReadError: the other half could not be looked at; nothing was written.
            DiskError: the disk failed; only recovery may write from here on.
        """
        generation = self._appender.follower.cursor.generation + 1
        self._refuse_in_doubt(generation)
        part_count = self._part_count()
        if self._generation_begun != generation - 1:
            part_count = max(part_count, await self._abandoned_block_count(generation))
        reached(Mark.JOURNAL_TURNED_OVER)
        last = await self._write_checkpoint(self._parts(generation, part_count), part_count)
        await self._seal(last, part_count)
        self._generation_begun = generation

    def _refuse_in_doubt(self, generation: int) -> None:
        """Do not use a half in which a block of an earlier generation may still land."""
        first = self._geometry.block_sector(generation, 0)
        half = range(first, first + self._geometry.half_block_count)
        if any(sector in half for sector in self._appender.sectors_in_doubt):
            reached(Mark.HALF_IN_DOUBT)
            raise ActiveStopped(
                "a write of the journal reported an error and may still land in the half that is needed next: "
                "open the store again"
            )

    def _part_count(self) -> int:
        appender, budget = self._appender, self._appender.budget
        part_count = budget.part_count(checkpoint_record_count(appender.follower.view))
        if appender.blocks_left < 1 or part_count > budget.part_count_maximum:
            raise JournalFull(
                f"the journal has halves of {self._geometry.half_block_count} blocks, and this one is full, and too "
                "small to be turned over: export what you need and format a store with a larger journal"
            )
        return part_count

    async def _abandoned_block_count(self, generation: int) -> int:
        """How far a checkpoint reaches that another active began and a crash took the end of."""
        geometry, count = self._geometry, 0
        for first in range(0, self._appender.budget.part_count_maximum, CHUNK_BLOCK_COUNT):
            block_count = min(CHUNK_BLOCK_COUNT, self._appender.budget.part_count_maximum - first)
            sector = geometry.block_sector(generation, first)
            data = await Read(geometry.area_device, sector, block_count)
            for index in range(block_count):
                raw = data[index * geometry.sector_bytes : (index + 1) * geometry.sector_bytes]
                block = decode_block(geometry, sector + index, raw)
                if block is not NoBlock.EMPTY and not (
                    isinstance(block, Block) and block.generation < generation
                ):
                    count = first + index + 1
        if count:
            reached(Mark.ABANDONED_CHECKPOINT_COVERED)
        return count

    def _parts(self, generation: int, part_count: int) -> Iterator[Part]:
        """The parts of the checkpoint, which continues the last block; made one by one, since they may be many."""
        appender = self._appender
        records = checkpoint_records(appender.follower.view)
        sequence, previous = appender.follower.cursor.sequence, appender.follower.cursor.checksum
        for position in range(part_count):
            sector = self._geometry.block_sector(generation, position)
            contents = (
                Checkpoint(position + 1, part_count),
                *islice(records, appender.budget.records_per_part),
            )
            sequence += 1
            block, raw = appender.encode(sector, generation, sequence, previous, contents)
            previous = block.checksum
            yield Part(sector, block, raw)

    async def _write_checkpoint(self, parts: Iterator[Part], part_count: int) -> Part:
        """Write the parts so that only the last one can get lost while somebody has seen it; returns that one."""
        if part_count > 1:
            reached(Mark.CHECKPOINT_IN_PARTS)
            await self._write_parts(islice(parts, part_count - 1))
            await self._appender._flush()
        last = next(parts)
        await self._write_parts(iter([last]))
        await self._appender._flush()
        return last

    async def _write_parts(self, parts: Iterator[Part]) -> None:
        while chunk := list(islice(parts, CHUNK_BLOCK_COUNT)):
            await self._appender._write(chunk[0].sector, b"".join([part.raw for part in chunk]))

    async def _seal(self, last: Part, part_count: int) -> None:
        """Lead whoever follows the journal to the checkpoint, and go on behind it."""
        block = last.block
        await self._appender.put((Seal(block.generation, part_count, block.checksum),))
        self._appender.follower.go_on_behind(block, last.raw, part_count - 1)

    # -- finish what a crash left --------------------------------------------------------------------------------

    async def finish(self) -> None:
        """If the journal ends with a checkpoint, see to it that the SEAL which leads to it is there.

        Behind a checkpoint nothing was appended before its SEAL was durable.

        Raises:
            JournalDamaged: the end of the half before is not what the checkpoint continues.
            DiskError: the disk failed.
        """
        cursor = self._appender.follower.cursor
        last = decode_block(self._geometry, self._sector(cursor.generation, cursor.position), cursor.raw)
        if not isinstance(last, Block) or not isinstance(last.records[0], Checkpoint) or last.generation == 1:
            return
        first = last if cursor.position == 0 else await self._block(last.generation, 0)
        begin = await self._block(last.generation - 1, 0)
        position = first.sequence - 1 - begin.sequence
        if not 0 <= position <= self._geometry.half_block_count - 2:
            raise self._damaged(first)
        if (await self._block(last.generation - 1, position)).checksum != first.previous:
            raise self._damaged(first)
        seal = Seal(last.generation, cursor.position + 1, last.checksum)
        await self._complete(first, position + 1, seal)

    async def _complete(self, first: Block, position: int, seal: Seal) -> None:
        """See to it that ``seal`` stands at a position of the half before that of ``first``."""
        appender = self._appender
        generation, sector = first.generation - 1, self._sector(first.generation - 1, position)
        found = decode_block(self._geometry, sector, await Read(self._geometry.area_device, sector, 1))
        if isinstance(found, Block) and found.generation >= generation:
            if found.records[0] != seal or found.previous != first.previous:
                raise self._damaged(first)
            appender.epoch = max(appender.epoch, found.epoch + 1)
        elif found is NoBlock.DAMAGED:
            raise self._damaged(first)
        else:
            reached(Mark.SEAL_WRITTEN_BY_RECOVERY)
            _, raw = appender.encode(sector, generation, first.sequence, first.previous, (seal,))
            await appender._write(sector, raw)
            await appender._flush()

    def _sector(self, generation: int, position: int) -> int:
        return self._geometry.block_sector(generation, position)

    async def _block(self, generation: int, position: int) -> Block:
        """The block of a generation at a position, which must be there."""
        sector = self._sector(generation, position)
        block = decode_block(self._geometry, sector, await Read(self._geometry.area_device, sector, 1))
        if not isinstance(block, Block) or block.generation != generation:
            raise JournalDamaged(
                f"the journal is damaged: sector {sector} of device {self._geometry.area_device} holds no block of "
                f"generation {generation}, whose end must lead to the next one: see `shadowshare store check`"
            )
        return block

    def _damaged(self, first: Block) -> JournalDamaged:
        return JournalDamaged(
            f"the journal is damaged: the checkpoint of generation {first.generation} does not continue the end of "
            f"generation {first.generation - 1}: see `shadowshare store check`"
        )
