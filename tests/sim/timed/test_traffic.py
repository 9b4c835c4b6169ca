"""What hosts ask of the devices, by place: counted by hand."""

from __future__ import annotations

import pytest

from shadowshare.protocol.geometry import Geometry, plan_geometry
from shadowshare.protocol.operations import Flush, Operation, Read, Reserve, Write
from shadowshare.sim.timed.device import TimedDevice, TimedFlight
from shadowshare.sim.timed.environment import TimedEnvironment
from shadowshare.sim.timed.traffic import Flow, Traffic
from tests.sim.timed.timed_worlds import always


def _geometry(area_device: int) -> Geometry:
    return plan_geometry(b"0123456789abcdef", 512, 2, 8, area_device, 0 if area_device else 8, 32, 4)


@pytest.mark.parametrize("area_device", [0, 1])
def test_every_place_of_a_store_is_told_apart(area_device: int) -> None:
    geometry = _geometry(area_device)
    first, last = geometry.superblock_sectors
    expected: list[tuple[int, int, str]] = [
        (0, 0, "volume"),
        (0, 7, "volume"),
        (area_device, first, "superblock"),
        (area_device, geometry.journal_sectors[0], "journal"),
        (area_device, geometry.journal_sectors[-1], "journal"),
        (area_device, geometry.slot_sector(0), "slots"),
        (area_device, geometry.slot_sector(geometry.slot_count) - 1, "slots"),
        (area_device, last, "superblock"),
    ]
    device = TimedDevice(TimedEnvironment(), None, always(1))
    for device_number, sector, place in expected:
        traffic = Traffic(geometry)
        traffic(TimedFlight(3, 0, Read(device_number, sector, 1), device, lambda *_: None, None))
        assert traffic.operations() == {Flow(3, "read", place): 1}, f"sector {sector}"


def test_operations_and_bytes_are_counted_until_it_is_reset() -> None:
    device = TimedDevice(TimedEnvironment(), None, always(1))
    traffic = Traffic(_geometry(0))
    asked: list[tuple[int, Operation]] = [
        (0, Write(0, 2, 2, bytes(1024))),
        (0, Write(0, 4, 1, bytes(512))),
        (0, Flush(0)),
        (1, Read(0, 2, 2)),
        (1, Reserve(0)),
    ]
    for host, operation in asked:
        traffic(TimedFlight(host, 0, operation, device, lambda *_: None, None))
    assert traffic.operations() == {
        Flow(0, "write", "volume"): 2,
        Flow(0, "flush", "device"): 1,
        Flow(1, "read", "volume"): 1,
        Flow(1, "reserve", "device"): 1,
    }
    assert traffic.sizes()[Flow(0, "write", "volume")] == 3 * 512
    traffic.reset()
    assert traffic.operations() == {} == traffic.sizes()
