"""A confidence interval holds the true mean as often as it says."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from scipy import stats

from shadowshare.models.experiment.interval import (
    Interval,
    difference_interval,
    mean_interval,
    ratio_interval,
)


def test_the_interval_is_students() -> None:
    samples = [3.0, 5.0, 4.0, 8.0]
    low, high = stats.t.interval(0.9, 3, loc=5.0, scale=stats.sem(samples))
    interval = mean_interval(samples, 0.9)
    assert interval.mean == 5.0
    assert (interval.low, interval.high) == pytest.approx((low, high))


def test_it_holds_the_true_mean_as_often_as_it_says() -> None:
    random = np.random.default_rng(1)
    held = sum(mean_interval(random.normal(7.0, 2.0, 6), 0.8).holds(7.0) for _ in range(2000))
    assert stats.binomtest(held, 2000, 0.8).pvalue > 0.001


def test_a_single_sample_says_nothing() -> None:
    interval = mean_interval([4.0])
    assert (interval.mean, interval.half_width, interval.relative_half_width) == (4.0, inf, inf)


def test_relative_half_width() -> None:
    assert Interval(-4.0, 1.0, 0.95, 9).relative_half_width == 0.25
    assert Interval(0.0, 1.0, 0.95, 9).relative_half_width == inf
    assert Interval(0.0, 0.0, 0.95, 9).relative_half_width == 0.0


def test_common_random_numbers_narrow_the_difference() -> None:
    random = np.random.default_rng(2)
    common = random.normal(100.0, 20.0, 30)
    with_copies = common + 3.0 + random.normal(0.0, 0.5, 30)
    apart = mean_interval(with_copies).half_width
    together = difference_interval(with_copies, common)
    assert together.holds(3.0)
    assert together.half_width < apart / 10


def test_ratio_of_pairs() -> None:
    assert ratio_interval([2.0, 4.0, 6.0], [1.0, 2.0, 3.0]) == Interval(2.0, 0.0, 0.95, 3)


@pytest.mark.parametrize(
    ("samples", "confidence", "problem"),
    [([], 0.95, "at least one"), ([1.0], 1.0, "probability"), ([1.0], 0.0, "probability")],
)
def test_what_is_no_interval_is_refused(samples: list[float], confidence: float, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        mean_interval(samples, confidence)


def test_what_is_no_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="2 samples and 1 baselines are no pairs"):
        difference_interval([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="baseline is 0"):
        ratio_interval([1.0, 2.0], [1.0, 0.0])
