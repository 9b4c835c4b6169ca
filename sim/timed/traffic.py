"""What hosts ask of the devices, counted by host, by what is asked, and by where on the store it is."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from shadowshare.protocol.geometry import Geometry
from shadowshare.sim.timed.device import TimedFlight

VOLUME, JOURNAL, SLOTS, SUPERBLOCK = "volume", "journal", "slots", "superblock"
DEVICE = "device"
"""The place of what concerns a whole device: flushes and reservations."""


class Flow(NamedTuple):
    """Operations of one kind.

    Attributes:
        host: number of the host.
        verb: of the operations: ``read``, ``write``, ``flush``, ...
        place: where they were, one of the words above.
    """

    host: int
    verb: str
    place: str


class Traffic:
    """Counts operations and bytes; an observer of a timed world.

    Args:
        geometry: of the store.
    """

    def __init__(self, geometry: Geometry) -> None:
        self._sector_bytes = geometry.sector_bytes
        volume = (0, VOLUME)
        area = geometry.area_sector
        behind = [
            (area, SUPERBLOCK),
            (area + 1, JOURNAL),
            (geometry.slot_sector(0), SLOTS),
            (geometry.superblock_sectors[1], SUPERBLOCK),
        ]
        places = [[volume, *behind]] if geometry.area_device == 0 else [[volume], behind]
        self._places = [([first for first, _ in found], [name for _, name in found]) for found in places]
        self._counts: dict[tuple[int, str, str], list[int]] = {}

    def __call__(self, flight: TimedFlight) -> None:
        """Count an operation."""
        operation = flight.operation
        place = DEVICE
        if operation.sector_count:
            firsts, names = self._places[operation.device]
            place = names[bisect_right(firsts, operation.sector) - 1]
        key = (flight.host, operation.verb, place)
        count = self._counts.get(key)
        if count is None:
            count = self._counts[key] = [0, 0]
        count[0] += 1
        count[1] += operation.sector_count

    def reset(self) -> None:
        """Forget everything, as at the end of the warm-up."""
        self._counts.clear()

    def operations(self) -> dict[Flow, int]:
        """How many operations there were of each kind."""
        return {Flow(*key): count for key, (count, _) in self._counts.items()}

    def sizes(self) -> dict[Flow, int]:
        """How many bytes they moved."""
        return {Flow(*key): sectors * self._sector_bytes for key, (_, sectors) in self._counts.items()}
