"""Every built-in scenario has its expected verdict, by every interleaving; and it reads as it should."""

import pytest

from shadowshare.models.computers import Implementation
from shadowshare.scenarios.catalogue import FOLDER, built_in, built_in_names
from shadowshare.scenarios.definition import ScenarioError
from shadowshare.verify.explorer import explore
from tests.verify.programs import walk_running


@pytest.mark.parametrize("name", built_in_names())
def test_verdict_is_the_expected_one(name: str) -> None:
    scenario = built_in(name)
    exploration = explore(scenario)
    assert exploration.verdict == scenario.expected, exploration.violation
    if scenario.expected == "verified":
        assert exploration.is_exhausted
        assert exploration.schedule_count is not None
        assert exploration.schedule_count > 1, "a scenario with one schedule is no race"


@pytest.mark.parametrize("name", [name for name in built_in_names() if built_in(name).expected == "verified"])
def test_random_schedules_of_running_code_find_nothing_either(name: str) -> None:
    for seed in range(30):
        _, world = walk_running(built_in(name), seed)
        assert world.watcher.violation is None


@pytest.mark.parametrize("name", built_in_names())
def test_story_and_name(name: str) -> None:
    scenario = built_in(name)
    assert scenario.name == name == (FOLDER / f"{name}.toml").stem
    assert scenario.story.endswith(".")
    assert 80 <= len(scenario.story) <= 400, "a story is some two sentences"


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ScenarioError, match="slot-reuse-during-read"):
        built_in("slot-reuse")


def test_the_same_exploration_twice_is_the_same() -> None:
    scenario = built_in("crash-before-volume-write")
    assert explore(scenario, Implementation()) == explore(scenario, Implementation())
