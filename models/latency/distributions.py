"""Distributions of a latency: they are drawn from in batches, and can be held against measurements.

Times in files and constructors are microseconds, as people write them; what is drawn are whole nanoseconds, 0 or more.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain

import msgspec
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import ndtr

from shadowshare.models.latency.errors import ModelError

Floats = NDArray[np.float64]
Nanoseconds = NDArray[np.int64]

BATCH_COUNT = 4096
"""Draws made in advance at a time."""

LONGEST_US = 1e12
"""No latency is longer than eleven days: what is drawn fits into 64 bits whatever a file says."""

SIGMA_MAXIMUM = 10.0

_WEIGHT_TOLERANCE = 0.01
"""Weights that people round need not add up to 1 exactly; they are scaled."""


class Distribution(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="distribution"):
    """How latencies are distributed. What it is in a file is its tag."""

    def quantile_ns(self, probabilities: Floats) -> Floats:
        """The latencies below which these shares of all latencies are."""
        raise NotImplementedError

    def share_up_to(self, latencies_ns: Floats) -> Floats:
        """Which share of all latencies is at most so long."""
        raise NotImplementedError

    def mean_ns(self) -> float:
        """The mean latency."""
        raise NotImplementedError

    def sample(self, random: Generator, count: int) -> Nanoseconds:
        """Draw so many latencies."""
        drawn = self.quantile_ns(random.random(count))
        return np.rint(np.minimum(drawn, LONGEST_US * 1e3)).astype(np.int64)


def endless_draws(distribution: Distribution, random: Generator) -> Iterator[int]:
    """Latencies one by one, without end, drawn `BATCH_COUNT` at a time."""

    def batches() -> Iterator[list[int]]:
        while True:
            yield distribution.sample(random, BATCH_COUNT).tolist()

    return chain.from_iterable(batches())


def check_time(name: str, value_us: float, smallest_us: float = 0.0) -> None:
    """Refuse a time that cannot be one.

    Raises:
        ModelError: it is not a number from ``smallest_us`` to `LONGEST_US`.
    """
    if not smallest_us <= value_us <= LONGEST_US:
        raise ModelError(f"{name} must be from {smallest_us:g} to {LONGEST_US:g}, not {value_us:g}")


class Constant(Distribution, frozen=True, tag="constant"):
    """Always the same: what is easy to calculate with. No device is like that."""

    latency_us: float

    def __post_init__(self) -> None:
        check_time("latency_us", self.latency_us)

    def quantile_ns(self, probabilities: Floats) -> Floats:
        """See `Distribution`."""
        return np.full(np.shape(probabilities), self.latency_us * 1e3)

    def share_up_to(self, latencies_ns: Floats) -> Floats:
        """See `Distribution`."""
        return (np.asarray(latencies_ns) >= self.latency_us * 1e3).astype(np.float64)

    def mean_ns(self) -> float:
        """See `Distribution`."""
        return self.latency_us * 1e3


class Uniform(Distribution, frozen=True, tag="uniform"):
    """Anything between two bounds, equally likely: for a race that should be met whatever the timing is."""

    lowest_us: float
    highest_us: float

    def __post_init__(self) -> None:
        check_time("lowest_us", self.lowest_us)
        check_time("highest_us", self.highest_us, self.lowest_us)

    def quantile_ns(self, probabilities: Floats) -> Floats:
        """See `Distribution`."""
        return (self.lowest_us + (self.highest_us - self.lowest_us) * np.asarray(probabilities)) * 1e3

    def share_up_to(self, latencies_ns: Floats) -> Floats:
        """See `Distribution`."""
        width = max(self.highest_us - self.lowest_us, 1e-9)
        return np.clip((np.asarray(latencies_ns) / 1e3 - self.lowest_us) / width, 0.0, 1.0)

    def mean_ns(self) -> float:
        """See `Distribution`."""
        return (self.lowest_us + self.highest_us) / 2 * 1e3


class Exponential(Distribution, frozen=True, tag="exponential"):
    """What queueing theory likes, because it remembers nothing. It fits no disk that we measured: see `goodness`."""

    mean_us: float

    def __post_init__(self) -> None:
        check_time("mean_us", self.mean_us)

    def quantile_ns(self, probabilities: Floats) -> Floats:
        """See `Distribution`."""
        with np.errstate(divide="ignore"):
            return -np.log1p(-np.asarray(probabilities)) * self.mean_us * 1e3

    def share_up_to(self, latencies_ns: Floats) -> Floats:
        """See `Distribution`."""
        return -np.expm1(-np.maximum(latencies_ns, 0.0) / max(self.mean_us * 1e3, 1e-9))

    def mean_ns(self) -> float:
        """See `Distribution`."""
        return self.mean_us * 1e3


class Component(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One part of a mixture: lognormal, so that log(latency) is normal around log(median).

    Attributes:
        weight: its share of all latencies.
        median_us: half of its latencies are shorter.
        sigma: standard deviation of log(latency): 0.1 means that two thirds are within about 10 % of the median.
    """

    weight: float
    median_us: float
    sigma: float

    def __post_init__(self) -> None:
        if not 0.0 < self.weight <= 1.0 + _WEIGHT_TOLERANCE:
            raise ModelError(f"weight must be above 0 and at most 1, not {self.weight:g}")
        check_time("median_us", self.median_us, 1e-3)
        if not 0.0 < self.sigma <= SIGMA_MAXIMUM:
            raise ModelError(f"sigma must be above 0 and at most {SIGMA_MAXIMUM:g}, not {self.sigma:g}")


