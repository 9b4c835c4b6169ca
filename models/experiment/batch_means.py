"""An interval out of one long run: means of successive batches, which hardly depend on each other if they are long.

Latencies in one queue depend on each other: the interval of raw values would be far too narrow. Whether batches are
long enough is tested with the ratio of von Neumann (Annals of Mathematical Statistics 12 (1941)), as Alexopoulos and
Seila do ("Output data analysis for simulations", WSC 2001).
"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from shadowshare.models.experiment.interval import CONFIDENCE, Interval, Samples, mean_interval

BATCH_COUNT = 32
"""More batches gain little precision and are more alike (Schmeiser, Operations Research 30 (1982): 10 to 30 do)."""

DEPENDENCE_SIGNIFICANCE = 0.05


class BatchMeans(NamedTuple):
    """The interval of a long run.

    Attributes:
        interval: of the mean.
        batch_length: values in a batch.
        are_independent: whether nothing shows that neighbouring batches depend on each other. If something does, the
            interval is too narrow: run longer.
    """

    interval: Interval
    batch_length: int
    are_independent: bool


def batch_means(
    values: Samples, confidence: float = CONFIDENCE, batch_count: int = BATCH_COUNT
) -> BatchMeans:
    """The mean of values that depend on each other, with an interval.

    Args:
        values: in the order in which they were measured, without warm-up; those that fill no batch, at the start, are
            left out.
        confidence: of the interval.
        batch_count: at least 4.

    Raises:
        ValueError: there are fewer values than batches, or too few batches.
    """
    if batch_count < 4:
        raise ValueError(
            f"{batch_count} batches say nothing about how they depend on each other: at least 4 do"
        )
    length = len(values) // batch_count
    if not length:
        raise ValueError(f"{len(values)} values do not fill {batch_count} batches")
    whole = np.asarray(values[len(values) - length * batch_count :], dtype=np.float64)
    means: NDArray[np.float64] = whole.reshape(batch_count, length).mean(axis=1)
    return BatchMeans(mean_interval(means, confidence), length, not _depend_on_neighbours(means))


def _depend_on_neighbours(means: NDArray[np.float64]) -> bool:
    """Whether successive means are more alike than independent ones would be, by chance, one time in twenty."""
    count = len(means)
    squares = float(np.sum(np.square(means - means.mean())))
    if not squares:
        return False
    alike = 1.0 - float(np.sum(np.square(np.diff(means)))) / (2.0 * squares)
    deviation = sqrt((count - 2) / (count**2 - 1))
    return alike / deviation > float(norm.ppf(1.0 - DEPENDENCE_SIGNIFICANCE))
