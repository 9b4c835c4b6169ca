"""How many interleavings there are, estimated before they are counted.

Knuth, "Estimating the efficiency of backtrack programs", Mathematics of Computation 29 (1975): on a random way from the
start to an end, the product of the numbers of choices on it is an unbiased estimate of the number of ways. Its spread
is large, so the mean of many ways comes with its standard error, and is worth no more than that says.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum, hypot, sqrt
from random import Random
from statistics import fmean, stdev
from typing import NamedTuple

from shadowshare.verify.product import Product

PROBE_COUNT = 400
PROBE_STEP_COUNT_MAXIMUM = 10_000


class Estimate(NamedTuple):
    """An estimate of the number of interleavings.

    Attributes:
        schedule_count: mean over the probes.
        standard_error: of that mean.
        probe_count: random ways that were gone.
    """

    schedule_count: float
    standard_error: float
    probe_count: int


def estimate_schedules(product: Product, probe_count: int = PROBE_COUNT, seed: int = 0) -> Estimate | None:
    """Estimate how many interleavings lead from the start to states in which no operation can take effect.

    Ways that go on behind such a state, by crashes and late writes, are not counted. None if a way does not end
    within some thousands of steps, or the numbers are too large for a float.

    Args:
        product: what is to be explored.
        probe_count: random ways to go, at least 2.
        seed: of the random ways.
    """
    random, found = Random(seed), list[float]()
    try:
        for _ in range(probe_count):
            ways = _probe(product, random)
            if ways is None:
                return None
            found.append(float(ways))
        return Estimate(fmean(found), stdev(found) / sqrt(probe_count), probe_count)
    except OverflowError:
        return None


def sum_of_estimates(estimates: Sequence[Estimate | None]) -> Estimate | None:
    """Of explorations, each of other schedules, that are estimated by themselves; None if one of them is not."""
    known = [one for one in estimates if one is not None]
    if not known or len(known) < len(estimates):
        return None
    return Estimate(
        fsum(one.schedule_count for one in known),
        hypot(*(one.standard_error for one in known)),
        sum(one.probe_count for one in known),
    )


def _probe(product: Product, random: Random) -> int | None:
    """The product of the numbers of choices on one random way to an end; None if it is too long."""
    state, ways = product.initial, 1
    for _ in range(PROBE_STEP_COUNT_MAXIMUM):
        if product.is_end(state) or product.violation(state) is not None:
            return ways
        moves = product.moves(state)
        ways *= len(moves)
        state = product.canonical(state + random.choice(moves).delta)
    return None
