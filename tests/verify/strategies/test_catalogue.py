"""Strategies by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from shadowshare.protocol.errors import ShadowshareError
from shadowshare.verify.exploration.search import Budget
from shadowshare.verify.strategies.catalogue import StrategyError, make_strategy, strategy_names
from shadowshare.verify.strategies.pct import PriorityWalk
from shadowshare.verify.strategies.preemption_bounded import PreemptionBounded
from shadowshare.verify.strategies.random_walk import RandomWalk
from shadowshare.verify.tasks import explore
from tests.verify.strategies.setups import copies


@pytest.mark.parametrize("name", strategy_names())
def test_each_name_is_that_of_its_strategy(name: str) -> None:
    assert make_strategy(name).name == name


def test_options_are_handed_on_and_none_means_the_default() -> None:
    pct = make_strategy("pct", seed=5, depth=4, preemptions=None)
    assert isinstance(pct, PriorityWalk)
    assert (pct.seed, pct.depth) == (5, 4)
    assert vars(make_strategy("pct"))["depth"] == PriorityWalk().depth
    bounded = make_strategy("preemption-bounded", preemptions=0)
    assert isinstance(bounded, PreemptionBounded)
    assert bounded.preemptions == 0


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "pctt",
            {},
            r"there is no strategy 'pctt': take one of exhaustive, random, .*, or your own as module:Class",
        ),
        ("random", {"depth": 2}, "strategy 'random' has no option 'depth': it takes seed"),
        ("pct", {"preemptions": 2}, "strategy 'pct' has no option 'preemptions': it takes seed and depth"),
        ("exhaustive", {"seed": 2}, "strategy 'exhaustive' has no option 'seed': it takes none"),
        ("pct", {"depth": 0}, "strategy 'pct': a depth of 0: it is 1 at least"),
        (
            "preemption-bounded",
            {"preemptions": -1},
            "'preemption-bounded': a bound of -1 preemptions: it is 0 at",
        ),
        (
            "no_such_module:Own",
            {},
            r"'no_such_module:Own': module 'no_such_module' cannot be imported \(Module.*PATH",
        ),
        ("json:Own", {}, "strategy 'json:Own': module 'json' has no class 'Own'"),
        ("json:JSONDecoder", {"depth": 2}, "'json:JSONDecoder' cannot be made with depth=2: .*depth"),
        ("json:JSONDecoder", {}, "strategy 'json:JSONDecoder' is none: it has no 'name'"),
    ],
)
def test_refusals(name: str, options: dict[str, int], message: str) -> None:
    with pytest.raises(StrategyError, match=message) as refused:
        make_strategy(name, **options)
    assert isinstance(refused.value, ShadowshareError)


OWN = """
from shadowshare.verify.strategies.strategy import Sampler

class Last(Sampler):
    '''Always the last one.'''

    name = "last"

    def choose(self, state, moves):
        return moves[-1]

class NoRun:
    name = "no-run"
    is_sampling = True
"""


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "own_strategies.py").write_text(OWN, encoding="utf-8")
    (tmp_path / "broken_strategies.py").write_text("1 / 0\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return "own_strategies"


def test_your_own_is_imported(own_module: str) -> None:
    strategy = make_strategy(f"{own_module}:Last", seed=3)
    assert (strategy.name, vars(strategy)["seed"]) == ("last", 3)
    found = explore(copies(), strategy=strategy, budget=Budget(execution_count=2))
    assert (found.verdict, found.execution_count) == ("unknown", 2)


def test_your_own_that_is_no_strategy_is_refused(own_module: str) -> None:
    with pytest.raises(StrategyError, match="'own_strategies:NoRun' is none: it has no 'run'"):
        make_strategy(f"{own_module}:NoRun")
    with pytest.raises(StrategyError, match=r"'broken_strategies' cannot be imported \(ZeroDivisionError: "):
        make_strategy("broken_strategies:Last")


def test_a_seed_of_a_name_is_that_of_the_class() -> None:
    budget = Budget(execution_count=30)
    named = explore(copies(), strategy=make_strategy("random", seed=4), budget=budget)
    assert named == explore(copies(), strategy=RandomWalk(4), budget=budget)
