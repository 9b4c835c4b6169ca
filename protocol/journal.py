"""The metadata journal: the one truth about the store.

`JournalFollower` is the reading side, used by passives, recovery and (for its own blocks) the active: it loads the
view and then *catches up*. The writing side is `shadowshare.protocol.journal_appender`.

What a catch-up does with what it finds, position by position:

=============================================  =================================================================
my last block is no longer what I applied      reload
the block fits (`JournalFollower._fits`)       apply it; on SEAL go on behind the checkpoint in the other half
all zero, or of a lower generation             end of the journal
intact, does not fit, generation not lower     reload
neither zero nor intact                        look again; the same again: damaged
intact block of mine behind the end            look again; the same again: damaged
=============================================  =================================================================

"Reload" means: load another view, from the highest generation that has a complete checkpoint; it takes the place of
the old one when it is whole. A block that a passive saw and that a power loss then took away (a ghost) is always
noticed by the first row: every catch-up reads the last applied block again, and what recovery writes in its place
differs from it by its epoch.
"""

from __future__ import annotations

from copy import copy
from enum import Enum
from typing import NamedTuple

from shadowshare.protocol.coordination import Mutex
from shadowshare.protocol.errors import JournalDamaged
from shadowshare.protocol.geometry import Geometry
from shadowshare.protocol.layout import (
    NO_CHECKSUM,
    Block,
    Checkpoint,
    Seal,
    Takeover,
    decode_block,
)
from shadowshare.protocol.marks import Mark, reached
from shadowshare.protocol.operations import Buffer, Read
from shadowshare.protocol.view import View

WINDOW_BLOCK_COUNT = 16
"""Journal blocks that one catch-up read asks for, the last applied one included."""

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


Bookmark = tuple[int, Cursor]
"""How often a follower had loaded, and what it had applied last."""


class _Patience:
    """Tells, within one request, when the same bytes could not be used so often that no active is changing them."""

    __slots__ = ("_count", "_last")

    def __init__(self) -> None:
        self._last: object = None
        self._count = 0

    def is_over(self, unusable: object) -> bool:
        """Note what could not be used."""
        self._count = self._count + 1 if unusable == self._last else 1
        self._last = unusable
        return self._count >= IDENTICAL_LOOK_COUNT


