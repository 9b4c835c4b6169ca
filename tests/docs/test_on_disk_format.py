"""``docs/on-disk-format.md`` says exactly what the code does: each table and each byte of the hexdumps."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, get_args

import pytest

from shadowshare import protocol
from shadowshare.protocol import layout
from shadowshare.protocol.errors import StoreError
from shadowshare.protocol.formatting import format_store
from shadowshare.protocol.geometry import Geometry
from shadowshare.protocol.layout import (
    Checkpoint,
    Copied,
    Created,
    Deleted,
    Grown,
    Invalidated,
    Record,
    Reverted,
    Reverting,
    Seal,
    Settings,
    ShadowCopyId,
    Takeover,
    checksum_of,
    decode_block,
    decode_superblock,
    encode_block,
    encode_superblock,
    record_capacity,
)
from shadowshare.protocol.policy import POLICIES, Policy
from shadowshare.sim.disks.memory_disk import MemoryDisk
from shadowshare.sim.inline import perform_inline
from tests.docs.documents import DOCS, all_fences, fences, read, section, tables

PAGE = "on-disk-format.md"
CODES = {"u16": "H", "u32": "I", "u64": "Q"}

EXAMPLE = Geometry(b"shadowshare-doc!", 512, 2, 7, 0, 7, 17, 4, 3)
"""The store of the document's example."""

Rows = list[dict[str, str]]


def table(heading: str, number: int = 0) -> Rows:
    return tables(section(read(PAGE), heading))[number]


def format_of(rows: Rows) -> str:
    """The format string of `struct` that a table describes; its offsets must leave no gap."""
    place, codes = 0, ["<"]
    for row in rows:
        size = int(row["size"])
        assert int(row["offset"]) == place, f"{row['field']} is at {place}, not at {row['offset']}"
        codes.append(CODES.get(row["type"], f"{size}s"))
        assert struct.calcsize("<" + codes[-1]) == size, f"{row['field']} has no {size} bytes"
        place += size
    return "".join(codes)


def field(rows: Rows, name: str, raw: bytes) -> bytes | int:
    """What stands in ``raw`` where a table says that a field is."""
    row = next(row for row in rows if row["field"] == name)
    part = raw[int(row["offset"]) : int(row["offset"]) + int(row["size"])]
    return part if row["type"] == "bytes" else int.from_bytes(part, "little")


def test_example_is_that_of_the_document() -> None:
    code = next(fence.text for fence in fences(DOCS / PAGE) if fence.info == "python")
    names: dict[str, object] = {}
    exec(code, names)
    assert names["geometry"] == EXAMPLE


# -- superblock --------------------------------------------------------------------------------------------------


def test_superblock_table_is_the_struct() -> None:
    rows = table("Superblock")
    assert format_of(rows[:-2]) == layout._SUPERBLOCK.format
    assert struct.calcsize(format_of(rows)) == layout.SUPERBLOCK_BYTES
    assert [row["field"] for row in rows[-2:]] == ["zero", "checksum"]


@pytest.mark.parametrize("sector_bytes", [512, 4096])
@pytest.mark.parametrize("area_device", [0, 1])
def test_superblock_fields_are_where_the_table_says(sector_bytes: int, area_device: int) -> None:
    rows = table("Superblock")
    geometry = Geometry(
        bytes(range(1, 17)),
        sector_bytes,
        0x0102,
        0x1112131415,
        area_device,
        0x2122232425,
        0x3132333435,
        0x41,
        0x51,
    )
    raw = encode_superblock(geometry, 1)
    assert len(raw) == sector_bytes
    expected = {
        "magic": b"SHADOWSB",
        "version": 2,
        "sector_bytes": sector_bytes,
        "store_id": geometry.store_id,
        "extent_sectors": 0x0102,
        "flags": area_device,
        "volume_sector_count": 0x1112131415,
        "area_sector": 0x2122232425,
        "area_sector_count": 0x3132333435,
        "half_block_count": 0x41,
        "slot_count": 0x51,
        "copy": 1,
        "reserved": 0,
        "zero": bytes(416),
        "checksum": checksum_of(raw[:504]),
    }
    assert {row["field"]: field(rows, row["field"], raw) for row in rows} == expected
    assert not any(raw[512:])


