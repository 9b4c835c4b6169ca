"""Storyboards of mutants, as their scenarios find them, and of tasks."""

from __future__ import annotations

from functools import lru_cache

from shadowshare.scenarios.catalogue import built_in
from shadowshare.verify.counterexamples.counterexample import explain, explain_tasks
from shadowshare.verify.explorer import explore
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.story.storyboard import Storyboard, storyboard_of
from shadowshare.verify.story.task_storyboard import storyboard_of_tasks
from shadowshare.verify.tasks import End
from shadowshare.verify.tasks import explore as explore_tasks
from tests.verify.task_setups import counting, increment


@lru_cache(maxsize=32)
def board_of(name: str) -> Storyboard:
    """The shrunk counterexample of a mutant."""
    bug = mutant(name)
    scenario = built_in(bug.scenario)
    found = explain(scenario, explore(scenario, bug.implementation), bug.implementation, (), name)
    return storyboard_of(scenario, found.shrunk.labels, bug.implementation, (), name)


def all_counted(end: End) -> bool:
    """What a lost update violates."""
    return bool(end["n"] == 2)


@lru_cache(maxsize=1)
def lost_update() -> Storyboard:
    """Two tasks add one to a cell; in the end it says one."""
    setup = counting(increment)
    found = explain_tasks(setup, explore_tasks(setup, all_counted), all_counted)
    return storyboard_of_tasks(setup, found.shrunk.labels, all_counted)
