"""Bytes on disk: superblock, journal block, records. ``docs/on-disk-format.md`` describes them byte by byte.

All integers are little-endian. A superblock and a journal block are one sector each, and carry as their last field
(a superblock: of its first 512 bytes) the 64-bit BLAKE2b digest of everything before it. That digest is the checksum,
and, repeated in the next block, the link of the chain.
"""

from __future__ import annotations

import struct
from enum import Enum
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from shadowshare.protocol.errors import (
    GeometryMismatch,
    JournalDamaged,
    NotAStore,
    SuperblockDamaged,
    UnsupportedFormat,
)
from shadowshare.protocol.geometry import SECTOR_BYTES, Geometry
from shadowshare.protocol.operations import Buffer
from shadowshare.protocol.policy import POLICIES, WARNING_PERCENT_MAXIMUM, Policy

FORMAT_VERSIONS = (1, 2)
"""Those that can be read. Version 1 has only the records up to `Checkpoint`."""
CHECKSUM_BYTES = 8
NO_CHECKSUM = bytes(CHECKSUM_BYTES)

SUPERBLOCK_MAGIC = b"SHADOWSB"
SUPERBLOCK_BYTES = 512
"""A superblock is as long as the smallest sector; the rest of a larger sector is zero."""
_SUPERBLOCK = struct.Struct("<8sII16sIIQQQQQII")
_ON_OTHER_DEVICE = 1

BLOCK_MAGIC = b"SHADOWJB"
_BLOCK = struct.Struct("<8s16sQQQQ8sHHI")
_RECORD = struct.Struct("<HHIIIQQ")


def checksum_of(data: Buffer) -> bytes:
    """The 64-bit BLAKE2b digest of ``data`` (RFC 7693, digest size 8)."""
    return blake2b(data, digest_size=CHECKSUM_BYTES).digest()


# -- superblock --------------------------------------------------------------------------------------------------


def encode_superblock(geometry: Geometry, copy: int) -> bytes:
    """The sector that holds copy 0 or 1 of the superblock."""
    fields = _SUPERBLOCK.pack(
        SUPERBLOCK_MAGIC,
        geometry.format_version,
        geometry.sector_bytes,
        geometry.store_id,
        geometry.extent_sectors,
        _ON_OTHER_DEVICE if geometry.area_device else 0,
        geometry.volume_sector_count,
        geometry.area_sector,
        geometry.area_sector_count,
        geometry.half_block_count,
        geometry.slot_count,
        copy,
        0,
    ).ljust(SUPERBLOCK_BYTES - CHECKSUM_BYTES, b"\0")
    return (fields + checksum_of(fields)).ljust(geometry.sector_bytes, b"\0")


def decode_superblock(raw: Buffer) -> Geometry:
    """The geometry in a superblock.

    Raises:
        NotAStore: there is no superblock here.
        UnsupportedFormat: it is of another version of the format.
        SuperblockDamaged: its checksum is wrong.
        GeometryMismatch: it contradicts itself.
    """
    head = bytes(raw[:SUPERBLOCK_BYTES])
    if len(head) < SUPERBLOCK_BYTES or not head.startswith(SUPERBLOCK_MAGIC):
        raise NotAStore(
            "no superblock is here: this is no shadowshare store (make one with `shadowshare store format`)"
        )
    if checksum_of(head[:-CHECKSUM_BYTES]) != head[-CHECKSUM_BYTES:]:
        raise SuperblockDamaged("the checksum of the superblock is wrong")
    fields = _SUPERBLOCK.unpack_from(head)
    _, version, sector_bytes, store_id, extent_sectors, flags, *counts, _copy, reserved = fields
    if version not in FORMAT_VERSIONS:
        raise UnsupportedFormat(
            f"the store has format version {version}; this program knows {' and '.join(map(str, FORMAT_VERSIONS))}"
        )
    if flags & ~_ON_OTHER_DEVICE or reserved:
        raise UnsupportedFormat(f"the superblock has flags {flags:#x} that this program does not know")
    volume_sector_count, area_sector, area_sector_count, half_block_count, slot_count = counts
    return Geometry(
        store_id,
        sector_bytes,
        extent_sectors,
        volume_sector_count,
        flags & _ON_OTHER_DEVICE,
        area_sector,
        area_sector_count,
        half_block_count,
        slot_count,
        version,
    )


