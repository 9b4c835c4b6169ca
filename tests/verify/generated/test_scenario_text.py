"""What is written of a scenario reads back as an equal one."""

from __future__ import annotations

import pytest
from hypothesis import given

from shadowshare.scenarios.catalogue import built_in, built_in_names
from shadowshare.scenarios.definition import Scenario, ScenarioError, edit, parse_scenario
from shadowshare.verify.generated.races import races
from shadowshare.verify.generated.scenario_text import to_toml

TASKS_WITHOUT_STEPS = """
name = "tasks-without-steps"
story = "Quotes \\" and \\\\ backslashes, über alles."
expected = "violated"
catch_up_blocks = 7
before = ["R: open"]

[disk]
sectors_tear = true

[store]
own_device = true

[race]
W = [[], ["write 0"]]
R = [[]]
"""


@pytest.mark.parametrize("name", built_in_names())
def test_every_built_in_scenario(name: str) -> None:
    assert parse_scenario(to_toml(built_in(name))) == built_in(name)


def test_whatever_else_a_file_can_say() -> None:
    scenario = parse_scenario(TASKS_WITHOUT_STEPS)
    assert parse_scenario(to_toml(scenario)) == scenario


@given(races())
def test_every_generated_race(race: Scenario) -> None:
    assert parse_scenario(to_toml(race)) == race


def test_what_is_as_by_default_is_left_out() -> None:
    text = to_toml(built_in("writer-overtakes-recheck"))
    assert [line for line in text.splitlines() if line.startswith("[")] == ["[race]"]
    assert "catch_up_blocks" not in text


@pytest.mark.parametrize(
    "changes",
    [{"shadow_copies": {}}, {"story": "two\nlines"}, {"before": ("W", "W", "W", "W", "R")}],
    ids=["another meaning", "text that no file may have", "a step that is not there"],
)
def test_what_no_file_describes_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ScenarioError, match="'writer-overtakes-recheck' cannot be written as a file"):
        to_toml(edit(built_in("writer-overtakes-recheck"), **changes))
