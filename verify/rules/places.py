"""Where a store may be written: in its volume, or in one part of its differential area."""

from __future__ import annotations

from shadowshare.protocol.geometry import VOLUME_DEVICE
from shadowshare.protocol.operations import Operation
from shadowshare.scenarios.scenario import Scenario
from shadowshare.scenarios.staging import location_in

Place = tuple[int, int, int]
"""A device, a first sector, and the end."""


def writable_places(scenario: Scenario) -> tuple[Place, ...]:
    """The volume, the slots, each half of the journal, and each superblock, before and after growth."""
    geometry, grown, device = scenario.geometry, scenario.grown, scenario.geometry.area_device
    halves = [geometry.block_sector(generation, 0) for generation in (1, 2)]
    return (
        (VOLUME_DEVICE, 0, geometry.volume_sector_count),
        (device, geometry.slot_sector(0), grown.superblock_sectors[-1]),
        *((device, first, first + geometry.half_block_count) for first in halves),
        *((device, sector, sector + 1) for sector in location_in(scenario).superblock_sectors),
    )


def is_within(operation: Operation, places: tuple[Place, ...]) -> bool:
    """Whether all that an operation touches is in one of these places."""
    device, first, end = operation.device, operation.sector, operation.sector + operation.sector_count
    return any(begin <= first and end <= stop and place == device for place, begin, stop in places)
