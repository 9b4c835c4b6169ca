"""Storyboards of mutants, as their scenarios find them."""

from __future__ import annotations

from functools import lru_cache

from shadowshare.scenarios.catalogue import built_in
from shadowshare.verify.counterexample import explain
from shadowshare.verify.explorer import explore
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.story.storyboard import Storyboard, storyboard_of


@lru_cache(maxsize=32)
def board_of(name: str) -> Storyboard:
    """The shrunk counterexample of a mutant."""
    bug = mutant(name)
    scenario = built_in(bug.scenario)
    found = explain(scenario, explore(scenario, bug.implementation), bug.implementation, (), name)
    return storyboard_of(scenario, found.shrunk.labels, bug.implementation, (), name)
