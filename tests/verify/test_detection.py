"""Detection: quantiles of runs that may not have found it, what is measured, and the same with several processes."""

from __future__ import annotations

import itertools
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadowshare.models.computers import Implementation
from shadowshare.scenarios.catalogue import built_in
from shadowshare.sim.schedule import parse_schedule
from shadowshare.verify import detection
from shadowshare.verify.counterexample import replay
from shadowshare.verify.detection import (
    Detection,
    DetectionPlan,
    Executions,
    check_strategies,
    detect,
    detect_all,
    drawing_strategy_names,
)
from shadowshare.verify.explorer import explore
from shadowshare.verify.mutants.catalogue import Mutant, UnknownMutant, mutant
from shadowshare.verify.race import Race
from shadowshare.verify.search import Budget
from shadowshare.verify.strategies.catalogue import StrategyError, make_strategy
from shadowshare.verify.strategies.random_walk import RandomWalk

HARMLESS = Mutant("harmless", "Nothing is wrong.", "reader-before-volume-read", Implementation())
LIMIT = 100


def untimed(found: Detection) -> Detection:
    """Without what differs from one time to the next."""
    executions = {name: one._replace(seconds=0.0) for name, one in found.executions.items()}
    return replace(found, seconds=0.0, executions=executions)


# -- censored counts ---------------------------------------------------------------------------------------------


def test_quantiles_of_runs_that_all_found_it() -> None:
    found = Executions((9, 1, 5, 3, 7), LIMIT, 0.0)
    assert (found.low, found.median, found.high, found.found_count) == (3, 5, 7, 5)


def test_a_run_that_found_nothing_needs_more_than_any_that_did() -> None:
    found = Executions((9, None, 5, None, 7), LIMIT, 0.0)
    assert (found.low, found.median, found.high, found.found_count) == (7, 9, None, 3)
    assert Executions((1, None), LIMIT, 0.0).median == 1
    assert Executions((1, None, None), LIMIT, 0.0).median is None
    assert Executions((None,), LIMIT, 0.0).low is None


def kaplan_meier(counts: tuple[int | None, ...], share: Fraction) -> int | None:
    """The estimate by its definition: the product over all times of the share of those at risk who go on."""
    surviving, at_risk = Fraction(1), len(counts)
    times = sorted(count for count in counts if count is not None)
    for time, finds in itertools.groupby(times):
        found_count = len(list(finds))
        surviving *= 1 - Fraction(found_count, at_risk)
        at_risk -= found_count
        if surviving <= 1 - share:
            return time
    return None


@given(
    st.lists(st.none() | st.integers(1, LIMIT), min_size=1, max_size=12),
    st.sampled_from([Fraction(1, 4), Fraction(1, 2), Fraction(3, 4), Fraction(1)]),
)
def test_quantiles_are_those_of_kaplan_and_meier(counts: list[int | None], share: Fraction) -> None:
    found = Executions(tuple(counts), LIMIT, 0.0)
    assert found.quantile(share) == kaplan_meier(found.counts, share)


# -- one mutant --------------------------------------------------------------------------------------------------


def test_what_is_known_of_a_mutant() -> None:
    bug = mutant("hit-without-catch-up")
    exploration = explore(built_in(bug.scenario), bug.implementation)
    found = detect(bug.name)
    assert found.is_killed
    assert (found.scenario, found.caught_by) == (bug.scenario, "image")
    assert (found.state_count, found.shortest_steps) == (exploration.state_count, len(exploration.labels))
    assert found.schedule is not None
    labels = parse_schedule(found.schedule).labels
    assert replay(built_in(bug.scenario), labels, bug.implementation).violation == exploration.violation
    assert not found.executions


def test_each_seed_is_a_run_of_its_own() -> None:
    bug = mutant("cached-recheck")
    found = detect(bug.name, DetectionPlan(("random",), 4, 500)).executions["random"]
    expected = []
    for seed in range(4):
        product = Race(built_in(bug.scenario), bug.implementation).product
        walk = RandomWalk(seed).run(product, Budget(execution_count=500))
        expected.append(walk.execution_count if walk.violation else None)
    assert found.counts == tuple(expected)
    assert len(set(expected)) > 1, "all seeds alike would not show whether each was used"


def test_a_run_that_finds_nothing_is_censored() -> None:
    found = detect("own-catch-up-only", DetectionPlan(("random",), 5, 40)).executions["random"]
    assert None in found.counts
    assert all(count is None or count <= 40 for count in found.counts)
    assert found.limit == 40


def test_a_mutant_that_survives_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detection, "mutant", lambda name: HARMLESS)
    found = detect("harmless")
    assert (found.verdict, found.caught_by, found.schedule) == ("verified", None, None)
    assert not found.is_killed


def test_a_search_that_does_not_end_is_unknown() -> None:
    found = detect("no-fence", DetectionPlan(state_count_maximum=10))
    assert (found.verdict, found.is_killed) == ("unknown", False)
    assert found.reason.startswith("stopped after")


# -- strategies --------------------------------------------------------------------------------------------------


def test_strategies_that_draw_schedules() -> None:
    assert {"random", "pct", "pos", "urw"} <= set(drawing_strategy_names())
    assert "exhaustive" not in drawing_strategy_names()
    found = detect("no-recheck", DetectionPlan(tuple(drawing_strategy_names()), 2, 200))
    assert list(found.executions) == drawing_strategy_names()
    assert all(one.found_count for one in found.executions.values())


@pytest.mark.parametrize("name", ["exhaustive", "source-dpor", "preemption-bounded"])
def test_other_strategies_are_refused(name: str) -> None:
    make_strategy(name)
    with pytest.raises(StrategyError, match=r"draws no schedules.*random"):
        check_strategies([name])


def test_a_strategy_of_ones_own() -> None:
    own = "shadowshare.verify.strategies.random_walk:RandomWalk"
    assert detect("no-recheck", DetectionPlan((own,), 2, 200)).executions[own].found_count == 2
    with pytest.raises(StrategyError, match="cannot be made with seed=0"):
        check_strategies(["shadowshare.verify.strategies.exhaustive:Exhaustive"])


def test_an_unknown_strategy_is_refused() -> None:
    with pytest.raises(StrategyError, match="there is no strategy 'luck'"):
        check_strategies(["random", "luck"])


# -- several -----------------------------------------------------------------------------------------------------


def test_several_processes_find_the_same_in_the_same_order() -> None:
    names = ["no-recheck", "no-fence", "first-run-only", "no-recheck"]
    plan = DetectionPlan(("random",), 3, 100)
    alone = [untimed(found) for found in detect_all(names, plan)]
    assert [found.name for found in alone] == ["no-recheck", "no-fence", "first-run-only"]
    assert [untimed(found) for found in detect_all(names, plan, jobs=2)] == alone


@pytest.mark.parametrize("jobs", [1, 2])
def test_nothing_is_run_if_one_is_unknown(jobs: int) -> None:
    with pytest.raises(UnknownMutant):
        next(detect_all(["no-recheck", "no-such"], jobs=jobs))
    with pytest.raises(StrategyError):
        next(detect_all(["no-recheck"], DetectionPlan(("luck",)), jobs))


def test_who_wants_no_more_results_does_not_wait_for_them() -> None:
    plan = DetectionPlan(("random",), 1, 10**9)
    found = detect_all(["no-recheck", "hit-survives-reload"], plan, jobs=2)
    assert next(found).name == "no-recheck"
    found.close()
