"""What executions that found nothing say about those that were not made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import sqrt
from typing import Any, NamedTuple

CONFIDENCE = 0.95


def violation_bound(execution_count: int, confidence: float = CONFIDENCE) -> float:
    """The largest probability of a violation per execution that ``execution_count`` executions without one allow.

    It holds for executions drawn independently from the generator that drew these, and for no others. For 95 % and many
    executions it is about 3 / n, the rule of three (Hanley, Lippman-Hand, JAMA 249 (1983)).

    Returns:
        A probability; 1 without any execution.
    """
    return 1.0 if execution_count == 0 else 1.0 - (1.0 - confidence) ** (1.0 / execution_count)


class Unseen(NamedTuple):
    """How much of what the generator draws was never seen.

    Attributes:
        share: estimated probability that the next execution is of a class that was not seen.
        standard_error: of that estimate.
        class_count: classes that were seen.
        execution_count: executions that were drawn.
    """

    share: float
    standard_error: float
    class_count: int
    execution_count: int


def unseen_share(classes: Mapping[Any, int]) -> Unseen:
    """Estimate the probability of all classes that were not seen, from how often each was (Good, Biometrika 40 (1953)).

    The estimate, after Turing, is the share of executions whose class was seen once; its standard error is that of
    Esty, Annals of Statistics 11 (1983).

    Args:
        classes: how many executions were of each class.
    """
    execution_count = sum(classes.values())
    if execution_count == 0:
        return Unseen(1.0, 0.0, 0, 0)
    seen = Counter(classes.values())
    once, twice = seen[1], seen[2]
    variance = (once * (1.0 - once / execution_count) + 2 * twice) / execution_count**2
    return Unseen(once / execution_count, sqrt(variance), len(classes), execution_count)
