"""A store on real devices, for programs and for the commands: plain calls that block, no coroutines to be seen.

In short::

    store = Store("disk.img")
    with store.open_active() as active:
        shadow_copy = active.create()
        active.write(0, b"new")
    with store.open_passive() as passive:
        old = passive.read(shadow_copy, 0, 3)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shadowshare.protocol.checking import CheckResult, Repair, check_store
from shadowshare.protocol.errors import StoreError
from shadowshare.protocol.geometry import Geometry
from shadowshare.protocol.passive import Passive
from shadowshare.protocol.recovery import activate
from shadowshare.protocol.repairing import repair_store
from shadowshare.sim.real.active_store import ActiveStore
from shadowshare.sim.real.growing import grow_area
from shadowshare.sim.real.passive_store import PassiveStore
from shadowshare.sim.real.store_disks import AnyPath, OpenStore, locate, open_disks
from shadowshare.sim.real.store_format import format_devices
from shadowshare.sim.real.store_plan import FormatOptions
from shadowshare.sim.real.superblock_search import find_area_offset_bytes
from shadowshare.sim.real.world import RealWorld

__all__ = ["ActiveStore", "FormatOptions", "PassiveStore", "Store"]


class Store:
    """Where a store is. Nothing is opened before it is asked for.

    Args:
        image: the device with the volume, and with the differential area behind it unless ``area`` is given.
        area: the device with the differential area, if it has one of its own.
        direct: True insists on O_DIRECT, False does without it, None takes it where it works.
        area_offset_bytes: where the differential area begins on ``image``, for when the superblock at the end is
            damaged and the area is larger than what is searched for it (`SEARCH_BYTES`).
    """

    def __init__(
        self,
        image: AnyPath,
        area: AnyPath | None = None,
        direct: bool | None = None,
        area_offset_bytes: int | None = None,
    ) -> None:
        self.image = Path(image)
        self.area = None if area is None else Path(area)
        self._direct = direct
        self._area_offset_bytes = area_offset_bytes

    @property
    def paths(self) -> list[Path]:
        """The devices that the store is on."""
        return [self.image] if self.area is None else [self.image, self.area]

    def format(self, options: FormatOptions | None = None, force: bool = False) -> Geometry:
        """Make a new, empty store here; see `shadowshare.sim.real.store_format.format_devices`."""
        return format_devices(self.image, self.area, options, force)

    @contextmanager
    def open_passive(
        self, passive_class: type[Passive] = Passive, lane_count: int = 1
    ) -> Iterator[PassiveStore]:
        """Open for reading only, without a lock.

        Args:
            passive_class: whose ``open`` makes the passive.
            lane_count: operations in flight at once, at most.

        Raises:
            StoreError, CannotOpen, ReadError: there is no store, or it cannot be used.
        """
        with self._open_disks(writable=False) as opened, RealWorld(opened.disks, lane_count) as world:
            yield PassiveStore(world, world.run(passive_class.open(opened.located.location)))

    @contextmanager
    def open_active(self, lane_count: int = 1) -> Iterator[ActiveStore]:
        """Become the active one: lock the devices and recover the store, then hold it until the end.

        Raises:
            Locked: another active of this machine has the store open.
            StoreError, CannotOpen, DiskError: there is no store, or it cannot be used.
            JournalFull: an earlier version filled the journal to its last block.
        """
        with self._open_disks(writable=True) as opened, RealWorld(opened.disks, lane_count) as world:
            yield ActiveStore(world, world.run(activate(opened.located.location)))

    def grow(self, area_bytes: int | None = None) -> int:
        """Let the differential area be larger, and return how many slots there are then; see `grow_area`."""
        with self.open_active() as active:
            return grow_area(active, self.paths[-1], area_bytes)

    def check(self) -> CheckResult:
        """Whether the store is intact; see `shadowshare.protocol.checking`.

        Raises:
            StoreError, CannotOpen, ReadError: nothing could be told.
        """
        with self._open_disks(writable=False) as opened, RealWorld(opened.disks) as world:
            return world.run(check_store(opened.located.location))

    def repair(self) -> tuple[tuple[Repair, ...], CheckResult]:
        """Put right what can be put right without guessing, and check again; see `repair_store`.

        Raises:
            Locked: an active of this machine has the store open.
            StoreError, CannotOpen, DiskError: nothing could be told, or the disk failed.
        """
        with self._open_disks(writable=True) as opened, RealWorld(opened.disks) as world:
            return world.run(repair_store(opened.located.location))

    @contextmanager
    def _open_disks(self, writable: bool) -> Iterator[OpenStore]:
        offset_bytes = self._area_offset_bytes_if_needed()
        with open_disks(
            self.image, self.area, writable=writable, direct=self._direct, area_offset_bytes=offset_bytes
        ) as opened:
            yield opened

    def _area_offset_bytes_if_needed(self) -> int | None:
        """Where the area begins, if that has to be searched for because the superblock at the end is damaged."""
        try:
            locate(self.image, self.area, self._area_offset_bytes)
        except StoreError:
            if self.area is not None or self._area_offset_bytes is not None:
                raise
            offset_bytes = find_area_offset_bytes(self.image)
            if offset_bytes is None:
                raise
            return offset_bytes
        return self._area_offset_bytes
