"""Workloads ask for what their distributions say: by rates, shares and quantiles, with fixed seeds."""

from __future__ import annotations

from itertools import chain, islice, pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadowshare.models.workloads.errors import WorkloadError
from shadowshare.models.workloads.gaps import AnyGaps, Bursty, Even, Poisson
from shadowshare.models.workloads.places import (
    AnyPlaces,
    Anywhere,
    HotSpot,
    Sequential,
    Zipf,
    spreading_stride,
)
from shadowshare.models.workloads.readers import Backup
from shadowshare.models.workloads.synthetic import Synthetic
from shadowshare.sim.timed.workload import HostRequest, Workload

COUNT = 40_000
KS_LIMIT = 1.95 / COUNT**0.5


def gaps_of(gaps: AnyGaps, seed: int = 3) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    stream = chain.from_iterable(gaps.batches(np.random.default_rng(seed)))
    return np.fromiter(stream, dtype=np.int64, count=COUNT)


def blocks_of(
    places: AnyPlaces, block_count: int, count: int = COUNT
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    stream = chain.from_iterable(places.batches(np.random.default_rng(3), block_count))
    blocks = np.fromiter(stream, dtype=np.int64, count=count)
    assert blocks.min() >= 0
    assert blocks.max() < block_count
    return blocks


def requests_of(
    workload: Workload, count: int, volume: int = 1 << 20, sector: int = 512
) -> list[HostRequest]:
    return list(islice(workload.requests(np.random.default_rng(5), volume, sector), count))


# -- gaps --------------------------------------------------------------------------------------------------------


def exponential_ks(gaps: np.ndarray[tuple[int], np.dtype[np.int64]], mean_ns: float) -> float:
    ordered = np.sort(gaps)
    shares = -np.expm1(-ordered / mean_ns)
    return float(np.abs(shares - (np.arange(len(gaps)) + 0.5) / len(gaps)).max())


def test_poisson_gaps_are_exponential() -> None:
    gaps = gaps_of(Poisson(5000.0))
    assert exponential_ks(gaps, 200_000) < KS_LIMIT
    assert exponential_ks(gaps, 210_000) > KS_LIMIT
    assert exponential_ks(gaps_of(Bursty(5000.0, 8.0, 4.0)), 200_000) > 10 * KS_LIMIT


def test_bursts_have_the_rate_and_the_variation_that_they_should() -> None:
    bursty = Bursty(5000.0, 10.0, 20.0)
    gaps = gaps_of(bursty)
    inner_ns, pause_ns = bursty.means_ns()
    mean_ns = 0.9 * inner_ns + 0.1 * pause_ns
    square = 0.9 * 2 * inner_ns**2 + 0.1 * 2 * pause_ns**2
    assert mean_ns == pytest.approx(200_000)
    assert gaps.mean() == pytest.approx(mean_ns, rel=0.05)
    assert gaps.var() / gaps.mean() ** 2 == pytest.approx(square / mean_ns**2 - 1, rel=0.1)
    assert square / mean_ns**2 - 1 > 10
    assert exponential_ks(gaps_of(Bursty(5000.0, 1.0, 1.0)), 200_000) < KS_LIMIT


def test_even_gaps_are_even() -> None:
    assert set(gaps_of(Even(12.5)).tolist()) == {12_500}


# -- places ------------------------------------------------------------------------------------------------------


def test_anywhere_is_uniform() -> None:
    counts = np.bincount(blocks_of(Anywhere(), 64), minlength=64)
    assert (
        (counts - COUNT / 64) ** 2 / (COUNT / 64)
    ).sum() < 104  # chi-squared, 63 degrees of freedom, 0.999


@pytest.mark.parametrize("exponent", [0.0, 0.5, 0.99, 1.0, 1.2, 3.0])
@pytest.mark.parametrize("rank_count", [1, 2, 50])
def test_ranks_have_the_probabilities_of_zipf(exponent: float, rank_count: int) -> None:
    ranks = Zipf(exponent).ranks(np.random.default_rng(8), rank_count, COUNT)
    weights = np.arange(1, rank_count + 1) ** -exponent
    expected = weights / weights.sum() * COUNT
    counts = np.bincount(ranks, minlength=rank_count + 1)[1:]
    is_large = expected > 5
    assert len(counts) == rank_count
    statistic = ((counts - expected) ** 2 / expected)[is_large].sum()
    assert statistic < 1.0 + is_large.sum() + 4.5 * (2 * is_large.sum()) ** 0.5


def test_another_exponent_is_noticed() -> None:
    ranks = Zipf(1.05).ranks(np.random.default_rng(8), 50, COUNT)
    weights = np.arange(1, 51) ** -1.0
    expected = weights / weights.sum() * COUNT
    assert ((np.bincount(ranks, minlength=51)[1:] - expected) ** 2 / expected).sum() > 1.0 + 50 + 45


def test_zipf_needs_no_table_and_spreads_the_popular_blocks() -> None:
    count = 1 << 32
    blocks = blocks_of(Zipf(1.0), count, 2000)
    assert len(set((blocks * 8 // count).tolist())) == 8
    how_often = np.unique(blocks, return_counts=True)[1]
    assert how_often.max() > 50
    with pytest.raises(WorkloadError, match="too large"):
        blocks_of(Zipf(1.0), count + 1, 1)


@given(st.integers(1, 3000))
def test_ranks_are_spread_over_every_block_once(block_count: int) -> None:
    stride = spreading_stride(block_count)
    assert len({rank * stride % block_count for rank in range(block_count)}) == block_count


def test_sequential_goes_round() -> None:
    blocks = blocks_of(Sequential(0.5), 1000, 5000)
    assert blocks[0] == 500
    assert all((after - before) % 1000 == 1 for before, after in pairwise(blocks.tolist()))


def test_a_hot_spot_gets_its_share() -> None:
    blocks = blocks_of(HotSpot(0.2, 0.8), 1000)
    assert (blocks < 200).mean() == pytest.approx(0.8, abs=0.01)
    assert set(blocks[blocks >= 200].tolist()) == set(range(200, 1000))


# -- whole workloads ---------------------------------------------------------------------------------------------

MIXED = Synthetic(
    {"read": 7, "write": 2, "flush": 1},
    {4096: 0.75, 65536: 0.25},
    Zipf(0.9),
    gaps=Poisson(1000.0),
    is_open=True,
)


def test_a_mix_has_the_shares_that_it_should() -> None:
    requests = requests_of(MIXED, 20_000, 1 << 30)
    verbs = [request.verb for request in requests]
    assert verbs.count("read") / 20_000 == pytest.approx(0.7, abs=0.015)
    assert verbs.count("flush") / 20_000 == pytest.approx(0.1, abs=0.01)
    lengths = [request.length for request in requests if request.verb != "flush"]
    assert lengths.count(65536) / len(lengths) == pytest.approx(0.25, abs=0.015)
    assert {(request.offset, request.length) for request in requests if request.verb == "flush"} == {(0, 0)}


def test_one_thing_changed_leaves_the_others_as_they_are() -> None:
    before = requests_of(MIXED, 3000)
    after = requests_of(msgspec.structs.replace(MIXED, verbs={"write": 1.0}), 3000)
    assert [request.gap_ns for request in before] == [request.gap_ns for request in after]
    assert {request.verb for request in after} == {"write"}
    placed = [number for number, request in enumerate(before) if request.verb != "flush"]
    assert [before[number].offset for number in placed] == [after[number].offset for number in placed]


@given(
    st.sampled_from([Anywhere(), Sequential(0.9), HotSpot(0.1, 0.9), HotSpot(1.0, 0.5), Zipf(1.1)]),
    st.integers(1, 400),
    st.sampled_from([512, 4096]),
    st.integers(1, 100_000),
    st.integers(1, 100_000),
)
def test_requests_lie_within_the_volume_in_whole_sectors(
    places: AnyPlaces, sector_count: int, sector_bytes: int, size: int, block: int
) -> None:
    workload = Synthetic({"read": 1.0, "write": 1.0}, {size: 1.0}, places, block)
    for request in requests_of(workload, 1100, sector_count * sector_bytes, sector_bytes):
        assert request.offset % sector_bytes == request.length % sector_bytes == 0
        assert request.length > 0
        assert request.offset + request.length <= sector_count * sector_bytes


@pytest.mark.parametrize(("is_incremental", "verb"), [(False, "scan"), (True, "scan-changes")])
def test_a_backup_asks_for_scans(is_incremental: bool, verb: str) -> None:
    backup = Backup(is_incremental, 100_000, rest_us=20.0, pause_us=3.0, pass_count=2, age=2)
    assert requests_of(backup, 10) == [HostRequest(20_000, verb, 0, 100_352, 2, 3_000)] * 2
    assert len(requests_of(msgspec.structs.replace(backup, pass_count=0), 10)) == 10


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Poisson(0.0), "rate_per_second"),
        (lambda: Bursty(1.0, 0.5, 2.0), "burst_count"),
        (lambda: Bursty(1.0, 2.0, 0.5), "speed_up"),
        (lambda: Even(-1.0), "gap_us"),
        (lambda: Zipf(-1.0), "exponent"),
        (lambda: HotSpot(1.5, 0.5), "space_share"),
        (lambda: Synthetic({}), "verbs"),
        (lambda: Synthetic({"reed": 1.0}), "'reed' is none of read, write"),
        (lambda: Synthetic({"read": -1.0}), "verbs"),
        (lambda: Synthetic({"read": 1.0}, {0: 1.0}), "sizes"),
        (lambda: Synthetic({"read": 1.0}, client_count=0), "client_count"),
        (lambda: Backup(request_bytes=0), "request_bytes"),
        (lambda: Backup(pass_count=-1), "pass_count"),
        (lambda: Backup(rest_us=-1.0), "rest_us"),
    ],
)
def test_what_cannot_be_is_refused(make, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(WorkloadError, match=words):
        make()
