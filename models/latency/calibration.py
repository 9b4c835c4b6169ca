"""Measures a device, and makes a latency model of what it measured.

A file or block device is only ever read: it is opened so that the operating system itself refuses writes. In a folder,
a scratch file is made, written, read and removed. Requests are made one at a time, directly (O_DIRECT) where that
works, and through the same code as the real world's, whose overhead is part of what is measured. Sizes and verbs take
turns, so that what changes in the meantime changes all of them alike.

What is measured is the time of one request when nothing else is asked for: queueing is the business of the timed world.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter_ns
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from scipy.stats import t as students_t

from shadowshare.models.latency.distributions import Nanoseconds
from shadowshare.models.latency.errors import ModelError
from shadowshare.models.latency.fitting import SAMPLE_COUNT_MINIMUM, fit_mixture
from shadowshare.models.latency.goodness import goodness_of_fit
from shadowshare.models.latency.model_file import Source
from shadowshare.models.latency.sampled import Sampled, SizeClass
from shadowshare.protocol.errors import CannotOpen, DiskError
from shadowshare.protocol.operations import Flush, Operation, Read, Write
from shadowshare.sim.disks.file_disk import FileDisk

DEFAULT_SIZES = (4096, 65536, 1 << 20)
BATCH_COUNT = 10
"""A measurement is cut into so many parts in the order of time, whose means say how steady the device is."""

Advance = Callable[[int], None]
Key = tuple[str, int]
"""A verb and a size in bytes; of a flush the size is 0."""


class Plan(NamedTuple):
    """What to measure.

    Attributes:
        sample_count: requests of each verb and size.
        sizes: bytes of a request, each a multiple of 4096; those larger than the device are left out.
        is_sequential: whether requests follow each other on the device; else they go anywhere.
        scratch_bytes: size of a scratch file, where one is made.
        seed: of the places.
    """

    sample_count: int = 2000
    sizes: Sequence[int] = DEFAULT_SIZES
    is_sequential: bool = False
    scratch_bytes: int = 64 << 20
    seed: int = 0

    def check(self) -> None:
        """Refuse what cannot be measured.

        Raises:
            ModelError: says which, and what would do.
        """
        if self.sample_count < SAMPLE_COUNT_MINIMUM:
            raise ModelError(
                f"{self.sample_count} samples are too few: {SAMPLE_COUNT_MINIMUM} or more can be fitted"
            )
        for size_bytes in self.sizes:
            if size_bytes <= 0 or size_bytes % 4096 or size_bytes > 1 << 27:
                raise ModelError(
                    f"a size of {size_bytes} bytes: it must be a multiple of 4096, and 128 MiB at most"
                )
        if not self.sizes:
            raise ModelError("there must be one size or more")

    @property
    def total_bytes(self) -> int:
        """What is read, for a progress bar."""
        return self.sample_count * sum(self.sizes)


class Measurement(NamedTuple):
    """Latencies of each verb and size, in the order of time, and whether they are of the device itself.

    Attributes:
        latencies_ns: by verb and size.
        is_direct: False where the operating system refused O_DIRECT: then its cache was measured.
    """

    latencies_ns: Mapping[Key, Nanoseconds]
    is_direct: bool


def measure(target: Path, plan: Plan, advance: Advance) -> Measurement:
    """Measure a folder's disk with a scratch file in it, or a file or block device by reading it.

    Args:
        target: folder, file or block device.
        plan: what to measure.
        advance: told how many bytes were read since it was called last.

    Raises:
        ModelError: the plan cannot be carried out.
        CannotOpen, DiskError: the device cannot be used, or failed.
    """
    plan.check()
    if not target.is_dir():
        with open_for_reading(target) as disk:
            return _measure_reads(disk, plan, advance)
    with _scratch_file(target, plan.scratch_bytes) as path, FileDisk.open(path, 4096, writable=True) as disk:
        _fill(disk)
        return _measure_all(disk, plan, advance)


@contextmanager
def open_for_reading(path: Path) -> Iterator[FileDisk]:
    """Open a file or device for reading only, whatever its sectors are."""
    try:
        disk = FileDisk.open(path, 4096, writable=False)
    except CannotOpen:
        disk = FileDisk.open(path, 512, writable=False)  # or the same error again
    with disk:
        yield disk


def check_scratch_file(folder: Path, size_bytes: int) -> None:
    """Refuse a scratch file that cannot be made in a folder.

    Raises:
        ModelError: says why.
    """
    if size_bytes < 1 << 20 or size_bytes % 4096:
        raise ModelError(
            f"a scratch file of {size_bytes} bytes: it must have 1 MiB or more, a multiple of 4096"
        )
    room_bytes = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    if size_bytes > room_bytes:
        raise ModelError(f"{folder} has room for {room_bytes} bytes, and a scratch file needs {size_bytes}")


@contextmanager
def _scratch_file(folder: Path, size_bytes: int) -> Iterator[Path]:
    check_scratch_file(folder, size_bytes)
    descriptor, name = tempfile.mkstemp(prefix=".shadowshare-calibration-", dir=folder)
    try:
        os.ftruncate(descriptor, size_bytes)
        os.close(descriptor)
        yield Path(name)
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()


def _fill(disk: FileDisk) -> None:
    """Write every sector once: what was never written is read and written faster."""
    piece = 256
    for sector in range(0, disk.sector_count, piece):
        count = min(piece, disk.sector_count - sector)
        _timed(disk, Write(0, sector, count, os.urandom(count * disk.sector_bytes)))
    _timed(disk, Flush(0))


def _timed(disk: FileDisk, operation: Operation) -> int:
    """Carry an operation out; returns how many nanoseconds it took.

    Raises:
        DiskError: it failed.
    """
    begun_ns = perf_counter_ns()
    answer = disk.perform(operation)
    taken_ns = perf_counter_ns() - begun_ns
    if isinstance(answer, DiskError):
        raise answer
    return taken_ns


def _usable_sizes(disk: FileDisk, plan: Plan) -> list[int]:
    size_bytes = disk.sector_bytes * disk.sector_count
    sizes = [size for size in sorted(set(plan.sizes)) if size <= size_bytes]
    if not sizes:
        raise ModelError(
            f"{disk.path} has {size_bytes} bytes, less than every size to measure: name a smaller one"
        )
    return sizes


def _places(disk: FileDisk, size_bytes: int, plan: Plan, random: Generator) -> list[int]:
    """First sectors of the requests of one size."""
    sectors = size_bytes // disk.sector_bytes
    room = disk.sector_count // sectors
    numbers = (
        np.arange(plan.sample_count) % room
        if plan.is_sequential
        else random.integers(0, room, plan.sample_count)
    )
    return [int(number) * sectors for number in numbers]


def _measure_reads(disk: FileDisk, plan: Plan, advance: Advance) -> Measurement:
    random = np.random.default_rng(plan.seed)
    sizes = _usable_sizes(disk, plan)
    places = [_places(disk, size, plan, random) for size in sizes]
    found: dict[Key, list[int]] = {("read", size): [] for size in sizes}
    for round_places in zip(*places, strict=True):
        for size, sector in zip(sizes, round_places, strict=True):
            found["read", size].append(_timed(disk, Read(0, sector, size // disk.sector_bytes)))
            advance(size)
    return _measured(found, disk)


def _measure_all(disk: FileDisk, plan: Plan, advance: Advance) -> Measurement:
    """Reads, writes, and a flush after each write."""
    random = np.random.default_rng(plan.seed)
    sizes = _usable_sizes(disk, plan)
    reads = [_places(disk, size, plan, random) for size in sizes]
    writes = [_places(disk, size, plan, random) for size in sizes]
    data = {size: os.urandom(size) for size in sizes}
    found: dict[Key, list[int]] = {(verb, size): [] for verb in ("read", "write") for size in sizes}
    flushes: list[int] = []
    for round_places in zip(*reads, *writes, strict=True):
        for index, size in enumerate(sizes):
            count = size // disk.sector_bytes
            found["read", size].append(_timed(disk, Read(0, round_places[index], count)))
            write = Write(0, round_places[len(sizes) + index], count, data[size])
            found["write", size].append(_timed(disk, write))
            flushes.append(_timed(disk, Flush(0)))
            advance(size)
    return _measured({**found, ("flush", 0): flushes}, disk)


def _measured(found: Mapping[Key, list[int]], disk: FileDisk) -> Measurement:
    return Measurement({key: np.array(times, dtype=np.int64) for key, times in found.items()}, disk.is_direct)


# -- what was measured as a model --------------------------------------------------------------------------------


def model_of(latencies_ns: Mapping[Key, Nanoseconds]) -> Sampled:
    """The model that fits what was measured.

    Raises:
        ModelError: there are too few latencies of a kind, or none of reads.
    """
    classes: dict[str, list[SizeClass]] = {"read": [], "write": [], "flush": []}
    for (verb, size_bytes), latencies in sorted(latencies_ns.items()):
        mixture = fit_mixture(latencies)
        classes[verb].append(SizeClass(mixture, size_bytes, goodness_of_fit(latencies, mixture)))
    return Sampled(tuple(classes["read"]), tuple(classes["write"]), tuple(classes["flush"]))


def expected_error(latencies_ns: Mapping[Key, Nanoseconds]) -> float:
    """By how much the mean of another run may differ, as a share: the largest of all verbs and sizes.

    It is the prediction interval of 95 % for the mean of another part as long as each of the `BATCH_COUNT` parts that
    this measurement is cut into: Student's t with one degree of freedom less.
    """
    quantile = float(students_t.ppf(0.975, BATCH_COUNT - 1))
    errors = []
    for latencies in latencies_ns.values():
        means = np.array([part.mean() for part in np.array_split(latencies, BATCH_COUNT)])
        errors.append(quantile * means.std(ddof=1) * (1 + 1 / BATCH_COUNT) ** 0.5 / max(means.mean(), 1.0))
    return float(max(errors))


def source_of(target: Path, measurement: Measurement) -> Source:
    """What a model file says about where it comes from."""
    kind = "in a scratch file" if target.is_dir() else "of a file"
    if target.exists() and stat.S_ISBLK(target.stat().st_mode):
        kind = "of a block device"
    how = "direct" if measurement.is_direct else "buffered: not of the device, but of the cache"
    return Source(
        f"measured one request at a time, {kind}, {how}",
        str(target),
        datetime.now(UTC).date().isoformat(),
        round(expected_error(measurement.latencies_ns), 4),
    )
