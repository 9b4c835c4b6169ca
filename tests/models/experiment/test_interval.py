"""A confidence interval holds the true mean as often as it says."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from scipy import stats

from shadowshare.models.experiment.interval import Interval, mean_interval, share_interval


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


def test_a_rare_share_has_an_exact_interval_also_if_nothing_happened() -> None:
    """Zero of n: the upper end is what n misses would leave with 2.5 % probability."""
    never = share_interval(0, 1000)
    assert (never.share, never.low) == (0.0, 0.0)
    assert (1 - never.high) ** 1000 == pytest.approx(0.025)
    some = share_interval(4, 1000)
    assert stats.binom.sf(3, 1000, some.low) == pytest.approx(0.025)
    assert stats.binom.cdf(4, 1000, some.high) == pytest.approx(0.025)


@pytest.mark.parametrize(
    ("samples", "confidence", "problem"),
    [([], 0.95, "at least one"), ([1.0], 1.0, "probability"), ([1.0], 0.0, "probability")],
)
def test_what_is_no_interval_is_refused(samples: list[float], confidence: float, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        mean_interval(samples, confidence)
