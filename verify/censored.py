"""Quantiles of runs of which some ended before what they waited for.

Such a run is *censored*: it says only that the value is greater than what it came to. It is neither dropped nor taken
for that value.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import groupby
from typing import NamedTuple

QUARTER, HALF, THREE_QUARTERS = Fraction(1, 4), Fraction(1, 2), Fraction(3, 4)


class Run(NamedTuple):
    """How far a run came.

    Attributes:
        value: when it ended.
        is_found: whether it ended because it had found what it looked for; else it is censored.
    """

    value: float
    is_found: bool


def censored_quantile(runs: Iterable[Run], share: Fraction) -> float | None:
    """The least value by which at least this share of all runs is estimated to have found it; None if it is beyond all.

    That is where the estimate of Kaplan and Meier (JASA 53, 1958) comes down to one minus the share. If all runs are
    censored at the same value, as many runs as the share says found it within the quantile.
    """
    surviving = Fraction(1)
    ordered = sorted(runs)
    at_risk = len(ordered)
    for value, ended in groupby(ordered, key=_value):
        finds = [run.is_found for run in ended]
        surviving *= 1 - Fraction(sum(finds), at_risk)
        at_risk -= len(finds)
        if surviving <= 1 - share:
            return value
    return None


def _value(run: Run) -> float:
    return run.value
