"""How many disk operations a simulation gets through in a second: ``python -m bench.simulate [--json]``.

All engines do the same in one run: 4 writers and 8 readers, each with one operation under way, first come first served
on a device with 2 servers and exponential service times that were drawn before. They are

- *SimPy, Resource*: a process for each host, a request of the resource and a timeout for each operation;
- *SimPy, bare events*: the end of each service is known when it is asked for, so one timeout for each operation;
- *generators and heapq*: the least that Python can do: no environment, no device, no answers;
- *ours, bare loops*: the timed world, whose hosts await operations one after the other, and a device without a disk;
- *ours, protocol*: the active and passives with the protocol's own code, and a memory disk under the device.

What the protocol costs is the difference of the last two, for each operation. Then: time for each operation with the
number of passives, each of which takes in every journal block; and memory with simulated time.
"""

from __future__ import annotations

import argparse
import json
import sys
import tracemalloc
from collections.abc import Callable, Coroutine, Generator, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush, heapreplace
from itertools import count, cycle
from random import Random
from statistics import median
from time import process_time
from typing import Any

import simpy
from numpy.random import Generator as RandomStream

from shadowshare.models.simulation.plan import (
    SECOND_NS,
    DevicePlan,
    HostsPlan,
    ShadowCopyPlan,
    SimulationPlan,
)
from shadowshare.models.simulation.run import Simulation
from shadowshare.protocol.geometry import plan_geometry
from shadowshare.protocol.operations import Read, Write
from shadowshare.sim.disks.disk import Disk
from shadowshare.sim.disks.memory_disk import MemoryDisk
from shadowshare.sim.host import Computer, Host
from shadowshare.sim.timed.device import TimedDevice
from shadowshare.sim.timed.environment import TimedEnvironment
from shadowshare.sim.timed.latency import ServiceTime
from shadowshare.sim.timed.workload import HostRequest
from shadowshare.sim.timed.world import TimedWorld

OPERATION_COUNT = 100_000
ROUND_COUNT = 5
WRITER_COUNT, READER_COUNT, SERVER_COUNT = 4, 8, 2
MEAN_NS = 100_000
PASSIVE_COUNTS = (1, 10, 100, 1000)
_RANDOM = Random(1)
SERVICES_NS = [int(_RANDOM.expovariate(1 / MEAN_NS)) for _ in range(8192)]


def draws() -> Callable[[], int]:
    """Service times, one after the other."""
    return cycle(SERVICES_NS).__next__


# -- engines: each returns the operations that it did, and the seconds that they took ------------------------------


def simpy_with_resource(operation_count: int) -> tuple[int, float]:
    """See above."""
    environment = simpy.Environment()
    device, draw = simpy.Resource(environment, SERVER_COUNT), draws()

    def host() -> Generator[simpy.Event, Any, None]:
        while True:
            with device.request() as request:
                yield request
                yield environment.timeout(draw())

    return _run_simpy(environment, host, operation_count)


def simpy_with_bare_events(operation_count: int) -> tuple[int, float]:
    """See above."""
    environment = simpy.Environment()
    free_ns, draw = [0.0] * SERVER_COUNT, draws()

    def host() -> Generator[simpy.Event, Any, None]:
        while True:
            ends_ns = max(environment.now, free_ns[0]) + draw()
            heapreplace(free_ns, ends_ns)
            yield environment.timeout(ends_ns - environment.now)

    return _run_simpy(environment, host, operation_count)


def _run_simpy(environment: simpy.Environment, host: Any, operation_count: int) -> tuple[int, float]:
    for _ in range(WRITER_COUNT + READER_COUNT):
        environment.process(host())
    start = process_time()
    environment.run(until=_duration_ns(operation_count))
    return operation_count, process_time() - start


