"""Growing the differential area, while everything goes on: new slots behind the old ones.

The slots that are there stay where they are, and the new ones follow in the same row; only the second superblock moves,
to the new end. How many slots there are is said by the journal alone, which every reader follows:

1. Write the superblock of the larger area to its last sector; flush.
2. Write it to the first sector; flush. Whoever opens the store from here on knows how large the area is.
3. Append GROWN; flush. Whoever follows the journal knows of the new slots now.
4. Only then use them. One of them lies where the second superblock was.

A crash leaves the store as it was (with room that nobody uses, if it comes before step 3), or larger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shadowshare.protocol.errors import AreaInUse, DiskError, OutOfRange
from shadowshare.protocol.geometry import COUNT_MAXIMUM, Geometry
from shadowshare.protocol.layout import Grown, encode_superblock
from shadowshare.protocol.marks import Mark, reached
from shadowshare.protocol.operations import Flush, Write

if TYPE_CHECKING:
    from shadowshare.protocol.active import Active

GROW_VERSION = 2
"""The first version of the format that has a record for it."""


class Grower:
    """Grows the differential area for an active, which holds its journal meanwhile.

    Args:
        active: whose area it is.
    """

    def __init__(self, active: Active) -> None:
        self._active = active

    def plan(self, area_sector_count: int) -> Geometry:
        """The geometry with a differential area of another size.

        Raises:
            FormatTooOld, OutOfRange, AreaInUse: it cannot be so.
        """
        geometry, view = self._active.geometry, self._active.view
        geometry.require_version(
            GROW_VERSION,
            "the differential area cannot grow: export what you need, and format the store again",
        )
        if area_sector_count > COUNT_MAXIMUM:
            raise OutOfRange(f"a differential area of {area_sector_count} sectors: at most 2^48 will do")
        if area_sector_count < geometry.area_sector_count:
            size, used_count = geometry.sector_bytes, view.copied_extent_count()
            raise AreaInUse(
                f"the differential area has {geometry.area_sector_count * size} bytes, and {used_count} of its "
                f"{view.slot_count} slots are in use: it can grow, but not shrink to {area_sector_count * size} bytes"
            )
        return geometry.grown(area_sector_count)

    async def grow(self, geometry: Geometry) -> None:
        """Make the area as large as ``geometry`` says, and use it. The journal is held.

        Raises:
            DiskError: the disk failed; only recovery may write from here on.
        """
        await self._write_superblocks(geometry)
        self._active.geometry = geometry
        if geometry.slot_count_maximum > self._active.view.slot_count:
            await self._say(geometry.slot_count_maximum)
            reached(Mark.AREA_GROWN)
            self._use(geometry.slot_count_maximum)

    async def _write_superblocks(self, geometry: Geometry) -> None:
        """The last one first: the first one leads to it."""
        for copy in (1, 0):
            sector = geometry.superblock_sectors[copy]
            try:
                await Write(geometry.area_device, sector, 1, encode_superblock(geometry, copy))
            except DiskError as error:
                self._active._stop(error)  # it may still land, when another size has been written there
                raise
            await self._settle()

    async def _settle(self) -> None:
        """What was written must be durable before anything relies on it."""
        await self._active._or_stop(Flush(self._active.geometry.area_device))

    async def _say(self, slot_count: int) -> None:
        await self._active._append([Grown(slot_count)])

    def _use(self, slot_count: int) -> None:
        self._active._allocator.grow(slot_count)
