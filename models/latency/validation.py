"""Is a run of the model as fast as the device that it was calibrated on? A real passive scan beside a simulated one.

A store is made in a scratch file. Its real passive scans a shadow copy, request by request; and the same passive does
the same in the timed world, on a model that was calibrated on what such a scan asks of the device: the same sizes at
the same addresses, in the same order and at the same pace. What is compared is the time that the requests of a scan
spend in the device, since the model says nothing else; the time between them, which the real scan spends in Python, is
measured by the first scan, kept by the calibration, and given to the simulated one as a delay. (The pace matters: a
virtual disk that was left alone for some microseconds took a tenth longer for the next request.)

A device that others use, too, changes its speed by more in a minute than a model can be wrong. So passes of the
calibration and real scans take turns, first one and then the other of each pair (A B B A A B ...), and what makes both
of a pair slow makes no difference. How much may be left is said by the calibration alone, before it is known how the
real scans went: see `expected_error_of`.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter_ns
from typing import NamedTuple

import numpy as np
from scipy.stats import ks_2samp
from scipy.stats import t as students_t

from shadowshare.models.latency.calibration import Advance, Key, Measurement, model_of
from shadowshare.models.latency.errors import ModelError
from shadowshare.models.latency.fitting import SAMPLE_COUNT_MINIMUM
from shadowshare.models.latency.sampled import Sampled
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.protocol.operations import Operation
from shadowshare.protocol.passive import Passive
from shadowshare.sim.disks.disk import Disk
from shadowshare.sim.disks.memory_disk import Answer
from shadowshare.sim.host import Computer, Host
from shadowshare.sim.real.store import Store
from shadowshare.sim.real.store_disks import open_disks
from shadowshare.sim.real.world import RealWorld
from shadowshare.sim.timed.device import TimedDevice, TimedFlight
from shadowshare.sim.timed.environment import TimedEnvironment
from shadowshare.sim.timed.source import Delay
from shadowshare.sim.timed.world import TimedWorld

REQUEST_BYTES = 1 << 20
UNSTEADY_FROM = 0.25
"""An expected error above this says nothing."""


Pass = list[int]
"""How long each request of a scan took, in order, when it was made without the passive."""


class Scan(NamedTuple):
    """One scan.

    Attributes:
        latencies_ns: of its requests to the device, in order.
        elapsed_ns: from the first request to the last answer.
    """

    latencies_ns: list[int]
    elapsed_ns: int

    @property
    def device_ns(self) -> int:
        """Time in the device."""
        return sum(self.latencies_ns)


class Validation(NamedTuple):
    """Measured and simulated scans of one store.

    Attributes:
        model: calibrated in turns with the scans.
        measurement: that it was made of.
        measured: real scans.
        simulated: as many simulated ones, with different seeds.
        expected_error: by how much the mean may differ: see `expected_error_of`.
    """

    model: Sampled
    measurement: Measurement
    measured: Sequence[Scan]
    simulated: Sequence[Scan]
    expected_error: float

    @property
    def error(self) -> float:
        """(simulated - measured) / measured, of the mean time that a scan spends in the device."""
        return _mean_ratio(
            [scan.device_ns for scan in self.simulated], [scan.device_ns for scan in self.measured]
        )

    @property
    def elapsed_error(self) -> float:
        """The same of the whole time of a scan."""
        return _mean_ratio(
            [scan.elapsed_ns for scan in self.simulated], [scan.elapsed_ns for scan in self.measured]
        )

    @property
    def ks_distance(self) -> float:
        """Kolmogorov-Smirnov distance between measured and simulated latencies of requests."""
        measured = [latency for scan in self.measured for latency in scan.latencies_ns]
        simulated = [latency for scan in self.simulated for latency in scan.latencies_ns]
        return float(ks_2samp(measured, simulated).statistic)

    @property
    def verdict(self) -> str:
        """``verified``: simulated scans are as fast as real ones within the expected error; else ``violated``.

        Of a device so unsteady that nearly anything would be within it, ``unknown``.
        """
        if self.expected_error > UNSTEADY_FROM:
            return "unknown"
        return "verified" if abs(self.error) <= self.expected_error else "violated"


def _mean_ratio(simulated: Sequence[int], measured: Sequence[int]) -> float:
    return float(np.mean(simulated) / np.mean(measured) - 1.0)


def validate(folder: Path, volume_bytes: int, scan_count: int, advance: Advance) -> Validation:
    """Calibrate a scratch store in a folder, scan it in turns with that, and simulate the scans.

    Args:
        folder: on the disk in question; nothing else in it is touched.
        volume_bytes: size of the volume that is scanned.
        scan_count: real scans that count, as many passes of the calibration, and as many simulated scans.
        advance: told how many bytes were read.

    Raises:
        ModelError, ShadowshareError, OSError: it cannot be done there.
    """
    with tempfile.TemporaryDirectory(prefix=".shadowshare-validation-", dir=folder) as name:
        image = Path(name) / "disk.img"
        shadow_copy = _make_store(image, volume_bytes)
        first, operations = scan_really(image, shadow_copy)
        between_ns = max(first.elapsed_ns - first.device_ns, 0) // len(first.latencies_ns)
        check_sample_counts(operations, scan_count)
        passes: list[Pass] = []
        measured: list[Scan] = []
        for number in range(scan_count):
            for is_pass in (True, False) if number % 2 == 0 else (False, True):
                if is_pass:
                    passes.append(calibration_pass(image, operations, between_ns))
                else:
                    measured.append(scan_really(image, shadow_copy)[0])
                advance(volume_bytes)
        measurement = measurement_of(passes, operations, image)
        model = model_of(measurement.latencies_ns)
        simulated = [
            scan_simulated(image, shadow_copy, model, between_ns, seed) for seed in range(scan_count)
        ]
    return Validation(model, measurement, measured, simulated, expected_error_of(passes, simulated))


# -- the calibration -----------------------------------------------------------------------------------------------


def check_sample_counts(operations: Sequence[Operation], pass_count: int) -> None:
    """Refuse a calibration that would have too few latencies of a size.

    Raises:
        ModelError: says how many scans will do.
    """
    sizes = Counter(operation.sector_count for operation in operations)
    needed = -(-SAMPLE_COUNT_MINIMUM // min(sizes.values()))
    if pass_count < max(needed, 2):
        raise ModelError(
            f"{pass_count} scans of this volume are too few for a fit: make {max(needed, 2)} or more"
        )


def calibration_pass(image: Path, operations: Sequence[Operation], between_ns: int) -> Pass:
    """Ask the device for what a scan asks it for, without the passive that does; returns how long each took.

    Args:
        image: of the store.
        operations: of the scan.
        between_ns: time between them, in which the processor is busy, as it is in a scan.
    """
    with open_disks(image, writable=False) as opened:
        watched = {number: _Watched(disk, []) for number, disk in opened.disks.items()}
        for operation in operations:
            watched[operation.device].perform(operation)
            goes_on_ns = perf_counter_ns() + between_ns
            while perf_counter_ns() < goes_on_ns:
                pass
    latencies = {number: iter(disk.latencies_ns) for number, disk in watched.items()}
    return [next(latencies[operation.device]) for operation in operations]


def measurement_of(passes: Sequence[Pass], operations: Sequence[Operation], image: Path) -> Measurement:
    """What all passes measured, by verb and size."""
    with open_disks(image, writable=False) as opened:
        sector_bytes = opened.located.sector_bytes
        is_direct = all(disk.is_direct for disk in opened.disks.values())
    found: dict[Key, list[int]] = {}
    for latencies in passes:
        for operation, latency_ns in zip(operations, latencies, strict=True):
            found.setdefault((operation.verb, operation.sector_count * sector_bytes), []).append(latency_ns)
    return Measurement({key: np.array(times, dtype=np.int64) for key, times in found.items()}, is_direct)


def expected_error_of(passes: Sequence[Pass], simulated: Sequence[Scan]) -> float:
    """By how much the mean of the simulated scans may differ from that of the real ones, as a share (95 %).

    Real scans are as unsteady as passes are. What differs between neighbours is what a pair does not have in common:
    half of the mean square of successive differences (von Neumann, Annals of Mathematical Statistics 12 (1941)) is its
    variance, for each of the two. Two more things are added: how far apart simulated scans are, and how far the mean
    of the model is from that of what it was fitted to.
    """
    totals = np.array([sum(latencies) for latencies in passes], dtype=np.float64)
    drawn = np.array([scan.device_ns for scan in simulated], dtype=np.float64)
    variance = float(np.mean(np.square(np.diff(totals)))) / 2
    error = float(np.sqrt((2 * variance + float(drawn.var(ddof=1))) / len(totals)))
    quantile = float(students_t.ppf(0.975, len(totals) - 1))
    mean = float(totals.mean())
    return quantile * error / mean + abs(float(drawn.mean()) / mean - 1.0)


def _make_store(image: Path, volume_bytes: int) -> ShadowCopyId:
    """A store with a volume of random bytes, and one shadow copy."""
    with image.open("wb") as file:
        for start in range(0, volume_bytes, REQUEST_BYTES):
            file.write(os.urandom(min(REQUEST_BYTES, volume_bytes - start)))
        file.flush()
        os.fsync(file.fileno())
    store = Store(image)
    store.format()
    with store.open_active() as active:
        return active.create()


async def _scan(
    passive: Passive, shadow_copy: ShadowCopyId, pause: Callable[[], Delay] | None = None
) -> None:
    volume_bytes = passive.geometry.volume_bytes
    for offset in range(0, volume_bytes, REQUEST_BYTES):
        await passive.read(shadow_copy, offset, min(REQUEST_BYTES, volume_bytes - offset))
        if pause is not None:
            await pause()


class _Watched:
    """A disk, how long each of its operations takes, and, in a list of all disks, which ones they are."""

    write_count = 0

    def __init__(self, disk: Disk, operations: list[Operation]) -> None:
        self._disk = disk
        self._operations = operations
        self.sector_bytes = disk.sector_bytes
        self.sector_count = disk.sector_count
        self.latencies_ns: list[int] = []

    def perform(self, operation: Operation, host: int = 0, issued_at: int = 0) -> Answer:
        """Carry it out."""
        self._operations.append(operation)
        begun_ns = perf_counter_ns()
        answer = self._disk.perform(operation, host, issued_at)
        self.latencies_ns.append(perf_counter_ns() - begun_ns)
        return answer


def scan_really(image: Path, shadow_copy: ShadowCopyId) -> tuple[Scan, list[Operation]]:
    """The real passive reads the whole shadow copy, one request at a time; returns also what it asked for."""
    operations: list[Operation] = []
    with open_disks(image, writable=False) as opened:
        watched = {number: _Watched(disk, operations) for number, disk in opened.disks.items()}
        with RealWorld(watched) as world:
            passive = world.run(Passive.open(opened.located.location))
            operations.clear()
            for disk in watched.values():
                disk.latencies_ns.clear()
            begun_ns = perf_counter_ns()
            world.run(_scan(passive, shadow_copy))
            elapsed_ns = perf_counter_ns() - begun_ns
        return Scan(
            [latency for disk in watched.values() for latency in disk.latencies_ns], elapsed_ns
        ), operations


def scan_simulated(
    image: Path, shadow_copy: ShadowCopyId, model: Sampled, between_ns: int, seed: int
) -> Scan:
    """The same passive does the same in the timed world, on the same bytes; ``between_ns`` is a pause per operation."""
    latencies: list[int] = []
    times: list[int] = []
    with open_disks(image, writable=False) as opened:
        environment = TimedEnvironment()
        streams = np.random.default_rng(seed).spawn(len(opened.disks))
        devices = [
            TimedDevice(environment, disk, model.start(stream, disk.sector_bytes, disk.sector_count))
            for stream, (_, disk) in zip(streams, sorted(opened.disks.items()), strict=True)
        ]

        def observe(flight: TimedFlight) -> None:
            latencies.append(environment.now_ns - flight.begun_ns)

        async def task() -> None:
            passive = await Passive.open(opened.located.location)
            latencies.clear()
            times.append(environment.now_ns)
            before_count = 0

            def pause() -> Delay:
                nonlocal before_count
                operation_count, before_count = len(latencies) - before_count, len(latencies)
                return Delay(between_ns * operation_count)

            await _scan(passive, shadow_copy, pause)
            times.append(environment.now_ns)

        world = TimedWorld(environment, devices, observe)
        host = world.add(Host(Computer([task], [], lambda: None)))
        world.start(host, 0)
        environment.run()
    return Scan(list(latencies), times[1] - times[0])
