"""Reading the superblock: two copies, of which one may be damaged."""

from __future__ import annotations

from shadowshare.protocol.errors import GeometryMismatch, NotAStore, ReadError, StoreError
from shadowshare.protocol.geometry import Geometry, Location
from shadowshare.protocol.layout import decode_superblock
from shadowshare.protocol.marks import Mark, reached
from shadowshare.protocol.operations import Read


async def read_geometry(location: Location) -> Geometry:
    """The geometry in the first intact copy of the superblock.

    Raises:
        NotAStore: no copy is there.
        StoreError: a copy is there, but none can be used; of several reasons, that of the first copy.
        ReadError: the disk failed at the first copy, and there is no other.
    """
    reason: StoreError | ReadError | None = None
    for sector in location.superblock_sectors:
        try:
            geometry = decode_superblock(await Read(location.area_device, sector, 1))
        except NotAStore as error:
            reason = reason or error
            continue
        except (StoreError, ReadError) as error:
            reason = error if reason is None or isinstance(reason, NotAStore) else reason
            continue
        if sector not in geometry.superblock_sectors:
            first, last = geometry.superblock_sectors
            mismatch = GeometryMismatch(
                f"the superblock in sector {sector} belongs in sector {first} or {last}: "
                "the device was moved, grown or truncated"
            )
            reason = mismatch if reason is None or isinstance(reason, NotAStore) else reason
            continue
        if reason is not None:
            reached(Mark.SECOND_SUPERBLOCK_USED)
        return geometry
    raise reason or NotAStore("no superblock was looked for")
