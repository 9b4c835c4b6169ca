"""Where a store may be written: in its volume, or in one part of its differential area."""

from __future__ import annotations

from enum import Enum

from shadowshare.protocol.geometry import VOLUME_DEVICE
from shadowshare.protocol.operations import Operation
from shadowshare.scenarios.scenario import Scenario
from shadowshare.scenarios.staging import location_in


class Part(Enum):
    """A part of a store."""

    VOLUME = "volume"
    SLOTS = "slots"
    JOURNAL = "journal"
    SUPERBLOCK = "superblock"
    NONE = "none"


class Places:
    """Where the parts of a scenario's store are, before and after it grew.

    Args:
        scenario: whose store it is.
    """

    def __init__(self, scenario: Scenario) -> None:
        geometry, grown, device = scenario.geometry, scenario.grown, scenario.geometry.area_device
        halves = [geometry.block_sector(generation, 0) for generation in (1, 2)]
        self._spans = (
            (Part.VOLUME, VOLUME_DEVICE, 0, geometry.volume_sector_count),
            *((Part.JOURNAL, device, first, first + geometry.half_block_count) for first in halves),
            *((Part.SUPERBLOCK, device, at, at + 1) for at in location_in(scenario).superblock_sectors),
            (Part.SLOTS, device, geometry.slot_sector(0), grown.superblock_sectors[-1]),
        )

    def part_of(self, operation: Operation) -> Part:
        """The part that all of an operation is in; `Part.NONE` if it is not within one."""
        device, first, end = operation.device, operation.sector, operation.sector + operation.sector_count
        for part, on, begin, stop in self._spans:
            if begin <= first and end <= stop and on == device:
                return part
        return Part.NONE
