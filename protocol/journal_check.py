"""What the checker needs to know of the journal: every sector classified, and every record held against the rules.

`JournalScan` looks at all sectors of both halves, whether the journal leads there or not. `StrictFollower` follows the
journal as a passive does, and notices besides what a passive may ignore: slots used twice, ids used twice.
"""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import suppress
from enum import Enum
from typing import NamedTuple

from shadowshare.protocol.errors import ReadError, StoreError
from shadowshare.protocol.geometry import Geometry
from shadowshare.protocol.journal import Cursor, JournalFollower
from shadowshare.protocol.layout import (
    BLOCK_MAGIC,
    CHECKSUM_BYTES,
    Block,
    Checkpoint,
    Copied,
    Created,
    NoBlock,
    Seal,
    Takeover,
    checksum_of,
    decode_block,
    encode_block,
)
from shadowshare.protocol.operations import Buffer, Read
from shadowshare.protocol.view import View

SCAN_BLOCK_COUNT = 256
"""Journal blocks that one read of a scan asks for."""


class Sort(Enum):
    """What a sector of the journal turned out to hold."""

    EMPTY = "empty"
    INTACT = "intact"
    DAMAGED = "damaged"
    FOREIGN = "foreign"
    """An intact block, but of another store, another address, or a generation that belongs in the other half."""
    ODD = "intact, but has bytes that nobody writes"
    """An intact block in its place, but its records, written again, are other bytes: reserved fields are not zero."""
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
        self._seals: dict[int, int] = {}
        """By generation: the position of its SEAL."""

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
            if not is_at_home:
                return Sort.FOREIGN, 0
            if isinstance(found.records[0], Seal):
                self._seals[found.generation] = position
            return (
                Sort.INTACT if _as_written(self.geometry, sector, found) == raw else Sort.ODD
            ), found.generation
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

    def has_generation(self, *generations: int) -> bool:
        """Whether an intact block of one of these generations is here."""
        return any(run.sort is Sort.INTACT and run.generation in generations for run in self.runs)

    def is_behind(self, generation: int, position: int) -> bool:
        """Whether nobody who follows the journal of a generation that is over can come to a position of this half."""
        if not self.has_generation(generation):
            return True
        return generation in self._seals and position > self._seals[generation]

    def from_the_future(self, end: Cursor) -> list[BlockRun]:
        """Intact blocks of a generation to which the journal cannot have come yet, if it ends at ``end``.

        The other half may hold a checkpoint of the next generation that was begun; this one, nothing newer.
        """
        is_own = end.generation > 0 and (end.generation - 1) % 2 == self.half
        newest = end.generation if is_own else end.generation + 1
        return [run for run in self.runs if run.sort is Sort.INTACT and run.generation > newest]


def _as_written(geometry: Geometry, sector: int, block: Block) -> bytes:
    return encode_block(
        geometry, sector, block.epoch, block.generation, block.sequence, block.previous, block.records
    )


class Untruth(NamedTuple):
    """A record that breaks a rule which following the journal does not depend on."""

    what: str
    sector: int


class FollowerFromBefore(JournalFollower):
    """Loads from the older of two complete checkpoints, and comes into the newer half by following the SEAL.

    Args:
        geometry: the store's.
        generation: the newest one, which is not loaded from.
    """

    def __init__(self, geometry: Geometry, generation: int) -> None:
        super().__init__(geometry)
        self._generation = generation

    async def _read_heads(self) -> list[Block]:
        return [head for head in await super()._read_heads() if head.generation == self._generation - 1]

    async def contradicts(self, loaded: StrictFollower) -> str:
        """What is wrong with the newest checkpoint, which ``loaded`` started from; empty if nothing is, or can be told.

        With a SEAL this follower comes to the same end, unless an active goes on meanwhile. Without one, turning over
        was interrupted: then nothing stands behind the checkpoint yet, and it says what the older half does.
        """
        if not await self._read_heads():
            return ""
        with suppress(StoreError, ReadError):
            await self.load()
            is_sealed = self.cursor.generation == self._generation
            if not is_sealed and loaded.cursor.position > loaded.checkpoint_end:
                return "is not what the journal that it continues leads to"
            if is_sealed and self.cursor.checksum != loaded.cursor.checksum:
                return ""
            if what_it_says(self.view) != what_it_says(loaded.view):
                return "says something else than the journal that it continues"
        return ""


def what_it_says(view: View) -> Hashable:
    """Equal for two views exactly if they say the same of every shadow copy, the policy, the slots and a revert."""
    copies = [
        (one.id, one.created_ns, one.is_valid, tuple(sorted(one.table.items()))) for one in view.shadow_copies
    ]
    return (view.settings, view.slot_count, view.reverting, *copies)


class StrictFollower(JournalFollower):
    """Follows the journal and notes in ``untruths`` which slots and ids were used twice."""

    def __init__(self, geometry: Geometry) -> None:
        super().__init__(geometry)
        self.untruths: list[Untruth] = []
        self.checkpoint_end = 0
        """Position of the last part of the checkpoint that was loaded."""
        self._used = bytearray()
        self._used_beyond: set[int] = set()
        """Of the slots that were added since formatting."""
        self._last_counter = 0

    async def _load_checkpoint(self, head: Block) -> bool:
        is_complete = await super()._load_checkpoint(head)
        if is_complete:
            self.untruths = []
            self.checkpoint_end = self.cursor.position
            self._used, self._used_beyond = bytearray(self.geometry.slot_count), set()
            self._last_counter = 0
            sector = self.geometry.block_sector(self.cursor.generation, self.cursor.position)
            for slot in self.view.used_slots():
                self._claim(slot, sector)
            self._check_known_ids(sector)
        return is_complete

    def _check_known_ids(self, sector: int) -> None:
        """The ids in a checkpoint were given by actives up to the one that wrote it."""
        for shadow_copy in self.view.shadow_copies:
            epoch, counter = shadow_copy.id
            if epoch > self.cursor.epoch:
                what = f"the checkpoint has a shadow copy {shadow_copy.id}, which epoch {self.cursor.epoch} cannot know"
                self.untruths.append(Untruth(what, sector))
            elif epoch == self.cursor.epoch:
                self._last_counter = max(self._last_counter, counter)

    def apply(self, block: Block, raw: bytes) -> list[int]:
        """Take in a block. A slot that it frees may be named again by a later block, not by itself."""
        if block.epoch != self.cursor.epoch:
            self._last_counter = 0
        freed = super().apply(block, raw)
        sector = self.geometry.block_sector(self.cursor.generation, self.cursor.position)
        for number, record in enumerate(block.records):
            if isinstance(record, Checkpoint) or (number and isinstance(record, Takeover | Seal)):
                what = f"a record {type(record).__name__.upper()} stands where none may be"
                self.untruths.append(Untruth(what, sector))
            if isinstance(record, Copied):
                for slot in range(record.slot, record.slot + record.extent_count):
                    self._claim(slot, sector)
            elif isinstance(record, Created):
                self._check_id(record, block, sector)
        for slot in freed:
            if slot < len(self._used):
                self._used[slot] = 0
            self._used_beyond.discard(slot)
        return freed

    def _claim(self, slot: int, sector: int) -> None:
        is_of_formatting = slot < len(self._used)
        if self._used[slot] if is_of_formatting else slot in self._used_beyond:
            self.untruths.append(
                Untruth(f"slot {slot} is used for a second copy while the first is needed", sector)
            )
        if is_of_formatting:
            self._used[slot] = 1
        else:
            self._used_beyond.add(slot)

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
