"""How many interleavings there are, estimated before they are counted.

Knuth ("Estimating the efficiency of backtrack programs", Mathematics of Computation 29, 1975) goes one random way to an
end, and takes the product of the numbers of choices on it. Its mean is the number of ways, but where a way may end
early, as by a crash at any step, nearly all random ways do, and miss nearly all that there are.

So, as Chen does ("Heuristic sampling: a method for predicting the performance of tree searching programs", SIAM Journal
on Computing 21, 1992), many ways are gone at once. Step by step it is known of a number of states how many ways lead
there; ways that meet in a state add up. If the states become too many, those to which many ways lead are kept, and
of the others a random few, each of which then stands for as many ways as were dropped. The mean of the result is the
number of ways; and if nothing had to be dropped, it is that number.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import fsum, hypot, isfinite, sqrt
from random import Random
from statistics import fmean, stdev
from typing import NamedTuple

from shadowshare.verify.exploration.product import Product

SAMPLE_COUNT = 10
KEPT_STATE_COUNT = 300
STEP_COUNT_MAXIMUM = 1_000
MOVE_COUNT_MAXIMUM = 400_000
SAMPLE_COUNT_MINIMUM = 3
"""When so many moves were looked at, and so many samples taken, no other sample is begun."""


class Estimate(NamedTuple):
    """An estimate of the number of interleavings.

    Attributes:
        schedule_count: mean over the samples.
        standard_error: of that mean; 0 if it is the number itself.
        sample_count: samples that were taken.
    """

    schedule_count: float
    standard_error: float
    sample_count: int


def estimate_schedules(
    product: Product,
    sample_count: int = SAMPLE_COUNT,
    kept_state_count: int = KEPT_STATE_COUNT,
    seed: int = 0,
) -> Estimate | None:
    """Estimate how many ways lead from the start to ends, as `Search.schedule_count` counts them.

    None if there is a way of more than a thousand steps, or the number is too large for a float. Behind a state
    in which something is violated nothing is counted.

    Args:
        product: what is to be explored.
        sample_count: samples to take, at least 2; fewer are taken if one is exact, or they take long.
        kept_state_count: states to keep at most after each step.
        seed: of what is dropped.
    """
    found, move_count = list[float](), 0
    try:
        for number in range(sample_count):
            sample = _Sample(product, kept_state_count, Random((seed << 20) + number))
            way_count = sample.run()
            if way_count is None:
                return None
            if sample.is_exact:
                return Estimate(way_count, 0.0, 1)
            found.append(way_count)
            move_count += sample.move_count
            if move_count > MOVE_COUNT_MAXIMUM and len(found) >= SAMPLE_COUNT_MINIMUM:
                break
        return Estimate(fmean(found), stdev(found) / sqrt(len(found)), len(found))
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
        sum(one.sample_count for one in known),
    )


class _Sample:
    """How many ways there are, by states of which some stand for others."""

    def __init__(self, product: Product, kept_state_count: int, random: Random) -> None:
        self.is_exact = True
        self.move_count = 0
        self._product = product
        self._kept_state_count = kept_state_count
        self._random = random

    def run(self) -> float | None:
        """The ways to ends; None if there are ways that go on for too long."""
        ways, total = {self._product.initial: 1.0}, 0.0
        for _ in range(STEP_COUNT_MAXIMUM):
            after = dict[int, float]()
            for state, count in ways.items():
                total += self._step(state, count, after)
            if not isfinite(total + fsum(after.values())):
                raise OverflowError
            if not after:
                return total
            ways = self._kept(after) if len(after) > self._kept_state_count else after
        return None

    def _step(self, state: int, count: float, after: dict[int, float]) -> float:
        """Add the ways that go on from a state; how many of them end in it."""
        product = self._product
        if product.violation(state) is not None:
            return count
        moves = product.moves(state)
        self.move_count += len(moves)
        for move in moves:
            reached = product.canonical(state + move.delta)
            after[reached] = after.get(reached, 0.0) + count
        return count if product.is_end(state) else 0.0

    def _kept(self, ways: dict[int, float]) -> dict[int, float]:
        """Those of at least ``limit`` ways, and of the others some, in proportion, that stand for ``limit`` ways each.

        Which ones, systematic sampling decides: one random number, and steps of equal size from there.
        """
        self.is_exact = False
        limit = _limit(ways.values(), self._kept_state_count)
        items = list(ways.items())
        self._random.shuffle(items)
        kept, reached = dict[int, float](), self._random.random()
        for state, count in items:
            if count >= limit:
                kept[state] = count
                continue
            reached += count / limit
            if reached >= 1.0:
                reached -= 1.0
                kept[state] = limit
        return kept


def _limit(counts: Collection[float], kept_count: int) -> float:
    """Such that there are ``kept_count`` in all, if each larger one stands for itself, and for the rest some of it."""
    rest, left = fsum(counts), kept_count
    for count in sorted(counts, reverse=True):
        if count * left < rest:
            break
        rest -= count
        left -= 1
    return rest / left
