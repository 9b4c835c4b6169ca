"""Detection: quantiles of runs that may not have found it, what is measured, and the same with several processes."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadowshare.models.computers import Implementation
from shadowshare.scenarios.catalogue import built_in
from shadowshare.sim.schedule import parse_schedule
from shadowshare.verify import detection
from shadowshare.verify.censored import Run, censored_quantile
from shadowshare.verify.counterexamples.counterexample import replay
from shadowshare.verify.detection import (
    Detection,
    DetectionPlan,
    Executions,
    check_strategies,
    detect,
    detect_all,
    drawing_strategy_names,
)
from shadowshare.verify.exploration.search import Budget
from shadowshare.verify.explorer import explore
from shadowshare.verify.mutants.catalogue import Mutant, UnknownMutant, mutant
from shadowshare.verify.race import Race
from shadowshare.verify.strategies.catalogue import StrategyError, make_strategy
from shadowshare.verify.strategies.random_walk import RandomWalk

HARMLESS = Mutant("harmless", "Nothing is wrong.", "reader-before-volume-read", Implementation())
LIMIT = 100


def untimed(found: Detection) -> Detection:
    """Without what differs from one time to the next."""
    executions = {name: one._replace(run_seconds=()) for name, one in found.executions.items()}
    return replace(found, seconds=0.0, executions=executions)


# -- censored runs -----------------------------------------------------------------------------------------------


def test_quantiles_of_runs_that_all_found_it() -> None:
    found = Executions((9, 1, 5, 3, 7), LIMIT)
    assert (found.spread, found.found_count) == ((3, 5, 7), 5)


def test_a_run_that_found_nothing_needs_more_than_any_that_did() -> None:
    found = Executions((9, None, 5, None, 7), LIMIT)
    assert (found.spread, found.found_count) == ((7, 9, None), 3)
    assert Executions((1, None), LIMIT).spread.median == 1
    assert Executions((1, None, None), LIMIT).spread.median is None
    assert Executions((None,), LIMIT).spread.low is None


def test_times_are_censored_where_each_run_ended() -> None:
    found = Executions((3, None, 5, None), LIMIT, (1.0, 2.0, 3.0, 4.0))
    assert found.seconds_spread == (1.0, 3.0, None), (
        "the run that ended at 2 says nothing of what comes later"
    )
    assert Executions((3, None), LIMIT, (2.0, 1.0)).seconds_spread.low == 2.0
    assert Executions((None, None), LIMIT, (2.0, 1.0)).seconds_spread.low is None


def kaplan_meier(runs: list[Run], share: Fraction) -> float | None:
    """The estimate by its definition: at each value, the share of those still at risk who go on."""
    surviving = Fraction(1)
    for value in sorted({run.value for run in runs}):
        at_risk = sum(run.value >= value for run in runs)
        surviving *= 1 - Fraction(sum(run == (value, True) for run in runs), at_risk)
        if surviving <= 1 - share:
            return value
    return None


SHARES = st.sampled_from([Fraction(1, 4), Fraction(1, 2), Fraction(3, 4), Fraction(1)])


@given(st.lists(st.builds(Run, st.integers(1, 9), st.booleans()), min_size=1, max_size=12), SHARES)
def test_quantiles_are_those_of_kaplan_and_meier(runs: list[Run], share: Fraction) -> None:
    assert censored_quantile(runs, share) == kaplan_meier(runs, share)


@given(st.lists(st.none() | st.integers(1, LIMIT), min_size=1, max_size=12), SHARES)
def test_with_one_limit_the_share_of_all_runs_found_it_within_the_quantile(
    counts: list[int | None], share: Fraction
) -> None:
    ordered = sorted(count for count in counts if count is not None)
    wanted = ceil(share * len(counts))
    expected = ordered[wanted - 1] if wanted <= len(ordered) else None
    assert Executions(tuple(counts), LIMIT).quantile(share) == expected


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
    assert len(found.run_seconds) == 4
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
