"""What the checker needs to know of the journal: every sector classified, and every record held against the rules.

`JournalScan` looks at all sectors of both halves, whether the journal leads there or not. `StrictFollower` follows the
journal as a passive does, and notices besides what a passive may ignore: slots used twice, ids used twice.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from shadowshare.protocol.errors import ReadError
from shadowshare.protocol.geometry import Geometry
from shadowshare.protocol.journal import Cursor, JournalFollower
from shadowshare.protocol.layout import (
    BLOCK_MAGIC,
    CHECKSUM_BYTES,
    Block,
    Copied,
    Created,
    NoBlock,
    checksum_of,
    decode_block,
)
from shadowshare.protocol.operations import Buffer, Read

SCAN_BLOCK_COUNT = 256
"""Journal blocks that one read of a scan asks for."""


class Sort(Enum):
    """What a sector of the journal turned out to hold."""

    EMPTY = "empty"
    INTACT = "intact"
    DAMAGED = "damaged"
    FOREIGN = "foreign"
    """An intact block, but of another store, another address, or a generation that belongs in the other half."""
    UNREADABLE = "unreadable"


class BlockRun(NamedTuple):
    """Neighbouring blocks of a half that hold the same sort of thing, of the same generation if intact."""

    position: int
    block_count: int
    sort: Sort
    generation: int


class JournalScan:
    """Every block of one half of the journal.

    Args:
        geometry: the store's.
        half: 0 or 1.
    """

    def __init__(self, geometry: Geometry, half: int) -> None:
        self.geometry = geometry
        self.half = half
        self.first_sector = geometry.block_sector(half + 1, 0)
        self.runs: list[BlockRun] = []

    def counts(self) -> dict[str, int]:
        """How many blocks there are of each sort."""
        counts = {sort.value: 0 for sort in Sort}
        for run in self.runs:
            counts[run.sort.value] += run.block_count
        return counts

    async def run(self) -> None:
        """Read and classify all blocks. A block that cannot be read is classified as such."""
        block_count = self.geometry.half_block_count
        for position in range(0, block_count, SCAN_BLOCK_COUNT):
            await self._scan(position, min(SCAN_BLOCK_COUNT, block_count - position))

    async def _scan(self, position: int, block_count: int) -> None:
        geometry = self.geometry
        try:
            data = await Read(geometry.area_device, self.first_sector + position, block_count)
        except ReadError:
            if block_count == 1:
                self._note(position, Sort.UNREADABLE, 0)
                return
            for single in range(position, position + block_count):
                await self._scan(single, 1)
            return
        size = geometry.sector_bytes
        for index in range(block_count):
            self._note(
                position + index, *self._classify(position + index, data[index * size : (index + 1) * size])
            )

    def _classify(self, position: int, raw: Buffer) -> tuple[Sort, int]:
        """What a block is, and its generation if it is intact."""
        sector = self.first_sector + position
        found = decode_block(self.geometry, sector, raw)
        if isinstance(found, Block):
            is_at_home = (
                found.generation > 0 and self.geometry.block_sector(found.generation, position) == sector
            )
            return (Sort.INTACT, found.generation) if is_at_home else (Sort.FOREIGN, 0)
        if found is NoBlock.EMPTY:
            return Sort.EMPTY, 0
        is_a_block = raw[: len(BLOCK_MAGIC)] == BLOCK_MAGIC
        is_intact = is_a_block and checksum_of(raw[:-CHECKSUM_BYTES]) == raw[-CHECKSUM_BYTES:]
        return (Sort.FOREIGN if is_intact else Sort.DAMAGED), 0

    def _note(self, position: int, sort: Sort, generation: int) -> None:
        last = self.runs[-1] if self.runs else None
        if last is not None and (last.sort, last.generation) == (sort, generation):
            self.runs[-1] = last._replace(block_count=last.block_count + 1)
        else:
            self.runs.append(BlockRun(position, 1, sort, generation))

    def left_behind(self, end: Cursor) -> list[BlockRun]:
        """Intact blocks of the generation of ``end`` that stand behind it, where the journal does not lead."""
        if end.generation < 1 or (end.generation - 1) % 2 != self.half:
            return []
        behind = []
        for run in self.runs:
            first, stop = max(run.position, end.position + 1), run.position + run.block_count
            if run.sort is Sort.INTACT and run.generation == end.generation and first < stop:
                behind.append(run._replace(position=first, block_count=stop - first))
        return behind


class Untruth(NamedTuple):
    """A record that breaks a rule which following the journal does not depend on."""

    what: str
    sector: int


class StrictFollower(JournalFollower):
    """Follows the journal and notes in ``untruths`` which slots and ids were used twice."""

    def __init__(self, geometry: Geometry) -> None:
        super().__init__(geometry)
        self.untruths: list[Untruth] = []
        self._used = bytearray()
        self._last_counter = 0

    async def _load_checkpoint(self, head: Block) -> bool:
        is_complete = await super()._load_checkpoint(head)
        if is_complete:
            self.untruths = []
            self._used = bytearray(self.geometry.slot_count)
            self._last_counter = 0
            sector = self.geometry.block_sector(self.cursor.generation, self.cursor.position)
            for slot in self.view.used_slots():
                self._claim(slot, sector)
        return is_complete

    def apply(self, block: Block, raw: bytes) -> list[int]:
        """Take in a block. A slot that it frees may be named again by a later block, not by itself."""
        if block.epoch != self.cursor.epoch:
            self._last_counter = 0
        freed = super().apply(block, raw)
        sector = self.geometry.block_sector(self.cursor.generation, self.cursor.position)
        for record in block.records:
            if isinstance(record, Copied):
                for slot in range(record.slot, record.slot + record.extent_count):
                    self._claim(slot, sector)
            elif isinstance(record, Created):
                self._check_id(record, block, sector)
        for slot in freed:
            self._used[slot] = 0
        return freed

    def _claim(self, slot: int, sector: int) -> None:
        if self._used[slot]:
            self.untruths.append(
                Untruth(f"slot {slot} is used for a second copy while the first is needed", sector)
            )
        self._used[slot] = 1

    def _check_id(self, record: Created, block: Block, sector: int) -> None:
        epoch, counter = record.shadow_copy
        if epoch != block.epoch or counter <= self._last_counter:
            self.untruths.append(
                Untruth(
                    f"the id {record.shadow_copy} of a shadow copy is not a new one of epoch {block.epoch}",
                    sector,
                )
            )
        self._last_counter = max(self._last_counter, counter)
