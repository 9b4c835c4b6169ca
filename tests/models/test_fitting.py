"""Fits find the mixture that latencies were drawn from, and no component more than they justify."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from shadowshare.models.latency.built_in import VIRTUAL_NVME_READ, VIRTUAL_NVME_WRITE_AND_FLUSH
from shadowshare.models.latency.distributions import LognormalMixture
from shadowshare.models.latency.errors import ModelError
from shadowshare.models.latency.fitting import fit_mixture, fits
from shadowshare.models.latency.goodness import goodness_of_fit

COUNT = 20_000


@pytest.mark.parametrize("source", [VIRTUAL_NVME_READ, VIRTUAL_NVME_WRITE_AND_FLUSH])
def test_a_fit_is_close_to_what_was_drawn(source: LognormalMixture) -> None:
    drawn = source.sample(np.random.default_rng(7), COUNT)
    fitted = fit_mixture(drawn)
    assert goodness_of_fit(drawn, fitted).ks_distance < 0.011
    probabilities = np.array([0.1, 0.5, 0.9, 0.99])
    assert fitted.quantile_ns(probabilities) == pytest.approx(source.quantile_ns(probabilities), rel=0.04)


def test_the_components_are_found() -> None:
    drawn = VIRTUAL_NVME_READ.sample(np.random.default_rng(7), COUNT)
    found = fit_mixture(drawn).components
    assert len(found) == 2
    for component, source in zip(found, VIRTUAL_NVME_READ.components, strict=True):
        assert component.weight == pytest.approx(source.weight, abs=0.02)
        assert component.median_us == pytest.approx(source.median_us, rel=0.1)
        assert component.sigma == pytest.approx(source.sigma, rel=0.15)


@pytest.mark.parametrize("seed", range(5))
def test_one_lognormal_gets_one_component(seed: int) -> None:
    drawn = LognormalMixture.of((1.0, 100.0, 0.3)).sample(np.random.default_rng(seed), 5000)
    assert len(fit_mixture(drawn).components) == 1


def test_more_components_never_explain_less() -> None:
    drawn = VIRTUAL_NVME_WRITE_AND_FLUSH.sample(np.random.default_rng(2), COUNT)
    likelihoods = [fit.log_likelihood for fit in fits(drawn)]
    assert all(after > before - 1.0 for before, after in pairwise(likelihoods))
    assert fits(drawn)[0].bic > fits(drawn)[1].bic


@pytest.mark.parametrize("latencies", [[5] * 200, [0] * 200, [1] * 150 + [10**12] * 50])
def test_latencies_that_are_not_distributed_at_all_are_fitted(latencies: list[int]) -> None:
    fitted = fit_mixture(np.array(latencies, dtype=np.int64))
    assert np.isfinite(fitted.mean_ns())


def test_too_few_are_refused() -> None:
    with pytest.raises(ModelError, match="99 latencies are too few"):
        fit_mixture(np.arange(1, 100, dtype=np.int64))
