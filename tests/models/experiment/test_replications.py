"""Runs are made until the intervals are narrow, and not one more; several processes change nothing."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import numpy as np
import pytest

from shadowshare.models.experiment.replications import Figures, Precision, Replications, replicate


def _run(number: int) -> Figures:
    random = np.random.default_rng(number)
    return {"latency": float(random.normal(100.0, 10.0)), "errors": 0.0}


@pytest.fixture
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(3) as pool:
        yield pool


def test_it_stops_as_soon_as_it_is_precise() -> None:
    result = replicate(_run, ["latency", "errors"], Precision(0.05))
    assert result.imprecise == []
    assert result.interval("latency").relative_half_width <= 0.05 / 1.05
    before = Replications(result.precision, result.wanted, result.figures[:-1])
    assert before.imprecise == ["latency"]


def test_a_finer_precision_takes_more_runs() -> None:
    counts = [len(replicate(_run, ["latency"], Precision(share)).figures) for share in (0.1, 0.03, 0.02)]
    assert counts == sorted(set(counts))


def test_it_gives_up_at_the_maximum_and_says_what_is_imprecise() -> None:
    result = replicate(_run, ["errors", "latency"], Precision(0.0001, run_count_maximum=7))
    assert len(result.figures) == 7
    assert result.imprecise == ["latency"]


def test_the_minimum_is_made_even_if_all_are_alike() -> None:
    assert len(replicate(lambda _: {"x": 1.0}, ["x"], Precision(run_count_minimum=4)).figures) == 4


def test_several_at_once_are_the_same_runs(executor: Executor) -> None:
    alone = replicate(_run, ["latency"], Precision(0.03))
    shared = replicate(_run, ["latency"], Precision(0.03), executor, jobs=3)
    assert shared.figures == alone.figures


def test_progress_is_told_after_each_run() -> None:
    told: list[int] = []
    replicate(_run, ["latency"], Precision(0.1), tell=lambda so_far: told.append(len(so_far.figures)))
    assert told == list(range(1, len(told) + 1))


@pytest.mark.parametrize(("minimum", "maximum", "share"), [(1, 5, 0.1), (6, 5, 0.1), (2, 5, 0.0)])
def test_what_is_no_precision_is_refused(minimum: int, maximum: int, share: float) -> None:
    with pytest.raises(ValueError, match=r"runs|precision"):
        Precision(share, run_count_minimum=minimum, run_count_maximum=maximum)
