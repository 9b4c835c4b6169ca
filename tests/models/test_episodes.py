"""Episodes stretch what they meet, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadowshare.models.latency.built_in import VIRTUAL_NVME
from shadowshare.models.latency.distributions import Constant
from shadowshare.models.latency.episodes import Episode, WithEpisodes
from shadowshare.models.latency.errors import ModelError
from shadowshare.models.latency.sampled import Sampled
from shadowshare.protocol.operations import Read
from tests.models.latencies import served

MS = 1_000_000
READ = Read(0, 0, 8)


def stretched(begins_ms: float, *episodes: Episode, latency_ms: float = 10.0) -> float:
    model = WithEpisodes(Sampled.of(Constant(latency_ms * 1e3)), episodes)
    service_time = model.start(np.random.default_rng(1), 512, 1 << 20)
    return service_time(READ, round(begins_ms * MS)) / MS


STALL = Episode("stall", 100.0, 50.0)
SLOW = Episode("slow", 100.0, 50.0, factor=4.0)
RAMP = Episode("ramp", 100.0, 50.0, factor=3.0)


@pytest.mark.parametrize(
    ("episode", "begins_ms", "takes_ms"),
    [
        (STALL, 0, 10),
        (STALL, 90, 10),  # just done
        (STALL, 95, 60),  # 5 before, 5 after
        (STALL, 120, 40),
        (STALL, 150, 10),
        (SLOW, 90, 10),
        (SLOW, 96, 4 + 24),
        (SLOW, 100, 40),
        (SLOW, 130, 20 + 5),  # 20 are 5 of work
        (SLOW, 150, 10),
        (RAMP, 100, 50 / 2 * (np.exp(10 * 2 / 50) - 1)),
        (RAMP, 149.9, 0.1 + 10 - 0.1 / 3),
    ],
)
def test_what_an_episode_does(episode: Episode, begins_ms: float, takes_ms: float) -> None:
    assert stretched(begins_ms, episode) == pytest.approx(takes_ms, abs=0.001)


def test_it_comes_again() -> None:
    again = Episode("stall", 100.0, 50.0, every_ms=1000.0)
    assert stretched(5120, again) == pytest.approx(40)
    assert stretched(5200, again) == pytest.approx(10)
    assert stretched(0, again, latency_ms=1900) == pytest.approx(2000)


def test_of_two_that_overlap_the_later_one_waits() -> None:
    assert stretched(100, STALL, Episode("slow", 120.0, 20.0, factor=2.0)) == pytest.approx(50 + 20)


@given(
    st.lists(
        st.builds(
            Episode,
            st.sampled_from(["stall", "slow", "ramp"]),
            st.floats(0, 100),
            st.floats(0.01, 50),
            st.floats(1, 20),
        ),
        max_size=4,
    ),
    st.lists(st.integers(0, 300 * MS), min_size=1, max_size=20).map(sorted),
)
def test_services_end_in_the_order_in_which_they_begin_and_are_never_shorter(
    episodes: list[Episode], begins: list[int]
) -> None:
    model = WithEpisodes(Sampled.of(Constant(3000.0)), tuple(episodes))
    service_time = model.start(np.random.default_rng(1), 512, 1 << 20)
    ends = [begin + service_time(READ, begin) for begin in begins]
    assert ends == sorted(ends)
    assert all(end - begin >= 3 * MS - 1 for begin, end in zip(begins, ends, strict=True))


def test_at_random_it_comes_as_often_as_it_should() -> None:
    model = WithEpisodes(
        Sampled.of(Constant(1000.0)), (Episode("stall", 0.0, 0.5, every_ms=20.0, at_random=True),)
    )
    times = served(model, [READ] * 20_000)
    assert (times > 1_000_001).mean() == pytest.approx(1 / 20, rel=0.15)


def test_without_episodes_the_draws_are_the_same() -> None:
    late = Episode("stall", 1e9, 1.0)
    plain = served(VIRTUAL_NVME, [READ] * 100)
    assert served(WithEpisodes(VIRTUAL_NVME, (late,)), [READ] * 100).tolist() == plain.tolist()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Episode("slow", 0.0, 1.0, factor=0.5), "factor"),
        (lambda: Episode("slow", -1.0, 1.0), "first_ms"),
        (lambda: Episode("slow", 0.0, 0.0), "lasts_ms"),
        (lambda: Episode("slow", 0.0, 2.0, every_ms=1.0), "every_ms must be more"),
        (lambda: Episode("slow", 0.0, 2.0, at_random=True), "at_random needs"),
    ],
)
def test_what_cannot_be_is_refused(make, words: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ModelError, match=words):
        make()
