"""One long run: a start that is not like the rest is left out, and batches are as good as replications."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shadowshare.models.latency.distributions import Constant
from shadowshare.models.latency.episodes import Episode, WithEpisodes
from shadowshare.models.latency.sampled import Sampled
from shadowshare.models.simulation.comparison import ComparedRun, NothingMeasured
from shadowshare.models.simulation.long_run import BATCH_COUNT, LongRun, measure_long
from shadowshare.models.simulation.plan import DevicePlan, FailOverPlan, ShadowCopyPlan, SimulationPlan
from shadowshare.models.simulation.run import simulate
from tests.models.simulation.plans import MILLISECOND_NS, Anywhere, Scripted, plan

WRITER = Anywhere("write", MILLISECOND_NS, client_count=4)
MEAN = "active.write.latency_mean"


def long_run(whole: SimulationPlan, *, compares: bool = False) -> LongRun:
    return measure_long(ComparedRun(whole, seed=7, compares=compares))


def test_a_start_that_is_not_like_the_rest_is_left_out() -> None:
    """At first every write copies an extent of the only shadow copy; when all are copied, none does."""
    whole = plan(WRITER, measured_ns=1500 * MILLISECOND_NS)
    found = long_run(whole)
    later = simulate(replace(whole, warm_up_ns=500 * MILLISECOND_NS)).figures()[MEAN]
    assert found.is_settled
    assert 40 * MILLISECOND_NS < found.warm_up_ns < 400 * MILLISECOND_NS
    assert found.intervals[MEAN].mean == pytest.approx(later, rel=0.03)
    assert found.intervals[MEAN].relative_half_width < 0.03
    assert simulate(whole).figures()[MEAN] > 1.05 * later, "the mean of everything is biased"
    assert found.whole[MEAN] == pytest.approx(later, rel=0.03)
    assert found.intervals["active.copies_per_second"].mean == 0


def test_a_run_that_never_settles_says_so() -> None:
    """A device that gets slower all the time."""
    ramp = WithEpisodes(Sampled.of(Constant(100.0)), (Episode("ramp", 0.0, 1000.0, factor=20.0),))
    whole = plan(WRITER, measured_ns=900 * MILLISECOND_NS)
    assert not long_run(replace(whole, devices=(DevicePlan(ramp, 4),))).is_settled


def test_nothing_much_is_left_out_where_all_is_alike_and_the_plan_s_warm_up_is() -> None:
    whole = plan(WRITER, warm_up_ns=500 * MILLISECOND_NS, measured_ns=1000 * MILLISECOND_NS)
    found = long_run(whole)
    assert found.warm_up_ns <= 250 * MILLISECOND_NS
    assert found.batch_ns * BATCH_COUNT + found.warm_up_ns <= 1000 * MILLISECOND_NS
    assert found.intervals["active.write.per_second"].sample_count == BATCH_COUNT


def test_batches_give_what_replications_give_with_the_same_comparison() -> None:
    copies = ShadowCopyPlan(1, 10 * MILLISECOND_NS, 1)
    whole = plan(WRITER, Anywhere("read", MILLISECOND_NS, client_count=4), shadow_copies=copies)
    found = long_run(whole, compares=True)
    assert found.batch_ns % (10 * MILLISECOND_NS) == 0, "whole periods"
    runs = [
        ComparedRun(replace(whole, measured_ns=200 * MILLISECOND_NS), seed=9)(number) for number in range(4)
    ]
    for name in (MEAN, f"{MEAN}_ratio", "passives.read.latency_mean", "active.write_amplification"):
        mean = sum(figures[name] for figures in runs) / len(runs)
        assert found.intervals[name].mean == pytest.approx(mean, rel=0.05), name
    count, of_count = found.whole.rare["passives.recheck_saved_per_read"]
    assert 0 <= count < of_count
    assert of_count == found.whole.latencies["passives read"].count


def test_what_is_too_short_or_happens_once_is_refused() -> None:
    with pytest.raises(NothingMeasured, match="no write of the active was done in some of the 200 parts"):
        long_run(plan(WRITER, measured_ns=2 * MILLISECOND_NS))
    with pytest.raises(NothingMeasured, match="no write of the active"):
        long_run(plan(Scripted(())))
    with pytest.raises(NothingMeasured, match=r"make time\.measured_seconds 40 or more"):
        long_run(plan(WRITER, shadow_copies=ShadowCopyPlan(1, 1000 * MILLISECOND_NS, 1)))
    with pytest.raises(NothingMeasured, match="a fail-over happens once"):
        long_run(replace(plan(WRITER), fail_over=FailOverPlan(1)))
