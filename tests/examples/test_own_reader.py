"""The example of a reader of one's own has all that a scenario may ask of a passive, and is right."""

from __future__ import annotations

import pytest
from examples.own_reader import careful, naive

from shadowshare.models.steps import PASSIVE_VERBS
from shadowshare.scenarios.catalogue import built_in
from shadowshare.verify.gate.work import check_scope

SCENARIOS = (
    "reader-before-volume-read",
    "ghost-of-a-copy",
    "changed-extents",
    "listing",
    "opening-during-power-loss",
)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_careful_reader_is_verified(name: str) -> None:
    assert check_scope(built_in(name), careful).verdict == "verified"


def test_the_naive_reader_is_violated() -> None:
    assert check_scope(built_in("reader-before-volume-read"), naive).verdict == "violated"


def test_a_passive_is_asked_for_everything_that_a_scenario_can_say() -> None:
    plans = [plan for name in SCENARIOS for plan in built_in(name).hosts if plan.role == "passive"]
    asked = {step.verb for plan in plans for script in plan.scripts for step in script}
    assert asked == set(PASSIVE_VERBS)
