"""Workloads out of distributions: verbs, sizes, places and gaps, each drawn independently."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
import numpy as np
from numpy.random import Generator

from shadowshare.models.bounds import check_bounds
from shadowshare.models.workloads.errors import WorkloadError
from shadowshare.models.workloads.gaps import BATCH_COUNT, AnyGaps, Even
from shadowshare.models.workloads.places import AnyPlaces, Anywhere
from shadowshare.sim.timed.workload import ACTIVE_REQUESTS, HostRequest

WITH_PLACE = frozenset({"read", "write", "zero", "discard"})
_VERBS = (*ACTIVE_REQUESTS, "catch-up")


class Synthetic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Requests drawn from distributions, without end.

    Attributes:
        verbs: what is asked for, with weights: ``{"read": 0.7, "write": 0.3}``.
        sizes: bytes of a request, with weights: ``{4096: 0.9, 65536: 0.1}``. A size is rounded up to whole sectors,
            and cut at the end of the volume.
        places: where requests go.
        block_bytes: places are multiples of it.
        gaps: think times of a closed loop, or times between arrivals of an open one.
        is_open: whether requests arrive without waiting for earlier ones.
        client_count: see `shadowshare.sim.timed.workload.Workload`.
    """

    verbs: dict[str, float]
    sizes: dict[int, float] = msgspec.field(default_factory=lambda: {4096: 1.0})
    places: AnyPlaces = Anywhere()
    block_bytes: int = 4096
    gaps: AnyGaps = Even()
    is_open: bool = False
    client_count: int = 1

    def __post_init__(self) -> None:
        for verb in self.verbs:
            if verb not in _VERBS:
                raise WorkloadError(f"verbs: {verb!r} is none of {', '.join(_VERBS)}")
        for size_bytes in self.sizes:
            if not 0 < size_bytes <= 1 << 30:
                raise WorkloadError(f"sizes: a size must be from 1 byte to 1 GiB, not {size_bytes}")
        _shares("verbs", self.verbs)
        _shares("sizes", self.sizes)
        bounds = {"block_bytes": (1, 1 << 40), "client_count": (1, 1 << 16)}
        check_bounds(self, bounds, WorkloadError)

    def requests(self, random: Generator, volume_bytes: int, sector_bytes: int) -> Iterator[HostRequest]:
        """See `shadowshare.sim.timed.workload.Workload`."""
        block_bytes = -(-self.block_bytes // sector_bytes) * sector_bytes
        block_count = -(-volume_bytes // block_bytes)
        verbs = np.array(list(self.verbs), dtype=object)
        sizes = np.array([-(-size // sector_bytes) * sector_bytes for size in self.sizes], dtype=np.int64)
        edges = [np.cumsum(_shares(name, getattr(self, name)))[:-1] for name in ("verbs", "sizes")]
        has_place = np.array([verb in WITH_PLACE for verb in self.verbs])
        # A stream each, so that another choice of one thing leaves the others as they are.
        which, how_large, where, when = random.spawn(4)
        places = self.places.batches(where, block_count)
        for gaps_ns in self.gaps.batches(when):
            chosen = np.searchsorted(edges[0], which.random(BATCH_COUNT), side="right")
            lengths = sizes[np.searchsorted(edges[1], how_large.random(BATCH_COUNT), side="right")]
            offsets = next(places) * block_bytes
            lengths = np.minimum(lengths, volume_bytes - offsets)
            offsets, lengths = offsets * has_place[chosen], lengths * has_place[chosen]
            yield from map(HostRequest, gaps_ns, verbs[chosen].tolist(), offsets.tolist(), lengths.tolist())


def _shares(name: str, weights: Mapping[str, float] | Mapping[int, float]) -> list[float]:
    """Weights that add up to 1.

    Raises:
        WorkloadError: there are none, or one is negative or no number.
    """
    total = sum(weights.values())
    if not weights or not all(0.0 <= weight < float("inf") for weight in weights.values()) or not total > 0.0:
        raise WorkloadError(
            f"{name}: there must be one or more, with weights that are 0 or more, and not all 0"
        )
    return [weight / total for weight in weights.values()]
