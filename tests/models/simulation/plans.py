"""Small plans for tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from numpy.random import Generator

from shadowshare.models.simulation.plan import DevicePlan, HostsPlan, ShadowCopyPlan, SimulationPlan
from shadowshare.protocol.geometry import plan_geometry
from shadowshare.sim.timed.latency import ServiceTime
from shadowshare.sim.timed.workload import HostRequest

SECTOR_BYTES, EXTENT_SECTORS, EXTENT_COUNT = 512, 8, 64
EXTENT_BYTES = SECTOR_BYTES * EXTENT_SECTORS
MILLISECOND_NS = 1_000_000


@dataclass(frozen=True)
class Jittered:
    """A latency model: from 50 to 150 microseconds."""

    def start(self, random: Generator, sector_bytes: int, sector_count: int) -> ServiceTime:
        return lambda _operation, _begins_ns: int(random.integers(50_000, 150_000))


@dataclass(frozen=True)
class Scripted:
    """A workload: a list of requests, and then nothing."""

    script: tuple[HostRequest, ...]
    is_open: bool = False
    client_count: int = 1

    def requests(self, random: Generator, volume_bytes: int, sector_bytes: int) -> Iterator[HostRequest]:
        return iter(self.script)


@dataclass(frozen=True)
class Anywhere:
    """A workload: sectors drawn uniformly."""

    verb: str
    mean_gap_ns: int
    is_open: bool = False
    client_count: int = 1
    seen: list[HostRequest] = field(default_factory=list, compare=False)

    def requests(self, random: Generator, volume_bytes: int, sector_bytes: int) -> Iterator[HostRequest]:
        while True:
            gap_ns = int(random.exponential(self.mean_gap_ns))
            sector = int(random.integers(volume_bytes // sector_bytes))
            request = HostRequest(gap_ns, self.verb, sector * sector_bytes, sector_bytes)
            self.seen.append(request)
            yield request


def write(extent: int, gap_ns: int = 0) -> HostRequest:
    return HostRequest(gap_ns, "write", extent * EXTENT_BYTES, SECTOR_BYTES)


def plan(
    active: Scripted | Anywhere,
    *passives: Scripted | Anywhere,
    shadow_copies: ShadowCopyPlan = ShadowCopyPlan(),  # noqa: B008 - a frozen value
    warm_up_ns: int = 0,
    measured_ns: int = 1000 * MILLISECOND_NS,
    server_count: int = 4,
) -> SimulationPlan:
    volume_sector_count = EXTENT_COUNT * EXTENT_SECTORS
    geometry = plan_geometry(
        b"0123456789abcdef",
        SECTOR_BYTES,
        EXTENT_SECTORS,
        volume_sector_count,
        0,
        volume_sector_count,
        2 + 2 * 4096 + 128 * EXTENT_SECTORS,
        4096,
    )
    return SimulationPlan(
        geometry,
        (DevicePlan(Jittered(), server_count),),
        HostsPlan(active),
        tuple(HostsPlan(passive) for passive in passives),
        shadow_copies,
        warm_up_ns,
        measured_ns,
    )
