"""The example of an active of one's own has all that a scenario may ask of an active, and is right."""

from __future__ import annotations

import pytest
from examples.own_active import Rare, careful, naive

from shadowshare.models.computers import ACTIVE_MARKS, PASSIVE_MARKS, Implementation
from shadowshare.models.steps import ACTIVE_VERBS
from shadowshare.protocol.recovery import Recovery
from shadowshare.scenarios.catalogue import built_in
from shadowshare.verify.gate.work import check_scope

REACHES = {
    "area-is-full": Rare.COPY_FAILED,
    "flush-fails": Rare.STOPPED,
    "write-error-lands-late": Rare.REFUSED_IN_DOUBT,
    "policy-takes-effect": None,
    "revert-among-others": None,
    "grow-among-writers": None,
    "discard-and-zeroes": None,
    "two-writers-one-extent": None,
    "crash-before-journal": None,
    "fault-stale-read": None,
}
"""Scenarios, and the rare path of the example that each is known to take."""


@pytest.mark.parametrize("name", REACHES)
def test_the_careful_active_is_verified_and_takes_its_rare_paths(name: str) -> None:
    check = check_scope(built_in(name), careful)
    assert check.verdict == "verified"
    mark = REACHES[name]
    assert mark is None or mark.name in check.marks


def test_the_naive_active_is_violated() -> None:
    check = check_scope(built_in("reader-before-volume-read"), naive)
    assert check.verdict == "violated"
    assert "the image is initial" in check.reason


def test_an_active_is_asked_for_everything_that_a_scenario_can_say() -> None:
    plans = [plan for name in REACHES for plan in built_in(name).hosts if plan.role == "active"]
    asked = {step.verb for plan in plans for script in plan.scripts for step in script}
    assert asked >= set(ACTIVE_VERBS)


def test_of_replaced_code_only_its_own_rare_paths_are_asked() -> None:
    assert careful.marks == PASSIVE_MARKS | set(Rare)
    assert Implementation().marks == PASSIVE_MARKS | ACTIVE_MARKS
    both = Implementation(recovery=Recovery, own_marks=frozenset(Rare))
    assert both.marks == PASSIVE_MARKS | ACTIVE_MARKS | set(Rare)
