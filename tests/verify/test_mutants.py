"""Every mutant dies, by its scenario, with a schedule that shows the violation again on running code."""

import pickle

import pytest

from shadowshare.models.computers import Implementation
from shadowshare.scenarios.catalogue import built_in
from shadowshare.verify.counterexamples.counterexample import replay
from shadowshare.verify.exploration.search import Budget
from shadowshare.verify.explorer import explore
from shadowshare.verify.mutants.catalogue import MUTANTS, Mutant, UnknownMutant, mutant
from shadowshare.verify.strategies.random_walk import RandomWalk
from tests.docs.documents import read, section, tables
from tests.verify.programs import walk_running

EASY = (
    "no-recheck",
    "early-recheck",
    "cached-recheck",
    "volume-before-entry",
    "entry-before-data",
    "own-table-only",
)


CAUGHT_BY = {row["mutant"]: row["caught by"] for row in tables(section(read("mutants.md"), "All mutants"))[0]}


@pytest.mark.parametrize("bug", MUTANTS, ids=[bug.name for bug in MUTANTS])
def test_every_mutant_is_killed(bug: Mutant) -> None:
    scenario = built_in(bug.scenario)
    exploration = explore(scenario, bug.implementation)
    assert exploration.violation is not None, exploration.reason
    assert exploration.violation.rule == CAUGHT_BY[bug.name]
    replayed = replay(scenario, exploration.labels, bug.implementation)
    assert replayed.violation == exploration.violation
    assert len(replayed.rows) == len(exploration.labels)


def test_a_mutant_is_code_of_its_own_with_a_story() -> None:
    implementations = {bug.implementation for bug in MUTANTS}
    assert len(implementations) == len(MUTANTS)
    assert Implementation() not in implementations
    for bug in MUTANTS:
        assert bug.story.endswith("."), bug.name
    stories = [bug.story for bug in MUTANTS]
    assert len(set(stories)) == len(stories), "a mutant without a docstring has that of what it overrides"


def test_scenarios_that_kill_expect_the_real_code_to_be_right() -> None:
    assert {built_in(bug.scenario).expected for bug in MUTANTS} == {"verified"}


@pytest.mark.parametrize("name", EASY)
def test_random_schedules_kill_the_easy_ones(name: str) -> None:
    bug = mutant(name)
    exploration = explore(
        built_in(bug.scenario), bug.implementation, Budget(execution_count=500), strategy=RandomWalk()
    )
    assert exploration.verdict == "violated"


@pytest.mark.parametrize("name", EASY)
def test_random_schedules_of_running_code_kill_the_easy_ones(name: str) -> None:
    bug = mutant(name)
    scenario = built_in(bug.scenario)
    walks = (walk_running(scenario, seed, bug.implementation)[1] for seed in range(1500))
    assert any(world.watcher.violation is not None for world in walks)


def test_another_process_can_be_given_any_of_them() -> None:
    for bug in MUTANTS:
        assert pickle.loads(pickle.dumps(bug.implementation)) == bug.implementation


def test_names_are_unique_and_an_unknown_one_is_refused() -> None:
    assert len({bug.name for bug in MUTANTS}) == len(MUTANTS)
    with pytest.raises(UnknownMutant, match="no-recheck"):
        mutant("no-such-bug")
