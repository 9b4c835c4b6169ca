"""The explorer against a search that runs every schedule anew, and against itself with its reductions off."""

import pytest

from shadowshare.scenarios.catalogue import built_in, built_in_names
from shadowshare.scenarios.definition import Scenario
from shadowshare.verify.exploration.search import Budget
from shadowshare.verify.explorer import explore
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.result import Exploration
from shadowshare.verify.rules.oracle import Oracle
from tests.verify.programs import ends_by_brute_force, small

PROGRAMS = {
    "one write, one read": small('W = ["write 0"]\nR = ["read s 0"]'),
    "two reads": small('W = ["write 0"]\nR = ["read s 0", "read s 0"]'),
    "a batch": small('W = ["write 1"]\nR = ["read s 0 1"]'),
    "two writers": small('W = [["write 0"], ["flush"]]\nR = ["catch-up"]'),
    "a deletion": small('W = ["delete s", "write 0"]\nR = ["read s 0"]'),
    "a crash": small(
        'W = ["write 0"]\nR = ["read s 0"]',
        extra='catch_up_blocks = 8\n[hosts]\nW = "active"\nV = "recovers W"\nR = "passive"\n[faults]\ncrashes = 1',
    ),
    "an error": small(
        'W = ["write 0"]\nR = ["read s 0"]',
        extra='[faults]\nwrite_errors = 1\nallowed_errors = ["WriteError"]',
    ),
}
FEW = ("one write, one read", "two reads", "a batch", "two writers", "a deletion")


@pytest.mark.parametrize("name", FEW)
def test_counts_the_schedules_that_brute_force_finds(name: str) -> None:
    ends = list(ends_by_brute_force(PROGRAMS[name]))
    exploration = explore(PROGRAMS[name])
    assert exploration.schedule_count == len(ends)
    assert exploration.depth_steps == max(len(labels) for labels, _ in ends)
    assert exploration.verdict == "verified"
    assert all(isinstance(world.watcher, Oracle) and world.watcher.violation is None for _, world in ends)


@pytest.mark.parametrize(
    "bug", ["no-recheck", "hit-without-catch-up", "volume-before-entry", "entry-before-data"]
)
@pytest.mark.parametrize("name", FEW)
def test_finds_a_violation_exactly_if_brute_force_does(name: str, bug: str) -> None:
    implementation = mutant(bug).implementation
    ends = ends_by_brute_force(PROGRAMS[name], implementation)
    violated = [
        labels for labels, world in ends if world.watcher is not None and world.watcher.violation is not None
    ]
    exploration = explore(PROGRAMS[name], implementation)
    assert exploration.verdict == ("violated" if violated else "verified")
    assert not violated or len(exploration.labels) <= min(map(len, violated)), (
        "the first one found is a shortest one"
    )


@pytest.mark.parametrize("name", PROGRAMS)
def test_merging_by_digest_changes_nothing_but_the_number_of_states(name: str) -> None:
    merged = explore(PROGRAMS[name])
    unmerged = explore(PROGRAMS[name], merges=False)
    assert (merged.verdict, merged.schedule_count) == (unmerged.verdict, unmerged.schedule_count)
    assert merged.state_count <= unmerged.state_count


@pytest.mark.parametrize("name", built_in_names())
def test_merging_by_digest_changes_nothing_on_built_in_scenarios(name: str) -> None:
    merged, unmerged = explore(built_in(name)), explore(built_in(name), merges=False)
    assert (merged.verdict, merged.schedule_count) == (unmerged.verdict, unmerged.schedule_count)


def two_passives(race: str, bug_scenario: bool = False) -> Scenario:
    return small(
        race,
        before='"W: create s", "R: open", "S: open"' + (', "W: write 0"' if bug_scenario else ""),
        extra='[hosts]\nW = "active"\nR = "passive"\nS = "passive"',
    )


def outcome(exploration: Exploration) -> tuple[str, str | None]:
    return exploration.verdict, exploration.violation.rule if exploration.violation else None


@pytest.mark.parametrize("bug", [None, "no-recheck", "hit-without-catch-up", "own-table-only"])
@pytest.mark.parametrize(
    "race",
    [
        'W = ["write 0"]\nR = ["read s 0"]\nS = ["read s 0 1"]',
        'W = ["create t", "write 0"]\nR = ["read s 0"]\nS = ["catch-up"]',
        'W = ["delete s", "create t", "write 1", "write 0"]\nR = ["catch-up"]\nS = ["read s 0"]',
    ],
)
def test_passives_apart_give_the_verdict_of_the_full_product(race: str, bug: str | None) -> None:
    scenario = two_passives(race)
    implementation = mutant(bug).implementation if bug else None
    apart = explore(scenario, implementation)
    together = explore(scenario, implementation, passives_apart=False)
    assert outcome(apart) == outcome(together)
    assert apart.apart_count in (1, 2)
    assert together.apart_count == 0
    assert apart.reductions == ("2 passives explored one at a time: each only reads",)
    assert together.reductions == ()


def test_a_budget_of_states_ends_in_unknown() -> None:
    exploration = explore(built_in("old-cached-view"), budget=Budget(state_count=50))
    assert exploration.verdict == "unknown"
    assert not exploration.is_exhausted
    assert "50 states" in exploration.reason
    assert exploration.schedule_count is None


def test_a_budget_of_time_ends_in_unknown() -> None:
    exploration = explore(built_in("old-cached-view"), budget=Budget(seconds=0.0))
    assert exploration.verdict == "unknown"
    assert "time" in exploration.reason


def test_a_budget_spent_on_the_first_of_several_passives_is_not_green() -> None:
    exploration = explore(built_in("ten-passives"), budget=Budget(state_count=300))
    assert exploration.verdict == "unknown"


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    explore(
        built_in("two-writers-overlapping"), progress=lambda states, waiting: told.append((states, waiting))
    )
    assert len(told) > 3
