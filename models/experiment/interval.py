"""A mean, and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest
from scipy.stats import t as student_t

CONFIDENCE = 0.95

Samples = Sequence[float] | NDArray[np.float64]


class Interval(NamedTuple):
    """A confidence interval of a mean.

    Attributes:
        mean: of the samples.
        half_width: the interval is ``mean`` plus and minus this; infinite with a single sample.
        confidence: probability with which such an interval holds the true mean.
        sample_count: independent samples that it rests on.
    """

    mean: float
    half_width: float
    confidence: float
    sample_count: int

    @property
    def low(self) -> float:
        """The lower end."""
        return self.mean - self.half_width

    @property
    def high(self) -> float:
        """The upper end."""
        return self.mean + self.half_width

    @property
    def relative_half_width(self) -> float:
        """The half width as a share of the mean's magnitude; infinite if the mean is 0 and the interval is not."""
        if not self.half_width:
            return 0.0
        return self.half_width / abs(self.mean) if self.mean else inf

    def holds(self, value: float) -> bool:
        """Whether ``value`` is in the interval."""
        return self.low <= value <= self.high


def mean_interval(samples: Samples, confidence: float = CONFIDENCE) -> Interval:
    """The mean of independent samples, with Student's t interval.

    Samples of simulations are means of many things themselves, so that they are near enough to normal; raw latencies
    are neither normal nor independent: see `shadowshare.models.experiment.batch_means`.

    Args:
        samples: at least one, independent of each other.
        confidence: between 0 and 1.

    Raises:
        ValueError: there is no sample, or the confidence is no probability.
    """
    values = np.asarray(samples, dtype=np.float64)
    _check(values, confidence)
    count, mean = len(values), float(np.mean(values))
    if count == 1:
        return Interval(mean, inf, confidence, 1)
    standard_error = float(np.std(values, ddof=1)) / sqrt(count)
    quantile = float(student_t.ppf((1.0 + confidence) / 2.0, count - 1))
    return Interval(mean, quantile * standard_error, confidence, count)


class ShareInterval(NamedTuple):
    """A confidence interval of a share: of how many something is true."""

    share: float
    low: float
    high: float


def share_interval(count: int, of_count: int, confidence: float = CONFIDENCE) -> ShareInterval:
    """How large a share is of which a sample is known; also if it is so rare that the sample has none.

    The exact interval of Clopper and Pearson (Biometrika 26 (1934)), as if the members of the sample were independent.

    Args:
        count: members of the sample for which it is true.
        of_count: all members of the sample; at least one.
        confidence: between 0 and 1.

    Raises:
        ValueError: the sample is empty, or has fewer members than ``count``.
    """
    found = binomtest(count, of_count).proportion_ci(confidence)
    return ShareInterval(count / of_count, float(found.low), float(found.high))


def _check(values: NDArray[np.float64], confidence: float) -> None:
    if not len(values):
        raise ValueError("a mean needs at least one sample")
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"a confidence of {confidence} is none: give a probability between 0 and 1")
