"""The metadata journal: the one truth about the store.

`JournalFollower` is the reading side, used by passives, recovery and (for its own blocks) the active: it loads the
view and then *catches up*. `JournalAppender` is the writing side of the one active.

What a catch-up does with what it finds, position by position:

=============================================  =================================================================
my last block is no longer what I applied      reload
the block fits (`JournalFollower._fits`)       apply it; on SEAL go on behind the checkpoint in the other half
all zero, or of a lower generation             end of the journal
intact, does not fit, generation not lower     reload
neither zero nor intact                        look again; the same again: damaged
intact block of mine behind the end            look again; the same again: damaged
=============================================  =================================================================

"Reload" means: forget the view and load from the highest generation that has a complete checkpoint. A block that a
passive saw and that a power loss then took away (a ghost) is always noticed by the first row: every catch-up reads the
last applied block again, and what recovery writes in its place differs from it by its epoch.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from shadowshare.protocol.errors import JournalDamaged, JournalFull, WriteError
from shadowshare.protocol.geometry import Geometry
from shadowshare.protocol.layout import (
    CHECKSUM_BYTES,
    NO_CHECKSUM,
    Block,
    Checkpoint,
    Record,
    Seal,
    Takeover,
    decode_block,
    encode_block,
    record_capacity,
)
from shadowshare.protocol.operations import Buffer, Flush, Read, Write
from shadowshare.protocol.view import View

WINDOW_BLOCK_COUNT = 16
"""Journal blocks that one catch-up read asks for, the last applied one included."""

RESERVED_BLOCK_COUNT = 2
"""Blocks at the end of each half that only a TAKEOVER and a SEAL may use."""

IDENTICAL_LOOK_COUNT = 3
"""How often the same unusable bytes are read before they count as damaged and not as being written."""

_DIGEST_FACTOR = 0x9E3779B97F4A7C15
_DIGEST_MASK = 2**64 - 1


class Progress(Enum):
    """What a catch-up found."""

    SAME = "same"
    ADVANCED = "advanced"
    RELOADED = "reloaded"


class _Look(Enum):
    """What one read of the journal came to."""

    END = "end"
    MORE = "more"
    SEALED = "sealed"
    AGAIN = "again"
    RELOAD = "reload"


class Cursor(NamedTuple):
    """The last applied block: where it is, and what it was."""

    epoch: int
    generation: int
    sequence: int
    position: int
    checksum: bytes
    raw: bytes


class JournalFollower:
    """Follows the journal and keeps the view of it.

    One task at a time may load or catch up.

    Args:
        geometry: the store's.
        window_block_count: journal blocks per catch-up read, at least 2.
    """

    def __init__(self, geometry: Geometry, window_block_count: int = WINDOW_BLOCK_COUNT) -> None:
        self.geometry = geometry
        self.view = View(geometry.extent_count, geometry.slot_count)
        self.cursor = Cursor(0, 0, 0, 0, NO_CHECKSUM, b"")
        self._window_block_count = max(2, window_block_count)
        self._empty = bytes(geometry.sector_bytes)
        self._digest = 0
        self._seal = Seal(0, 0, NO_CHECKSUM)
        self._last_unusable: object = None
        self._unusable_count = 0

    @property
    def digest(self) -> int:
        """Identifies everything applied since the last load: a running 64-bit digest of the blocks' checksums."""
        return self._digest

    # -- load ----------------------------------------------------------------------------------------------------

    async def load(self) -> None:
        """Build the view anew: from the highest generation with a complete checkpoint, then catch up.

        Raises:
            JournalDamaged: no checkpoint is complete, or what follows can neither be applied nor be the end.
            ReadError: the disk failed.
        """
        while True:
            heads = await self._read_heads()
            for head in heads:
                if await self._load_checkpoint(head):
                    break
            else:
                self._note_unusable(tuple(heads), "no complete checkpoint")
                continue
            if await self._follow_to_end() is not Progress.RELOADED:
                return

    async def _read_heads(self) -> list[Block]:
        """The intact first blocks of the halves that start a checkpoint, highest generation first."""
        heads = []
        for generation in (1, 2):
            sector = self.geometry.block_sector(generation, 0)
            block = decode_block(self.geometry, sector, await Read(self.geometry.area_device, sector, 1))
            if isinstance(block, Block) and self.geometry.block_sector(block.generation, 0) == sector:
                first = block.records[0]
                if isinstance(first, Checkpoint) and first.part == 1:
                    heads.append(block)
        return sorted(heads, key=lambda block: block.generation, reverse=True)

    async def _load_checkpoint(self, head: Block) -> bool:
        """Make the checkpoint that starts with ``head`` the view; False if it is not complete."""
        part_count = _checkpoint(head).part_count
        if not 0 < part_count <= self.geometry.half_block_count:
            return False
        view = View(self.geometry.extent_count, self.geometry.slot_count)
        digest, previous = 0, head.previous
        block, raw = head, b""
        for position in range(part_count):
            sector = self.geometry.block_sector(head.generation, position)
            raw = bytes(await Read(self.geometry.area_device, sector, 1))
            found = decode_block(self.geometry, sector, raw)
            if not isinstance(found, Block) or not _continues_checkpoint(found, head, position, previous):
                return False
            block, previous = found, found.checksum
            digest = _fold(digest, block)
            for record in block.records:
                view.apply(record)
        self.view, self._digest = view, digest
        self.cursor = Cursor(
            block.epoch, block.generation, block.sequence, part_count - 1, block.checksum, raw
        )
        return True

    # -- catch up ------------------------------------------------------------------------------------------------

    async def catch_up(self) -> Progress:
        """Take in what was appended since the last time, by a read that starts now.

        Without a concurrent active this is one read.

        Raises:
            JournalDamaged: what follows can neither be applied nor be the end.
            ReadError: the disk failed; the view is as it was, or further.
        """
        progress = await self._follow_to_end()
        if progress is Progress.RELOADED:
            await self.load()
        return progress

    async def _follow_to_end(self) -> Progress:
        """Apply block after block; RELOADED means that the caller has to load."""
        geometry, before = self.geometry, self.cursor
        while True:
            cursor = self.cursor
            first = geometry.block_sector(cursor.generation, cursor.position)
            blocks_left = geometry.half_block_count - cursor.position
            block_count = min(self._window_block_count, blocks_left)
            data = await Read(geometry.area_device, first, block_count)
            look = self._examine(first, block_count, data)
            if look is _Look.END or (look is _Look.MORE and block_count == blocks_left):
                self._last_unusable = None
                return Progress.SAME if self.cursor is before else Progress.ADVANCED
            if look is _Look.SEALED:
                look = await self._follow_seal()
            if look is _Look.RELOAD:
                self._note_unusable(
                    (self.cursor, bytes(data)), "a block that does not follow the one before it"
                )
                return Progress.RELOADED
            if look is _Look.AGAIN:
                self._note_unusable(
                    (self.cursor, bytes(data)), "a block that is neither empty nor intact, or a gap"
                )

    def _examine(self, first: int, block_count: int, data: Buffer) -> _Look:
        """Apply what fits of ``data``, which was read from the last applied block on, at sector ``first``."""
        size = self.geometry.sector_bytes
        generation = self.cursor.generation
        if not self._is_last_applied(data[:size]):
            return _Look.RELOAD
        for index in range(1, block_count):
            raw = data[index * size : (index + 1) * size]
            if raw == self._empty:
                return self._examine_beyond(first, index, data)
            block = decode_block(self.geometry, first + index, raw)
            if not isinstance(block, Block):
                return _Look.AGAIN
            if block.generation < generation:
                return self._examine_beyond(first, index, data)
            if not self._fits(block):
                return _Look.RELOAD
            self.apply(block, bytes(raw))
            if isinstance(block.records[0], Seal):
                self._seal = block.records[0]
                return _Look.SEALED
        return _Look.MORE

    def _is_last_applied(self, raw: Buffer) -> bool:
        """Whether what was read where the last applied block was is still that block."""
        return raw == self.cursor.raw

    def _examine_beyond(self, first: int, index: int, data: Buffer) -> _Look:
        """The journal ends at ``index``, unless a block of this generation stands behind it."""
        size = self.geometry.sector_bytes
        for later in range(index + 1, len(data) // size):
            raw = data[later * size : (later + 1) * size]
            if raw != self._empty:
                block = decode_block(self.geometry, first + later, raw)
                if isinstance(block, Block) and block.generation >= self.cursor.generation:
                    return _Look.AGAIN
        return _Look.END

    def _fits(self, block: Block) -> bool:
        """Whether a block follows the last applied one."""
        cursor = self.cursor
        return (
            block.generation == cursor.generation
            and block.sequence == cursor.sequence + 1
            and block.previous == cursor.checksum
            and (
                block.epoch == cursor.epoch
                or (block.epoch > cursor.epoch and isinstance(block.records[0], Takeover | Seal))
            )
        )

    def apply(self, block: Block, raw: bytes) -> list[int]:
        """Take in a block that fits, whose sector is ``raw``; returns the slots that it freed.

        Raises:
            JournalDamaged: a record in it cannot be true.
        """
        freed: list[int] = []
        for record in block.records:
            freed.extend(self.view.apply(record))
        self._digest = _fold(self._digest, block)
        self.cursor = Cursor(
            block.epoch, block.generation, block.sequence, self.cursor.position + 1, block.checksum, raw
        )
        return freed

    async def _follow_seal(self) -> _Look:
        """Go on behind the checkpoint of the next generation, which says what the view already holds."""
        geometry, seal = self.geometry, self._seal
        if seal.generation == self.cursor.generation + 1 and 0 < seal.part_count <= geometry.half_block_count:
            sector = geometry.block_sector(seal.generation, seal.part_count - 1)
            raw = bytes(await Read(geometry.area_device, sector, 1))
            block = decode_block(geometry, sector, raw)
            if isinstance(block, Block) and (block.generation, block.checksum) == (
                seal.generation,
                seal.checksum,
            ):
                epoch = max(self.cursor.epoch, block.epoch)
                self._digest = _fold(self._digest, block)
                self.cursor = Cursor(
                    epoch, block.generation, block.sequence, seal.part_count - 1, block.checksum, raw
                )
                return _Look.MORE
        return _Look.RELOAD

    def _note_unusable(self, what: object, meaning: str) -> None:
        """Count how often the same bytes could not be used; an active at work would have changed them."""
        if what != self._last_unusable:
            self._last_unusable, self._unusable_count = what, 0
        self._unusable_count += 1
        if self._unusable_count >= IDENTICAL_LOOK_COUNT:
            self._last_unusable = None
            cursor = self.cursor
            where = self.geometry.block_sector(max(1, cursor.generation), cursor.position)
            raise JournalDamaged(
                f"the journal is damaged: {meaning}, behind block {cursor.sequence} of generation {cursor.generation} "
                f"(sector {where} of device {self.geometry.area_device}): see `shadowshare store check`"
            )


def _checkpoint(block: Block) -> Checkpoint:
    first = block.records[0]
    assert isinstance(first, Checkpoint)
    return first


def _continues_checkpoint(block: Block, head: Block, position: int, previous: bytes) -> bool:
    """Whether ``block`` is the checkpoint's part at ``position``: numbered, chained, of one epoch and generation."""
    first = block.records[0]
    return (
        isinstance(first, Checkpoint)
        and first.part == position + 1
        and first.part_count == _checkpoint(head).part_count
        and block.epoch == head.epoch
        and block.generation == head.generation
        and block.sequence == head.sequence + position
        and block.previous == previous
    )


def _fold(digest: int, block: Block) -> int:
    """The running digest after ``block``: a polynomial in the blocks' checksums modulo 2^64."""
    return (digest * _DIGEST_FACTOR + int.from_bytes(block.checksum, "little") + 1) & _DIGEST_MASK


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
            else:
                return

    async def _flush(self) -> None:
        """Make the block durable before anything relies on it."""
        await Flush(self.follower.geometry.area_device)
