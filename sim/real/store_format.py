"""Making a store on an image file or block device. A refusal leaves every file and device as it was."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from shadowshare.protocol.errors import (
    CannotOpen,
    DiskError,
    GeometryMismatch,
    NotAStore,
    Refusal,
    StoreError,
)
from shadowshare.protocol.formatting import format_store
from shadowshare.protocol.geometry import VOLUME_DEVICE, Geometry
from shadowshare.protocol.layout import Settings, find_superblock
from shadowshare.protocol.operations import Read, WriteZeroes
from shadowshare.sim.disks.file_disk import FileDisk
from shadowshare.sim.real.store_disks import AREA_DEVICE, AnyPath
from shadowshare.sim.real.store_plan import FormatOptions, default_area_bytes, plan_store
from shadowshare.sim.real.world import drive

_TAIL_BYTES = 4096
STORE_ID_BYTES = 16


class WouldOverwrite(Refusal):
    """Something is there already that formatting would destroy."""


def format_devices(
    image: AnyPath, area: AnyPath | None = None, options: FormatOptions | None = None, force: bool = False
) -> Geometry:
    """Make a new, empty store, whose volume is what ``image`` holds. The bytes of the volume are not changed.

    Args:
        image: the device with the volume. Without ``area``, a file is grown by the differential area, and a block
            device must have room for it behind the volume.
        area: a device that is all differential area; a file is made if there is none.
        options: sizes.
        force: overwrite a store, or a file given as ``area`` that is not empty.

    Raises:
        CannotOpen, Locked: a device cannot be opened for writing.
        WouldOverwrite: there is a store already.
        GeometryMismatch: the sizes do not fit; the message says which to change.
        DiskError: the disk failed; there may be no store then.
    """
    options = options or FormatOptions()
    volume, old = _examine(Path(image), options.sector_bytes)
    if old is not None and not force:
        raise WouldOverwrite(f"{image} holds a store already: pass --force to lose its shadow copies")
    known = old if isinstance(old, Geometry) else None
    volume_bytes = options.volume_bytes or _default_volume_bytes(volume, known, options, area is not None)
    if volume_bytes > volume.size_bytes:
        raise GeometryMismatch(
            f"a volume of {volume_bytes} bytes does not fit on {image}, which has only {volume.size_bytes}"
        )
    if area is None:
        return _format_behind(volume, known, volume_bytes, options)
    return _format_apart(volume, Path(area), volume_bytes, options, force)


class _Device:
    """A file or block device that exists and can be opened for writing."""

    def __init__(self, path: Path, size_bytes: int) -> None:
        self.path = path
        self.size_bytes = size_bytes
        self.is_file = stat.S_ISREG(path.stat().st_mode)


def _examine(path: Path, sector_bytes: int) -> tuple[_Device, Geometry | StoreError | None]:
    """A device, and the store whose superblock stands at its end, or why that one cannot be used."""
    with FileDisk.open(path, sector_bytes, writable=True) as disk:  # for the errors, above all: locked
        device = _Device(path, disk.sector_count * sector_bytes)
        count = min(disk.sector_count, _TAIL_BYTES // sector_bytes)
        tail = disk.perform(Read(0, disk.sector_count - count, count))
    if isinstance(tail, DiskError):
        raise tail
    assert isinstance(tail, bytes | memoryview)
    try:
        return device, find_superblock(bytes(tail))
    except NotAStore:
        return device, None
    except StoreError as error:
        return device, error


def _default_volume_bytes(
    volume: _Device, old: Geometry | None, options: FormatOptions, has_own_area: bool
) -> int:
    """The volume of the store that is there, else the whole image, or what the area leaves of a block device."""
    if old is not None and old.area_device == VOLUME_DEVICE:
        return old.volume_bytes
    if volume.is_file or has_own_area:
        return volume.size_bytes
    if options.area_bytes is None:
        raise GeometryMismatch(
            f"{volume.path} is a block device: say with --volume-size how much of it is the volume, "
            "or with --area-size how much of its end is not"
        )
    if options.area_bytes >= volume.size_bytes:
        raise GeometryMismatch(
            f"a differential area of {options.area_bytes} bytes leaves nothing of {volume.path}"
        )
    return volume.size_bytes - options.area_bytes


# -- the area behind the volume ----------------------------------------------------------------------------------


def _format_behind(
    volume: _Device, old: Geometry | None, volume_bytes: int, options: FormatOptions
) -> Geometry:
    """Format the device from the end of the volume to its own end; a file is made long enough first."""
    end_bytes = volume.size_bytes
    if volume.is_file:
        wanted_bytes = options.area_bytes or default_area_bytes(volume_bytes, options)
        if options.area_bytes is None and old is not None and volume_bytes == old.volume_bytes:
            wanted_bytes = end_bytes - volume_bytes
        end_bytes = max(end_bytes, volume_bytes + wanted_bytes)
    elif options.area_bytes is not None and volume_bytes + options.area_bytes > end_bytes:
        raise GeometryMismatch(
            f"a volume of {volume_bytes} and a differential area of {options.area_bytes} bytes "
            f"need more than the {end_bytes} bytes of {volume.path}"
        )
    geometry = plan_store(
        os.urandom(STORE_ID_BYTES), volume_bytes, end_bytes - volume_bytes, VOLUME_DEVICE, options
    )
    with _grown(volume, end_bytes), FileDisk.open(volume.path, options.sector_bytes, writable=True) as disk:
        if old is not None:
            _forget(old, geometry, disk)
        drive(format_store(geometry, options.settings), {VOLUME_DEVICE: disk})
    return geometry


@contextmanager
def _grown(device: _Device, size_bytes: int) -> Iterator[None]:
    """A file of at least this size; it shrinks back to what it was if anything goes wrong."""
    if size_bytes <= device.size_bytes:
        yield
        return
    try:
        os.truncate(device.path, size_bytes)
        yield
    except BaseException:
        with suppress(OSError):
            os.truncate(device.path, device.size_bytes)
        raise


def _forget(old: Geometry, new: Geometry, disk: FileDisk) -> None:
    """Zero the first superblock of the store before, if it lies in the new area; else a search could find both."""
    offset_bytes = old.area_sector * old.sector_bytes
    sector = offset_bytes // new.sector_bytes
    if old.area_device == VOLUME_DEVICE and new.volume_sector_count <= sector < disk.sector_count:
        answer = disk.perform(WriteZeroes(VOLUME_DEVICE, sector, 1))
        if isinstance(answer, DiskError):
            raise answer


# -- the area on a device of its own -----------------------------------------------------------------------------


def _format_apart(
    volume: _Device, area: Path, volume_bytes: int, options: FormatOptions, force: bool
) -> Geometry:
    """Format all of ``area``, which is made if it does not exist."""
    if area.exists() and area.samefile(volume.path):
        raise CannotOpen(f"{area} is the image itself: leave --area out to have the area behind the volume")
    store_id = os.urandom(STORE_ID_BYTES)
    if not area.exists():
        area_bytes = options.area_bytes or default_area_bytes(volume_bytes, options)
        geometry = plan_store(store_id, volume_bytes, area_bytes, AREA_DEVICE, options)
        with _made(area, area_bytes):
            _format_both(geometry, volume.path, area, options.settings)
        return geometry
    device, old = _examine(area, options.sector_bytes)
    if (device.is_file or old is not None) and not force:
        what = "a store" if old is not None else "something"
        raise WouldOverwrite(f"{area} holds {what} already: pass --force to overwrite it")
    if options.area_bytes is not None and options.area_bytes != device.size_bytes:
        raise GeometryMismatch(
            f"{area} exists and has {device.size_bytes} bytes, all of which become the differential area: "
            "leave --area-size out"
        )
    geometry = plan_store(store_id, volume_bytes, device.size_bytes, AREA_DEVICE, options)
    _format_both(geometry, volume.path, area, options.settings)
    return geometry


@contextmanager
def _made(path: Path, size_bytes: int) -> Iterator[None]:
    """A new file of this size, which is removed if anything goes wrong."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except OSError as error:
        raise CannotOpen(f"{path} cannot be made: {error.strerror}") from error
    try:
        try:
            os.ftruncate(descriptor, size_bytes)
        finally:
            os.close(descriptor)
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _format_both(geometry: Geometry, image: Path, area: Path, settings: Settings) -> None:
    """Format, while the volume is locked too: an active of a store that it belongs to may not go on."""
    with (
        FileDisk.open(image, geometry.sector_bytes, writable=True) as volume_disk,
        FileDisk.open(area, geometry.sector_bytes, writable=True) as area_disk,
    ):
        drive(format_store(geometry, settings), {VOLUME_DEVICE: volume_disk, AREA_DEVICE: area_disk})