def generators_and_heapq(operation_count: int) -> tuple[int, float]:
    """See above."""
    queue: list[tuple[int, int, Any]] = []
    free_ns, draw, number = [0] * SERVER_COUNT, draws(), count()

    def host() -> Generator[None, None, None]:
        while True:
            yield

    def submit(now_ns: int, task: Any) -> None:
        ends_ns = max(now_ns, free_ns[0]) + draw()
        heapreplace(free_ns, ends_ns)
        heappush(queue, (ends_ns, next(number), task))

    for _ in range(WRITER_COUNT + READER_COUNT):
        submit(0, host())
    start = process_time()
    done_count, until_ns = 0, _duration_ns(operation_count)
    while queue[0][0] < until_ns:
        now_ns, _, task = heappop(queue)
        next(task)
        submit(now_ns, task)
        done_count += 1
    return done_count, process_time() - start


@dataclass(frozen=True)
class Drawn:
    """A latency model: times that were drawn before."""

    def start(self, random: RandomStream, sector_bytes: int, sector_count: int) -> ServiceTime:
        """See `LatencyModel`."""
        draw = draws()
        return lambda _operation, _begins_ns: draw()


def ours_with_bare_loops(operation_count: int) -> tuple[int, float]:
    """See above."""
    environment = TimedEnvironment()
    draw = draws()
    device = TimedDevice(environment, None, lambda _operation, _begins_ns: draw(), SERVER_COUNT)
    world = TimedWorld(environment, [device])

    async def write() -> None:
        while True:
            await Write(0, 0, 1, b"")

    async def read() -> None:
        while True:
            await Read(0, 0, 1)

    tasks: list[Callable[[], Coroutine[Any, Any, None]]] = [write] * WRITER_COUNT + [read] * READER_COUNT
    for task in tasks:
        world.start(world.add(Host(Computer([task], [], lambda: None))), 0)
    start = process_time()
    environment.run(until=_duration_ns(operation_count))
    return device.served_count, process_time() - start


