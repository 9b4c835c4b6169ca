"""The gate as a whole, on few checks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shadowshare.scenarios.catalogue import built_in
from shadowshare.verify.gate.gate import MARKS_NOT_REACHED_HERE, GatePlan, fixed_work, run_gate
from shadowshare.verify.mutants.catalogue import mutant

SMALL = GatePlan(
    scenarios=[built_in("reader-before-volume-read"), built_in("assumed-fence-holds")],
    mutants=["no-recheck", "cached-recheck"],
    seconds=0,
    seed=11,
)


def test_all_stages_are_checked_and_rare_paths_are_missed() -> None:
    told: list[str] = []
    result = run_gate(SMALL, lambda check, waiting: told.append(check.name))
    assert [check.verdict for check in result.checks] == ["verified"] * len(result.checks)
    assert len(told) == len(result.checks)
    assert {check.stage for check in result.checks} == {"scopes", "determinism", "mutants", "generated"}
    assert result.verdict == "unknown", "so few scenarios do not reach all rare paths"
    assert "SLOT_DISCARDED_BY_RELOAD" in result.missing_marks
    assert not {mark.name for mark in MARKS_NOT_REACHED_HERE}.intersection(result.missing_marks)


def test_a_bug_turns_it_red_and_ends_it() -> None:
    plan = replace(SMALL, implementation=mutant("no-recheck").implementation, jobs=1)
    result = run_gate(plan)
    assert result.verdict == "violated"
    assert any("reader-before-volume-read" in reason for reason in result.reasons)
    assert result.left_out, "what was not checked is named"


@pytest.mark.parametrize(("share", "count"), [(1.0, 2), (0.5, 1), (0.01, 1)])
def test_mutants_take_turns(share: float, count: int) -> None:
    names = set()
    for seed in range(2):
        plan = replace(SMALL, mutant_share=share, seed=seed)
        mutants = [work for stage, work in fixed_work(plan) if stage == "mutants"]
        assert len(mutants) == count
        names |= {work.args[0] for work in mutants}  # type: ignore[attr-defined]
    assert names == {"no-recheck", "cached-recheck"}
