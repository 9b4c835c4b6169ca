"""Model files say what the model says, both ways; what is wrong with one is said at once, with its place."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadowshare.models.latency.built_in import MODELS, AnyModel
from shadowshare.models.latency.disk_drive import HP_97560
from shadowshare.models.latency.distributions import (
    Component,
    Constant,
    Empirical,
    Exponential,
    LognormalMixture,
    Uniform,
)
from shadowshare.models.latency.episodes import Episode, WithEpisodes
from shadowshare.models.latency.errors import ModelError
from shadowshare.models.latency.flash import SLC_FLASH
from shadowshare.models.latency.goodness import goodness_of_fit
from shadowshare.models.latency.model_file import Source, find_model, load_model, model_as_toml, parse_model
from shadowshare.models.latency.network import Network
from shadowshare.models.latency.sampled import Sampled, SizeClass

TIMES = st.floats(0.001, 1e9)
COMPONENTS = st.builds(Component, st.just(1.0), TIMES, st.floats(0.01, 5))
DISTRIBUTIONS = st.one_of(
    st.builds(Constant, TIMES),
    st.builds(lambda low, width: Uniform(low, low + width), TIMES, TIMES),
    st.builds(Exponential, TIMES),
    st.builds(lambda component: LognormalMixture((component,)), COMPONENTS),
    st.builds(lambda low, step: Empirical((0.0, 0.5, 1.0), (low, low, low + step)), TIMES, TIMES),
)
FITS = st.none() | st.builds(
    lambda distribution: goodness_of_fit(np.array([5, 10, 10_000] * 20), distribution), DISTRIBUTIONS
)
CLASSES = st.lists(st.builds(SizeClass, DISTRIBUTIONS, st.integers(0, 1 << 30), FITS), min_size=1, max_size=3)
SAMPLED = st.builds(
    lambda read, write, flush: Sampled(
        tuple({one.size_bytes: one for one in read}.values()),
        tuple({one.size_bytes: one for one in write}.values()),
        tuple(flush[:1]),
    ),
    CLASSES,
    CLASSES | st.just([]),
    CLASSES | st.just([]),
)
DEVICES = SAMPLED | st.just(HP_97560) | st.just(SLC_FLASH)
NETWORKS = st.builds(Network, DEVICES, DISTRIBUTIONS, st.floats(1e3, 1e12))
EPISODES = st.builds(
    lambda shape, first, lasts, factor: Episode(shape, first, lasts, factor, lasts * 3, at_random=True),
    st.sampled_from(["stall", "slow", "ramp"]),
    st.floats(0, 1e6),
    st.floats(0.01, 1e5),
    st.floats(1, 1e3),
)
ANY_MODEL: st.SearchStrategy[AnyModel] = (
    DEVICES
    | NETWORKS
    | st.builds(WithEpisodes, DEVICES | NETWORKS, st.lists(EPISODES, max_size=3).map(tuple))
)
SOURCES = st.none() | st.builds(Source, st.text(), st.text(), st.text(), st.none() | st.floats(0, 1))


@given(ANY_MODEL, SOURCES)
def test_a_model_comes_back_from_its_file(model: AnyModel, source: Source | None) -> None:
    assert parse_model(model_as_toml(model, source)) == (model, source)


@pytest.mark.parametrize("name", MODELS)
def test_built_in_models_can_be_written_and_found(name: str, tmp_path: Path) -> None:
    path = tmp_path / "model.toml"
    path.write_text(model_as_toml(find_model(name)), encoding="utf-8")
    assert find_model(str(path)) == MODELS[name]


GOOD = model_as_toml(MODELS["storage-area-network"])


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("format = 1", "format = 2", "format: must be 1"),
        ("format = 1", "", "format: must be 1"),
        ('model = "network"', 'model = "net"', "model: must not be 'net', but one of sampled, disk-drive"),
        ('model = "network"', "", "model: is missing, and must be one of sampled"),
        ("sigma = 0.112", "sigma = -1", r"behind.read\[0\].latency.components\[0\]: sigma must be above 0"),
        ("sigma = 0.112", 'sigma = "x"', r"components\[0\].sigma: must be `float`, not `str`"),
        ("sigma = 0.112", "sigmas = 0.112", r"sigmas: there is no such field.*sigma: is missing"),
        ("weight = 0.969", "weight = 0.5", "weights of components must add up to 1"),
        ("[hop]", "[[hop]]", "hop: must be a table"),
        ("frame_bytes = 1460", "frame_bytes = 0", "frame_bytes must be from 1"),
        ("format = 1", "format =", "this is not TOML: .*line 1"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(old: str, new: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "model.toml"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ModelError, match=words) as caught:
        load_model(path)
    assert str(caught.value).startswith(f"{path}: ")


@given(st.text() | st.text(alphabet="[]{}=\"'\\\n#a1.").map(lambda text: "format = 1\n" + text))
def test_any_text_is_a_model_or_one_error(text: str) -> None:
    with contextlib.suppress(ModelError):
        parse_model(text)


@given(st.data())
def test_a_damaged_file_is_a_model_or_one_error(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(GOOD) - 1))
    length = data.draw(st.integers(0, 20))
    text = GOOD[:place] + data.draw(st.text(max_size=5)) + GOOD[place + length :]
    with contextlib.suppress(ModelError):
        parse_model(text)


def test_a_name_that_is_none_says_which_there_are() -> None:
    with pytest.raises(ModelError, match=r"no-such.*built-in.*hp-97560"):
        find_model("no-such")


def test_a_file_that_is_too_large_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "large.toml"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ModelError, match="more than 16777216 bytes"):
        load_model(path)