@dataclass(frozen=True)
class Closed:
    """A workload: clients that ask for one sector after the other, without a pause."""

    verb: str
    client_count: int
    is_open: bool = False
    gap_ns: int = 0

    def requests(self, random: RandomStream, volume_bytes: int, sector_bytes: int) -> Iterator[HostRequest]:
        """See `Workload`."""
        while True:
            for sector in random.integers(volume_bytes // sector_bytes, size=4096).tolist():
                yield HostRequest(self.gap_ns, self.verb, sector * sector_bytes, sector_bytes)


def plan(passive_count: int, seconds: float, server_count: int, gap_ns: int = 0) -> SimulationPlan:
    """An active with 4 writers, passives with a reader each, and a new shadow copy now and then."""
    geometry = plan_geometry(b"shadowshare-lab!", 512, 8, 4096, 0, 4096, 2 + 2 * 256 + 8 * 2048, 256)
    return SimulationPlan(
        geometry,
        (DevicePlan(Drawn(), server_count),),
        HostsPlan(Closed("write", WRITER_COUNT)),
        (HostsPlan(Closed("read", 1, gap_ns=gap_ns), passive_count),),
        ShadowCopyPlan(1, SECOND_NS // 2, 2),
        warm_up_ns=0,
        measured_ns=int(seconds * SECOND_NS),
    )


def ours_with_protocol(operation_count: int) -> tuple[int, float]:
    """See above."""
    seconds = _duration_ns(operation_count) / SECOND_NS
    whole = plan(READER_COUNT, seconds, SERVER_COUNT)
    sector_count = whole.geometry.superblock_sectors[1] + 1
    disk = MemoryDisk(512, [bytes(512)] * sector_count, has_volatile_cache=False)
    return _run_plan(whole, [disk])


def _run_plan(whole: SimulationPlan, disks: list[Disk] | None = None) -> tuple[int, float]:
    simulation = Simulation(whole, disks=disks)
    start = process_time()
    simulation.run()
    return simulation.devices[0].served_count, process_time() - start


def _duration_ns(operation_count: int) -> int:
    """How long the device takes for so many, always busy."""
    return operation_count * MEAN_NS // SERVER_COUNT


ENGINES: dict[str, Callable[[int], tuple[int, float]]] = {
    "SimPy, Resource": simpy_with_resource,
    "SimPy, bare events": simpy_with_bare_events,
    "generators and heapq": generators_and_heapq,
    "ours, bare loops": ours_with_bare_loops,
    "ours, protocol and memory disk": ours_with_protocol,
}


# -- figures -------------------------------------------------------------------------------------------------------


def measure_engines(operation_count: int, round_count: int) -> list[dict[str, Any]]:
    """A row for each engine; the rounds of all take turns, so that what else the machine does hits all alike."""
    rates: dict[str, list[float]] = {name: [] for name in ENGINES}
    for _ in range(round_count):
        for name, engine in ENGINES.items():
            done_count, seconds = engine(operation_count)
            rates[name].append(done_count / seconds)
    return [{"engine": name, "ios_per_second": round(median(found))} for name, found in rates.items()]


def measure_hosts(operation_count: int, passive_counts: tuple[int, ...]) -> list[dict[str, Any]]:
    """Time for each operation with so many passives, each of which reads at a tenth of its possible rate."""
    rows = []
    for passive_count in passive_counts:
        seconds = operation_count / (WRITER_COUNT * 8000 + passive_count * 1000)
        done_count, taken = _run_plan(plan(passive_count, seconds, 1024, gap_ns=2_000_000))
        rows.append(
            {
                "passives": passive_count,
                "ios": done_count,
                "microseconds_per_io": round(taken / done_count * 1e6, 2),
            }
        )
    return rows


def measure_memory(seconds: float) -> list[dict[str, Any]]:
    """What a simulation holds in memory after one, two, ... times as long."""
    tracemalloc.start()
    simulation = Simulation(plan(READER_COUNT, seconds, SERVER_COUNT))
    rows = []
    for part in range(1, 5):
        simulation.environment.run(until=int(part * seconds * SECOND_NS))
        held, _ = tracemalloc.get_traced_memory()
        rows.append(
            {
                "simulated_seconds": part * seconds,
                "ios": simulation.devices[0].served_count,
                "mebibytes": round(held / 2**20, 2),
            }
        )
    tracemalloc.stop()
    return rows


def measure(
    operation_count: int = OPERATION_COUNT,
    round_count: int = ROUND_COUNT,
    passive_counts: tuple[int, ...] = PASSIVE_COUNTS,
) -> dict[str, Any]:
    """All figures."""
    engines = measure_engines(operation_count, round_count)
    rates = {row["engine"]: row["ios_per_second"] for row in engines}
    protocol = 1e6 / rates["ours, protocol and memory disk"] - 1e6 / rates["ours, bare loops"]
    return {
        "engines": engines,
        "protocol_microseconds_per_io": round(protocol, 2),
        "hosts": measure_hosts(operation_count, passive_counts),
        "memory": measure_memory(operation_count * MEAN_NS / SERVER_COUNT / SECOND_NS / 4),
    }


def show(figures: dict[str, Any]) -> None:
    """Print the figures for people."""
    slowest = figures["engines"][0]["ios_per_second"]
    print(f"{'engine':32}{'I/O/s':>10}{'times SimPy with Resource':>28}")
    for row in figures["engines"]:
        print(f"{row['engine']:32}{row['ios_per_second']:10,}{row['ios_per_second'] / slowest:28.2f}")
    print(f"\nthe protocol's own cost: {figures['protocol_microseconds_per_io']} us for each operation")
    print(f"\n{'passives':>10}{'I/O':>12}{'us for each':>14}")
    for row in figures["hosts"]:
        print(f"{row['passives']:10,}{row['ios']:12,}{row['microseconds_per_io']:14}")
    print(f"\n{'simulated seconds':>18}{'I/O':>12}{'MiB held':>12}")
    for row in figures["memory"]:
        print(f"{row['simulated_seconds']:18,.1f}{row['ios']:12,}{row['mebibytes']:12}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--operations", type=int, default=OPERATION_COUNT, help="for each engine and round")
    parser.add_argument("--rounds", type=int, default=ROUND_COUNT, help="medians are of so many")
    arguments = parser.parse_args()
    figures = measure(arguments.operations, arguments.rounds)
    if arguments.json:
        json.dump(figures, sys.stdout, indent=2)
        print()
    else:
        show(figures)


if __name__ == "__main__":
    main()
