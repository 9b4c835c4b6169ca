"""A distribution for each verb and each size of request: what a calibration measures."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

import msgspec
import numpy as np
from numpy.random import Generator

from shadowshare.models.latency.distributions import (
    Constant,
    Empirical,
    Exponential,
    LognormalMixture,
    Uniform,
    endless_draws,
)
from shadowshare.models.latency.errors import ModelError
from shadowshare.models.latency.goodness import Goodness
from shadowshare.protocol.operations import Operation
from shadowshare.sim.timed.latency import ServiceTime

AnyDistribution = Constant | Uniform | Exponential | LognormalMixture | Empirical
_Draw = Callable[[Operation], int]

STANDS_IN = {"zero": "write", "discard": "write", "reserve": "flush"}
"""Verbs that are served as another one is, because nobody measures them."""


class SizeClass(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long requests of one size take.

    Attributes:
        latency: their distribution.
        size_bytes: of a request; 0 for a flush.
        fit: how well the distribution fits what was measured, if it was.
    """

    latency: AnyDistribution
    size_bytes: int = 0
    fit: Goodness | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.size_bytes <= 1 << 40:
            raise ModelError(f"size_bytes must be from 0 to 1 TiB, not {self.size_bytes}")


class Sampled(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="sampled", tag_field="model"):
    """Latencies drawn independently of each other, from a distribution for each verb and size.

    A request has the distribution of the largest size class that is not larger than it (or the smallest class), scaled
    so that its mean lies on the line through the means of the classes: between two classes on the line through both,
    beyond the largest on the one that goes on from the last two. With one class all sizes take the same time.

    Attributes:
        read: size classes of reads, in any order.
        write: those of writes, write-zeroes and discards. None: the device was only read, and a write is an error.
        flush: that of flushes and reservations; only one.
    """

    kind: ClassVar[str] = "sampled"
    read: tuple[SizeClass, ...]
    write: tuple[SizeClass, ...] = ()
    flush: tuple[SizeClass, ...] = ()

    def __post_init__(self) -> None:
        for verb in ("read", "write", "flush"):
            sizes = [size_class.size_bytes for size_class in getattr(self, verb)]
            if len(set(sizes)) < len(sizes):
                raise ModelError(f"{verb}: two classes have the same size_bytes")
        if not self.read:
            raise ModelError("read: there must be one size class or more")
        if len(self.flush) > 1:
            raise ModelError("flush: there must be one class, a flush has no size")

    @classmethod
    def of(
        cls, read: AnyDistribution, write: AnyDistribution | None = None, flush: AnyDistribution | None = None
    ) -> Sampled:
        """The same distributions for all sizes; writes are as reads, and flushes as writes, unless they are given."""
        write = write or read
        return cls((SizeClass(read),), (SizeClass(write),), (SizeClass(flush or write),))

    def start(self, random: Generator, sector_bytes: int, sector_count: int) -> ServiceTime:
        """See `shadowshare.sim.timed.latency.LatencyModel`."""
        draws = {
            verb: _drawing(getattr(self, verb), random, sector_bytes, verb)
            for verb in ("read", "write", "flush")
        }
        draws |= {verb: draws[other] for verb, other in STANDS_IN.items()}

        def service_time(operation: Operation, begins_ns: int) -> int:  # noqa: ARG001 - it is the same at any time
            return draws[operation.verb](operation)

        return service_time


def _drawing(classes: Sequence[SizeClass], random: Generator, sector_bytes: int, verb: str) -> _Draw:
    if not classes:
        return _refusing(verb)
    ordered = sorted(classes, key=lambda size_class: size_class.size_bytes)
    streams = [endless_draws(size_class.latency, random) for size_class in ordered]
    if len(ordered) == 1:
        only = streams[0]
        return lambda operation: next(only)
    sizes = [size_class.size_bytes for size_class in ordered]
    means_ns = [size_class.latency.mean_ns() for size_class in ordered]
    known: dict[int, tuple[Iterator[int], float]] = {}

    def draw(operation: Operation) -> int:
        count = operation.sector_count
        found = known.get(count)
        if found is None:
            size_bytes = count * sector_bytes
            nearest = max(bisect_right(sizes, size_bytes) - 1, 0)
            factor = _mean_on_line(sizes, means_ns, size_bytes) / means_ns[nearest]
            found = known[count] = streams[nearest], factor
        stream, factor = found
        return int(next(stream) * factor)

    return draw


def _mean_on_line(sizes: Sequence[int], means_ns: Sequence[float], size_bytes: int) -> float:
    """The mean latency of requests of a size; it never falls below that of the smallest class, nor with size."""
    if size_bytes <= sizes[-1]:
        return float(np.interp(size_bytes, sizes, means_ns))
    slope = max((means_ns[-1] - means_ns[-2]) / (sizes[-1] - sizes[-2]), 0.0)
    return means_ns[-1] + slope * (size_bytes - sizes[-1])


def _refusing(verb: str) -> _Draw:
    def refuse(_: Operation) -> int:
        raise ModelError(
            f"this latency model has no latencies of {verb} operations: calibrate a folder, where they can "
            "be measured, or add them to the model"
        )

    return refuse
