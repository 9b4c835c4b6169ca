"""Gaps between requests: think times of a closed loop, or times between arrivals of an open one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import msgspec
import numpy as np
from numpy.random import Generator

from shadowshare.models.bounds import check_bounds
from shadowshare.models.workloads.errors import WorkloadError

BATCH_COUNT = 1024
"""Drawn at a time."""

_GAP_MAXIMUM_NS = 10**18


class Gaps(Protocol):
    """How far requests are apart."""

    def batches(self, random: Generator) -> Iterator[list[int]]:
        """Gaps in nanoseconds, without end, `BATCH_COUNT` at a time."""


def _whole(gaps_ns: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[int]:
    whole: list[int] = np.rint(np.minimum(gaps_ns, _GAP_MAXIMUM_NS)).astype(np.int64).tolist()
    return whole


GAP_BOUNDS_US = (0, 1e12)
_RATE_BOUNDS = (1e-5, 1e9)


class Even(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Always the same gap; 0 is: as fast as the answers come."""

    gap_us: float = 0.0

    def __post_init__(self) -> None:
        check_bounds(self, {"gap_us": GAP_BOUNDS_US}, WorkloadError)

    def batches(self, random: Generator) -> Iterator[list[int]]:
        """See `Gaps`."""
        batch = [round(self.gap_us * 1e3)] * BATCH_COUNT
        while True:
            yield batch


class Poisson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Exponentially distributed gaps: what many users who do not know of each other ask for."""

    rate_per_second: float

    def __post_init__(self) -> None:
        check_bounds(self, {"rate_per_second": _RATE_BOUNDS}, WorkloadError)

    def batches(self, random: Generator) -> Iterator[list[int]]:
        """See `Gaps`."""
        while True:
            yield _whole(random.exponential(1e9 / self.rate_per_second, BATCH_COUNT))


class Bursty(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bursts with pauses in between, at a given mean rate.

    Within a burst, gaps are exponential and requests come ``speed_up`` times as fast as on average. A burst has a
    geometrically distributed number of requests, ``burst_count`` on average. The pause before it is exponential too,
    and as long as the mean rate needs. So gaps are hyperexponential, with a squared coefficient of variation above 1.

    Attributes:
        rate_per_second: mean, over bursts and pauses.
        burst_count: requests in a burst, mean.
        speed_up: how much faster than the mean they come within a burst.
    """

    rate_per_second: float
    burst_count: float
    speed_up: float

    def __post_init__(self) -> None:
        bounds = {"rate_per_second": _RATE_BOUNDS, "burst_count": (1, 1e6), "speed_up": (1, 1e6)}
        check_bounds(self, bounds, WorkloadError)

    def means_ns(self) -> tuple[float, float]:
        """Mean gap within a burst, and mean pause before one."""
        mean_ns = 1e9 / self.rate_per_second
        inner_ns = mean_ns / self.speed_up
        return inner_ns, mean_ns * self.burst_count - inner_ns * (self.burst_count - 1)

    def batches(self, random: Generator) -> Iterator[list[int]]:
        """See `Gaps`."""
        inner_ns, pause_ns = self.means_ns()
        while True:
            is_first = random.random(BATCH_COUNT) < 1.0 / self.burst_count
            yield _whole(random.exponential(1.0, BATCH_COUNT) * np.where(is_first, pause_ns, inner_ns))


AnyGaps = Even | Poisson | Bursty
