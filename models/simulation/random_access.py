"""A workload of requests at random places: a share of reads, the rest writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from shadowshare.sim.timed.workload import HostRequest

_BATCH_COUNT = 512


@dataclass(frozen=True, slots=True)
class RandomAccess:
    """Requests of one size at uniformly drawn places that are multiples of it.

    Attributes:
        client_count: see `Workload`.
        mean_gap_ns: mean of the exponential pause of a client (closed), or of the time between arrivals (open).
        is_open: see `Workload`.
        read_share: how many of the requests are reads; the others are writes.
        size_bytes: of each request, a multiple of the sector size.
        hot_share: how much of the volume, from its start on, gets half of the requests; 1 for all alike.
    """

    client_count: int
    mean_gap_ns: float
    is_open: bool = False
    read_share: float = 0.0
    size_bytes: int = 4096
    hot_share: float = 1.0

    def requests(self, random: Generator, volume_bytes: int, sector_bytes: int) -> Iterator[HostRequest]:
        """See `Workload`."""
        size, place_count = self.size_bytes, max(1, volume_bytes // self.size_bytes)
        hot_count = max(1, round(place_count * self.hot_share))
        while True:
            gaps_ns = np.rint(random.standard_exponential(_BATCH_COUNT) * self.mean_gap_ns)
            verbs = random.random(_BATCH_COUNT) < self.read_share
            ends = np.where(random.random(_BATCH_COUNT) < 0.5, hot_count, place_count)
            places = (random.random(_BATCH_COUNT) * ends).astype(np.int64)
            for gap_ns, is_read, place in zip(
                gaps_ns.astype(np.int64).tolist(), verbs.tolist(), places.tolist(), strict=True
            ):
                yield HostRequest(gap_ns, "read" if is_read else "write", place * size, size)
