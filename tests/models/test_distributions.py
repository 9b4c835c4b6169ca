"""What is drawn has the distribution it should have, by quantiles and by KS distance; a wrong one is seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadowshare.models.latency.built_in import (
    VIRTUAL_NVME_READ,
    VIRTUAL_NVME_WRITE,
    VIRTUAL_NVME_WRITE_AND_FLUSH,
)
from shadowshare.models.latency.distributions import (
    Component,
    Constant,
    Distribution,
    Empirical,
    Exponential,
    LognormalMixture,
    Uniform,
    endless_draws,
)
from shadowshare.models.latency.errors import ModelError
from shadowshare.models.latency.goodness import goodness_of_fit

COUNT = 40_000
KS_LIMIT = 1.95 / COUNT**0.5
"""A right distribution exceeds this once in a thousand seeds; ours are fixed."""

DISTRIBUTIONS: list[Distribution] = [
    VIRTUAL_NVME_READ,
    VIRTUAL_NVME_WRITE,
    VIRTUAL_NVME_WRITE_AND_FLUSH,
    Uniform(50.0, 150.0),
    Exponential(80.0),
    Empirical((0.0, 0.5, 0.99, 1.0), (10.0, 20.0, 40.0, 1000.0)),
]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_draws_have_the_distribution(distribution: Distribution) -> None:
    drawn = distribution.sample(np.random.default_rng(11), COUNT)
    goodness = goodness_of_fit(drawn, distribution)
    assert goodness.ks_distance < KS_LIMIT
    assert abs(goodness.mean_error) < 0.02
    assert all(abs(error) < 0.03 for name, error in goodness.quantile_errors.items() if name != "p999")


@pytest.mark.parametrize(
    "wrong",
    [
        LognormalMixture.of((1.0, 76.5, 0.112)),  # without the slow component
        LognormalMixture.of((0.969, 77.5, 0.112), (0.031, 113.3, 0.458)),  # 1 us slower
        LognormalMixture.of((0.969, 76.5, 0.125), (0.031, 113.3, 0.458)),  # wider
        LognormalMixture.of((0.90, 76.5, 0.112), (0.10, 113.3, 0.458)),  # slow more often
    ],
)
def test_a_wrong_mixture_is_noticed(wrong: LognormalMixture) -> None:
    drawn = wrong.sample(np.random.default_rng(11), COUNT)
    assert goodness_of_fit(drawn, VIRTUAL_NVME_READ).ks_distance > KS_LIMIT


def test_an_exponential_fits_a_disk_badly() -> None:
    drawn = VIRTUAL_NVME_READ.sample(np.random.default_rng(3), COUNT)
    exponential = Exponential(float(drawn.mean()) / 1e3)
    assert 0.45 < goodness_of_fit(drawn, exponential).ks_distance < 0.6
    assert goodness_of_fit(drawn, VIRTUAL_NVME_READ).ks_distance < 0.011


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_quantiles_are_the_inverse_of_shares(distribution: Distribution) -> None:
    probabilities = np.array([0.001, 0.1, 0.5, 0.9, 0.97, 0.999])
    assert distribution.share_up_to(distribution.quantile_ns(probabilities)) == pytest.approx(probabilities)


def test_means_are_those_of_what_the_quantiles_say() -> None:
    grid = (np.arange(200_000) + 0.5) / 200_000
    for distribution in [*DISTRIBUTIONS, Constant(7.5)]:
        assert distribution.mean_ns() == pytest.approx(distribution.quantile_ns(grid).mean(), rel=2e-3)


def test_rounded_weights_are_scaled() -> None:
    assert sum(component.weight for component in VIRTUAL_NVME_WRITE_AND_FLUSH.components) != 1.0
    assert VIRTUAL_NVME_WRITE_AND_FLUSH.parameters()[0].sum() == pytest.approx(1.0)


def test_endless_draws_are_those_of_the_batches() -> None:
    stream = endless_draws(VIRTUAL_NVME_READ, np.random.default_rng(5))
    expected = VIRTUAL_NVME_READ.sample(np.random.default_rng(5), 4096).tolist()
    assert [next(stream) for _ in range(4096)] == expected
    assert isinstance(next(stream), int)


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=200))
def test_an_empirical_distribution_has_the_quantiles_of_the_measurement(latencies: list[int]) -> None:
    measured = np.array(latencies, dtype=np.int64)
    distribution = Empirical.of(measured, 101)
    assert distribution.quantile_ns(np.array([0.0, 0.5, 1.0])) == pytest.approx(
        np.quantile(measured, [0.0, 0.5, 1.0])
    )
    drawn = distribution.sample(np.random.default_rng(1), 100)
    assert measured.min() <= drawn.min() + 1
    assert drawn.max() <= measured.max() + 1


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Constant(-1.0), "latency_us"),
        (lambda: Constant(float("nan")), "latency_us"),
        (lambda: Uniform(2.0, 1.0), "highest_us"),
        (lambda: Component(0.5, 0.0, 0.1), "median_us"),
        (lambda: Component(0.5, 1.0, 0.0), "sigma"),
        (lambda: Component(0.0, 1.0, 0.1), "weight"),
        (lambda: LognormalMixture.of((0.5, 1.0, 0.1)), "add up to 1"),
        (lambda: LognormalMixture(()), "components"),
        (lambda: Empirical((0.0, 1.0), (2.0, 1.0)), "must not decrease"),
        (lambda: Empirical((0.0, 0.5), (1.0, 2.0)), "end with 1"),
        (lambda: Empirical((0.0, 0.5, 0.5, 1.0), (1.0, 2.0, 3.0, 4.0)), "must increase"),
        (lambda: Empirical((0.0,), (1.0, 2.0)), "equally many"),
    ],
)
def test_what_cannot_be_is_refused(make, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ModelError, match=words):
        make()
