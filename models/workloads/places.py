"""Where in a volume requests go: blocks, drawn in batches."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Protocol

import msgspec
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from shadowshare.models.bounds import check_bounds
from shadowshare.models.workloads.errors import WorkloadError
from shadowshare.models.workloads.gaps import BATCH_COUNT

Blocks = NDArray[np.int64]
BLOCK_COUNT_MAXIMUM = 1 << 32


class Places(Protocol):
    """Which block of a volume comes next."""

    def batches(self, random: Generator, block_count: int) -> Iterator[Blocks]:
        """Block numbers below ``block_count``, without end, `BATCH_COUNT` at a time."""


class Anywhere(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every block equally likely."""

    def batches(self, random: Generator, block_count: int) -> Iterator[Blocks]:
        """See `Places`."""
        while True:
            yield random.integers(0, block_count, BATCH_COUNT)


class Sequential(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One block after the other, and again from the beginning; the stream begins at ``first_share`` of the volume."""

    first_share: float = 0.0

    def __post_init__(self) -> None:
        check_bounds(self, {"first_share": (0, 1)}, WorkloadError)

    def batches(self, random: Generator, block_count: int) -> Iterator[Blocks]:
        """See `Places`."""
        first = min(int(self.first_share * block_count), block_count - 1)
        while True:
            yield (first + np.arange(BATCH_COUNT, dtype=np.int64)) % block_count
            first = (first + BATCH_COUNT) % block_count


class HotSpot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the volume gets most of the requests: with 0.2 and 0.8, a fifth of it four fifths of them.

    Attributes:
        space_share: how much of the volume is hot; its beginning.
        request_share: how many requests go there; the rest goes anywhere behind it.
    """

    space_share: float
    request_share: float

    def __post_init__(self) -> None:
        check_bounds(self, {"space_share": (0, 1), "request_share": (0, 1)}, WorkloadError)

    def batches(self, random: Generator, block_count: int) -> Iterator[Blocks]:
        """See `Places`."""
        hot_count = min(max(round(self.space_share * block_count), 1), block_count)
        while True:
            hot = random.integers(0, hot_count, BATCH_COUNT)
            cold = random.integers(min(hot_count, block_count - 1), block_count, BATCH_COUNT)
            yield np.where(random.random(BATCH_COUNT) < self.request_share, hot, cold)


class Zipf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The block of rank k comes with a probability proportional to k to the power of ``-exponent``.

    Ranks are spread over the volume, so that popular blocks are not neighbours. Drawn by rejection-inversion:
    W. Hörmann and G. Derflinger, "Rejection-inversion to generate variates from monotone discrete distributions",
    ACM TOMACS 6(3), 1996: no table, whatever the size of the volume.

    Attributes:
        exponent: 0 is uniform; real storage traces are around 1.
    """

    exponent: float

    def __post_init__(self) -> None:
        check_bounds(self, {"exponent": (0, 10)}, WorkloadError)

    def batches(self, random: Generator, block_count: int) -> Iterator[Blocks]:
        """See `Places`."""
        stride = spreading_stride(block_count)
        while True:
            yield (self.ranks(random, block_count, BATCH_COUNT) - 1) * stride % block_count

    def ranks(self, random: Generator, rank_count: int, count: int) -> Blocks:
        """Draw ranks from 1 on."""
        found: list[Blocks] = []
        missing = count
        low, high = float(self._area(np.float64(1.5))) - 1.0, float(self._area(np.float64(rank_count + 0.5)))
        while missing > 0:
            area = high + random.random(missing) * (low - high)
            value = self._area_inverse(area)
            rank = np.clip(np.floor(value + 0.5), 1, rank_count)
            is_taken = area >= self._area(rank + 0.5) - rank**-self.exponent
            found.append(rank[is_taken].astype(np.int64))
            missing -= len(found[-1])
        return np.concatenate(found)

    def _area(self, value: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
        """Integral of x to the power of ``-exponent``, up to a constant."""
        power = 1.0 - self.exponent
        if abs(power) < 1e-9:
            return np.asarray(np.log(value))
        return np.asarray(np.expm1(power * np.log(value)) / power)

    def _area_inverse(self, area: NDArray[np.float64]) -> NDArray[np.float64]:
        power = 1.0 - self.exponent
        if abs(power) < 1e-9:
            return np.asarray(np.exp(area))
        return np.asarray(np.exp(np.log1p(np.maximum(power * area, -1.0 + 1e-15)) / power))


def spreading_stride(block_count: int) -> int:
    """A number near the golden section of ``block_count``, with which all blocks are met once, far from each other.

    Raises:
        WorkloadError: there are too many blocks for 64-bit arithmetic.
    """
    if block_count > BLOCK_COUNT_MAXIMUM:
        raise WorkloadError(f"a volume of {block_count} blocks is too large for this: take larger blocks")
    stride = max(min(int(block_count * 0.381966), (1 << 31) - 1), 1)
    while math.gcd(stride, block_count) != 1:
        stride -= 1
    return stride


AnyPlaces = Anywhere | Sequential | HotSpot | Zipf
