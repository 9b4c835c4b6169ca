"""Every interleaving of a scenario, or those that a strategy chooses.

Passives are explored one at a time. A host that only reads the shared disks changes nothing that another host, or the
oracle's judgement of another host, depends on; so what can happen to one passive does not depend on the others being
there, and scenarios with n passives need the sum of n explorations, not their product. The premise is checked: the
first operation of a passive that is no read is a violation. Passives that do the same are explored once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from shadowshare.models.computers import Implementation
from shadowshare.protocol.marks import Mark, recording
from shadowshare.scenarios.definition import PASSIVE, HostPlan, Scenario
from shadowshare.verify.exploration.checkpoint import (
    Checkpoint,
    CheckpointError,
    check_writable,
    save_checkpoint,
)
from shadowshare.verify.exploration.parallel import explore_parts, sample
from shadowshare.verify.exploration.search import Budget, Progress, Search
from shadowshare.verify.race import Race, identity_of, without_hosts
from shadowshare.verify.result import Exploration, sum_of, with_unmet
from shadowshare.verify.strategies.exhaustive import Exhaustive
from shadowshare.verify.strategies.strategy import Sampler, Strategy


class Part(NamedTuple):
    """One exploration that can be done by itself, also in another process.

    Attributes:
        scenario: what to explore.
        implementation: the protocol code under test.
        merges: whether hosts at rest merge by their digest.
        strategy: which interleavings to run.
    """

    scenario: Scenario
    implementation: Implementation
    merges: bool
    strategy: Strategy

    def race(self) -> Race:
        """What the strategy runs on."""
        return Race(self.scenario, self.implementation, self.merges)

    def explore(self, budget: Budget, progress: Progress | None = None) -> Exploration:
        """Do it."""
        with recording() as marks:
            race = self.race()
            found = judged(race, self.strategy.run(race.product, budget, progress))
        return replace(found, marks=_names_of(marks))


def _names_of(marks: Iterable[Enum]) -> tuple[str, ...]:
    return tuple(sorted(mark.name for mark in marks))


def judged(race: Race, found: Exploration) -> Exploration:
    """What a strategy found, and whether it reached all that it must."""
    unreached = [f"{step} gets data" for step in race.unreached()] if found.is_exhausted else []
    return replace(with_unmet(found, unreached), host_run_count=race.host_run_count)


def with_marks(scenario: Scenario, implementation: Implementation, found: Exploration) -> Exploration:
    """What was found, when the scenario says that some of its schedules must take certain rare paths.

    Of rare paths that the code under test does not have nothing is asked.
    """
    if not found.is_exhausted:
        return found
    wanted = implementation.marks
    missing = [name for name in scenario.sometimes if Mark[name] in wanted and name not in found.marks]
    return with_unmet(found, missing)


def explore(
    scenario: Scenario,
    implementation: Implementation | None = None,
    budget: Budget | None = None,
    merges: bool = True,
    passives_apart: bool | None = None,
    progress: Progress | None = None,
    strategy: Strategy | None = None,
    jobs: int = 1,
    checkpoint: Path | None = None,
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
        jobs: processes that share the work. The result is that of one. Passives apart and drawn schedules can be
            shared; a single search of states cannot.
        checkpoint: a file from which an exhaustive search goes on, if it is there, and in which it says how to go on,
            if it stops before its end.

    Raises:
        CheckpointError: the checkpoint cannot be read or written, or belongs to another search.
    """
    budget, strategy = budget or Budget(), strategy or Exhaustive()
    implementation = implementation or Implementation()
    apart = not strategy.is_sampling if passives_apart is None else passives_apart
    whole = Part(scenario, implementation, merges, strategy)
    if checkpoint is not None and not isinstance(strategy, Exhaustive):
        raise CheckpointError(f"a search with strategy {strategy.name!r} cannot go on from a checkpoint")
    if jobs > 1 and isinstance(strategy, Sampler):
        return sample(whole, strategy, budget, jobs, progress)
    parts, reductions = parts_of(whole) if apart else ([whole], ())
    found = _explore_all(parts, budget, progress, jobs, checkpoint)
    summed = sum_of(found) if reductions else found[0]
    summed = replace(summed, reductions=(*reductions, *summed.reductions))
    return with_marks(scenario, implementation, summed)


def parts_of(whole: Part) -> tuple[list[Part], tuple[str, ...]]:
    """Explorations of one passive each, or the whole if there are not several; and what was left out, in words."""
    scenario = whole.scenario
    passives = [plan for plan in scenario.hosts if plan.role == PASSIVE]
    if len(passives) < 2:
        return [whole], ()
    different = _different(passives, scenario.before)
    names = {plan.name for plan in passives}
    parts = [whole._replace(scenario=without_hosts(scenario, names - {plan.name})) for plan in different]
    reductions = [f"{len(passives)} passives explored one at a time: each only reads"]
    if len(different) < len(passives):
        reductions.append(f"of passives that do the same, one: {len(different)} of {len(passives)}")
    return parts, tuple(reductions)


def _explore_all(
    parts: Sequence[Part], budget: Budget, progress: Progress | None, jobs: int, checkpoint: Path | None
) -> list[Exploration]:
    """Explore parts until one does not end as verified."""
    if checkpoint is not None:
        return _explore_with_checkpoint(parts, budget, progress, checkpoint)
    if jobs > 1 and len(parts) > 1:
        return explore_parts(parts, budget, jobs, progress)
    found: list[Exploration] = []
    for part in parts:
        found.append(part.explore(budget, _after(found, progress)))
        if found[-1].verdict != "verified":
            break
    return found


def _explore_with_checkpoint(
    parts: Sequence[Part], budget: Budget, progress: Progress | None, path: Path
) -> list[Exploration]:
    """Explore parts; where a checkpoint was written, go on, and where the budget is spent, write one."""
    identity = identity_of(parts[0].scenario, parts[0].implementation, len(parts))
    read = Checkpoint(path, identity) if path.exists() else None
    check_writable(path)
    found = [] if read is None else read.finished
    for part in parts[len(found) :]:
        with recording() as marks:
            race = part.race()
            search = Search(race.product)
            if read is not None:
                read.restore(search)
                read = None
            assert isinstance(part.strategy, Exhaustive)
            one = judged(race, part.strategy.finish(search, budget, _after(found, progress)))
        found.append(replace(one, marks=_names_of(marks)))
        if not found[-1].is_exhausted and found[-1].violation is None:
            save_checkpoint(path, identity, found[:-1], search)
            return found
        if found[-1].verdict != "verified":
            break
    path.unlink(missing_ok=True)
    return found


def _after(finished: Sequence[Exploration], progress: Progress | None) -> Progress | None:
    """Tells of what was covered in explorations that were finished, too."""
    if progress is None or not finished:
        return progress
    known_count = sum(one.state_count or one.execution_count for one in finished)
    return lambda covered, waiting: progress(known_count + covered, waiting)


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
