"""Every interleaving of a scenario, or those that a strategy chooses.

Passives are explored one at a time. A host that only reads the shared disks changes nothing that another host, or the
oracle's judgement of another host, depends on; so what can happen to one passive does not depend on the others being
there, and scenarios with n passives need the sum of n explorations, not their product. The premise is checked: the
first operation of a passive that is no read is a violation. Passives that do the same are explored once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shadowshare.models.computers import Implementation
from shadowshare.scenarios.definition import PASSIVE, HostPlan, Scenario
from shadowshare.verify.race import Race, without_hosts
from shadowshare.verify.result import Exploration, sum_of
from shadowshare.verify.search import Budget, Progress
from shadowshare.verify.strategies.exhaustive import Exhaustive
from shadowshare.verify.strategies.strategy import Strategy


def explore(
    scenario: Scenario,
    implementation: Implementation | None = None,
    budget: Budget | None = None,
    merges: bool = True,
    passives_apart: bool | None = None,
    progress: Progress | None = None,
    strategy: Strategy | None = None,
) -> Exploration:
    """Explore interleavings of a scenario; every one of them, unless ``strategy`` says otherwise.

    Args:
        scenario: what to explore.
        implementation: the protocol code under test; the real one by default.
        budget: how much may be spent.
        merges: whether hosts at rest merge by their digest; without, by their whole history.
        passives_apart: whether to explore passives one at a time; by default, unless schedules are drawn.
        progress: told how far it is.
        strategy: which interleavings to run, and in which order.
    """
    budget, strategy = budget or Budget(), strategy or Exhaustive()
    passives = [plan for plan in scenario.hosts if plan.role == PASSIVE]
    apart = not strategy.is_sampling if passives_apart is None else passives_apart
    if not apart or len(passives) < 2:
        return _explore(Race(scenario, implementation, merges), strategy, budget, progress)
    different = _different(passives, scenario.before)
    parts = []
    for plan in different:
        others = {other.name for other in passives} - {plan.name}
        race = Race(without_hosts(scenario, others), implementation, merges)
        parts.append(_explore(race, strategy, budget, progress))
        if parts[-1].verdict != "verified":
            break
    reductions = [f"{len(passives)} passives explored one at a time: each only reads"]
    if len(different) < len(passives):
        reductions.append(f"of passives that do the same, one: {len(different)} of {len(passives)}")
    return replace(sum_of(parts), reductions=tuple(reductions))


def _explore(race: Race, strategy: Strategy, budget: Budget, progress: Progress | None) -> Exploration:
    found = strategy.run(race.product, budget, progress)
    unreached = race.unreached() if found.is_exhausted else ()
    reason = found.reason
    if unreached:
        reason = f"never got data in any schedule, so nothing was shown about it: {', '.join(unreached)}"
    return replace(found, reason=reason, unreached=unreached, host_run_count=race.host_run_count)


def _different(passives: Sequence[HostPlan], before: Sequence[str]) -> list[HostPlan]:
    """One of each set of passives that do the same, before the race (at the same moments) and in it."""
    names = {plan.name for plan in passives}
    found: dict[object, HostPlan] = {}
    for plan in passives:
        moments, active_count = [], 0
        for name in before:
            if name == plan.name:
                moments.append(active_count)
            elif name not in names:
                active_count += 1
        found.setdefault((plan.scripts, plan.before_count, tuple(moments)), plan)
    return list(found.values())
