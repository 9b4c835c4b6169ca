"""Is a run of the model as fast as the device that it was calibrated on? A real passive scan beside a simulated one.

A store is made in a scratch file, and its device calibrated. Then the real passive scans a shadow copy of it, request
by request, and the same passive does the same in the timed world, on the model. What is compared is the time that the
requests of a scan spend in the device, since the model says nothing else; the time between them, which the real scan
spends in Python, is measured by the first scan and given to the simulated one as a delay.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter_ns
from typing import NamedTuple

import numpy as np
from scipy.stats import ks_2samp

from shadowshare.models.latency.calibration import (
    Advance,
    Measurement,
    Plan,
    expected_error,
    measure,
    model_of,
)
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
        model: calibrated before the scans.
        measurement: that it was made of.
        measured: real scans.
        simulated: as many simulated ones, with different seeds.
        expected_error: by how much the mean may differ: see `expected_error` of the calibration.
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


def validate(folder: Path, plan: Plan, scan_count: int, advance: Advance) -> Validation:
    """Calibrate a scratch store in a folder, scan it, and simulate the scans.

    Args:
        folder: on the disk in question; nothing else in it is touched.
        plan: of the calibration: ``scratch_bytes`` is the size of the volume. Reads are measured, in the sizes of it.
        scan_count: real scans that count, and as many simulated ones.
        advance: told how many bytes were read.

    Raises:
        ModelError, ShadowshareError, OSError: it cannot be done there.
    """
    plan.check()
    with tempfile.TemporaryDirectory(prefix=".shadowshare-validation-", dir=folder) as name:
        image = Path(name) / "disk.img"
        shadow_copy = _make_store(image, plan.scratch_bytes)
        measurement = measure(image, plan, advance)
        model = model_of(measurement.latencies_ns)
        first, *measured = [scan_really(image, shadow_copy) for _ in range(scan_count + 1)]
        between_ns = max(first.elapsed_ns - first.device_ns, 0) // len(first.latencies_ns)
        simulated = [
            scan_simulated(image, shadow_copy, model, between_ns, seed) for seed in range(scan_count)
        ]
    error = expected_error(measurement.latencies_ns)
    return Validation(model, measurement, measured, simulated, error)


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
    """A disk, and how long each of its operations takes."""

    write_count = 0

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self.sector_bytes = disk.sector_bytes
        self.sector_count = disk.sector_count
        self.latencies_ns: list[int] = []

    def perform(self, operation: Operation, host: int = 0, issued_at: int = 0) -> Answer:
        """Carry it out."""
        begun_ns = perf_counter_ns()
        answer = self._disk.perform(operation, host, issued_at)
        self.latencies_ns.append(perf_counter_ns() - begun_ns)
        return answer


def scan_really(image: Path, shadow_copy: ShadowCopyId) -> Scan:
    """The real passive reads the whole shadow copy, one request at a time."""
    with open_disks(image, writable=False) as opened:
        watched = {number: _Watched(disk) for number, disk in opened.disks.items()}
        with RealWorld(watched) as world:
            passive = world.run(Passive.open(opened.located.location))
            for disk in watched.values():
                disk.latencies_ns.clear()
            begun_ns = perf_counter_ns()
            world.run(_scan(passive, shadow_copy))
            elapsed_ns = perf_counter_ns() - begun_ns
        return Scan([latency for disk in watched.values() for latency in disk.latencies_ns], elapsed_ns)


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
