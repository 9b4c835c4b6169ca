"""The matrix of actions: what a pair is, which phases it meets, and that bugs show in it."""

from __future__ import annotations

from itertools import product

import pytest

from shadowshare.verify.exploration.search import Budget
from shadowshare.verify.explorer import explore
from shadowshare.verify.matrix.actions import (
    ACTIONS,
    PAIRS,
    Pair,
    UnknownPair,
    pair_named,
    scenario_named,
    scenario_of,
)
from shadowshare.verify.matrix.matrix import explore_pair
from shadowshare.verify.matrix.phases import AGAIN, PHASES, RELOAD
from shadowshare.verify.mutants.catalogue import mutant

SMALL = "write+delete"


def test_every_two_actions_are_a_pair_once() -> None:
    assert {frozenset(pair) for pair in PAIRS} == {frozenset(names) for names in product(ACTIONS, repeat=2)}
    assert len({frozenset(pair) for pair in PAIRS}) == len(PAIRS)


@pytest.mark.parametrize("pair", PAIRS, ids=[pair.name for pair in PAIRS])
def test_a_pair_is_a_scenario_that_can_be_named(pair: Pair) -> None:

    scenario = scenario_of(pair_named(pair.name))
    assert scenario_named(scenario.name) == scenario
    assert any(plan.role == "passive" for plan in scenario.hosts)


def test_a_pair_has_a_name_in_either_order() -> None:
    assert pair_named("delete+write") == pair_named("write+delete")
    for wrong in ("write", "write+", "write+shrink", "write+delete+crash", ""):
        with pytest.raises(UnknownPair, match="write, create"):
            pair_named(wrong)


def test_all_phases_but_reload_are_met_where_nothing_is_lost() -> None:
    found = explore_pair(pair_named(SMALL))
    assert found.verdict == "verified"
    assert set(found.phases) == set(PHASES) - {RELOAD}


def test_a_reload_is_met_where_a_block_is_lost() -> None:
    assert RELOAD in explore_pair(pair_named("create+crash")).phases


def test_what_a_search_does_not_come_to_is_not_met() -> None:
    found = explore_pair(pair_named(SMALL), budget=Budget(40))
    assert found.verdict == "unknown"
    assert AGAIN not in found.phases


@pytest.mark.parametrize(
    ("pair", "name", "rule"),
    [
        ("write+write", "no-recheck", "image"),
        ("write+create", "creation-without-drain", "image"),
        ("write+delete", "early-slot-reuse", "image"),
        ("write+crash", "no-flush-after-entry", "image"),
        ("create+crash", "no-fence", "error"),
        ("turnover+crash", "no-takeover", "fence"),
        ("delete+crash", "forgets-used-slots", "image"),
        ("delete+revert", "revert-looks-before-its-turn", "error"),
    ],
)
def test_bugs_show_in_pairs(pair: str, name: str, rule: str) -> None:
    found = explore_pair(pair_named(pair), mutant(name).implementation)
    assert found.violation is not None
    assert found.violation.rule == rule
    assert found.schedule is not None
    assert found.schedule.startswith(f"s1/{pair_named(pair).scenario_name}/")


def test_the_scenario_of_a_pair_can_be_explored_as_any_other() -> None:
    pair = pair_named(SMALL)
    assert explore(scenario_of(pair)).state_count == explore_pair(pair).state_count
