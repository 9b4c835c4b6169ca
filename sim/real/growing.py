"""Growing the differential area of a store on real devices, while passives read and the active goes on."""

from __future__ import annotations

import os
from pathlib import Path

from shadowshare.protocol.errors import CannotOpen
from shadowshare.sim.real.active_store import ActiveStore


def grow_area(active: ActiveStore, path: Path, area_bytes: int | None = None) -> int:
    """Let the differential area be larger, and return how many slots there are then.

    A file is made as long as it has to be; a block device must have the room already.

    Args:
        active: the store.
        path: the device that the area is on.
        area_bytes: how large it is to be, rounded down to whole sectors; None for up to the end of its device.

    Raises:
        AreaInUse: it would shrink; nothing was changed.
        CannotOpen: the device has not so much room; nothing was changed.
        FormatTooOld, OutOfRange, JournalFull, DiskError: as `Active.grow` does.
    """
    geometry = active.geometry
    start, device_bytes = geometry.area_sector * geometry.sector_bytes, _size_bytes(path)
    sector_count = (device_bytes - start if area_bytes is None else area_bytes) // geometry.sector_bytes
    active.active.plan_growth(sector_count)
    end = start + sector_count * geometry.sector_bytes
    if end > device_bytes:
        if not path.is_file():
            raise CannotOpen(
                f"{path} has {device_bytes} bytes, and the differential area would reach to byte {end}: make it larger "
                "first"
            )
        os.truncate(path, end)
    return active.world.run(active.active.grow(sector_count))


def _size_bytes(path: Path) -> int:
    """Of a file, or of a block device."""
    with path.open("rb") as opened:
        return opened.seek(0, os.SEEK_END)