class LognormalMixture(Distribution, frozen=True, tag="lognormal-mixture"):
    """A device in a few states, in each of which its latency is lognormal: what real disks fit well."""

    components: tuple[Component, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.components) <= 16:
            raise ModelError(f"components must be from 1 to 16, not {len(self.components)}")
        total = sum(component.weight for component in self.components)
        if abs(total - 1.0) > _WEIGHT_TOLERANCE:
            raise ModelError(f"the weights of components must add up to 1, not {total:.4g}")

    @classmethod
    def of(cls, *components: tuple[float, float, float]) -> LognormalMixture:
        """A mixture of ``(weight, median_us, sigma)``."""
        return cls(tuple(Component(*component) for component in components))

    def parameters(self) -> tuple[Floats, Floats, Floats]:
        """Weights that add up to 1, means of log(nanoseconds), and their standard deviations."""
        weights = np.array([component.weight for component in self.components])
        means = np.log(np.array([component.median_us * 1e3 for component in self.components]))
        return weights / weights.sum(), means, np.array([component.sigma for component in self.components])

    def sample(self, random: Generator, count: int) -> Nanoseconds:
        """See `Distribution`; much faster than by quantiles."""
        weights, means, sigmas = self.parameters()
        which = np.searchsorted(np.cumsum(weights)[:-1], random.random(count), side="right")
        drawn = np.exp(np.minimum(means[which] + sigmas[which] * random.standard_normal(count), 36.0))
        return np.rint(np.minimum(drawn, LONGEST_US * 1e3)).astype(np.int64)

    def share_up_to(self, latencies_ns: Floats) -> Floats:
        """See `Distribution`."""
        weights, means, sigmas = self.parameters()
        with np.errstate(divide="ignore"):
            logs = np.log(np.maximum(latencies_ns, 0.0))
        parts = ndtr((logs[..., np.newaxis] - means) / sigmas)
        return np.asarray(parts @ weights)

    def quantile_ns(self, probabilities: Floats) -> Floats:
        """See `Distribution`. By bisection of the logarithm: a mixture has no formula for it."""
        _, means, sigmas = self.parameters()
        wanted = np.asarray(probabilities, dtype=np.float64)
        low = np.full(wanted.shape, float(np.min(means - 40 * sigmas)))
        high = np.full(wanted.shape, float(np.max(means + 40 * sigmas)))
        for _ in range(60):
            middle = (low + high) / 2
            is_below = self.share_up_to(np.exp(middle)) < wanted
            low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
        return np.asarray(np.exp(high))

    def mean_ns(self) -> float:
        """See `Distribution`."""
        weights, means, sigmas = self.parameters()
        return float(weights @ np.exp(means + sigmas**2 / 2))


class Empirical(Distribution, frozen=True, tag="empirical"):
    """What was measured, as a table of quantiles between which it is linear.

    Attributes:
        probabilities: shares, from 0 to 1, increasing.
        latencies_us: the latency that belongs to each.
    """

    probabilities: tuple[float, ...]
    latencies_us: tuple[float, ...]

    def __post_init__(self) -> None:
        count = len(self.probabilities)
        if count != len(self.latencies_us) or not 2 <= count <= 100_000:
            raise ModelError(
                "probabilities and latencies_us must be equally many, 2 or more: "
                f"not {count} and {len(self.latencies_us)}"
            )
        if not (self.probabilities[0] == 0.0 and self.probabilities[-1] == 1.0):
            raise ModelError("probabilities must begin with 0 and end with 1")
        if not all(np.diff(self.probabilities) > 0):
            raise ModelError("probabilities must increase")
        for latency_us in self.latencies_us:
            check_time("latencies_us", latency_us)
        if not all(np.diff(self.latencies_us) >= 0):
            raise ModelError("latencies_us must not decrease")

    @classmethod
    def of(cls, latencies_ns: Nanoseconds, point_count: int = 1001) -> Empirical:
        """The quantiles of a measurement: evenly spaced ones, and as many again that crowd towards the longest."""
        even = np.linspace(0.0, 1.0, point_count)
        tail = 1.0 - np.logspace(0.0, -math.log10(max(len(latencies_ns), 2)), point_count)
        probabilities = np.unique(np.concatenate([even, tail]))
        quantiles = np.quantile(latencies_ns, probabilities) / 1e3
        return cls(tuple(probabilities.tolist()), tuple(quantiles.tolist()))

    def quantile_ns(self, probabilities: Floats) -> Floats:
        """See `Distribution`."""
        return np.asarray(np.interp(probabilities, self.probabilities, self.latencies_us)) * 1e3

    def share_up_to(self, latencies_ns: Floats) -> Floats:
        """See `Distribution`."""
        latencies_us, first = np.unique(self.latencies_us[::-1], return_index=True)
        last = len(self.probabilities) - 1 - first  # where a latency stands several times, the highest share
        shares = np.asarray(self.probabilities)[last]
        return np.asarray(
            np.interp(np.asarray(latencies_ns) / 1e3, latencies_us, shares, left=0.0, right=1.0)
        )

    def mean_ns(self) -> float:
        """See `Distribution`."""
        return float(np.trapezoid(self.latencies_us, self.probabilities)) * 1e3
