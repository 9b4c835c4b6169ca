"""Every byte of a superblock and of a journal block counts, and what was written is what is read."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadowshare.protocol.errors import (
    GeometryMismatch,
    NotAStore,
    StoreError,
    SuperblockDamaged,
    UnsupportedFormat,
)
from shadowshare.protocol.geometry import Geometry, plan_geometry
from shadowshare.protocol.layout import (
    CHECKSUM_BYTES,
    SUPERBLOCK_BYTES,
    Block,
    Checkpoint,
    Copied,
    Created,
    Deleted,
    Grown,
    Invalidated,
    NoBlock,
    Record,
    Reverted,
    Reverting,
    Seal,
    ShadowCopyId,
    Takeover,
    checksum_of,
    decode_block,
    decode_superblock,
    encode_block,
    encode_superblock,
    find_superblock,
    record_capacity,
)
from tests.protocol.stores import STORE_ID

U32 = st.integers(0, 2**32 - 1)
U64 = st.integers(0, 2**64 - 1)
IDS = st.builds(ShadowCopyId, U32, U32)
CHECKSUMS = st.binary(min_size=CHECKSUM_BYTES, max_size=CHECKSUM_BYTES)
RECORDS: st.SearchStrategy[Record] = st.one_of(
    st.builds(Created, IDS, U64),
    st.builds(Copied, IDS, U64, U64, U32),
    st.builds(Deleted, IDS),
    st.just(Invalidated()),
    st.just(Takeover()),
    st.builds(Seal, U64, U32, CHECKSUMS),
    st.builds(Checkpoint, U64, U32),
    st.builds(Reverting, IDS),
    st.builds(Reverted, IDS),
    st.builds(Grown, U64),
)


def geometry_of(sector_bytes: int, area_device: int = 0) -> Geometry:
    return plan_geometry(STORE_ID, sector_bytes, 2, 16, area_device, 16, 60, half_block_count=12)


BOTH = pytest.mark.parametrize("geometry", [geometry_of(512), geometry_of(4096, 1)], ids=["512", "4096"])

# -- superblock --------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("copy", [0, 1])
def test_superblock_round_trip(geometry: Geometry, copy: int) -> None:
    raw = encode_superblock(geometry, copy)
    assert len(raw) == geometry.sector_bytes
    assert decode_superblock(raw) == geometry
    assert decode_superblock(memoryview(raw)) == geometry


@given(
    st.binary(min_size=16, max_size=16),
    st.sampled_from([512, 4096]),
    st.integers(1, 4096),
    st.integers(1, 2**48),
    st.sampled_from([0, 1]),
    st.integers(4, 2**16),
    st.integers(1, 2**20),
    st.integers(0, 2**20),
)
def test_any_superblock_round_trip(
    store_id: bytes,
    sector_bytes: int,
    extent: int,
    volume: int,
    device: int,
    half: int,
    slots: int,
    unused: int,
) -> None:
    area = 2 + 2 * half + slots * extent + unused
    geometry = Geometry(store_id, sector_bytes, extent, volume, device, volume, area, half, slots)
    assert decode_superblock(encode_superblock(geometry, 1)) == geometry


def test_superblock_is_written_as_documented() -> None:
    expected = (
        b"SHADOWSB"
        + struct.pack("<II", 2, 512)
        + STORE_ID
        + struct.pack("<IIQQQQQII", 2, 0, 16, 16, 60, 12, 17, 1, 0)
    )
    raw = encode_superblock(geometry_of(512), 1)
    assert raw[: len(expected)] == expected
    assert not any(raw[len(expected) : -CHECKSUM_BYTES])
    assert raw[-CHECKSUM_BYTES:].hex() == "90093c3f503cc611"


@BOTH
def test_one_damaged_byte_of_a_superblock_is_noticed(geometry: Geometry) -> None:
    raw = encode_superblock(geometry, 0)
    for offset in range(SUPERBLOCK_BYTES):
        for mask in (1, 0x80, 0xFF):
            with pytest.raises((NotAStore, SuperblockDamaged)):
                decode_superblock(with_byte(raw, offset, mask))


def with_byte(raw: bytes, offset: int, mask: int) -> bytes:
    return raw[:offset] + bytes([raw[offset] ^ mask]) + raw[offset + 1 :]


def signed_superblock(offset: int, field: bytes) -> bytes:
    """A superblock in which one field is another one, under a checksum that is right."""
    raw = encode_superblock(geometry_of(512), 0)
    body = (raw[:offset] + field + raw[offset + len(field) :])[:-CHECKSUM_BYTES]
    return body + checksum_of(body)


UNUSABLE: dict[str, tuple[bytes, type[StoreError], str]] = {
    "no magic": (bytes(512), NotAStore, "no superblock"),
    "too short": (encode_superblock(geometry_of(512), 0)[:511], NotAStore, "no superblock"),
    "an older version": (signed_superblock(8, struct.pack("<I", 0)), UnsupportedFormat, "version 0"),
    "a newer version": (signed_superblock(8, struct.pack("<I", 3)), UnsupportedFormat, "version 3"),
    "an unknown flag": (signed_superblock(36, struct.pack("<I", 2)), UnsupportedFormat, "flags 0x2"),
    "a reserved field": (signed_superblock(84, struct.pack("<I", 1)), UnsupportedFormat, "flags"),
    "no extents": (signed_superblock(32, struct.pack("<I", 0)), GeometryMismatch, "extent_sectors is 0"),
    "an endless volume": (signed_superblock(40, b"\xff" * 8), GeometryMismatch, "volume_sector_count"),
    "more slots than room": (signed_superblock(72, struct.pack("<Q", 2**47)), GeometryMismatch, "need"),
    "an odd sector size": (signed_superblock(12, struct.pack("<I", 1000)), GeometryMismatch, "1000"),
}


@pytest.mark.parametrize(("raw", "kind", "message"), UNUSABLE.values(), ids=UNUSABLE)
def test_an_unusable_superblock_is_refused(raw: bytes, kind: type[StoreError], message: str) -> None:
    with pytest.raises(kind, match=message):
        decode_superblock(raw)


# -- finding it --------------------------------------------------------------------------------------------------


@BOTH
def test_superblock_is_found_at_the_end(geometry: Geometry) -> None:
    raw = encode_superblock(geometry, 1)
    assert find_superblock(raw.rjust(8192, b"x")) == geometry
    assert find_superblock(raw) == geometry


@pytest.mark.parametrize("tail", [b"", bytes(100), bytes(512), bytes(4096), b"x" * 9000])
def test_no_superblock_is_found(tail: bytes) -> None:
    with pytest.raises(NotAStore, match="no superblock at the end"):
        find_superblock(tail)


@BOTH
def test_a_damaged_superblock_at_the_end_is_reported(geometry: Geometry) -> None:
    raw = with_byte(encode_superblock(geometry, 1), 30, 1)
    with pytest.raises(SuperblockDamaged):
        find_superblock(raw.rjust(8192, b"\0"))


def test_a_superblock_in_a_sector_of_another_size_is_refused() -> None:
    large_in_small = encode_superblock(geometry_of(4096), 1)[:512].rjust(4096, b"\0")
    small_in_large = encode_superblock(geometry_of(512), 1).ljust(4096, b"\0")
    for tail in (large_in_small, small_in_large):
        with pytest.raises(GeometryMismatch, match="stands in one of"):
            find_superblock(tail)


@BOTH
def test_a_store_inside_the_store_is_not_mistaken_for_it(geometry: Geometry) -> None:
    """Slots hold what users write, such as an image of a store; 4096 bytes before the end may lie in a slot."""
    inner = encode_superblock(geometry, 1).ljust(4096, b"\0")
    outer = geometry_of(512)
    assert find_superblock(inner[:-512] + encode_superblock(outer, 1)) == outer


# -- journal blocks ----------------------------------------------------------------------------------------------


@st.composite
def blocks(draw: st.DrawFn, geometry: Geometry) -> tuple[int, Block, bytes]:
    """A sector, the block in it, and its bytes."""
    records = tuple(draw(st.lists(RECORDS, min_size=1, max_size=record_capacity(geometry.sector_bytes))))
    sector, epoch, generation, sequence, previous = (*draw(st.tuples(U64, U64, U64, U64)), draw(CHECKSUMS))
    raw = encode_block(geometry, sector, epoch, generation, sequence, previous, records)
    return sector, Block(epoch, generation, sequence, previous, records, raw[-CHECKSUM_BYTES:]), raw


@BOTH
@given(data=st.data())
def test_block_round_trip(geometry: Geometry, data: st.DataObject) -> None:
    sector, block, raw = data.draw(blocks(geometry))
    assert len(raw) == geometry.sector_bytes
    assert decode_block(geometry, sector, raw) == block
    assert decode_block(geometry, sector, memoryview(raw)) == block


@given(st.lists(RECORDS, min_size=2, max_size=2, unique=True))
def test_different_records_have_different_bytes(records: list[Record]) -> None:
    geometry = geometry_of(512)
    raws = {encode_block(geometry, 1, 0, 1, 1, bytes(8), (record,)) for record in records}
    assert len(raws) == 2


def test_as_many_records_fit_as_it_is_said() -> None:
    for sector_bytes, capacity in ((512, 13), (4096, 125)):
        assert record_capacity(sector_bytes) == capacity
        raw = encode_block(geometry_of(sector_bytes), 1, 0, 1, 1, bytes(8), (Takeover(),) * capacity)
        assert len(raw) == sector_bytes


GEOMETRY = geometry_of(512)
SECTOR = GEOMETRY.block_sector(1, 3)
SOME_RECORDS = (Takeover(), Created(ShadowCopyId(7, 1), 5), Copied(ShadowCopyId(7, 1), 1, 2, 3))


def some_block(geometry: Geometry = GEOMETRY, sector: int = SECTOR) -> bytes:
    return encode_block(geometry, sector, 7, 1, 4, b"12345678", SOME_RECORDS)


def test_block_is_written_as_documented() -> None:
    expected = (
        b"SHADOWJB"
        + STORE_ID
        + struct.pack("<QQQQ", SECTOR, 7, 1, 4)
        + b"12345678"
        + struct.pack("<HHI", 3, 0, 0)
        + struct.pack("<HHIIIQQ", 5, 0, 0, 0, 0, 0, 0)
        + struct.pack("<HHIIIQQ", 1, 0, 0, 7, 1, 5, 0)
        + struct.pack("<HHIIIQQ", 2, 0, 3, 7, 1, 1, 2)
    )
    raw = some_block()
    assert raw[: len(expected)] == expected
    assert not any(raw[len(expected) : -CHECKSUM_BYTES])
    assert raw[-CHECKSUM_BYTES:] == checksum_of(raw[:-CHECKSUM_BYTES])


@BOTH
def test_one_damaged_byte_of_a_block_is_noticed(geometry: Geometry) -> None:
    raw = some_block(geometry)
    for offset in range(len(raw)):
        for mask in (1, 0x80, 0xFF):
            assert decode_block(geometry, SECTOR, with_byte(raw, offset, mask)) is NoBlock.DAMAGED


@given(st.integers(0, 511), st.integers(1, 255), st.data())
def test_one_damaged_byte_of_any_block_is_noticed(offset: int, mask: int, data: st.DataObject) -> None:
    sector, _, raw = data.draw(blocks(GEOMETRY))
    assert decode_block(GEOMETRY, sector, with_byte(raw, offset, mask)) is NoBlock.DAMAGED


def test_only_zeroes_are_empty() -> None:
    assert decode_block(GEOMETRY, SECTOR, bytes(512)) is NoBlock.EMPTY
    assert decode_block(GEOMETRY, SECTOR, memoryview(bytes(512))) is NoBlock.EMPTY
    for offset in range(512):
        assert decode_block(GEOMETRY, SECTOR, with_byte(bytes(512), offset, 1)) is NoBlock.DAMAGED


def signed_block(offset: int, field: bytes) -> bytes:
    """A block in which one field is another one, under a checksum that is right."""
    raw = some_block()
    body = (raw[:offset] + field + raw[offset + len(field) :])[:-CHECKSUM_BYTES]
    return body + checksum_of(body)


FOREIGN: dict[str, Callable[[], bytes]] = {
    "another store": lambda: some_block(replace(GEOMETRY, store_id=bytes(16))),
    "another address": lambda: some_block(sector=SECTOR + 1),
    "no records": lambda: signed_block(64, struct.pack("<H", 0)),
    "one record too many": lambda: signed_block(64, struct.pack("<H", 14)),
    "endless records": lambda: signed_block(64, b"\xff\xff"),
    "record type 0": lambda: signed_block(72 + 32, struct.pack("<H", 0)),
    "record type 12": lambda: signed_block(72 + 32, struct.pack("<H", 12)),
    "an unknown policy": lambda: signed_block(72 + 32, struct.pack("<HHI", 8, 0, 3)),
    "more than all slots": lambda: signed_block(72 + 32, struct.pack("<HHIIIQ", 8, 0, 0, 0, 0, 101)),
}


@pytest.mark.parametrize("make", FOREIGN.values(), ids=FOREIGN)
def test_an_intact_block_that_does_not_belong_here_is_damaged(make: Callable[[], bytes]) -> None:
    assert decode_block(GEOMETRY, SECTOR, make()) is NoBlock.DAMAGED


def test_the_signing_helpers_make_intact_bytes() -> None:
    """Else the tests above would see only a wrong checksum."""
    assert isinstance(decode_block(GEOMETRY, SECTOR, signed_block(64, struct.pack("<H", 3))), Block)
    assert decode_superblock(signed_superblock(8, struct.pack("<I", 1))) == replace(
        GEOMETRY, format_version=1
    )
