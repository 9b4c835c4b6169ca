"""What is to be put through the gate, and in which order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from shadowshare.models.computers import Implementation
from shadowshare.scenarios.catalogue import built_in, built_in_names
from shadowshare.scenarios.definition import Scenario
from shadowshare.verify.gate.work import (
    Work,
    check_determinism,
    check_generated,
    check_mutant,
    check_scope,
)
from shadowshare.verify.mutants.catalogue import MUTANTS

GENERATED_RACE_COUNT = 8
"""Races of one check: few, so that the end of the budget is kept to."""

QUICK_STATE_COUNT = 1_000
"""States of each scenario that are met before any scenario is explored to its end."""


@dataclass(frozen=True, slots=True)
class GatePlan:
    """What to put through the gate, and how.

    Attributes:
        implementation: the protocol code under test.
        scenarios: to explore; all built-in ones, unless told otherwise.
        mutants: names of those with which the gate is tested; all, unless told otherwise.
        regressions: checks that failures of the past do not come back.
        seconds: budget of time, after which no more races are generated; the fixed checks are made in any case.
        race_count: how many races to generate, however long that takes; None to go by the time.
        seed: of everything that is drawn.
        jobs: processes.
        mutant_share: share of these mutants that is tried; which ones changes with the seed.
        keeps_going: whether everything is checked, also when something is violated.
    """

    implementation: Implementation = field(default_factory=Implementation)
    scenarios: Sequence[Scenario] = field(default_factory=lambda: [*map(built_in, built_in_names())])
    mutants: Sequence[str] = tuple(bug.name for bug in MUTANTS)
    regressions: Sequence[Work] = ()
    seconds: float = 60.0
    race_count: int | None = None
    seed: int = 0
    jobs: int = 2
    mutant_share: float = 1.0
    keeps_going: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Task:
    """One check to make.

    Attributes:
        place: where it stands in the order: the number of its round, and its number in that.
        stage: which part of the gate it belongs to.
        work: makes the check.
        thorough: what to do later, if the check ends as unknown.
    """

    place: tuple[int, int]
    stage: str = field(compare=False)
    work: Work = field(compare=False)
    thorough: Work | None = field(default=None, compare=False)

    def again(self) -> Task:
        """The thorough check, a round later."""
        assert self.thorough is not None
        return Task((self.place[0] + 1, self.place[1]), self.stage, self.thorough)


FIRST_ROUND, _THOROUGH_ROUND, MUTANT_ROUND, GENERATED_ROUND = range(4)


def fixed_tasks(plan: GatePlan) -> list[Task]:
    """The checks that do not depend on the time, in order.

    First what takes little time: failures of the past, each scenario as far as a thousand states go, and schedules run
    twice. A bug that is easy to find is found there. Then the scenarios that have more states, and the mutants.
    """
    first: list[tuple[str, Work, Work | None]] = [("regressions", work, None) for work in plan.regressions]
    first += [("scopes", *_scopes(scenario, plan.implementation)) for scenario in plan.scenarios]
    first += [
        ("determinism", partial(check_determinism, scenario, plan.implementation, plan.seed), None)
        for scenario in plan.scenarios
    ]
    tasks = [Task((FIRST_ROUND, number), *one) for number, one in enumerate(first)]
    return tasks + [
        Task((MUTANT_ROUND, number), "mutants", partial(check_mutant, name))
        for number, name in enumerate(_mutants_in_turn(plan))
    ]


def _scopes(scenario: Scenario, implementation: Implementation) -> tuple[Work, Work]:
    """A scenario as far as a few states go, and all of it."""
    return (
        partial(check_scope, scenario, implementation, QUICK_STATE_COUNT),
        partial(check_scope, scenario, implementation),
    )


def _mutants_in_turn(plan: GatePlan) -> Sequence[str]:
    first = plan.seed % len(plan.mutants)
    in_turn = [*plan.mutants[first:], *plan.mutants[:first]]
    return in_turn[: max(1, round(plan.mutant_share * len(in_turn)))]


def generated_tasks(plan: GatePlan) -> Iterator[Task]:
    """Generated races, a few in each check: as many as the plan says, or without end."""
    number = 0
    while plan.race_count is None or number * GENERATED_RACE_COUNT < plan.race_count:
        left = (plan.race_count or 0) - number * GENERATED_RACE_COUNT
        count = GENERATED_RACE_COUNT if plan.race_count is None else min(left, GENERATED_RACE_COUNT)
        seed = (plan.seed << 20) + number
        work = partial(check_generated, seed, count, plan.implementation)
        yield Task((GENERATED_ROUND, number), "generated", work)
        number += 1
