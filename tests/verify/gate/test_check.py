"""One place makes the gate's verdict; nothing that is missing is green."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shadowshare.verify.gate.check import STAGES, Check, GateResult

GOOD = tuple(Check(stage, f"a {stage}", "verified", figures={"races": 5}) for stage in STAGES)


def result(*checks: Check, missing: tuple[str, ...] = (), left_out: tuple[str, ...] = ()) -> GateResult:
    return GateResult(checks, 1, missing, 2.0, left_out)


def test_everything_good_is_verified() -> None:
    assert result(*GOOD).verdict == "verified"
    assert result(*GOOD).reasons == []


@pytest.mark.parametrize("stage", STAGES)
def test_one_violation_anywhere_is_violated(stage: str) -> None:
    bad = [
        replace(check, verdict="violated", reason="wrong byte") if check.stage == stage else check
        for check in GOOD
    ]
    assert result(*bad).verdict == "violated"
    assert result(*bad).reasons == [f"{stage}: a {stage}: wrong byte"]


def test_a_violation_outweighs_what_is_unknown() -> None:
    checks = [replace(GOOD[0], verdict="unknown"), replace(GOOD[1], verdict="violated"), *GOOD[2:]]
    assert result(*checks).verdict == "violated"


@pytest.mark.parametrize("stage", STAGES)
def test_unknown_is_not_green(stage: str) -> None:
    checks = [replace(check, verdict="unknown") if check.stage == stage else check for check in GOOD]
    assert result(*checks).verdict == "unknown"


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_without_a_check_is_not_green_unless_nothing_can_have_failed_yet(stage: str) -> None:
    found = result(*[check for check in GOOD if check.stage != stage])
    assert found.verdict == ("verified" if stage == "regressions" else "unknown")
    assert bool(found.reasons) == (stage != "regressions")


def test_a_mark_that_was_not_reached_is_not_green() -> None:
    found = result(*GOOD, missing=("AREA_FULL",))
    assert found.verdict == "unknown"
    assert "AREA_FULL" in found.reasons[0]


def test_what_was_left_out_is_not_green() -> None:
    assert result(*GOOD, left_out=("3 of scopes",)).verdict == "unknown"


def test_no_check_at_all_is_not_green() -> None:
    assert result().verdict == "unknown"


def test_bounds_speak_of_generated_races_alone() -> None:
    found = result(
        *GOOD, Check("generated", "more", "verified", figures={"races": 295}, shown={frozenset("x"): 300})
    )
    assert found.total("generated", "races") == 300
    assert 0.0099 < found.violation_bound < 0.01
    assert found.unseen.share == 0.0
