"""Nothing of a store overlaps anything else, and a geometry that contradicts itself is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadowshare.protocol.errors import GeometryMismatch
from shadowshare.protocol.geometry import Geometry, plan_geometry

ID = bytes(16)
VALID = plan_geometry(ID, 512, 4, 30, 0, 32, 60, half_block_count=8)


@st.composite
def geometries(draw: st.DrawFn) -> Geometry:
    device = draw(st.sampled_from([0, 1]))
    volume = draw(st.integers(1, 60))
    extent = draw(st.integers(1, 9))
    half = draw(st.integers(4, 12))
    area_sector = draw(st.integers(0, 20)) + (0 if device else volume)
    area = 2 + 2 * half + draw(st.integers(1, 6)) * extent + draw(st.integers(0, extent - 1))
    return plan_geometry(
        ID, draw(st.sampled_from([512, 4096])), extent, volume, device, area_sector, area, half
    )


def claimed(geometry: Geometry) -> Iterator[tuple[int, int]]:
    """Every sector that something lies in, as device and sector; twice if two things do."""
    for extent in range(geometry.extent_count):
        first, count = geometry.extent_span(extent)
        yield from ((0, sector) for sector in range(first, first + count))
    area = [*geometry.superblock_sectors, *geometry.journal_sectors]
    for slot in range(geometry.slot_count):
        first = geometry.slot_sector(slot)
        area += range(first, first + geometry.extent_sectors)
    yield from ((geometry.area_device, sector) for sector in area)


@given(geometries())
def test_nothing_overlaps(geometry: Geometry) -> None:
    sectors = list(claimed(geometry))
    assert len(sectors) == len(set(sectors))
    end = geometry.area_sector + geometry.area_sector_count
    area = {
        sector
        for device, sector in sectors
        if device == geometry.area_device and sector >= geometry.area_sector
    }
    if geometry.area_device == 1:
        area = {sector for device, sector in sectors if device == 1}
    assert min(area) == geometry.area_sector
    assert max(area) == end - 1


@given(geometries())
def test_the_area_is_filled(geometry: Geometry) -> None:
    used = 2 + 2 * geometry.half_block_count + geometry.slot_count * geometry.extent_sectors
    assert 0 <= geometry.area_sector_count - used < geometry.extent_sectors
    with pytest.raises(GeometryMismatch, match="need"):
        replace(geometry, slot_count=geometry.slot_count + 1)


@given(geometries())
def test_the_halves_are_the_journal(geometry: Geometry) -> None:
    halves = [
        [geometry.block_sector(generation, position) for position in range(geometry.half_block_count)]
        for generation in (1, 2)
    ]
    assert [*halves[0], *halves[1]] == list(geometry.journal_sectors)
    assert geometry.block_sector(7, 2) == geometry.block_sector(1, 2)
    assert geometry.block_sector(8, 2) == geometry.block_sector(2, 2)


@given(geometries())
def test_the_extents_are_the_volume(geometry: Geometry) -> None:
    covered: list[int] = []
    for extent in range(geometry.extent_count):
        first, count = geometry.extent_span(extent)
        assert 1 <= count <= geometry.extent_sectors
        assert count == geometry.extent_sectors or extent == geometry.extent_count - 1
        covered += range(first, first + count)
    assert covered == list(range(geometry.volume_sector_count))
    assert geometry.volume_bytes == len(covered) * geometry.sector_bytes


@given(geometries())
def test_devices_too_small_are_refused(geometry: Geometry) -> None:
    needed = {device: 1 + max(s for d, s in claimed(geometry) if d == device) for device in geometry.devices}
    assert set(needed) == {0, geometry.area_device}
    geometry.check_devices(needed)
    for device, count in needed.items():
        with pytest.raises(GeometryMismatch, match=f"on device {device}"):
            geometry.check_devices({**needed, device: count - 1})


REFUSED: dict[str, tuple[dict[str, object], str]] = {
    "short id": ({"store_id": bytes(15)}, "15 bytes"),
    "long id": ({"store_id": bytes(17)}, "17 bytes"),
    "sector size": ({"sector_bytes": 1024}, "sectors of 1024 bytes"),
    "device": ({"area_device": 2}, "on device 2"),
    "no extent": ({"extent_sectors": 0}, "extent_sectors is 0"),
    "no volume": ({"volume_sector_count": 0}, "volume_sector_count is 0"),
    "negative volume": ({"volume_sector_count": -1}, "volume_sector_count is -1"),
    "endless volume": ({"volume_sector_count": 2**48 + 1}, "volume_sector_count"),
    "no slot": ({"slot_count": 0}, "slot_count is 0"),
    "endless slots": ({"slot_count": 2**48 + 1}, "slot_count"),
    "endless area": ({"area_sector_count": 2**48 + 1}, "area_sector_count"),
    "large extents": ({"extent_sectors": 2**15 + 1}, "at most 16777216"),
    "short journal": ({"half_block_count": 3}, "half_block_count is 3"),
    "endless journal": ({"half_block_count": 2**48 + 1}, "half_block_count"),
    "negative area": ({"area_device": 1, "area_sector": -1}, "area_sector is -1"),
    "distant area": ({"area_sector": 2**48 + 1}, "area_sector"),
    "area in the volume": ({"area_sector": 29}, "inside the volume"),
    "slots beyond the area": ({"slot_count": VALID.slot_count + 1}, "need"),
    "journal beyond the area": ({"half_block_count": 30}, "need"),
}


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED)
def test_contradictions_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(GeometryMismatch, match=message):
        replace(VALID, **change)  # type: ignore[arg-type]


def test_an_area_on_its_own_device_may_start_anywhere() -> None:
    assert plan_geometry(ID, 512, 4, 30, 1, 0, 60, 8).slot_sector(0) == 17


@pytest.mark.parametrize(
    ("extent_sectors", "area_sector_count"), [(4, 21), (4, 2), (1, 18), (0, 60), (-1, 60)]
)
def test_an_area_without_room_for_a_slot_is_refused(extent_sectors: int, area_sector_count: int) -> None:
    with pytest.raises(GeometryMismatch, match="no room for one slot"):
        plan_geometry(ID, 512, extent_sectors, 30, 0, 32, area_sector_count, half_block_count=8)


def test_the_smallest_area_has_one_slot() -> None:
    assert plan_geometry(ID, 512, 4, 30, 0, 32, 22, half_block_count=8).slot_count == 1


def test_every_byte_offset_fits_a_signed_64_bit_integer() -> None:
    largest = Geometry(ID, 4096, 4096, 2**48, 0, 2**48, 2**48, 4, 1)
    assert (largest.area_sector + largest.area_sector_count) * largest.sector_bytes < 2**63
