"""The bounds against their definitions and against simulation."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from shadowshare.verify.gate.statistics import unseen_share, violation_bound


@pytest.mark.parametrize("execution_count", [1, 10, 1000, 10**6])
def test_a_more_frequent_violation_would_have_been_seen(execution_count: int) -> None:
    bound = violation_bound(execution_count)
    assert (1 - bound) ** execution_count == pytest.approx(0.05)
    assert bound < 3 / execution_count or execution_count == 1


def test_nothing_says_nothing() -> None:
    assert violation_bound(0) == 1.0
    assert unseen_share({}).share == 1.0


def test_the_unseen_share_is_near_the_true_one() -> None:
    """Classes of unequal probability: the true share is known, and the estimate is right within its error."""
    random = Random(1)
    weights = [1 / (number + 1) for number in range(400)]
    total = sum(weights)
    errors = []
    for _ in range(60):
        drawn = Counter(random.choices(range(400), weights, k=300))
        unseen = unseen_share(drawn)
        true = sum(weight for number, weight in enumerate(weights) if number not in drawn) / total
        errors.append((unseen.share - true) / unseen.standard_error)
    assert sum(abs(error) < 2 for error in errors) >= 54
    assert abs(sum(errors) / len(errors)) < 0.5


def test_counts() -> None:
    unseen = unseen_share({"a": 1, "b": 1, "c": 2, "d": 6})
    assert (unseen.share, unseen.class_count, unseen.execution_count) == (0.2, 4, 10)
    assert unseen.standard_error == pytest.approx((2 * 0.8 + 2) ** 0.5 / 10)
