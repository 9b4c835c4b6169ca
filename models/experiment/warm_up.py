"""Where a run that began empty has forgotten that it did.

The rule is MSER-5: means of five values each, and of all truncations the one after which the standard error of what is
left is smallest (White, "An effective truncation heuristic for bias reduction in simulation output", Simulation 69
(1997); White, Cobb, Spratt, "A comparison of five steady-state truncation heuristics for simulation", WSC 2000).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shadowshare.models.experiment.interval import Samples

BATCH_LENGTH = 5


class WarmUp(NamedTuple):
    """What to leave out at the start of a run.

    Attributes:
        value_count: values to leave out.
        is_over: whether the run went on long enough to tell: what is left out is less than half of it.
    """

    value_count: int
    is_over: bool


def warm_up_of(values: Samples) -> WarmUp:
    """How many of a run's first values to leave out.

    Args:
        values: in the order in which they were measured; fewer than ten are too few to tell.
    """
    batch_count = len(values) // BATCH_LENGTH
    if batch_count < 2:
        return WarmUp(0, is_over=False)
    means = (
        np.asarray(values[: batch_count * BATCH_LENGTH], dtype=np.float64).reshape(batch_count, -1).mean(1)
    )
    best = int(np.argmin(_squared_standard_errors(means)[: batch_count // 2 + 1]))
    return WarmUp(best * BATCH_LENGTH, is_over=best < batch_count // 2)


def _squared_standard_errors(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each number of values left out at the start: variance of the rest, divided by how many that are."""
    shifted = means - means.mean()  # sums of squares of numbers far from 0 would lose their digits
    left = np.arange(len(means), 0, -1, dtype=np.float64)
    sums = np.cumsum(shifted[::-1])[::-1]
    squares = np.cumsum(np.square(shifted)[::-1])[::-1]
    errors: NDArray[np.float64] = np.maximum(squares - np.square(sums) / left, 0.0) / np.square(left)
    return errors