def rewritten(raw: bytes, offset: int, value: bytes, *, is_checksum_right: bool = True) -> bytes:
    body = raw[:offset] + value + raw[offset + len(value) : 504]
    return body + (checksum_of(body) if is_checksum_right else raw[504:512]) + raw[512:]


def test_superblock_is_refused_in_the_order_of_the_table() -> None:
    """Each row's fault, and all faults of later rows with it."""
    good = encode_superblock(EXAMPLE, 0)
    bad_geometry = rewritten(good, 64, bytes(8))
    bad_flags = rewritten(bad_geometry, 36, b"\x02")
    bad_version = rewritten(bad_flags, 8, b"\x03")
    bad_checksum = rewritten(bad_version, 16, b"x", is_checksum_right=False)
    bad_magic = b"x" + bad_checksum[1:]
    faults = [bad_magic, bad_checksum, bad_version, bad_flags, bad_geometry]
    rows = table("Superblock", 1)
    for raw, row in zip(faults, rows, strict=False):
        with pytest.raises(StoreError) as caught:
            decode_superblock(raw)
        assert type(caught.value).__name__ == row["if it is wrong"], row


# -- journal blocks ----------------------------------------------------------------------------------------------


def test_block_table_is_the_struct() -> None:
    assert format_of(table("Journal block")) == layout._BLOCK.format


def test_record_table_is_the_struct() -> None:
    assert format_of(table("Records")) == layout._RECORD.format


@pytest.mark.parametrize("sector_bytes", [512, 4096])
def test_block_fields_are_where_the_table_says(sector_bytes: int) -> None:
    rows = table("Journal block")
    geometry = replace(EXAMPLE, sector_bytes=sector_bytes)
    raw = encode_block(geometry, 0x1112131415, 0x21, 0x31, 0x41, b"previous", (Takeover(), Takeover()))
    expected = {
        "magic": b"SHADOWJB",
        "store_id": EXAMPLE.store_id,
        "address": 0x1112131415,
        "epoch": 0x21,
        "generation": 0x31,
        "sequence": 0x41,
        "previous": b"previous",
        "record_count": 2,
        "reserved": 0,
    }
    assert {row["field"]: field(rows, row["field"], raw) for row in rows} == expected
    assert raw[-8:] == checksum_of(raw[:-8])
    text = " ".join(section(read(PAGE), "Journal block").split())
    small, large = record_capacity(512), record_capacity(4096)
    assert f"records follow from offset {layout._BLOCK.size} on, each of {layout._RECORD.size} bytes" in text
    assert f"room for {small} records, one of 4096 bytes for {large}." in text
    assert not any(raw[layout._BLOCK.size + 2 * layout._RECORD.size : -8])


SENTINELS: tuple[Record, ...] = (
    Created(ShadowCopyId(0x11, 0x12), 0x13),
    Copied(ShadowCopyId(0x21, 0x22), 0x23, 0x24, 0x25),
    Deleted(ShadowCopyId(0x31, 0x32)),
    Invalidated(),
    Takeover(),
    Seal(0x41, 0x42, b"checksum"),
    Checkpoint(0x51, 0x52),
    Settings(Policy.DELETE_OLDEST, 0x53),
    Reverting(ShadowCopyId(0x61, 0x62)),
    Reverted(ShadowCopyId(0x71, 0x72)),
    Grown(0x81),
)


def test_every_record_type_is_in_the_table() -> None:
    kinds = [type(record).__name__ for record in SENTINELS]
    assert [row["record"] for row in table("Records", 1)] == kinds
    assert {kind.__name__ for kind in get_args(Record)} == set(kinds)


