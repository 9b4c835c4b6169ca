"""A mean, and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
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


def difference_interval(
    samples: Samples, baseline_samples: Samples, confidence: float = CONFIDENCE
) -> Interval:
    """How much larger one mean is than another one, of runs in pairs that drew the same random numbers.

    The interval is that of the differences of the pairs (the paired t test), so what both runs of a pair have in common
    does not widen it.

    Args:
        samples: one per pair.
        baseline_samples: that of the same pair without what is to be compared.
        confidence: between 0 and 1.

    Raises:
        ValueError: the numbers of samples differ, there is none, or the confidence is no probability.
    """
    return mean_interval(_paired(samples, baseline_samples, np.subtract), confidence)


def ratio_interval(samples: Samples, baseline_samples: Samples, confidence: float = CONFIDENCE) -> Interval:
    """How many times as large one figure is as another one, of runs in pairs that drew the same random numbers.

    Raises:
        ValueError: as `difference_interval`, or a baseline is 0.
    """
    if not np.all(np.asarray(baseline_samples)):
        raise ValueError("a baseline is 0: nothing can be compared with it as a ratio")
    return mean_interval(_paired(samples, baseline_samples, np.divide), confidence)


def _paired(samples: Samples, baseline_samples: Samples, combine: np.ufunc) -> NDArray[np.float64]:
    if len(samples) != len(baseline_samples):
        raise ValueError(f"{len(samples)} samples and {len(baseline_samples)} baselines are no pairs")
    pairs: NDArray[np.float64] = combine(
        np.asarray(samples, dtype=np.float64), np.asarray(baseline_samples, dtype=np.float64)
    )
    return pairs


def _check(values: NDArray[np.float64], confidence: float) -> None:
    if not len(values):
        raise ValueError("a mean needs at least one sample")
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"a confidence of {confidence} is none: give a probability between 0 and 1")
