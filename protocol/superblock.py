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
            raw = await Read(location.area_device, sector, 1)
            geometry = decode_superblock(raw)
        except NotAStore as error:
            reason = reason or error
            continue
        except (StoreError, ReadError) as error:
            reason = error if reason is None or isinstance(reason, NotAStore) else reason
            continue
        try:
            _check_place(geometry, location, sector, len(raw))
        except GeometryMismatch as mismatch:
            reason = mismatch if reason is None or isinstance(reason, NotAStore) else reason
            continue
        if reason is not None:
            reached(Mark.SECOND_SUPERBLOCK_USED)
        return geometry
    raise reason or NotAStore("no superblock was looked for")


def _check_place(geometry: Geometry, location: Location, sector: int, sector_bytes: int) -> None:
    """Refuse a superblock that does not belong where it was found, or on devices of these sizes.

    Raises:
        GeometryMismatch: says what does not fit.
    """
    if sector not in geometry.superblock_sectors:
        first, last = geometry.superblock_sectors
        raise GeometryMismatch(
            f"the superblock in sector {sector} belongs in sector {first} or {last}: "
            "the device was moved, grown or truncated"
        )
    if geometry.area_device != location.area_device or geometry.sector_bytes != sector_bytes:
        raise GeometryMismatch(
            f"the superblock in sector {sector} of device {location.area_device}, of {sector_bytes} bytes, "
            f"says device {geometry.area_device} and {geometry.sector_bytes} bytes: it is another store's"
        )
    if location.sector_counts is not None:
        geometry.check_devices(dict(enumerate(location.sector_counts)))
