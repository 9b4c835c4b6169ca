"""Exploring a pair of actions: its verdict, and in which phases of the passive's read both may go on.

A pair *meets* a phase if there is a reachable state in which the read has come that far and both actions are under way:
each has begun and not ended, though one of them may wait for the other; or the crash can happen, or is being recovered
from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import perf_counter

from shadowshare.models.computers import Implementation
from shadowshare.scenarios.definition import PASSIVE, Scenario
from shadowshare.sim.schedule import Schedule
from shadowshare.verify.exploration.product import Lane, Product
from shadowshare.verify.exploration.search import Budget, Progress, Search
from shadowshare.verify.explorer import judged
from shadowshare.verify.matrix.actions import CRASH, STEPS, TAKEOVER, Pair, scenario_of
from shadowshare.verify.matrix.phases import PHASES, OfHost, is_at_work, phase_of, tasks_under_way
from shadowshare.verify.race import Race
from shadowshare.verify.result import Violation
from shadowshare.verify.strategies.exhaustive import Exhaustive

UnderWay = Callable[[int], bool]
"""Whether an action is under way in a state."""


@dataclass(frozen=True, slots=True)
class PairResult:
    """What came of two actions at the same time.

    Attributes:
        pair: the actions.
        verdict: ``verified``, ``violated`` or ``unknown``.
        reason: why it is unknown.
        violation: what went wrong, if something did.
        schedule: that shows it.
        phases: of the read, in which both are under way, in the order of `PHASES`.
        state_count: states that there are.
        seconds: that it took.
    """

    pair: Pair
    verdict: str
    reason: str
    violation: Violation | None
    schedule: str | None
    phases: tuple[str, ...]
    state_count: int
    seconds: float


def explore_pair(
    pair: Pair,
    implementation: Implementation | None = None,
    budget: Budget | None = None,
    progress: Progress | None = None,
) -> PairResult:
    """Explore every interleaving of two actions and a passive that reads."""
    start = perf_counter()
    scenario = scenario_of(pair)
    race = Race(scenario, implementation)
    search = Search(race.product)
    found = judged(race, Exhaustive(counts_schedules=False).finish(search, budget or Budget(), progress))
    return PairResult(
        pair,
        found.verdict,
        found.reason,
        found.violation,
        None if found.violation is None else str(Schedule(scenario.name, found.labels)),
        phases_met(pair, scenario, search),
        found.state_count,
        perf_counter() - start,
    )


def phases_met(pair: Pair, scenario: Scenario, search: Search) -> tuple[str, ...]:
    """The phases of the read in which both actions are under way in some state of a search."""
    product = search.product
    reader = next(number for number, plan in enumerate(scenario.hosts) if plan.role == PASSIVE)
    phases = OfHost(product, reader, lambda client: phase_of(client, scenario.geometry))
    first, second = (_under_way(pair, number, scenario, product) for number in range(2))
    met: set[str | None] = set()
    for state in search.states:
        phase = phases.of(state)
        if phase not in met and phase is not None and first(state) and second(state):
            met.add(phase)
    return tuple(phase for phase in PHASES if phase in met)


def _under_way(pair: Pair, number: int, scenario: Scenario, product: Product) -> UnderWay:
    """When one of the two actions is under way."""
    action = pair[number]
    if action in STEPS:
        active = scenario.host_number("W")
        plan = scenario.hosts[active]
        task = plan.before_count + sum(other in STEPS for other in pair[:number])
        tasks = range(plan.before_count, len(plan.scripts))
        under_way = OfHost(product, active, partial(tasks_under_way, tasks=tasks))
        return lambda state: task in under_way.of(state)
    others = [plan for plan in scenario.hosts if plan.name in ("V", "U")]
    plan = others[sum(other not in STEPS for other in pair[:number])]
    at_work = OfHost(product, scenario.host_number(plan.name), is_at_work)
    if action == TAKEOVER:
        return at_work.of
    assert action == CRASH
    lanes = _crashes_of(product, scenario.host_number(plan.recovers))
    return lambda state: at_work.of(state) or any(_has_moves(product, lane, state) for lane in lanes)


def _crashes_of(product: Product, host: int) -> list[Lane]:
    return [lane for lane in product.event_lanes if lane.hosts[:1] == (host,)]


def _has_moves(product: Product, lane: Lane, state: int) -> bool:
    moves = lane.moves.get(state & lane.mask)
    return bool(product.learn(lane, state) if moves is None else moves)