def find_superblock(tail: bytes) -> Geometry:
    """The geometry of the superblock in the last bytes of a device, whose sector size is not known yet.

    The smallest sector is looked at first: the last 512 bytes of a larger superblock are zero, while 4096 bytes before
    the end of a device with small sectors may lie a slot, with whatever users write: an image of a store, for example.

    Args:
        tail: at least the last 4096 bytes of the device, or all of a smaller one.

    Raises:
        NotAStore: no superblock starts 4096 or 512 bytes before the end.
        StoreError: one does, but cannot be used.
    """
    for sector_bytes in SECTOR_BYTES:
        sector = tail[-sector_bytes:]
        if len(sector) == sector_bytes and sector.startswith(SUPERBLOCK_MAGIC):
            geometry = decode_superblock(sector)
            if geometry.sector_bytes == sector_bytes:
                return geometry
            raise GeometryMismatch(
                f"the superblock says sectors of {geometry.sector_bytes} bytes, but stands in one of {sector_bytes}"
            )
    raise NotAStore(
        "no superblock at the end: not a shadowshare store, truncated, or its last superblock was damaged"
    )


# -- records -----------------------------------------------------------------------------------------------------


class ShadowCopyId(NamedTuple):
    """Never used twice: the epoch of the active that created it, and that active's count of creations from 1."""

    epoch: int
    counter: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.counter}"


class Created(NamedTuple):
    """A shadow copy exists from here on."""

    shadow_copy: ShadowCopyId
    created_ns: int
    """Wall-clock time of the creation as its caller gave it, nanoseconds since 1970; 0 if none."""


class Copied(NamedTuple):
    """``extent_count`` extents from ``extent`` on were copied, one after the other, to the slots from ``slot`` on."""

    shadow_copy: ShadowCopyId
    extent: int
    slot: int
    extent_count: int


class Deleted(NamedTuple):
    """A shadow copy is no more; copies that the next older one lacks are now that one's."""

    shadow_copy: ShadowCopyId


class Invalidated(NamedTuple):
    """Every shadow copy that exists here lost its image; their slots are free."""


class Takeover(NamedTuple):
    """A new active, whose epoch is that of this block."""


class Seal(NamedTuple):
    """The journal goes on behind the checkpoint of ``generation`` in the other half."""

    generation: int
    part_count: int
    checksum: bytes
    """Checksum of the last part of that checkpoint."""


class Checkpoint(NamedTuple):
    """This block is part ``part`` (from 1) of ``part_count``; the records behind this one rebuild the view."""

    part: int
    part_count: int


class Settings(NamedTuple):
    """From here on this is what happens when an extent cannot be copied."""

    policy: Policy
    warning_percent: int
    """From how many used slots in a hundred on the area counts as nearly full; 0 for never."""


class Reverting(NamedTuple):
    """From here on the volume is the image of a shadow copy, though not all of it has been put back yet."""

    shadow_copy: ShadowCopyId


class Reverted(NamedTuple):
    """All of that image is in the volume again."""

    shadow_copy: ShadowCopyId


class Grown(NamedTuple):
    """From here on there are ``slot_count`` slots, more than before."""

    slot_count: int


Record = (
    Created
    | Copied
    | Deleted
    | Invalidated
    | Takeover
    | Seal
    | Checkpoint
    | Settings
    | Reverting
    | Reverted
    | Grown
)

_CREATED, _COPIED, _DELETED, _INVALIDATED, _TAKEOVER, _SEAL, _CHECKPOINT, _SETTINGS = range(1, 9)
_REVERTING, _REVERTED, _GROWN = 9, 10, 11
_RECORDS_OF_NOTHING: dict[int, Invalidated | Takeover] = {_INVALIDATED: Invalidated(), _TAKEOVER: Takeover()}
_RECORDS_OF_AN_ID: dict[int, type[Deleted | Reverting | Reverted]] = {
    _DELETED: Deleted,
    _REVERTING: Reverting,
    _REVERTED: Reverted,
}
_KINDS_OF_AN_ID: dict[type, int] = {record: kind for kind, record in _RECORDS_OF_AN_ID.items()}
_NO_FIELDS = (0, 0, 0, 0, 0)


def _fields(record: Record) -> tuple[int, int, int, int, int, int, int]:
    """Type, reserved, count, epoch, counter, and two 64-bit fields."""
    match record:
        case Copied(shadow_copy, extent, slot, count):
            return (_COPIED, 0, count, *shadow_copy, extent, slot)
        case Created(shadow_copy, created_ns):
            return (_CREATED, 0, 0, *shadow_copy, created_ns, 0)
        case Deleted(shadow_copy) | Reverting(shadow_copy) | Reverted(shadow_copy):
            return (_KINDS_OF_AN_ID[type(record)], 0, 0, *shadow_copy, 0, 0)
        case Grown(slot_count):
            return (_GROWN, 0, 0, 0, 0, slot_count, 0)
        case Invalidated() | Takeover():
            return (_INVALIDATED if isinstance(record, Invalidated) else _TAKEOVER, 0, *_NO_FIELDS)
        case Seal(generation, part_count, checksum):
            return (_SEAL, 0, part_count, 0, 0, generation, int.from_bytes(checksum, "little"))
        case Checkpoint(part, part_count):
            return (_CHECKPOINT, 0, part_count, 0, 0, part, 0)
        case Settings(policy, warning_percent):
            return (_SETTINGS, 0, POLICIES.index(policy), 0, 0, warning_percent, 0)


