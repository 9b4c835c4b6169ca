"""How far a distribution is from measured latencies.

The Kolmogorov-Smirnov distance is the largest difference between the share of latencies up to a length that was
measured and the one that the distribution says. It looks at all latencies alike, and so hardly at the longest ones;
the errors of quantiles look there.
"""

from __future__ import annotations

import msgspec
import numpy as np

from shadowshare.models.latency.distributions import Distribution, Nanoseconds

PROBABILITIES = (0.5, 0.9, 0.99, 0.999)
NAMES = ("p50", "p90", "p99", "p999")
SAMPLES_BEYOND = 10
"""So many samples must lie beyond a quantile for it to mean anything."""


class Goodness(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How well a distribution fits what was measured.

    Attributes:
        sample_count: latencies measured.
        ks_distance: Kolmogorov-Smirnov distance, from 0 to 1.
        mean_error: (mean of the distribution - measured mean) / measured mean.
        quantile_errors: the same of p50, p90, p99 and p999, as far as there are enough samples for them.
    """

    sample_count: int
    ks_distance: float
    mean_error: float
    quantile_errors: dict[str, float]


def goodness_of_fit(latencies_ns: Nanoseconds, distribution: Distribution) -> Goodness:
    """Hold a distribution against a measurement, of one latency or more."""
    ordered = np.sort(latencies_ns).astype(np.float64)
    count = len(ordered)
    known = [
        (name, probability)
        for name, probability in zip(NAMES, PROBABILITIES, strict=True)
        if (1 - probability) * count >= SAMPLES_BEYOND
    ]
    probabilities = np.array([probability for _, probability in known])
    measured = np.quantile(ordered, probabilities) if known else np.empty(0)
    modelled = distribution.quantile_ns(probabilities) if known else np.empty(0)
    errors = (modelled - measured) / np.maximum(measured, 1.0)
    mean_ns = max(float(ordered.mean()), 1.0)
    return Goodness(
        count,
        ks_distance(ordered, distribution),
        (distribution.mean_ns() - mean_ns) / mean_ns,
        {name: float(error) for (name, _), error in zip(known, errors, strict=True)},
    )


def ks_distance(
    ordered_ns: np.ndarray[tuple[int], np.dtype[np.float64]], distribution: Distribution
) -> float:
    """The Kolmogorov-Smirnov distance of a distribution from sorted latencies.

    Latencies are whole nanoseconds: those that are equal were anywhere within half of one, and count as one step.
    """
    lengths, counts = np.unique(ordered_ns, return_counts=True)
    after = np.cumsum(counts) / len(ordered_ns)
    before = after - counts / len(ordered_ns)
    above = np.abs(after - distribution.share_up_to(lengths + 0.5))
    below = np.abs(distribution.share_up_to(lengths - 0.5) - before)
    return float(max(above.max(), below.max()))
