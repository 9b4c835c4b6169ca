"""Quantiles of any number of values, in fixed memory.

Values are counted in buckets, as in an HDR histogram (G. Tene, hdrhistogram.org): up to 256 each value has its own;
above, each power of two has 128 of them, so that a bucket is narrower than 1/128 of what is in it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

RELATIVE_ERROR = 1 / 256
"""A quantile differs from that of the values themselves by at most this share of it."""

_BITS = 7
_PER_OCTAVE = 1 << _BITS
_LAST_OCTAVE = 62 - (_BITS + 1)
_BUCKET_COUNT = (_LAST_OCTAVE + 2) * _PER_OCTAVE
_PENDING_COUNT = 8192


class Histogram:
    """Counts of non-negative integers, such as latencies in nanoseconds, below 2 to the 62."""

    def __init__(self) -> None:
        self._counts = np.zeros(_BUCKET_COUNT, dtype=np.int64)
        self._pending: list[int] = []
        self._total = 0
        self._maximum = 0

    def record(self, value: int) -> None:
        """Count one value."""
        self._pending.append(value)
        if len(self._pending) >= _PENDING_COUNT:
            self._take_in()

    def _take_in(self) -> None:
        pending, self._pending = self._pending, []
        if pending:
            self.record_many(np.array(pending, dtype=np.int64))

    def record_many(self, values: NDArray[np.int64]) -> None:
        """Count many values.

        Raises:
            ValueError: one is negative, or not below 2 to the 62.
        """
        if not len(values):
            return
        if int(values.min()) < 0 or int(values.max()) >= 1 << 62:
            raise ValueError("a histogram counts integers from 0 to 2 to the 62")
        self._counts += np.bincount(_buckets_of(values), minlength=_BUCKET_COUNT)
        self._total += int(values.sum(dtype=object)) if values.max() > 1 << 40 else int(values.sum())
        self._maximum = max(self._maximum, int(values.max()))

    def add(self, other: Histogram) -> None:
        """Count all that another histogram has counted."""
        other._take_in()
        self._counts += other._counts
        self._total += other._total
        self._maximum = max(self._maximum, other._maximum)

    @property
    def count(self) -> int:
        """How many values were counted."""
        self._take_in()
        return int(self._counts.sum())

    @property
    def mean(self) -> float:
        """The exact mean; 0 of nothing."""
        count = self.count
        return self._total / count if count else 0.0

    @property
    def maximum(self) -> int:
        """The exact maximum; 0 of nothing."""
        self._take_in()
        return self._maximum

    def quantile(self, share: float) -> float:
        """The value that ``share`` of all values do not exceed, within `RELATIVE_ERROR` of it.

        Raises:
            ValueError: nothing was counted, or ``share`` is not from 0 to 1.
        """
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"{share} is no share: quantiles are asked for from 0 to 1")
        count = self.count
        if not count:
            raise ValueError("nothing was counted, so it has no quantiles")
        rank = max(1, int(np.ceil(share * count)))
        bucket = int(np.searchsorted(np.cumsum(self._counts), rank))
        return min(_middle_of(bucket), float(self._maximum))

    def points(self) -> Iterator[tuple[float, float]]:
        """The cumulative distribution: each value that was met, and the share of values that do not exceed it."""
        count, reached = self.count, 0
        for bucket in np.flatnonzero(self._counts):
            reached += int(self._counts[bucket])
            yield min(_middle_of(int(bucket)), float(self._maximum)), reached / count


def _buckets_of(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number of each value's bucket: the value itself, or its first 8 bits and how many follow."""
    octave = np.maximum(_bit_lengths(values) - (_BITS + 1), 0)
    buckets: NDArray[np.int64] = (octave << _BITS) + (values >> octave)
    return buckets


def _bit_lengths(values: NDArray[np.int64]) -> NDArray[np.int64]:
    # Halves that a float holds exactly: above 2 to the 53 rounding could carry into the next power of two.
    high = values >> 31
    lengths: NDArray[np.int64] = np.where(
        high > 0, np.frexp(high)[1].astype(np.int64) + 31, np.frexp(values & 0x7FFFFFFF)[1].astype(np.int64)
    )
    return lengths


def _middle_of(bucket: int) -> float:
    octave = max(bucket // _PER_OCTAVE - 1, 0)
    first = (bucket - (octave << _BITS)) << octave
    return first + ((1 << octave) - 1) / 2
