"""What executions that found nothing say about those that were not made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import combinations_with_replacement
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
        share: estimated probability that the next execution shows something that was not seen.
        standard_error: of that estimate.
        seen_count: different things that were seen.
        execution_count: executions that were drawn.
    """

    share: float
    standard_error: float
    seen_count: int
    execution_count: int


def unseen_share(shown: Mapping[frozenset[Any], int]) -> Unseen:
    """Estimate the probability that one more execution shows something new, from what each showed.

    It is the share of executions that show something which none of the others does. If each shows one thing, that is
    the estimate of Good and Turing (Good, Biometrika 40 (1953)). Its standard error is the jackknife's: from how much
    leaving one execution out changes the number of those.

    Args:
        shown: what executions showed, each a set of things, and how many executions showed just that set.
    """
    count = sum(shown.values())
    if count == 0:
        return Unseen(1.0, 0.0, 0, 0)
    holders: dict[Any, list[int]] = {}
    for number, things in enumerate(Counter(shown).elements()):
        for thing in things:
            holders.setdefault(thing, []).append(number)
    new = {who[0] for who in holders.values() if len(who) == 1}
    pairs = [who for who in holders.values() if len(who) == 2]
    heirs: dict[int, set[int]] = {}
    """Of an execution: those that would show something new without it, and do not now."""
    for pair in pairs:
        for one, other in (pair, pair[::-1]):
            if other not in new:
                heirs.setdefault(one, set()).add(other)
    changes = [len(heirs.get(number, ())) - (number in new) for number in range(count)]
    mean = sum(changes) / count
    spread = sum((change - mean) ** 2 for change in changes)
    return Unseen(len(new) / count, sqrt(spread) / count, len(holders), count)


def unseen_pairs(shown: Iterable[Mapping[frozenset[str], int]]) -> Unseen:
    """How probably one more execution shows two things together that no execution showed both of, or one anew.

    Args:
        shown: of some executions each: the sets of things that they showed, and how many showed just that set.
    """
    pairs = Counter[frozenset[tuple[str, str]]]()
    for sets in shown:
        for things, count in sets.items():
            pairs[frozenset(combinations_with_replacement(sorted(things), 2))] += count
    return unseen_share(pairs)
