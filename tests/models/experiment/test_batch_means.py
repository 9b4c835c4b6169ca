"""One long run gives an interval that holds the true mean, where raw values would not."""

from __future__ import annotations

import numpy as np
import pytest

from shadowshare.models.experiment.batch_means import batch_means
from shadowshare.models.experiment.interval import mean_interval
from tests.models.experiment.queues import mean_waiting_time, waiting_times

RUN_COUNT = 100


def test_intervals_of_batches_hold_the_known_mean_and_those_of_raw_values_do_not() -> None:
    true = mean_waiting_time(0.7)
    runs = [waiting_times(0.7, 101_000, seed)[1000:] for seed in range(RUN_COUNT)]
    by_batches = sum(batch_means(run).interval.holds(true) for run in runs)
    by_values = sum(mean_interval(run).holds(true) for run in runs)
    assert by_batches >= 88  # of 100 at 95 %: fewer happen with a probability of 1 in 250
    assert by_values < 60


def test_batches_that_are_too_short_are_noticed() -> None:
    noticed = sum(
        not batch_means(waiting_times(0.95, 2000, seed)).are_independent for seed in range(RUN_COUNT)
    )
    assert noticed > 80


def test_independent_values_are_hardly_ever_called_dependent() -> None:
    random = np.random.default_rng(5)
    called = sum(not batch_means(random.normal(0.0, 1.0, 3200)).are_independent for _ in range(400))
    assert 5 <= called <= 40  # of 400 at 5 %


def test_constant_values_depend_on_nothing() -> None:
    result = batch_means([3.0] * 64)
    assert result.are_independent
    assert (result.interval.mean, result.interval.half_width, result.batch_length) == (3.0, 0.0, 2)


def test_what_fills_no_batch_is_left_out_at_the_start() -> None:
    assert batch_means([1e9, *[1.0] * 32]).interval.mean == 1.0


def test_too_few_are_refused() -> None:
    with pytest.raises(ValueError, match="31 values do not fill 32 batches"):
        batch_means([1.0] * 31)
    with pytest.raises(ValueError, match="at least 4"):
        batch_means([1.0] * 31, batch_count=3)
