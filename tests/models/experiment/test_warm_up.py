"""The start of a run that is not like the rest is found, and nothing is where there is none."""

from __future__ import annotations

import numpy as np

from shadowshare.models.experiment.warm_up import WarmUp, _squared_standard_errors, warm_up_of
from tests.models.experiment.queues import mean_waiting_time, waiting_times


def test_a_start_that_is_too_low_is_left_out() -> None:
    random = np.random.default_rng(3)
    values = random.normal(50.0, 1.0, 2000)
    values[:200] -= np.linspace(50.0, 0.0, 200)
    warm_up = warm_up_of(values)
    assert warm_up.is_over
    assert 150 <= warm_up.value_count <= 260


def test_nothing_much_is_left_out_where_all_is_alike() -> None:
    counts = [
        warm_up_of(np.random.default_rng(seed).normal(5.0, 1.0, 4000)).value_count for seed in range(40)
    ]
    assert np.median(counts) <= 200


def test_a_run_that_is_all_warm_up_says_so() -> None:
    assert not warm_up_of(np.arange(1000.0)).is_over


def test_too_few_values_cannot_tell() -> None:
    assert warm_up_of([1.0] * 9) == WarmUp(0, is_over=False)


def test_it_is_the_standard_error_that_is_made_small() -> None:
    means = np.random.default_rng(4).normal(1e9, 1.0, 50)
    expected = [np.var(means[start:]) / (50 - start) for start in range(50)]
    assert np.allclose(_squared_standard_errors(means), expected, rtol=1e-6, atol=1e-9)


def test_a_queue_that_begins_long_biases_less() -> None:
    """Averaged over many runs, what is left out brings the mean nearer to the known one."""
    whole, truncated = [], []
    for seed in range(200):
        waits = waiting_times(0.8, 5000, seed, first_wait=200.0)
        whole.append(waits.mean())
        truncated.append(waits[warm_up_of(waits).value_count :].mean())
    true = mean_waiting_time(0.8)
    assert abs(np.mean(truncated) - true) < abs(np.mean(whole) - true) / 10
