"""A plan's timed world, built and run.

Each device, and each client of each workload, draws from a stream of its own, which follows from the seed and from what
it is: so plans that differ in one thing see the same requests (common random numbers).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from numpy.random import Generator, default_rng

from shadowshare.models.served_hosts import active_host, passive_host
from shadowshare.models.simulation.measured import DeviceUse, LatencyLog, Measured
from shadowshare.models.simulation.plan import DevicePlan, HostsPlan, ShadowCopyPlan, SimulationPlan
from shadowshare.protocol.active import Active
from shadowshare.protocol.formatting import format_store
from shadowshare.protocol.geometry import Geometry, Location
from shadowshare.protocol.marks import Mark, counting
from shadowshare.protocol.operations import Operation
from shadowshare.protocol.passive import Passive
from shadowshare.protocol.recovery import activate
from shadowshare.sim.disks.disk import Disk
from shadowshare.sim.disks.hollow_disk import HollowDisk
from shadowshare.sim.inline import run_to_result
from shadowshare.sim.timed.device import TimedDevice
from shadowshare.sim.timed.environment import TimedEnvironment
from shadowshare.sim.timed.source import ClosedSource, OpenSource, Source
from shadowshare.sim.timed.traffic import JOURNAL, Traffic
from shadowshare.sim.timed.workload import HostRequest
from shadowshare.sim.timed.world import TimedWorld

_DEVICES, _HOSTS = 0, 1
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
        self.log = LatencyLog(plan.warm_up_ns)
        self.traffic = Traffic(plan.geometry)
        self.disks: Sequence[Disk] = hollow_disks(plan.geometry) if disks is None else disks
        self.devices = [self._device(number, device) for number, device in enumerate(plan.devices)]
        self.world = TimedWorld(self.environment, self.devices, self.traffic)
        self._sources: list[Source] = []
        location = Location(plan.geometry.area_device, plan.geometry.superblock_sectors)
        self._inline(format_store(plan.geometry))
        self.active: Active = self._inline(activate(location))
        for _ in range(plan.shadow_copies.at_start):
            self._inline(self.active.create())
        self._add(plan.active, 0, lambda sources: active_host(self.active, sources))
        for group, passives in enumerate(plan.passives, start=1):
            for _ in range(passives.count):
                passive: Passive = self._inline(Passive.open(location))
                self._add(passives, group, lambda sources, passive=passive: passive_host(passive, sources))

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

    def _add(self, plan: HostsPlan, group: int, make_host: Any) -> None:
        """Add a host with its workload, and start its tasks; the active's also creates shadow copies."""
        number = len(self.world.hosts)
        sources = self._sources_of(plan, group, number)
        if number == ACTIVE_HOST and self.plan.shadow_copies.every_ns:
            sources.append(OpenSource(self.environment, creations(self.plan.shadow_copies), self.log))
        self._sources += sources
        host = self.world.add(make_host(sources), plan.request_ns, plan.answer_ns, plan.queue_depth)
        for task in range(len(sources)):
            self.environment.after(0, self.world.start, host, task)

    def _sources_of(self, plan: HostsPlan, group: int, host: int) -> list[Source]:
        """One for each task: each client's own, or one for all."""
        workload, geometry = plan.workload, self.plan.geometry
        sizes = (geometry.volume_bytes, geometry.sector_bytes)
        if workload.is_open:
            requests = workload.requests(self._stream(_HOSTS, group, host, 0), *sizes)
            source = OpenSource(self.environment, requests, self.log)
            return [source] * workload.client_count
        return [
            ClosedSource(
                self.environment,
                workload.requests(self._stream(_HOSTS, group, host, client), *sizes),
                self.log,
            )
            for client in range(workload.client_count)
        ]

    def run(self) -> Measured:
        """Let the warm-up pass, and then measure."""
        plan, environment = self.plan, self.environment
        with counting() as marks:
            if plan.warm_up_ns:
                environment.run(until=plan.warm_up_ns)
            self.traffic.reset()
            marks.clear()
            before = [(device.served_count, device.busy_ns) for device in self.devices]
            environment.run(until=plan.warm_up_ns + plan.measured_ns)
        return self._measured(marks, before)

    def _measured(self, marks: Counter[Mark], before: list[tuple[int, int]]) -> Measured:
        operations = self.traffic.operations()
        uses = [
            DeviceUse(
                device.served_count - served_count,
                (device.busy_ns - busy_ns) / (self.plan.measured_ns * device.server_count),
            )
            for device, (served_count, busy_ns) in zip(self.devices, before, strict=True)
        ]
        slot_count = self.plan.geometry.slot_count
        return Measured(
            self.plan.measured_ns,
            self.log.latencies,
            self.log.failures,
            self.log.moved_bytes,
            operations,
            self.traffic.sizes(),
            marks,
            tuple(uses),
            sum(count for flow, count in operations.items() if flow[1:] == ("write", JOURNAL)),
            slot_count - self.active.free_slot_count,
            slot_count,
            sum({id(source): source.backlog_count for source in self._sources}.values()),
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
