"""Finding a store in an image, and opening the disks that it is on.

A superblock is in the last sector of the device that holds the differential area, and a second one where the area
begins: in sector 0 of a device of its own, and somewhere behind the volume on a device that the two share.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from shadowshare.protocol.errors import CannotOpen, DiskError, GeometryMismatch, NotAStore, StoreError
from shadowshare.protocol.geometry import VOLUME_DEVICE, Geometry, Location
from shadowshare.protocol.layout import decode_superblock, find_superblock
from shadowshare.protocol.operations import Read
from shadowshare.sim.disks.file_disk import FileDisk

AREA_DEVICE = 1
_SUPERBLOCK_READ_BYTES = 4096

AnyPath = str | os.PathLike[str]


class Located(NamedTuple):
    """A store that was found, and that its devices are large enough for.

    Attributes:
        location: for `Passive.open` and `activate`.
        geometry: as one intact superblock says.
        sector_counts: the real size of each device.
    """

    location: Location
    geometry: Geometry
    sector_counts: dict[int, int]

    @property
    def sector_bytes(self) -> int:
        """Size of a sector of the store."""
        return self.geometry.sector_bytes


class OpenStore(NamedTuple):
    """A store that was found, and its disks, open, by device number."""

    located: Located
    disks: dict[int, FileDisk]


def locate(image: AnyPath, area: AnyPath | None = None, area_offset_bytes: int | None = None) -> Located:
    """Find the store on a device, or on a volume device and an area device.

    Args:
        image: the device with the volume.
        area: the device with the differential area, if it has one of its own.
        area_offset_bytes: where the differential area begins, for when the superblock at the end is damaged.

    Raises:
        CannotOpen: a device cannot be opened, or the store needs the other number of devices.
        NotAStore, SuperblockDamaged, UnsupportedFormat: no superblock can be used.
        GeometryMismatch: a device is too small: it was truncated.
        ReadError: the disk failed.
    """
    paths = _paths(image, area)
    area_device = max(paths)
    if area_offset_bytes is None and area is not None:
        area_offset_bytes = 0
    geometry = _find_geometry(Path(paths[area_device]), area_offset_bytes)
    if geometry.area_device != area_device:
        raise CannotOpen(
            f"{paths[area_device]} holds the differential area of a store whose volume is on another device: name both"
            if geometry.area_device
            else f"the store on {paths[area_device]} is on that one device: name no other one for its differential area"
        )
    sector_counts = {device: _sector_count(path, geometry.sector_bytes) for device, path in paths.items()}
    geometry.check_devices(sector_counts)
    sizes = tuple(sector_counts[device] for device in sorted(sector_counts))
    return Located(Location(area_device, geometry.superblock_sectors, sizes), geometry, sector_counts)


@contextmanager
def open_disks(
    image: AnyPath,
    area: AnyPath | None = None,
    *,
    writable: bool,
    direct: bool | None = None,
    area_offset_bytes: int | None = None,
) -> Iterator[OpenStore]:
    """Find a store and open its disks; they are closed at the end. See `locate` and `FileDisk.open`."""
    located = locate(image, area, area_offset_bytes)
    with ExitStack() as stack:
        disks = {
            device: stack.enter_context(FileDisk.open(path, located.sector_bytes, writable, direct))
            for device, path in _paths(image, area).items()
        }
        yield OpenStore(located, disks)


def _paths(image: AnyPath, area: AnyPath | None) -> dict[int, AnyPath]:
    if area is None:
        return {VOLUME_DEVICE: image}
    if Path(image).exists() and Path(area).exists() and Path(image).samefile(area):
        raise CannotOpen(f"{image} is named twice: name it once if the store is on one device")
    return {VOLUME_DEVICE: image, AREA_DEVICE: area}


def _open_with_some_sector(path: AnyPath) -> FileDisk:
    """Open a device whose sector size is not known yet."""
    try:
        return FileDisk.open(path, 4096, writable=False)
    except CannotOpen:
        return FileDisk.open(
            path, 512, writable=False
        )  # its size is a multiple of 512 only; or the same error again


def _sector_count(path: AnyPath, sector_bytes: int) -> int:
    with FileDisk.open(path, sector_bytes, writable=False) as disk:
        return disk.sector_count


def _find_geometry(path: Path, area_offset_bytes: int | None) -> Geometry:
    """The geometry in the superblock at the end, or in that at ``area_offset_bytes``."""
    reasons: list[StoreError | DiskError] = []
    with _open_with_some_sector(path) as disk:
        for find, offset_bytes in ((_geometry_at_end, 0), (_geometry_at, area_offset_bytes)):
            if offset_bytes is not None:
                try:
                    return find(disk, offset_bytes)
                except (StoreError, DiskError) as error:
                    reasons.append(error)
    # A superblock that is there and damaged says more than that there is none elsewhere.
    reason = next((reason for reason in reasons if not isinstance(reason, NotAStore)), reasons[0])
    raise type(reason)(f"{path}: {reason}") from reason


def _geometry_at_end(disk: FileDisk, _: int) -> Geometry:
    size_bytes = disk.sector_count * disk.sector_bytes
    geometry = find_superblock(_bytes(disk, size_bytes - _SUPERBLOCK_READ_BYTES, size_bytes))
    return _in_place(geometry, size_bytes - geometry.sector_bytes)


def _geometry_at(disk: FileDisk, offset_bytes: int) -> Geometry:
    raw = _bytes(disk, offset_bytes, offset_bytes + _SUPERBLOCK_READ_BYTES)
    return _in_place(decode_superblock(raw), offset_bytes)


def _in_place(geometry: Geometry, offset_bytes: int) -> Geometry:
    places = [sector * geometry.sector_bytes for sector in geometry.superblock_sectors]
    if offset_bytes not in places:
        raise GeometryMismatch(
            f"the superblock at byte {offset_bytes} belongs at byte {places[0]} or {places[1]}: "
            "the device was moved, grown or truncated"
        )
    return geometry


def _bytes(disk: FileDisk, start: int, end: int) -> bytes:
    """Those bytes in ``[start, end)`` that the disk has, read in whole sectors."""
    size = disk.sector_bytes
    end = min(end, disk.sector_count * size)
    start = min(max(0, start), end)
    first = start // size
    answer = disk.perform(Read(0, first, max(0, -(-end // size) - first)))
    if isinstance(answer, DiskError):
        raise answer
    assert isinstance(answer, bytes | memoryview)
    return bytes(answer)[start - first * size : end - first * size]
