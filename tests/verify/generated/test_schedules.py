"""Schedules as Hypothesis draws them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given

from shadowshare.models.computers import Implementation
from shadowshare.protocol.passive import Passive
from shadowshare.scenarios.catalogue import built_in
from shadowshare.scenarios.definition import edit, load_scenario
from shadowshare.sim.schedule import parse_schedule
from shadowshare.verify.counterexamples.counterexample import replay
from shadowshare.verify.generated.schedules import (
    REMEMBERED_RACE_COUNT,
    Interleaving,
    check,
    schedules,
    walker_of,
)
from shadowshare.verify.generated.violated import Violated
from shadowshare.verify.mutants.catalogue import mutant

WRONG = mutant("cached-recheck")
SCENARIO = built_in(WRONG.scenario)
LABELS = (*["W"] * 6, "R")


def violating(
    labels: tuple[str, ...] = LABELS, implementation: Implementation = WRONG.implementation
) -> Interleaving:
    violation = replay(SCENARIO, labels, implementation).violation
    assert violation is not None
    return Interleaving(SCENARIO, implementation, labels, violation)


@given(schedules(built_in("two-writers-overlapping")))
def test_two_writers(run: Interleaving) -> None:
    check(run)


@given(schedules(built_in("life-and-crash")))
def test_a_life_with_crashes(run: Interleaving) -> None:
    check(run)


@given(schedules(built_in("ten-passives"), byte_count=128))
def test_ten_passives(run: Interleaving) -> None:
    check(run)


@given(schedules(SCENARIO))
def test_its_representation_is_its_schedule(run: Interleaving) -> None:
    assert repr(run) == run.schedule
    assert parse_schedule(run.schedule) == (SCENARIO.name, run.labels)


def test_a_violation_is_shown_step_by_step_with_its_replay() -> None:
    with pytest.raises(Violated) as raised:
        check(violating())
    text = str(raised.value)
    assert text.startswith("image is violated: shadow copy 1.1, extent 0")
    assert re.search(r"^6 +W +W +writes extent 0 of the volume +write acknowledged$", text, re.MULTILINE)
    assert "shadowshare replay 's1/reader-before-volume-read/W*6,R' --mutant cached-recheck" in text
    assert "toml" not in text


def test_of_a_scenario_that_is_not_built_in_the_file_is_shown(tmp_path: Path) -> None:
    scenario = edit(SCENARIO, name="another")
    run = violating()
    with pytest.raises(Violated) as raised:
        check(Interleaving(scenario, run.implementation, run.labels, run.violation))
    command, _, file = str(raised.value).partition("this is another.toml:\n")
    assert "--file another.toml" in command
    (tmp_path / "another.toml").write_text(file)
    assert load_scenario(tmp_path / "another.toml") == scenario


class OwnPassive(WRONG.implementation.passive):  # type: ignore[name-defined,misc]
    """A bug that no catalogue names."""


def test_of_code_without_a_name_the_classes_are_shown() -> None:
    with pytest.raises(Violated, match=r"replay \(from Python, with Recovery and OwnPassive\): s1/"):
        check(violating(implementation=Implementation(passive=OwnPassive)))
    assert issubclass(OwnPassive, Passive)


def test_equal_schedules_of_equal_scenarios_are_equal() -> None:
    assert violating() == violating()
    assert len({violating(), violating()}) == 1
    assert violating() != Interleaving(SCENARIO, Implementation(), LABELS, None)
    assert violating() != LABELS


def test_a_race_is_remembered_until_others_were_asked_for() -> None:
    first = walker_of(SCENARIO, Implementation())
    assert walker_of(built_in(SCENARIO.name), Implementation()) is first
    assert walker_of(SCENARIO, WRONG.implementation) is not first
    for number in range(REMEMBERED_RACE_COUNT):
        walker_of(edit(SCENARIO, name=f"number-{number}"), Implementation())
    assert walker_of(SCENARIO, Implementation()) is not first
