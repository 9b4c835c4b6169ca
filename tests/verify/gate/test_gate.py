"""The gate as a whole, on few checks."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from multiprocessing import active_children
from threading import enumerate as running_threads
from typing import Any

import pytest

from shadowshare.reports.gate import gate_json
from shadowshare.scenarios.catalogue import built_in
from shadowshare.verify.gate.check import Check, GateResult
from shadowshare.verify.gate.gate import MARKS_NOT_REACHED_HERE, run_gate
from shadowshare.verify.gate.plan import (
    GENERATED_RACE_COUNT,
    QUICK_STATE_COUNT,
    GatePlan,
    fixed_tasks,
    generated_tasks,
)
from shadowshare.verify.gate.work import check_scope
from shadowshare.verify.mutants.catalogue import mutant

LARGE = "two-tasks-follow-a-seal"
SMALL = GatePlan(
    scenarios=[built_in("reader-before-volume-read"), built_in(LARGE), built_in("assumed-fence-holds")],
    mutants=["no-recheck", "cached-recheck"],
    race_count=2,
    seed=12,
)
RED = replace(SMALL, implementation=mutant("no-recheck").implementation)


def replayable(result: GateResult) -> dict[str, Any]:
    """All that a second run must say, too."""
    told = gate_json(result, lambda check: check.schedule or "")
    del told["measured"]
    return told


@pytest.fixture(scope="module")
def green() -> GateResult:
    return run_gate(SMALL)


@pytest.fixture(scope="module")
def red() -> GateResult:
    return run_gate(RED)


def test_all_stages_are_checked_and_rare_paths_are_missed(green: GateResult) -> None:
    assert [check.verdict for check in green.checks] == ["verified"] * len(green.checks)
    assert {check.stage for check in green.checks} == {"scopes", "determinism", "mutants", "generated"}
    assert green.verdict == "unknown", "so few scenarios do not reach all rare paths"
    assert green.missing_marks
    assert not {mark.name for mark in MARKS_NOT_REACHED_HERE}.intersection(green.missing_marks)
    assert green.total("generated", "races") == 2


def test_a_scenario_with_many_states_is_explored_to_its_end_all_the_same(green: GateResult) -> None:
    (check,) = [check for check in green.of_stage("scopes") if check.name == LARGE]
    assert check.figures["states"] > QUICK_STATE_COUNT


def test_a_bug_turns_it_red_and_ends_it(red: GateResult) -> None:
    assert red.verdict == "violated"
    assert any("reader-before-volume-read" in reason for reason in red.reasons)
    assert red.left_out == ("2 of scopes", "3 of determinism", "2 of mutants", "1 of generated")


def test_a_second_run_says_the_same_with_more_processes_or_fewer(green: GateResult, red: GateResult) -> None:
    told: list[str] = []
    again = run_gate(replace(SMALL, jobs=1), lambda check, waiting: told.append(check.name))
    assert replayable(again) == replayable(green)
    assert len(told) == len(again.checks)
    assert replayable(run_gate(replace(RED, jobs=3))) == replayable(red)


def test_nothing_of_it_runs_on_when_it_has_ended() -> None:
    before = set(running_threads())
    run_gate(replace(RED, jobs=3))
    assert set(running_threads()) <= before, "Python ends beside a thread that closes a pipe"
    assert not active_children()


def test_it_goes_on_if_it_shall() -> None:
    result = run_gate(replace(RED, keeps_going=True, race_count=1))
    assert result.verdict == "violated"
    assert result.left_out == ()
    assert {check.stage for check in result.checks} == {"scopes", "determinism", "mutants", "generated"}
    assert len(result.of_stage("scopes")) == len(RED.scenarios)


def _violated(name: str) -> Check:
    return Check("regressions", name, "violated")


def test_of_two_violations_the_first_in_order_counts() -> None:
    """However soon the others are found: exploring takes longer than what stands behind it."""
    longer = partial(check_scope, built_in("reader-before-volume-read"), RED.implementation)
    works = [longer, partial(_violated, "a"), partial(_violated, "b")]
    (check,) = run_gate(replace(SMALL, regressions=works, jobs=3)).checks
    assert check.stage == "scopes"


@pytest.mark.parametrize(("share", "count"), [(1.0, 2), (0.5, 1), (0.01, 1)])
def test_mutants_take_turns(share: float, count: int) -> None:
    names = set()
    for seed in range(2):
        plan = replace(SMALL, mutant_share=share, seed=seed)
        mutants = [task.work for task in fixed_tasks(plan) if task.stage == "mutants"]
        assert len(mutants) == count
        names |= {work.args[0] for work in mutants}  # type: ignore[attr-defined]
    assert names == {"no-recheck", "cached-recheck"}


@pytest.mark.parametrize("race_count", [1, 8, 9, 20])
def test_as_many_races_as_wanted(race_count: int) -> None:
    tasks = list(generated_tasks(replace(SMALL, race_count=race_count)))
    counts = [task.work.args[1] for task in tasks]  # type: ignore[attr-defined]
    assert sum(counts) == race_count
    assert max(counts) <= GENERATED_RACE_COUNT
    assert len({task.work.args[0] for task in tasks}) == len(tasks)  # type: ignore[attr-defined]
