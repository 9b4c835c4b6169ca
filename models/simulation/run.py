"""A plan's timed world, built and run.

Each device, and each client of each workload, draws from a stream of its own, which follows from the seed and from what
it is: so plans that differ in one thing see the same requests (common random numbers).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from numpy.random import Generator, default_rng

from shadowshare.models.latency.episodes import pace_of
from shadowshare.models.served_hosts import active_host, passive_host
from shadowshare.models.simulation.measured import DeviceUse, LatencyLog, Measured
from shadowshare.models.simulation.plan import (
    DevicePlan,
    FailOverPlan,
    HostsPlan,
    ShadowCopyPlan,
    SimulationPlan,
)
from shadowshare.protocol.active import Active
from shadowshare.protocol.formatting import format_store
from shadowshare.protocol.geometry import Geometry, Location
from shadowshare.protocol.marks import counting
from shadowshare.protocol.operations import Operation
from shadowshare.protocol.passive import Passive
from shadowshare.protocol.recovery import activate
from shadowshare.sim.disks.disk import Disk
from shadowshare.sim.disks.hollow_disk import HollowDisk
from shadowshare.sim.host import Computer, Host
from shadowshare.sim.inline import run_to_result
from shadowshare.sim.timed.device import TimedDevice
from shadowshare.sim.timed.environment import TimedEnvironment
from shadowshare.sim.timed.source import ClosedSource, OpenSource, Served, Source
from shadowshare.sim.timed.traffic import JOURNAL, Traffic
from shadowshare.sim.timed.workload import HostRequest
from shadowshare.sim.timed.world import TimedWorld

_DEVICES, _HOSTS, _PATHS = 0, 1, 2
ACTIVE_HOST = 0


class Simulation:
    """A plan, ready to run once.

    Args:
        plan: what is simulated.
        seed: of everything random.
        disks: what is on the devices; None for disks that keep metadata only.
    """

    def __init__(
        self, plan: SimulationPlan, seed: int | tuple[int, ...] = 0, disks: Sequence[Disk] | None = None
    ) -> None:
        self.plan = plan
        self._seed = (seed,) if isinstance(seed, int) else tuple(seed)
        self.environment = TimedEnvironment()
        self._successor = 1 + sum(passives.count for passives in plan.passives)
        self._active_hosts = frozenset({ACTIVE_HOST, self._successor})
        self.log = LatencyLog(self._active_hosts)
        self.traffic = Traffic(plan.geometry)
        self.disks: Sequence[Disk] = hollow_disks(plan.geometry) if disks is None else disks
        self.devices = [self._device(number, device) for number, device in enumerate(plan.devices)]
        self.world = TimedWorld(self.environment, self.devices, self.traffic)
        self._sources: list[Source] = []
        self._location = Location(plan.geometry.area_device, plan.geometry.superblock_sectors)
        self._inline(format_store(plan.geometry))
        self.active: Active = self._inline(activate(self._location))
        for _ in range(plan.shadow_copies.at_start):
            self._inline(self.active.create())
        self._active_sources = self._sources_of(plan.active, 0, ACTIVE_HOST)
        if plan.shadow_copies.every_ns:
            creating = OpenSource(self.environment, creations(plan.shadow_copies), self.log)
            self._active_sources.append(creating)
        self._add(active_host(self.active, self._active_sources), plan.active, len(self._active_sources))
        for group, passives in enumerate(plan.passives, start=1):
            for _ in range(passives.count):
                passive: Passive = self._inline(Passive.open(self._location))
                sources = self._sources_of(passives, group, len(self.world.hosts))
                self._add(passive_host(passive, sources), passives, len(sources))
        if plan.fail_over is not None:
            self.environment.after(plan.fail_over.at_ns, self._crash, plan.fail_over)

    def _inline(self, coroutine: Any) -> Any:
        """Do something before time begins."""

        def perform(operation: Operation) -> Any:
            disk = self.disks[operation.device]
            return disk.perform(operation, ACTIVE_HOST, disk.write_count)

        def answer_to(request: Any) -> Any:
            return perform(request) if isinstance(request, Operation) else tuple(map(perform, request))

        return run_to_result(coroutine, answer_to)

    def _stream(self, *purpose: int) -> Generator:
        return default_rng([*self._seed, *purpose])

    def _device(self, number: int, device: DevicePlan) -> TimedDevice:
        disk = self.disks[number]
        service_time = device.latency.start(
            self._stream(_DEVICES, number), disk.sector_bytes, disk.sector_count
        )
        return TimedDevice(
            self.environment,
            disk,
            service_time,
            device.server_count,
            device.urgency,
            device.queue_depth,
            device.flush_is_exclusive,
        )

    def _add(self, host: Host, plan: HostsPlan, task_count: int) -> None:
        """Add a host with a path as its plan says, and start its tasks."""
        number = len(self.world.hosts)
        pace = pace_of(plan.episodes, self._stream(_PATHS, number)) if plan.episodes else None
        self.world.add(host, plan.request_ns, plan.answer_ns, plan.queue_depth, pace)
        self._start(number, task_count)

    def _start(self, host: int, task_count: int) -> None:
        for task in range(task_count):
            self.environment.after(0, self.world.start, host, task)

    def _sources_of(self, plan: HostsPlan, group: int, host: int) -> list[Source]:
        """One for each task: each client's own, or one for all."""
        workload, geometry = plan.workload, self.plan.geometry
        sizes = (geometry.volume_bytes, geometry.sector_bytes)
        if workload.is_open:
            requests = workload.requests(self._stream(_HOSTS, group, host, 0), *sizes)
            source: Source = OpenSource(self.environment, requests, self.log)
            self._sources.append(source)
            return [source] * workload.client_count
        return [
            ClosedSource(
                self.environment,
                workload.requests(self._stream(_HOSTS, group, host, client), *sizes),
                self.log,
            )
            for client in range(workload.client_count)
        ]

    # -- fail-over -----------------------------------------------------------------------------------------------

    def _crash(self, plan: FailOverPlan) -> None:
        self.world.stop(ACTIVE_HOST)
        for source in self._active_sources:
            source.abandon(ACTIVE_HOST)
        crashed_ns = self.environment.now_ns
        self.environment.after(plan.detection_ns, self._take_over, crashed_ns)

    def _take_over(self, crashed_ns: int) -> None:
        """Another host recovers the store, and then has the users of the one that crashed."""
        begun_ns = self.environment.now_ns

        async def recover() -> None:
            self.active = await activate(self._location)
            recovered = HostRequest(0, "recover")
            now_ns = self.environment.now_ns
            self.log(Served(self._successor, recovered, crashed_ns, begun_ns, now_ns, None))
            self.environment.after(0, self._go_on)

        self._add(Host(Computer([recover], [], lambda: None)), self.plan.active, 1)

    def _go_on(self) -> None:
        self.world.hosts[self._successor] = active_host(self.active, self._active_sources)
        self._start(self._successor, len(self._active_sources))

    # -- measuring -----------------------------------------------------------------------------------------------

    def run(self) -> Measured:
        """Let the warm-up pass, and then measure."""
        self.measure(self.plan.warm_up_ns)
        return self.measure(self.plan.measured_ns)

    def measure(self, duration_ns: int) -> Measured:
        """Go on for so long; returns what was measured in that time."""
        self.log.reset()
        self.traffic.reset()
        before = [(device.served_count, device.busy_ns) for device in self.devices]
        with counting() as marks:
            if duration_ns:
                self.environment.run(until=self.environment.now + duration_ns)
        operations = Counter(self.traffic.operations())
        slot_count = self.plan.geometry.slot_count
        return Measured(
            duration_ns,
            self.log.latencies,
            self.log.failures,
            self.log.moved_bytes,
            operations,
            Counter(self.traffic.sizes()),
            marks,
            tuple(
                DeviceUse(device.served_count - served, device.busy_ns - busy_ns, device.server_count)
                for device, (served, busy_ns) in zip(self.devices, before, strict=True)
            ),
            sum(count for flow, count in operations.items() if flow[1:] == ("write", JOURNAL)),
            slot_count - self.active.free_slot_count,
            slot_count,
            sum(source.backlog_count for source in self._sources),
            self._active_hosts,
        )


def simulate(plan: SimulationPlan, seed: int | tuple[int, ...] = 0) -> Measured:
    """Run a plan once."""
    return Simulation(plan, seed).run()


def hollow_disks(geometry: Geometry) -> list[HollowDisk]:
    """The devices of a store, of which metadata only is kept."""
    first, last = geometry.superblock_sectors
    metadata = [range(first, geometry.slot_sector(0)), range(last, last + 1)]
    if geometry.area_device == 0:
        return [HollowDisk(geometry.sector_bytes, last + 1, metadata)]
    return [
        HollowDisk(geometry.sector_bytes, geometry.volume_sector_count, []),
        HollowDisk(geometry.sector_bytes, last + 1, metadata),
    ]


def creations(plan: ShadowCopyPlan) -> Iterator[HostRequest]:
    """What the active is asked for to have the shadow copies of a plan."""
    count = plan.at_start
    while True:
        yield HostRequest(plan.every_ns, "create")
        count += 1
        if count > plan.keep:
            yield HostRequest(0, "delete")
            count -= 1
