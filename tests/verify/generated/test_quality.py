"""How good what is drawn is: planted bugs are found soon, and shrink to what a person can follow.

The yardstick is the search of all states, whose counterexample has the fewest steps that are possible.
"""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from shadowshare.scenarios.catalogue import built_in
from shadowshare.verify.counterexamples.simplifying import violating_steps
from shadowshare.verify.explorer import explore
from shadowshare.verify.generated.by_seed_alone import by_seed_alone
from shadowshare.verify.generated.races import interleavings
from shadowshare.verify.generated.schedules import Interleaving, check, schedules
from shadowshare.verify.generated.violated import Violated
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.race import Race


class Hunt(NamedTuple):
    """What came of a hunt.

    Attributes:
        example_count: examples until the first violation.
        smallest: the last failing example that Hypothesis shows.
    """

    example_count: int
    smallest: Interleaving


def hunt(runs: st.SearchStrategy[Interleaving], example_count_maximum: int) -> Hunt:
    """Let Hypothesis find a violation, and shrink it."""
    drawn: list[Interleaving] = []

    @seed(2)
    @settings(
        max_examples=example_count_maximum,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(runs)
    def survives(run: Interleaving) -> None:
        drawn.append(run)
        check(run)

    with by_seed_alone(), pytest.raises(Violated):
        survives()
    first = next(number for number, run in enumerate(drawn, start=1) if run.violation is not None)
    return Hunt(first, drawn[-1])


@pytest.mark.parametrize(
    ("name", "examples", "switches", "more_steps"),
    [
        ("no-recheck", 10, 1, 0),
        ("cached-recheck", 10, 1, 0),
        ("volume-before-entry", 60, 1, 1),
        ("hit-without-catch-up", 10, 1, 4),
        ("own-catch-up-only", 20, 2, 3),
        ("ignores-journal-error", 300, 5, 9),
        ("no-fence", 500, 5, 22),
    ],
)
def test_a_schedule_is_found_soon_and_is_short(
    name: str, examples: int, switches: int, more_steps: int
) -> None:
    bug = mutant(name)
    scenario = built_in(bug.scenario)
    found = hunt(schedules(scenario, bug.implementation), examples)
    shortest = explore(scenario, bug.implementation).labels
    steps, _ = violating_steps(Race(scenario, bug.implementation).product, found.smallest.labels)
    assert found.smallest.violation is not None
    assert steps.cost.switch_count <= switches
    assert len(shortest) <= steps.cost.step_count <= len(shortest) + more_steps


@pytest.mark.parametrize(
    ("name", "examples", "steps_in_the_race", "steps"),
    [
        ("no-recheck", 10, 2, 9),
        ("volume-before-entry", 100, 3, 7),
        ("discard-without-copy", 100, 2, 4),
        ("copy-after-write", 100, 2, 12),
        ("partial-extent-copy", 100, 2, 12),
        ("newest-table-only", 200, 3, 14),
    ],
)
def test_race_and_schedule_are_found_from_scratch_and_are_small(
    name: str, examples: int, steps_in_the_race: int, steps: int
) -> None:
    smallest = hunt(interleavings(mutant(name).implementation), examples).smallest
    scripts = [script for plan in smallest.scenario.hosts for script in plan.scripts[plan.before_count :]]
    assert len(smallest.scenario.hosts) == 2
    assert sum(map(len, scripts)) <= steps_in_the_race
    assert len(smallest.labels) <= steps
    assert smallest.scenario.faults.crashes == 0
