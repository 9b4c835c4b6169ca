"""The tables of a simulation file but for those of the hosts: store, device, shadow copies, fail-over, time."""

from __future__ import annotations

from typing import Literal

import msgspec

from shadowshare.models.bounds import check_bounds
from shadowshare.models.latency.built_in import MODELS
from shadowshare.models.latency.episodes import Episode, WithEpisodes
from shadowshare.models.latency.model_file import find_model
from shadowshare.models.simulation.plan import SECOND_NS, DevicePlan, FailOverPlan, ShadowCopyPlan
from shadowshare.protocol.geometry import Geometry
from shadowshare.scenarios.simulation.errors import SimulationError
from shadowshare.scenarios.simulation.hosts import Find
from shadowshare.sim.timed.device import reads_first

STORE_ID = b"shadowshare-time"
KIB, MIB = 1024, 1024 * 1024
Number = int | float


class StoreTable(msgspec.Struct, frozen=True, kw_only=True):
    """``[store]``: sizes."""

    volume_mib: int = 64
    extent_kib: int = 64
    slots: int = 2048
    journal_blocks: int = 4096
    sector_bytes: Literal[512, 4096] = 4096
    own_device: bool = False

    def __post_init__(self) -> None:
        bounds = {
            "volume_mib": (1, 16 * MIB),
            "extent_kib": (4, 16 * KIB),
            "slots": (1, 2**24),
            "journal_blocks": (4, 2**24),
        }
        check_bounds(self, bounds, SimulationError)

    def geometry(self) -> Geometry:
        """The store.

        Raises:
            GeometryMismatch: the sizes do not fit together.
        """
        size, extent_sectors = self.sector_bytes, self.extent_kib * KIB // self.sector_bytes
        volume = self.volume_mib * MIB // size
        area = 2 + 2 * self.journal_blocks + self.slots * extent_sectors
        device, sector = (1, 0) if self.own_device else (0, volume)
        return Geometry(
            STORE_ID, size, extent_sectors, volume, device, sector, area, self.journal_blocks, self.slots
        )


class DeviceTable(msgspec.Struct, frozen=True, kw_only=True):
    """``[device]``: of both devices, if there are two."""

    latency: str = "virtual-nvme"
    servers: int = 8
    order: Literal["arrival", "reads-first"] = "arrival"
    queue_depth: int | None = None
    exclusive_flush: bool = False
    episodes: tuple[Episode, ...] = ()

    def __post_init__(self) -> None:
        bounds = {
            "servers": (1, 4096),
            "queue_depth": (1, 65536),
        }
        check_bounds(self, bounds, SimulationError)

    def plan(self, find: Find) -> DevicePlan:
        """The device.

        Raises:
            ModelError: there is no such latency model.
        """
        is_built_in = self.latency in MODELS
        model = find_model(self.latency if is_built_in else str(find(self.latency)))
        if isinstance(model, WithEpisodes):
            model = WithEpisodes(model.device, model.episodes + self.episodes)
        elif self.episodes:
            model = WithEpisodes(model, self.episodes)
        urgency = reads_first if self.order == "reads-first" else None
        return DevicePlan(model, self.servers, urgency, self.queue_depth, self.exclusive_flush)


class ShadowCopiesTable(msgspec.Struct, frozen=True, kw_only=True):
    """``[shadow_copies]``."""

    at_start: int = 1
    every_seconds: Number = 0
    keep: int = 1

    def __post_init__(self) -> None:
        bounds = {
            "at_start": (1, 32),
            "every_seconds": (0, 1e9),
            "keep": (1, 32),
        }
        check_bounds(self, bounds, SimulationError)

    def plan(self) -> ShadowCopyPlan:
        """Which ones there are."""
        return ShadowCopyPlan(self.at_start, round(self.every_seconds * SECOND_NS), self.keep)


class FailOverTable(msgspec.Struct, frozen=True, kw_only=True):
    """``[fail_over]``: another host takes over."""

    at_seconds: Number
    detection_seconds: Number = 0

    def __post_init__(self) -> None:
        bounds = {
            "at_seconds": (0, 1e9),
            "detection_seconds": (0, 1e9),
        }
        check_bounds(self, bounds, SimulationError)

    def plan(self) -> FailOverPlan:
        """When."""
        return FailOverPlan(round(self.at_seconds * SECOND_NS), round(self.detection_seconds * SECOND_NS))


class TimeTable(msgspec.Struct, frozen=True, kw_only=True):
    """``[time]``: simulated, not that of a clock."""

    warm_up_seconds: Number = 0.5
    measured_seconds: Number = 2

    def __post_init__(self) -> None:
        bounds = {
            "warm_up_seconds": (0, 1e9),
            "measured_seconds": (1e-6, 1e9),
        }
        check_bounds(self, bounds, SimulationError)
