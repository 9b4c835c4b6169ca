"""A lognormal mixture out of measured latencies, by expectation-maximisation.

The algorithm is that of Dempster, Laird and Rubin, "Maximum likelihood from incomplete data via the EM algorithm"
(1977), for normal components of the logarithms. How many components there are is decided by the Bayesian information
criterion of Schwarz, "Estimating the dimension of a model" (1978): each further one must raise the likelihood by more
than its three parameters could by chance.

Logarithms are counted in narrow bins first, so that the time does not depend on how many were measured.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from shadowshare.models.latency.distributions import (
    SIGMA_MAXIMUM,
    Component,
    Floats,
    LognormalMixture,
    Nanoseconds,
)
from shadowshare.models.latency.errors import ModelError

COMPONENT_COUNT_MAXIMUM = 5
SAMPLE_COUNT_MINIMUM = 100
_BIN_COUNT = 4096
_ROUND_COUNT = 400
_TOLERANCE = 1e-8
_SIGMA_MINIMUM = 1e-3
"""A component as narrow as a single value has infinite likelihood, and means nothing."""


class Fit(NamedTuple):
    """A mixture, and what speaks for it.

    Attributes:
        mixture: the fit, components by median.
        log_likelihood: of the measured logarithms.
        bic: the Bayesian information criterion: smaller is better.
    """

    mixture: LognormalMixture
    log_likelihood: float
    bic: float


class _Parameters(NamedTuple):
    weights: Floats
    means: Floats
    sigmas: Floats


def fit_mixture(
    latencies_ns: Nanoseconds, component_count_maximum: int = COMPONENT_COUNT_MAXIMUM
) -> LognormalMixture:
    """The lognormal mixture that explains the measurement best without more components than it justifies.

    Raises:
        ModelError: there are fewer than `SAMPLE_COUNT_MINIMUM` latencies.
    """
    return min(fits(latencies_ns, component_count_maximum), key=lambda fit: fit.bic).mixture


def fits(latencies_ns: Nanoseconds, component_count_maximum: int = COMPONENT_COUNT_MAXIMUM) -> list[Fit]:
    """The best fit for each number of components, from 1 on. Raises as `fit_mixture` does."""
    count = len(latencies_ns)
    if count < SAMPLE_COUNT_MINIMUM:
        raise ModelError(
            f"{count} latencies are too few for a fit: measure {SAMPLE_COUNT_MINIMUM} or more of each kind and size"
        )
    logs = np.log(np.maximum(latencies_ns, 1))
    places, counts = _binned(logs)
    found = []
    for component_count in range(1, component_count_maximum + 1):
        starts = _starts(logs, component_count)
        best, likelihood = max((_maximise(places, counts, start) for start in starts), key=lambda end: end[1])
        parameter_count = 3 * component_count - 1
        found.append(
            Fit(_as_mixture(best), likelihood, parameter_count * math.log(count) - 2 * likelihood),
        )
    return found


def _binned(logs: Floats) -> tuple[Floats, Floats]:
    """Mean of the logarithms in each bin that is not empty, and how many they are."""
    low, width = float(logs.min()), max(float(np.ptp(logs)), 1e-12) / _BIN_COUNT
    bins = np.minimum(((logs - low) / width).astype(np.int64), _BIN_COUNT - 1)
    counts = np.bincount(bins, minlength=_BIN_COUNT).astype(np.float64)
    sums = np.bincount(bins, weights=logs, minlength=_BIN_COUNT)
    is_used = counts > 0
    return sums[is_used] / counts[is_used], counts[is_used]


def _starts(logs: Floats, component_count: int) -> list[_Parameters]:
    """Where to begin: parts of equal size, and parts that get smaller towards one end."""
    ordered = np.sort(logs)
    even = np.linspace(0.0, 1.0, component_count + 1)
    tail = np.array([0.0, *(1 - 10.0**-power for power in range(1, component_count)), 1.0])
    halved = np.array([0.0, *(1 - 2.0**-power for power in range(1, component_count)), 1.0])
    edges = [even] if component_count == 1 else [even, halved, tail, 1.0 - halved[::-1]]
    return [_split_at(ordered, edge) for edge in edges]


def _split_at(ordered: Floats, shares: Floats) -> _Parameters:
    places = np.rint(shares * len(ordered)).astype(np.int64)
    parts = [ordered[start : max(end, start + 1)] for start, end in pairwise(places)]
    parts = [part if len(part) else ordered[-1:] for part in parts]
    return _Parameters(
        np.maximum(np.diff(shares), 1e-6),
        np.array([part.mean() for part in parts]),
        np.clip(np.array([part.std() for part in parts]), 0.02, SIGMA_MAXIMUM),
    )


def _maximise(places: Floats, counts: Floats, start: _Parameters) -> tuple[_Parameters, float]:
    """Expectation and maximisation in turn, until the likelihood stops to grow."""
    total = counts.sum()
    now, likelihood = start, -math.inf
    for _ in range(_ROUND_COUNT):
        deviations = (places[:, np.newaxis] - now.means) / now.sigmas
        densities = np.log(now.weights / now.sigmas) - 0.5 * deviations**2 - 0.5 * math.log(2 * math.pi)
        peak = densities.max(axis=1, keepdims=True)
        shares = np.exp(densities - peak)
        sums = shares.sum(axis=1, keepdims=True)
        before, likelihood = likelihood, float(counts @ (peak + np.log(sums))[:, 0])
        if likelihood - before <= _TOLERANCE * total:
            break
        owned = shares / sums * counts[:, np.newaxis]
        sizes = np.maximum(owned.sum(axis=0), 1e-9)
        means = (owned * places[:, np.newaxis]).sum(axis=0) / sizes
        variances = (owned * (places[:, np.newaxis] - means) ** 2).sum(axis=0) / sizes
        now = _Parameters(sizes / total, means, np.clip(np.sqrt(variances), _SIGMA_MINIMUM, SIGMA_MAXIMUM))
    return now, likelihood


def _as_mixture(parameters: _Parameters) -> LognormalMixture:
    weights = np.maximum(parameters.weights, 1e-9)
    weights = weights / weights.sum()
    order = np.argsort(parameters.means)
    return LognormalMixture(
        tuple(
            Component(
                float(weights[one]), math.exp(parameters.means[one]) / 1e3, float(parameters.sigmas[one])
            )
            for one in order
        )
    )
