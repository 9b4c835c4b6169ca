"""Quantiles from buckets are those of the values, nearly; counts, means and maxima are exact."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadowshare.models.experiment.histogram import (
    RELATIVE_ERROR,
    Histogram,
    _bit_lengths,
    _buckets_of,
    _middle_of,
)

VALUES = st.integers(0, (1 << 62) - 1)


@given(st.lists(VALUES, min_size=1, max_size=300), st.floats(0, 1))
def test_quantiles_are_near_those_of_the_values(values: list[int], share: float) -> None:
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    exact = float(np.quantile(np.array(values, dtype=np.float64), share, method="inverted_cdf"))
    assert histogram.quantile(share) == pytest.approx(exact, rel=RELATIVE_ERROR, abs=0)
    assert histogram.count == len(values)
    assert histogram.mean == sum(values) / len(values)
    assert histogram.maximum == max(values)


@given(VALUES)
def test_a_bucket_holds_what_is_near_its_middle(value: int) -> None:
    bucket = int(_buckets_of(np.array([value]))[0])
    assert _middle_of(bucket) == pytest.approx(value, rel=RELATIVE_ERROR, abs=0)


@given(VALUES)
def test_lengths_in_bits(value: int) -> None:
    assert int(_bit_lengths(np.array([value]))[0]) == value.bit_length()


def test_buckets_follow_each_other_without_gaps() -> None:
    buckets = _buckets_of(np.arange(1 << 15))
    assert set(np.diff(buckets)) == {0, 1}


def test_small_values_have_buckets_of_their_own() -> None:
    histogram = Histogram()
    histogram.record_many(np.arange(256))
    assert [value for value, _ in histogram.points()] == list(range(256))


@given(st.lists(VALUES), st.lists(VALUES))
def test_adding_is_counting_both(first: list[int], second: list[int]) -> None:
    one, other, both = Histogram(), Histogram(), Histogram()
    for histogram, values in ((one, first), (other, second), (both, first + second)):
        for value in values:
            histogram.record(value)
    one.add(other)
    assert (one.count, one.mean, one.maximum) == (both.count, both.mean, both.maximum)
    assert list(one.points()) == list(both.points())


def test_memory_does_not_grow_with_values() -> None:
    histogram = Histogram()
    longest = 0
    for _ in range(30):
        for value in range(1000):
            histogram.record(value)
        longest = max(longest, len(histogram._pending))
    assert longest <= 8192
    assert histogram.count == 30_000


def test_points_end_at_everything() -> None:
    histogram = Histogram()
    histogram.record_many(np.array([5, 5, 700, 70_000_000]))
    values, shares = zip(*histogram.points(), strict=True)
    assert shares == (0.5, 0.75, 1.0)
    assert list(values) == sorted(values)
    assert histogram.maximum == 70_000_000


def test_nothing_has_no_quantiles() -> None:
    assert (Histogram().count, Histogram().mean, Histogram().maximum) == (0, 0.0, 0)
    with pytest.raises(ValueError, match="nothing was counted"):
        Histogram().quantile(0.5)


@pytest.mark.parametrize("value", [-1, 1 << 62])
def test_what_cannot_be_counted_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match="integers from 0"):
        Histogram().record_many(np.array([value]))


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_shares_are_from_0_to_1(share: float) -> None:
    with pytest.raises(ValueError, match="no share"):
        Histogram().quantile(share)
