"""Who reads shadow copies: scans of all of it, restores of some of it, backups of what changed; any number of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, repeat

import msgspec
from numpy.random import Generator

from shadowshare.models.workloads.errors import WorkloadError
from shadowshare.models.workloads.gaps import Even, check_rate
from shadowshare.models.workloads.places import Anywhere
from shadowshare.models.workloads.synthetic import Synthetic
from shadowshare.protocol.passive import ByteRange
from shadowshare.sim.timed.workload import HostRequest


class FullScan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A full backup: the whole shadow copy in order, in requests of one size, each after the answer to the last.

    Attributes:
        request_bytes: of a request; rounded up to whole sectors.
        pass_count: how often each reader scans it; 0: without end.
        age: which shadow copy: 0 the newest, 1 the one before it.
        client_count: readers that scan at the same time.
        pause_us: of a reader before each request: a throttle.
    """

    request_bytes: int = 1 << 20
    pass_count: int = 1
    age: int = 0
    client_count: int = 1
    pause_us: float = 0.0
    is_open: bool = False

    def __post_init__(self) -> None:
        _check_reader(self.request_bytes, self.pass_count, self.age, self.client_count)

    def requests(self, random: Generator, volume_bytes: int, sector_bytes: int) -> Iterator[HostRequest]:
        """See `shadowshare.sim.timed.workload.Workload`."""
        whole = [ByteRange(0, volume_bytes)]
        return _reads(self, whole, sector_bytes)


class IncrementalBackup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A backup of what changed since the last one: these byte ranges in order, and nothing else.

    `shadowshare.models.workloads.trace.changed_ranges` says which extents a trace changed. Ranges are widened to whole
    sectors; what lies behind the end of the volume is left out.

    Attributes:
        ranges: offset and length of what changed.
        request_bytes: of a request, at most; and so on, as in `FullScan`.
    """

    ranges: tuple[tuple[int, int], ...]
    request_bytes: int = 1 << 20
    pass_count: int = 1
    age: int = 0
    client_count: int = 1
    pause_us: float = 0.0
    is_open: bool = False

    def __post_init__(self) -> None:
        _check_reader(self.request_bytes, self.pass_count, self.age, self.client_count)
        if any(offset < 0 or length < 0 for offset, length in self.ranges):
            raise WorkloadError("ranges: offsets and lengths must be 0 or more")

    def requests(self, random: Generator, volume_bytes: int, sector_bytes: int) -> Iterator[HostRequest]:
        """See `shadowshare.sim.timed.workload.Workload`."""
        ranges = []
        for offset, length in self.ranges:
            start = offset // sector_bytes * sector_bytes
            end = min(-(-(offset + length) // sector_bytes) * sector_bytes, volume_bytes)
            if start < end:
                ranges.append(ByteRange(start, end - start))
        return _reads(self, ranges, sector_bytes)


def restore(
    size_bytes: int = 65536, client_count: int = 1, rate_per_client: float | None = None
) -> Synthetic:
    """Random reads of a shadow copy, as who restores single files makes them.

    Args:
        size_bytes: of a read.
        client_count: readers at the same time.
        rate_per_client: reads per second and reader, at most; None: as fast as the answers come.
    """
    from_rate = Synthetic({"read": 1.0}, {size_bytes: 1.0}, Anywhere(), client_count=client_count)
    if rate_per_client is None:
        return from_rate
    return msgspec.structs.replace(from_rate, gaps=_evenly(rate_per_client))


def _evenly(rate_per_second: float) -> Even:
    check_rate(rate_per_second)
    return Even(1e6 / rate_per_second)


def _check_reader(request_bytes: int, pass_count: int, age: int, client_count: int) -> None:
    if not 0 < request_bytes <= 1 << 30:
        raise WorkloadError(f"request_bytes must be from 1 byte to 1 GiB, not {request_bytes}")
    if pass_count < 0 or age < 0 or client_count < 1:
        raise WorkloadError("pass_count and age must be 0 or more, and client_count 1 or more")


def _reads(
    reader: FullScan | IncrementalBackup, ranges: Sequence[ByteRange], sector_bytes: int
) -> Iterator[HostRequest]:
    size_bytes = -(-reader.request_bytes // sector_bytes) * sector_bytes
    gap_ns = round(reader.pause_us * 1e3)

    def one_pass() -> Iterator[HostRequest]:
        for start, length in ranges:
            end = start + length
            for offset in range(start, end, size_bytes):
                yield HostRequest(gap_ns, "read", offset, min(size_bytes, end - offset), reader.age)

    if not ranges:
        return iter(())
    passes = repeat(None) if reader.pass_count == 0 else repeat(None, reader.pass_count)
    return chain.from_iterable(one_pass() for _ in passes)
