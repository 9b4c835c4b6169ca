"""Replications beside those without shadow copies; and simulations that run long."""

from __future__ import annotations

import pickle
import tracemalloc
from dataclasses import replace

import pytest

from shadowshare.models.simulation.comparison import WITHOUT, ComparedRun, NothingMeasured
from shadowshare.models.simulation.plan import ShadowCopyPlan
from shadowshare.models.simulation.run import Simulation
from tests.models.simulation.plans import MILLISECOND_NS, Anywhere, Scripted, plan

WRITER = Anywhere("write", MILLISECOND_NS, is_open=True, client_count=16)
READER = Anywhere("read", MILLISECOND_NS)


def test_both_runs_draw_the_same_requests_so_that_the_copies_make_the_difference() -> None:
    whole = plan(WRITER, READER, measured_ns=300 * MILLISECOND_NS)
    for number in range(3):
        figures = ComparedRun(whole, seed=4)(number)
        assert figures["active.write.per_second_ratio"] == pytest.approx(1, abs=0.01)
        assert figures["active.write.latency_mean_ratio"] > 1.05
        assert {"active write", "passives read", f"active write {WITHOUT}"} <= figures.latencies.keys()


def test_a_number_is_a_run_also_in_another_process() -> None:
    run = ComparedRun(plan(WRITER, READER, measured_ns=50 * MILLISECOND_NS), seed=4)
    assert pickle.loads(pickle.dumps(run))(1) == run(1)
    again = pickle.loads(pickle.dumps(run(1)))
    assert again.latencies["active write"].count == run(1).latencies["active write"].count
    assert run(2) != run(1)
    assert run(1) != replace(run, seed=5)(1)


def test_without_a_baseline_there_are_no_ratios() -> None:
    figures = ComparedRun(plan(WRITER, measured_ns=50 * MILLISECOND_NS), seed=4, compares=False)(0)
    assert not [name for name in figures if name.endswith("_ratio")]
    assert not [name for name in figures.latencies if WITHOUT in name]


def test_a_run_in_which_nothing_happened_says_nothing() -> None:
    with pytest.raises(NothingMeasured, match="no write of the active was done"):
        ComparedRun(plan(Scripted(()), READER), seed=1)(0)


def test_a_long_simulation_holds_no_more_memory_than_a_short_one() -> None:
    """The journal turns over several times in each part, and shadow copies come and go."""
    writer, reader = Anywhere("write", 0, client_count=4), Anywhere("read", MILLISECOND_NS)
    whole = plan(writer, reader, shadow_copies=ShadowCopyPlan(1, 20 * MILLISECOND_NS, 1))
    geometry = replace(whole.geometry, half_block_count=64)
    simulation = Simulation(replace(whole, geometry=geometry))
    held = []
    tracemalloc.start()
    try:
        for part in range(1, 4):
            simulation.environment.run(until=part * 200 * MILLISECOND_NS)
            writer.seen.clear()
            reader.seen.clear()
            for histogram in simulation.log.latencies.values():
                assert histogram.count, "which takes in what it has put by"
            held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert simulation.log.latencies["active", "create"].count > 20
    assert all(role == "passives" for role, _, _ in simulation.log.failures), (
        "a copy is deleted as it is read"
    )
    assert held[2] - held[1] < 40_000