def _record(fields: tuple[int, ...]) -> Record:
    kind, _, count, epoch, counter, first, second = fields
    if kind == _COPIED:
        return Copied(ShadowCopyId(epoch, counter), first, second, count)
    if kind == _CREATED:
        return Created(ShadowCopyId(epoch, counter), first)
    if kind in _RECORDS_OF_AN_ID:
        return _RECORDS_OF_AN_ID[kind](ShadowCopyId(epoch, counter))
    if kind in _RECORDS_OF_NOTHING:
        return _RECORDS_OF_NOTHING[kind]
    if kind == _SEAL:
        return Seal(first, count, second.to_bytes(CHECKSUM_BYTES, "little"))
    if kind == _CHECKPOINT:
        return Checkpoint(first, count)
    if kind == _GROWN:
        return Grown(first)
    if kind == _SETTINGS and count < len(POLICIES) and first <= WARNING_PERCENT_MAXIMUM:
        return Settings(POLICIES[count], first)
    raise JournalDamaged(f"a journal record of type {kind} is unknown, or says what cannot be")


# -- journal blocks ----------------------------------------------------------------------------------------------


class Block(NamedTuple):
    """An intact journal block of this store, found where it belongs."""

    epoch: int
    generation: int
    sequence: int
    previous: bytes
    records: tuple[Record, ...]
    checksum: bytes


class NoBlock(Enum):
    """Why a sector of the journal holds no block."""

    EMPTY = "empty"
    """All zero, as formatting left it."""
    DAMAGED = "damaged"
    """Neither zero nor an intact block of this store at this address."""


def record_capacity(sector_bytes: int) -> int:
    """How many records fit into one block."""
    return (sector_bytes - _BLOCK.size - CHECKSUM_BYTES) // _RECORD.size


def encode_block(
    geometry: Geometry,
    sector: int,
    epoch: int,
    generation: int,
    sequence: int,
    previous: bytes,
    records: tuple[Record, ...],
) -> bytes:
    """The sector that holds a journal block; ``sector`` is its own address."""
    header = _BLOCK.pack(
        BLOCK_MAGIC, geometry.store_id, sector, epoch, generation, sequence, previous, len(records), 0, 0
    )
    body = header + b"".join([_RECORD.pack(*_fields(record)) for record in records])
    body = body.ljust(geometry.sector_bytes - CHECKSUM_BYTES, b"\0")
    return body + checksum_of(body)


def decode_block(geometry: Geometry, sector: int, raw: Buffer) -> Block | NoBlock:
    """What a sector of the journal holds.

    Since a sector is written atomically, and formatting zeroes the journal, a sector that is neither zero nor an
    intact block of this store at its own address was damaged.
    """
    store_id, address, block = _decode(bytes(raw))
    if isinstance(block, Block) and (store_id != geometry.store_id or address != sector):
        return NoBlock.DAMAGED
    return block


@lru_cache(maxsize=64)
def _decode(raw: bytes) -> tuple[bytes, int, Block | NoBlock]:
    """Store id, own address and content of a block. Several readers of one process see the same few new blocks."""
    magic, store_id, address, epoch, generation, sequence, previous, record_count, _, _ = _BLOCK.unpack_from(
        raw
    )
    if magic != BLOCK_MAGIC:
        return b"", 0, NoBlock.DAMAGED if any(raw) else NoBlock.EMPTY
    checksum = raw[-CHECKSUM_BYTES:]
    if checksum_of(raw[:-CHECKSUM_BYTES]) != checksum or not 1 <= record_count <= record_capacity(len(raw)):
        return b"", 0, NoBlock.DAMAGED
    end = _BLOCK.size + record_count * _RECORD.size
    try:
        records = tuple([_record(fields) for fields in _RECORD.iter_unpack(raw[_BLOCK.size : end])])
    except JournalDamaged:
        return b"", 0, NoBlock.DAMAGED
    return store_id, address, Block(epoch, generation, sequence, previous, records, checksum)
