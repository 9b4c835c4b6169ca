"""Images of stores to be mutated: lives that a store can have had, and edits of bytes, sectors and records.

A hostile edit makes every checksum, and every link of the chain behind it, right again: so what is tried is what the
code does with records that cannot be true, and not merely that checksums tell.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

from shadowshare.protocol.active import Active
from shadowshare.protocol.errors import Refusal
from shadowshare.protocol.formatting import format_store
from shadowshare.protocol.geometry import Location, plan_geometry
from shadowshare.protocol.layout import (
    CHECKSUM_BYTES,
    SUPERBLOCK_BYTES,
    Block,
    Checkpoint,
    Copied,
    Created,
    Record,
    Reverting,
    Seal,
    checksum_of,
    decode_block,
    encode_block,
)
from shadowshare.protocol.operations import Operation
from shadowshare.protocol.recovery import activate
from shadowshare.protocol.view import View
from shadowshare.sim.disks.memory_disk import MemoryDisk
from shadowshare.sim.inline import perform_inline, run_to_result

SECTOR_BYTES = 512
GEOMETRY = plan_geometry(bytes(range(16)), SECTOR_BYTES, 2, 16, 0, 16, 60, half_block_count=12)
SECTOR_COUNT = GEOMETRY.area_sector + GEOMETRY.area_sector_count
LOCATION = Location(0, GEOMETRY.superblock_sectors, (SECTOR_COUNT,))
METADATA = (*GEOMETRY.superblock_sectors, *GEOMETRY.journal_sectors)
OPERATION_COUNT_MAXIMUM = 40 * SECTOR_COUNT
"""For anything that is done with an image; what it really takes is some hundreds."""

Image = list[bytes]
Edit = Callable[[Image], None]
_T = TypeVar("_T")


class TooMuch(AssertionError):
    """An image was worked on for too long, or with too large reads."""


def bounded(coroutine: Coroutine[Any, Any, _T], disk: MemoryDisk) -> _T:
    """Run a coroutine on an image; it may neither go on for ever nor ask for more than there is at once."""
    operation_count = 0

    def perform(operation: Operation) -> Any:
        nonlocal operation_count
        operation_count += 1
        if operation_count > OPERATION_COUNT_MAXIMUM or operation.sector_count > SECTOR_COUNT:
            raise TooMuch(f"operation {operation_count} is {operation!r}")
        return disk.perform(operation, 0, disk.write_count)

    def answer_to(request: Any) -> Any:
        return perform(request) if isinstance(request, Operation) else [perform(one) for one in request]

    return run_to_result(coroutine, answer_to)


# -- lives -------------------------------------------------------------------------------------------------------

Step = tuple[str, int]
STEPS = st.tuples(
    st.sampled_from(
        ["create", "write", "write", "delete", "revert", "begin to revert", "recover", "turn over"]
    ),
    st.integers(0, 7),
)
LIVES = st.lists(STEPS, max_size=8).map(tuple)


def lived(steps: Sequence[Step]) -> MemoryDisk:
    """A store that had this life; what cannot be done of it is left out."""
    disk = MemoryDisk.blank(SECTOR_BYTES, SECTOR_COUNT)
    perform_inline(format_store(GEOMETRY), [disk])
    active = perform_inline(activate(LOCATION), [disk])
    for number, (verb, where) in enumerate(steps, start=1):
        try:
            if verb == "turn over":
                turn_over(disk, active)
            if verb in ("recover", "turn over"):
                active = perform_inline(activate(LOCATION), [disk])
            else:
                perform_inline(_do(active, verb, where, number), [disk])
        except Refusal:  # the journal, or the area, is full
            continue
    disk.versions.clear()
    return disk


async def _do(active: Active, verb: str, where: int, number: int) -> None:
    copies = active.view.shadow_copies
    if verb == "create":
        await active.create(number)
    elif verb == "write":
        length = min(3, 16 - 2 * where) * SECTOR_BYTES
        await active.write(2 * where * SECTOR_BYTES, bytes([number]) * length)
    elif copies and verb == "delete":
        await active.delete(copies[where % len(copies)].id)
    elif copies and verb == "revert":
        await active.revert(copies[where % len(copies)].id)
    elif copies:
        await active._reverter.begin(copies[where % len(copies)].id)


def turn_over(disk: MemoryDisk, active: Active) -> None:
    """Let the journal go on in the other half, as the format says it does."""
    follower = active._journal.follower
    cursor, generation = follower.cursor, follower.cursor.generation + 1
    records = [Checkpoint(1, 1), *records_of(follower.view)]
    if len(records) > 13 or cursor.position + 1 >= GEOMETRY.half_block_count:
        return
    head = GEOMETRY.block_sector(generation, 0)
    sequence = cursor.sequence + 1
    disk.sectors[head] = encode_block(
        GEOMETRY, head, cursor.epoch, generation, sequence, cursor.checksum, tuple(records)
    )
    sector = GEOMETRY.block_sector(cursor.generation, cursor.position + 1)
    seal = Seal(generation, 1, disk.sectors[head][-CHECKSUM_BYTES:])
    disk.sectors[sector] = encode_block(
        GEOMETRY, sector, cursor.epoch, cursor.generation, sequence, cursor.checksum, (seal,)
    )


def records_of(view: View) -> list[Record]:
    """The records that rebuild a view of valid shadow copies."""
    records: list[Record] = []
    for copy in view.shadow_copies:
        records.append(Created(copy.id, copy.created_ns))
        records += [Copied(copy.id, extent, slot, 1) for extent, slot in sorted(copy.table.items())]
    if view.reverting is not None:
        records.append(Reverting(view.reverting))
    return records


# -- edits -------------------------------------------------------------------------------------------------------

_INTERESTING = st.sampled_from(
    [0, 1, 2, 3, 7, 8, 9, 10, 11, 16, 17, 2**15, 2**31, 2**32 - 1, 2**48, 2**63, 2**64 - 1]
)
_ANY_SECTOR = st.sampled_from(METADATA)


def _flip(sector: int, offset: int, mask: int) -> Edit:
    def edit(image: Image) -> None:
        raw = bytearray(image[sector])
        raw[offset] ^= mask
        image[sector] = bytes(raw)

    return edit


flips = st.builds(_flip, _ANY_SECTOR, st.integers(0, SECTOR_BYTES - 1), st.integers(1, 255))
"""One byte of the metadata changes, and no checksum with it."""


def _copy(source: int, target: int) -> Edit:
    def edit(image: Image) -> None:
        image[target] = image[source]

    return edit


def _fill(sector: int, raw: bytes) -> Edit:
    def edit(image: Image) -> None:
        image[sector] = raw.ljust(SECTOR_BYTES, raw[:1] or b"\0")

    return edit


def superblock_field(copy: int, offset: int, size: int, value: int) -> Edit:
    """Give a field of a superblock another value, and the superblock a right checksum."""

    def edit(image: Image) -> None:
        sector = GEOMETRY.superblock_sectors[copy]
        raw = bytearray(image[sector])
        raw[offset : offset + size] = (value % 2 ** (8 * size)).to_bytes(size, "little")
        body = bytes(raw[: SUPERBLOCK_BYTES - CHECKSUM_BYTES])
        image[sector] = (body + checksum_of(body)).ljust(SECTOR_BYTES, b"\0")

    return edit


def _block_field(half: int, position: int, offset: int, size: int, value: int, mends: bool) -> Edit:
    """Give a field of a journal block another value and right checksums, and mend the chain behind it if told so."""

    def edit(image: Image) -> None:
        sector = GEOMETRY.block_sector(half + 1, position)
        raw = bytearray(image[sector])
        if not any(raw):
            return
        raw[offset : offset + size] = (value % 2 ** (8 * size)).to_bytes(size, "little")
        raw[-CHECKSUM_BYTES:] = checksum_of(bytes(raw[:-CHECKSUM_BYTES]))
        image[sector] = bytes(raw)
        if mends:
            mend_chain(image, half, position)

    return edit


def mend_chain(image: Image, half: int, position: int) -> None:
    """Make the links behind a block right again."""
    for behind in range(position + 1, GEOMETRY.half_block_count):
        sector = GEOMETRY.block_sector(half + 1, behind)
        block = decode_block(GEOMETRY, sector, image[sector])
        if not isinstance(block, Block):
            return
        previous = image[sector - 1][-CHECKSUM_BYTES:]
        image[sector] = encode_block(
            GEOMETRY, sector, block.epoch, block.generation, block.sequence, previous, block.records
        )


_BLOCK_FIELDS = [(8, 16), (24, 8), (32, 8), (40, 8), (48, 8), (56, 8), (64, 2), (66, 2), (68, 4)]
_RECORD_FIELDS = [
    (72 + 32 * record + offset, size)
    for record in range(3)
    for offset, size in ((0, 2), (2, 2), (4, 4), (8, 4), (12, 4), (16, 8), (24, 8))
]
_SUPERBLOCK_FIELDS = [
    (8, 4),
    (12, 4),
    (32, 4),
    (36, 4),
    *((at, 8) for at in range(40, 80, 8)),
    (80, 4),
    (84, 4),
]


def _append_hostile(half: int, records: list[bytes]) -> Edit:
    """Append a block with any records behind the last one, in its chain."""

    def edit(image: Image) -> None:
        position, last = 0, None
        while position < GEOMETRY.half_block_count:
            sector = GEOMETRY.block_sector(half + 1, position)
            block = decode_block(GEOMETRY, sector, image[sector])
            if not isinstance(block, Block):
                break
            position, last = position + 1, block
        if last is None or position == GEOMETRY.half_block_count:
            return
        sector = GEOMETRY.block_sector(half + 1, position)
        raw = bytearray(
            encode_block(
                GEOMETRY,
                sector,
                last.epoch,
                last.generation,
                last.sequence + 1,
                last.checksum,
                (Checkpoint(1, 1),),
            )
        )
        raw[64:66] = len(records).to_bytes(2, "little")
        raw[72 : 72 + 32 * len(records)] = b"".join(records)
        raw[-CHECKSUM_BYTES:] = checksum_of(bytes(raw[:-CHECKSUM_BYTES]))
        image[sector] = bytes(raw)

    return edit


_RECORDS = st.builds(
    lambda kind, count, epoch, counter, first, second: struct.pack(
        "<HHIIIQQ", kind, 0, count, epoch, counter, first, second
    ),
    st.integers(0, 9),
    _INTERESTING.map(lambda value: value % 2**32),
    st.integers(0, 3),
    st.integers(0, 4),
    _INTERESTING,
    _INTERESTING,
)

edits = st.one_of(
    flips,
    st.builds(_copy, _ANY_SECTOR, _ANY_SECTOR),
    st.builds(_fill, _ANY_SECTOR, st.binary(max_size=64)),
    st.builds(
        lambda copy, field, value: superblock_field(copy, field[0], field[1], value),
        st.integers(0, 1),
        st.sampled_from(_SUPERBLOCK_FIELDS),
        _INTERESTING,
    ),
    st.builds(
        lambda half, position, field, value, mends: _block_field(
            half, position, field[0], field[1], value, mends
        ),
        st.integers(0, 1),
        st.integers(0, 7),
        st.sampled_from(_BLOCK_FIELDS + _RECORD_FIELDS),
        _INTERESTING,
        st.booleans(),
    ),
    st.builds(_append_hostile, st.integers(0, 1), st.lists(_RECORDS, min_size=1, max_size=13)),
)
"""Anything that can be done to the metadata of an image."""


def edited(disk: MemoryDisk, changes: Sequence[Edit]) -> MemoryDisk:
    """A copy of a disk with edits made to it."""
    image = list(disk.sectors)
    for change in changes:
        change(image)
    return MemoryDisk(SECTOR_BYTES, image)
