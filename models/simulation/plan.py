"""What is simulated, as immutable values."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shadowshare.protocol.geometry import Geometry
from shadowshare.sim.timed.device import Urgency
from shadowshare.sim.timed.latency import LatencyModel
from shadowshare.sim.timed.workload import Workload

SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class DevicePlan:
    """A device.

    Attributes:
        latency: how long it serves an operation.
        server_count: operations that it serves at once.
        urgency: the order of service; None for first come, first served.
        queue_depth: see `TimedDevice`.
        flush_is_exclusive: see `TimedDevice`.
    """

    latency: LatencyModel
    server_count: int = 1
    urgency: Urgency | None = None
    queue_depth: int | None = None
    flush_is_exclusive: bool = False


@dataclass(frozen=True, slots=True)
class HostsPlan:
    """Hosts that do the same, each with a path of its own.

    Attributes:
        workload: what the users of each ask for.
        count: how many hosts.
        request_ns: how long a request travels to a device.
        answer_ns: how long an answer travels back.
        queue_depth: how many operations of a host may be under way; None for no limit.
    """

    workload: Workload
    count: int = 1
    request_ns: int = 0
    answer_ns: int = 0
    queue_depth: int | None = None


@dataclass(frozen=True, slots=True)
class ShadowCopyPlan:
    """Which shadow copies there are.

    Attributes:
        at_start: created before time begins.
        every_ns: time between creations after that; 0 for none.
        keep: of more than so many the oldest is deleted.
    """

    at_start: int = 1
    every_ns: int = 0
    keep: int = 1


@dataclass(frozen=True, slots=True)
class SimulationPlan:
    """A simulation.

    Attributes:
        geometry: of the store.
        devices: by device number.
        active: the active host.
        passives: groups of passive hosts.
        shadow_copies: which ones there are.
        warm_up_ns: time at the start in which nothing is measured.
        measured_ns: time in which everything is measured.
    """

    geometry: Geometry
    devices: tuple[DevicePlan, ...]
    active: HostsPlan
    passives: tuple[HostsPlan, ...]
    shadow_copies: ShadowCopyPlan
    warm_up_ns: int
    measured_ns: int

    def without_shadow_copies(self) -> SimulationPlan:
        """The same active alone, whose writes copy nothing: what everything else is compared with."""
        return replace(self, passives=(), shadow_copies=ShadowCopyPlan(0, 0, 0))

    def without_passives(self) -> SimulationPlan:
        """The same active, with shadow copies that nobody reads."""
        return replace(self, passives=())