@pytest.mark.parametrize("record", SENTINELS, ids=lambda record: type(record).__name__)
def test_record_fields_are_where_the_tables_say(record: Record) -> None:
    places, meaning = table("Records"), table("Records", 1)
    row = next(row for row in meaning if row["record"] == type(record).__name__)
    raw = encode_block(EXAMPLE, 8, 1, 1, 2, bytes(8), (record,))[layout._BLOCK.size :]
    assert field(places, "type", raw) == int(row["type"])
    assert field(places, "reserved", raw) == 0
    values: dict[str, Any] = record._asdict()
    values.update(values.pop("shadow_copy", ShadowCopyId(0, 0))._asdict())
    for column in ("count", "epoch", "counter", "first", "second"):
        expected = 0 if row[column] == "0" else values[row[column]]
        if isinstance(expected, bytes):
            expected = int.from_bytes(expected, "little")
        if isinstance(expected, Policy):
            expected = POLICIES.index(expected)
        assert field(places, column, raw) == expected, f"{column} of {record}"


def test_unknown_record_type_is_damage() -> None:
    raw = encode_block(EXAMPLE, 8, 1, 1, 2, bytes(8), (Takeover(),))
    body = raw[: layout._BLOCK.size] + struct.pack("<H", 12) + raw[layout._BLOCK.size + 2 : -8]
    assert decode_block(EXAMPLE, 8, body + checksum_of(body)) is layout.NoBlock.DAMAGED


def test_the_numbers_of_the_policies_are_those_of_the_page() -> None:
    text = " ".join(section(read(PAGE), "Records").split())
    assert (
        f"`policy`: {', '.join(f'{number} `{policy.value}`' for number, policy in enumerate(POLICIES))})"
        in text
    )


# -- limits and hexdumps -----------------------------------------------------------------------------------------


def test_limits_are_those_of_the_code() -> None:
    rows = table("Limits")
    assert rows
    modules = [
        import_module(f"shadowshare.protocol.{module.name}") for module in iter_modules(protocol.__path__)
    ]
    for row in rows:
        values = {getattr(module, row["constant"]) for module in modules if hasattr(module, row["constant"])}
        assert values == {int(row["value"])}, row


def hexdump(raw: bytes, offset: int) -> Iterator[str]:
    """As ``hexdump -C`` shows it."""
    last, is_repeating = b"", False
    for start in range(0, len(raw), 16):
        line = raw[start : start + 16]
        if line == last:
            if not is_repeating:
                yield "*\n"
            is_repeating = True
            continue
        last, is_repeating = line, False
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in line)
        yield f"{offset + start:08x}  {line[:8].hex(' ')}  {line[8:].hex(' ')}  |{text}|\n"


@pytest.mark.parametrize(("what", "sector"), [("superblock", 7), ("journal block", 8)])
def test_hexdumps_are_real(what: str, sector: int) -> None:
    disk = MemoryDisk(512, [b"\xff" * 512] * 24)
    perform_inline(format_store(EXAMPLE), [disk])
    shown = [fence.text for fence in all_fences("hexdump") if fence.info == f"hexdump {what}"]
    assert shown == ["".join(hexdump(disk.sectors[sector], sector * 512))]


def test_only_superblocks_and_one_journal_block_are_not_zero_in_a_new_store() -> None:
    disk = MemoryDisk(512, [b"\xff" * 512] * 24)
    perform_inline(format_store(EXAMPLE), [disk])
    zero, untouched = bytes(512), b"\xff" * 512
    kinds = ["0" if sector == zero else "-" if sector == untouched else "x" for sector in disk.sectors]
    assert "".join(kinds) == "-------" + "x" + "x000" + "0000" + "------" + "-" + "x"


@pytest.mark.parametrize("heading", ["Superblock", "Journal block", "Records"])
def test_a_wrong_offset_would_be_noticed(heading: str) -> None:
    rows = table(heading)
    rows[2] = {**rows[2], "offset": str(int(rows[2]["offset"]) + 1)}
    with pytest.raises(AssertionError, match="is at"):
        format_of(rows)