class JournalFollower:
    """Follows the journal and keeps the view of it.

    Several tasks of a host may share one; each of them compares with a `bookmark` what it relied on.

    Args:
        geometry: the store's.
        window_block_count: journal blocks per catch-up read, at least 2.
    """

    view_class: type[View] = View

    def __init__(self, geometry: Geometry, window_block_count: int = WINDOW_BLOCK_COUNT) -> None:
        self.geometry = geometry
        self.view = self.view_class(geometry.extent_count, geometry.slot_count)
        self.cursor = Cursor(0, 0, 0, 0, NO_CHECKSUM, b"")
        self._window_block_count = max(2, window_block_count)
        self._empty = bytes(geometry.sector_bytes)
        self._digest = 0
        self._load_count = 0
        self._loading = Mutex()
        self._seal: Seal | None = None  # of the last applied block, as long as it was not followed

    @property
    def digest(self) -> int:
        """Identifies everything applied since the last load: a running 64-bit digest of the blocks' checksums."""
        return self._digest

    def bookmark(self) -> Bookmark:
        """Where this follower is now, to be compared by `since`."""
        return self._load_count, self.cursor

    def since(self, bookmark: Bookmark) -> Progress:
        """What happened since ``bookmark``, by whichever task of the host."""
        load_count, cursor = bookmark
        if load_count != self._load_count:
            return Progress.RELOADED
        return Progress.SAME if cursor is self.cursor else Progress.ADVANCED

    # -- load ----------------------------------------------------------------------------------------------------

    async def load(self) -> None:
        """Build the view anew: from the highest generation with a complete checkpoint, then catch up.

        Raises:
            JournalDamaged: no checkpoint is complete, or what follows can neither be applied nor be the end.
            ReadError: the disk failed.
        """
        await self._load(_Patience())

    async def _load(self, patience: _Patience) -> None:
        while True:
            heads = await self._read_heads()
            for head in heads:
                if await self._load_checkpoint(head):
                    break
                reached(Mark.CHECKPOINT_INCOMPLETE)
            else:
                if patience.is_over(tuple(heads)):
                    raise self._damaged("no complete checkpoint")
                continue
            if await self._follow_to_end(patience):
                return
            reached(Mark.LOADED_AGAIN)

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
        view = self.view_class(self.geometry.extent_count, self.geometry.slot_count)
        digest, previous = 0, head.previous
        block, raw = head, b""
        for position in range(part_count):
            sector = self.geometry.block_sector(head.generation, position)
            raw = bytes(await Read(self.geometry.area_device, sector, 1))
            found = decode_block(self.geometry, sector, raw)
            if not isinstance(found, Block) or not self._is_part(found, head, position, previous):
                return False
            block, previous = found, found.checksum
            digest = _fold(digest, block)
            for record in block.records:
                view.apply(record)
        self.view, self._digest, self._seal = view, digest, None
        self._load_count += 1
        self.cursor = Cursor(
            block.epoch, block.generation, block.sequence, part_count - 1, block.checksum, raw
        )
        return True

    def _is_part(self, block: Block, head: Block, position: int, previous: bytes) -> bool:
        """Whether ``block`` is part ``position`` of the checkpoint: numbered, chained, of one epoch and generation."""
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

    # -- catch up ------------------------------------------------------------------------------------------------

    async def catch_up(self) -> Progress:
        """Take in what was appended since the last time, by a read that starts now.

        Without a concurrent active this is one read.

        Raises:
            JournalDamaged: what follows can neither be applied nor be the end.
            ReadError: the disk failed; the view is as it was, or further.
        """
        bookmark, patience = self.bookmark(), _Patience()
        if not await self._follow_to_end(patience):
            await self._load_in_turn(patience)
        return self.since(bookmark)

    async def _load_in_turn(self, patience: _Patience) -> None:
        """Load, one task of the host at a time, and beside what the others follow meanwhile.

        If tasks loaded in each other's view, each could set back the others, who would begin again for ever. Who had to
        wait for another one that loaded has only to catch up, if that is possible by now.
        """
        load_count = self._load_count
        async with self._loading:
            if self._load_count != load_count and await self._follow_to_end(patience):
                reached(Mark.LOADED_BY_ANOTHER_TASK)
                return
            beside = copy(self)
            await beside._load(patience)
            vars(self).update(vars(beside))

    async def _follow_to_end(self, patience: _Patience) -> bool:
        """Apply block after block; False if the end cannot be reached from here, and the caller has to load."""
        geometry = self.geometry
        while True:
            cursor = self.cursor
            first = geometry.block_sector(cursor.generation, cursor.position)
            blocks_left = geometry.half_block_count - cursor.position
            block_count = min(self._window_block_count, blocks_left)
            data = await Read(geometry.area_device, first, block_count)
            if self.cursor is not cursor:
                reached(Mark.CURSOR_MOVED_DURING_READ)
                continue
            look = self._examine(first, block_count, data)
            if look is _Look.MORE:
                is_over = block_count == blocks_left
                reached(Mark.HALF_IS_OVER if is_over else Mark.WINDOW_FULL)
                look = _Look.END if is_over else look
            if look is _Look.END:
                return True
            if look is _Look.SEALED:
                look = await self._follow_seal()
            if look is _Look.RELOAD:
                if patience.is_over((self.cursor, bytes(data))):
                    raise self._damaged("a block that does not follow the one before it")
                return False
            if look is _Look.AGAIN and patience.is_over((self.cursor, bytes(data))):
                raise self._damaged("a block that is neither empty nor intact, or a gap")

    def _examine(self, first: int, block_count: int, data: Buffer) -> _Look:
        """Apply what fits of ``data``, which was read from the last applied block on, at sector ``first``."""
        size = self.geometry.sector_bytes
        generation = self.cursor.generation
        if not self._is_last_applied(data[:size]):
            reached(Mark.LAST_BLOCK_GONE)
            return _Look.RELOAD
        if self._seal is not None:
            return _Look.SEALED
        for index in range(1, block_count):
            raw = data[index * size : (index + 1) * size]
            if raw == self._empty:
                return self._examine_beyond(first, index, data)
            block = decode_block(self.geometry, first + index, raw)
            if not isinstance(block, Block):
                reached(Mark.DAMAGED_BLOCK_SEEN)
                return _Look.AGAIN
            if block.generation < generation:
                reached(Mark.LOWER_GENERATION_IS_THE_END)
                return self._examine_beyond(first, index, data)
            if not self._fits(block):
                reached(Mark.BLOCK_DOES_NOT_FIT)
                return _Look.RELOAD
            self.apply(block, bytes(raw))
            if self._seal is not None:
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
                    reached(Mark.BLOCK_BEHIND_THE_END)
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
        first = block.records[0]
        self._seal = first if isinstance(first, Seal) else None
        self._digest = _fold(self._digest, block)
        self.cursor = Cursor(
            block.epoch, block.generation, block.sequence, self.cursor.position + 1, block.checksum, raw
        )
        return freed

    async def _follow_seal(self) -> _Look:
        """Go on behind the checkpoint of the next generation, which says what the view already holds."""
        geometry, seal = self.geometry, self._seal
        assert seal is not None
        if seal.generation == self.cursor.generation + 1 and 0 < seal.part_count <= geometry.half_block_count:
            sector = geometry.block_sector(seal.generation, seal.part_count - 1)
            sealed = self.cursor
            raw = bytes(await Read(geometry.area_device, sector, 1))
            if self.cursor is not sealed:
                reached(Mark.CURSOR_MOVED_DURING_SEAL)
                return _Look.MORE
            block = decode_block(geometry, sector, raw)
            if isinstance(block, Block) and (block.generation, block.checksum) == (
                seal.generation,
                seal.checksum,
            ):
                reached(Mark.SEAL_FOLLOWED)
                self.go_on_behind(block, raw, seal.part_count - 1)
                return _Look.MORE
        reached(Mark.SEAL_LEADS_NOWHERE)
        return _Look.RELOAD

    def go_on_behind(self, block: Block, raw: bytes, position: int) -> None:
        """Go on behind the last part of a checkpoint, to which the SEAL led that was applied last."""
        epoch = max(self.cursor.epoch, block.epoch)
        self._digest, self._seal = _fold(self._digest, block), None
        self.cursor = Cursor(epoch, block.generation, block.sequence, position, block.checksum, raw)

    def _damaged(self, meaning: str) -> JournalDamaged:
        reached(Mark.CALLED_DAMAGED)
        cursor = self.cursor
        where = self.geometry.block_sector(max(1, cursor.generation), cursor.position)
        return JournalDamaged(
            f"the journal is damaged: {meaning}, behind block {cursor.sequence} of generation {cursor.generation} "
            f"(sector {where} of device {self.geometry.area_device}): see `shadowshare store check`"
        )


def _checkpoint(block: Block) -> Checkpoint:
    first = block.records[0]
    assert isinstance(first, Checkpoint)
    return first


def _fold(digest: int, block: Block) -> int:
    """The running digest after ``block``: a polynomial in the blocks' checksums modulo 2^64."""
    return (digest * _DIGEST_FACTOR + int.from_bytes(block.checksum, "little") + 1) & _DIGEST_MASK
