"""How many interleavings there are, estimated before they are counted.

Knuth, "Estimating the efficiency of backtrack programs", Mathematics of Computation 29 (1975): on a random way from the
start to an end, the product of the numbers of choices on it is an unbiased estimate of the number of ways. Its spread
is large, so the mean of many ways comes with its standard error, and is worth no more than that says.
"""

from __future__ import annotations

from math import sqrt
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
    """
    random = Random(seed)
    products = [_probe(product, random) for _ in range(probe_count)]
    if None in products:
        return None
    try:
        found = [float(one) for one in products if one is not None]
        return Estimate(fmean(found), stdev(found) / sqrt(len(found)), len(found))
    except OverflowError:
        return None


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
