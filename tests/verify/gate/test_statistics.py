"""The bounds against their definitions and against simulation."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from shadowshare.verify.gate.statistics import unseen_pairs, unseen_share, violation_bound


@pytest.mark.parametrize("execution_count", [1, 10, 1000, 10**6])
def test_a_more_frequent_violation_would_have_been_seen(execution_count: int) -> None:
    bound = violation_bound(execution_count)
    assert (1 - bound) ** execution_count == pytest.approx(0.05)
    assert bound < 3 / execution_count or execution_count == 1


def test_nothing_says_nothing() -> None:
    assert violation_bound(0) == 1.0
    assert unseen_share({}).share == 1.0


def errors_of(thing_count: int, execution_count: int, things_each: int) -> list[float]:
    """How wrong the estimate is, in standard errors, where the true share is known: by simulation."""
    random, errors = Random(1), []
    weights = [1 / (number + 1) for number in range(thing_count)]

    def execution() -> frozenset[int]:
        return frozenset(random.choices(range(thing_count), weights, k=things_each))

    for _ in range(60):
        drawn = [execution() for _ in range(execution_count)]
        seen = frozenset[int]().union(*drawn)
        true = sum(not execution() <= seen for _ in range(3000)) / 3000
        unseen = unseen_share(Counter(drawn))
        errors.append((unseen.share - true) / unseen.standard_error)
    return errors


@pytest.mark.parametrize(("thing_count", "things_each"), [(400, 1), (1500, 5)])
def test_the_unseen_share_is_near_the_true_one(thing_count: int, things_each: int) -> None:
    """Things of unequal probability, one or several in each execution: the estimate is right within its error."""
    errors = errors_of(thing_count, 300, things_each)
    assert sum(abs(error) < 2 for error in errors) >= 54
    assert abs(sum(errors) / len(errors)) < 0.5


def test_counts() -> None:
    unseen = unseen_share({frozenset("a"): 1, frozenset("b"): 1, frozenset("c"): 2, frozenset("d"): 6})
    assert (unseen.share, unseen.seen_count, unseen.execution_count) == (0.2, 4, 10)
    assert unseen.standard_error == pytest.approx(2 / 10)


def test_an_execution_is_new_if_anything_in_it_is() -> None:
    unseen = unseen_share({frozenset("ab"): 3, frozenset("abc"): 1, frozenset(): 1})
    assert (unseen.share, unseen.seen_count) == (0.2, 3)


def test_two_things_are_new_together_though_each_was_seen() -> None:
    shown = [{frozenset("ab"): 2, frozenset("bc"): 2}, {frozenset("ac"): 1}]
    unseen = unseen_pairs(shown)
    assert (unseen.share, unseen.seen_count, unseen.execution_count) == (0.2, 6, 5)
    assert unseen_pairs([{frozenset("a"): 1, frozenset(): 4}]).share == 0.2
