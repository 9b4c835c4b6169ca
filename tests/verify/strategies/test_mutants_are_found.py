"""Every strategy finds what it can be expected to find."""

from __future__ import annotations

from statistics import median

import pytest

from shadowshare.scenarios.catalogue import built_in
from shadowshare.verify import explorer
from shadowshare.verify.cells.task_world import TaskWorld
from shadowshare.verify.exploration.search import Budget
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.strategies.catalogue import make_strategy, strategy_names
from shadowshare.verify.strategies.urw import UniformInterleavings
from shadowshare.verify.tasks import explore
from tests.verify.strategies.setups import copies

BUDGET = Budget(execution_count=3000)


@pytest.mark.parametrize("name", strategy_names())
@pytest.mark.parametrize("mutant_name", ["no-recheck", "late"])
def test_a_mutant_of_tasks_is_found(name: str, mutant_name: str) -> None:
    found = explore(copies(mutant=mutant_name), strategy=make_strategy(name), budget=BUDGET)
    assert found.verdict == "violated"
    assert found.violation is not None
    assert found.violation.rule == "assertion"


@pytest.mark.parametrize("name", strategy_names())
def test_without_a_mistake_nothing_is_found(name: str) -> None:
    found = explore(copies(), strategy=make_strategy(name), budget=Budget(execution_count=500))
    assert found.violation is None
    assert (found.verdict == "verified") == found.is_exhausted


@pytest.mark.parametrize("name", strategy_names())
def test_a_mutant_of_the_protocol_is_found(name: str) -> None:
    scenario, implementation = built_in("reader-before-volume-read"), mutant("no-recheck").implementation
    found = explorer.explore(scenario, implementation, BUDGET, strategy=make_strategy(name))
    assert found.verdict == "violated"
    assert found.violation is not None
    assert found.violation.rule == "image"


def test_uniform_interleavings_find_the_late_mutant_soon() -> None:
    """In the median of many seeds; walks with uniform choices take more than twice as long."""
    product = TaskWorld(copies(mutant="late")).product
    counts = [
        UniformInterleavings(seed).run(product, Budget(execution_count=500)).execution_count
        for seed in range(101)
    ]
    assert median(counts) <= 10
