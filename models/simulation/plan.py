"""What is simulated, as immutable values."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shadowshare.models.latency.episodes import Episode
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
        episodes: what happens to the path: while it stalls nothing sets out, while it is slow all ways take longer.
    """

    workload: Workload
    count: int = 1
    request_ns: int = 0
    answer_ns: int = 0
    queue_depth: int | None = None
    episodes: tuple[Episode, ...] = ()


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
class FailOverPlan:
    """The active crashes, and another host takes over with the same users: it recovers the store, and goes on.

    What the active had asked of the devices and was not done takes effect, until the other host's reservation keeps it
    out.

    Attributes:
        at_ns: when it crashes, warm-up included.
        detection_ns: until the other host notices, and begins to recover.
    """

    at_ns: int
    detection_ns: int = 0


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
        fail_over: when the active crashes; None for never.
    """

    geometry: Geometry
    devices: tuple[DevicePlan, ...]
    active: HostsPlan
    passives: tuple[HostsPlan, ...]
    shadow_copies: ShadowCopyPlan
    warm_up_ns: int
    measured_ns: int
    fail_over: FailOverPlan | None = None

    def without_shadow_copies(self) -> SimulationPlan:
        """The same active alone, whose writes copy nothing: what everything else is compared with."""
        return replace(self, passives=(), shadow_copies=ShadowCopyPlan(0, 0, 0))
