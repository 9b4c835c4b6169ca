"""A check for hidden nondeterminism: the same schedule must show the same each time, on running code and memoised.

Everything that is explored rests on hosts being deterministic automata: what a host does depends on the answers that
it got, and on nothing else. Code that looks at a clock, at chance, at the order of a set, or at something that another
run left behind breaks that.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from shadowshare.models.computers import Implementation
from shadowshare.scenarios.definition import Scenario
from shadowshare.scenarios.staging import live_hosts, stage
from shadowshare.sim.disks.sector_store import SectorStore
from shadowshare.sim.host import Host
from shadowshare.sim.schedule import ScheduleError
from shadowshare.sim.stepped.flight import Choice, Step
from shadowshare.sim.stepped.shared import SharedState
from shadowshare.sim.stepped.world import SteppedWorld
from shadowshare.verify.cells.setup import Setup, TaskEnded, computer_of
from shadowshare.verify.cells.task_world import TaskWatcher
from shadowshare.verify.exploration.memoised import HiddenNondeterminism, IncompleteDigest, MemoisedHost
from shadowshare.verify.exploration.product import Move, Product
from shadowshare.verify.exploration.search import Budget, Progress
from shadowshare.verify.result import Exploration, Violation
from shadowshare.verify.rules.oracle import Oracle
from shadowshare.verify.strategies.strategy import Sampler

RULE = "determinism"
SHOWN_CHARACTER_COUNT_MAXIMUM = 160

Aspects = Mapping[str, Any]
"""What is compared of one step, by name."""


def live_scenario(scenario: Scenario, implementation: Implementation | None = None) -> SteppedWorld:
    """A scenario's world at the beginning of its race, on running code."""
    return stage(scenario, live_hosts(scenario, implementation or Implementation()), Oracle(scenario))


def live_tasks(setup: Setup) -> SteppedWorld:
    """The world of a setup's tasks at its beginning, on running code."""
    hosts = [Host(computer_of(task)) for task in setup.tasks]
    watcher = TaskWatcher(setup)
    world = SteppedWorld([setup.cells()], hosts, setup.rules(), watcher)
    watcher.look(world.shared)
    for number, task in enumerate(setup.tasks):
        if not task.recovers:
            world.start(number, 0)
    return world


class RunTwice:
    """Draws schedules, and runs each twice on running code; a difference violates the rule ``determinism``.

    At each step the labels of what can happen, the operation, its answer and the reports are compared, and at the end
    what the disks hold and what the tasks returned: of the two runs with each other, and of the first with the
    memoised hosts. If only the latter differ, two states of a host were taken for one that are not, or
    the code depends on what an earlier run left behind. Violations of other rules that are met on the way are reported
    as by the sampler.

    Args:
        sampler: draws the schedules.
        make_world: makes the same world as the product that is explored, afresh on running code: for example
            ``partial(live_tasks, setup)`` or ``partial(live_scenario, scenario)``.
    """

    name = "run-twice"
    is_sampling = True

    def __init__(self, sampler: Sampler, make_world: Callable[[], SteppedWorld]) -> None:
        self._sampler = sampler
        self._make_world = make_world

    def run(self, product: Product, budget: Budget, progress: Progress | None = None) -> Exploration:
        """Draw schedules and run each twice, until one shows a difference or a violation, or the budget is spent."""
        execution_count = step_count = depth = 0
        violation, reason = None, budget.spent()
        labels: tuple[str, ...] = ()
        while not reason and violation is None:
            if progress is not None:
                progress(execution_count, 0)
            moves, violation = self._draw(product, execution_count)
            labels = tuple([move.label for move in moves])
            violation = self._difference(product, moves) or violation
            execution_count += 1
            step_count += len(moves)
            depth = max(depth, len(moves))
            reason = budget.spent(execution_count=execution_count, step_count=step_count)
        return Exploration(
            violation,
            labels if violation is not None else (),
            reason="" if violation is not None else f"{reason}; each schedule showed the same each time",
            execution_count=execution_count,
            step_count=step_count,
            depth_steps=depth,
        )

    def _draw(self, product: Product, execution_count: int) -> tuple[list[Move], Violation | None]:
        """A schedule; while it is drawn, memoised hosts may already notice that code does something else."""
        number = self._sampler.first + execution_count
        try:
            if not execution_count:
                self._sampler.start(product)
            return self._sampler.draw(product, number)
        except (HiddenNondeterminism, IncompleteDigest) as error:
            return [], Violation(RULE, f"while schedule {number} was drawn: {error}", "")

    def _difference(self, product: Product, moves: Sequence[Move]) -> Violation | None:
        labels = [move.label for move in moves]
        first, again = (_seen_live(self._make_world(), labels) for _ in range(2))
        return _compared(labels, first, again, "on running code", "on running code again") or _compared(
            labels, first, _seen_memoised(product, moves), "on running code", "on memoised hosts"
        )


def _compared(
    labels: Sequence[str], one: Sequence[Aspects], other: Sequence[Aspects], where: str, elsewhere: str
) -> Violation | None:
    """The first difference of two runs of a schedule; the last entry of each is about its end."""
    for position, (here, there) in enumerate(zip(one, other, strict=False)):
        for aspect in here:
            if here[aspect] != there[aspect]:
                at = f"step {position + 1} ({labels[position]})" if position < len(labels) else "the end"
                return Violation(
                    RULE,
                    f"at {at}, {aspect}: {_shown(here[aspect])} {where}, {_shown(there[aspect])} {elsewhere}",
                    "",
                )
    return None


def _seen_live(world: SteppedWorld, labels: Sequence[str]) -> list[Aspects]:
    """What a schedule shows on running code; up to where it cannot go on, if it cannot."""
    seen: list[Aspects] = []
    world.trace = []
    for label in labels:
        offered = _listed(world.choices())
        try:
            world.take_label(label)
        except ScheduleError:
            seen.append(_aspects(offered, None))
            return seen
        seen.append(_aspects(offered, world.trace[-1]))
    results = {
        number: _result(host.computer.boundary())
        for number, host in world.hosts.items()
        if isinstance(host, Host)
    }
    seen.append(_end_aspects(_listed(world.choices()), world.shared, results))
    for port in world.hosts.values():
        port.close()
    return seen


def _seen_memoised(product: Product, moves: Sequence[Move]) -> list[Aspects]:
    """What a schedule shows on memoised hosts."""
    seen: list[Aspects] = []
    state = product.initial
    for move in moves:
        seen.append(_aspects(_listed(product.moves(state)), move.step))
        state += move.delta
    results = {}
    for number in range(product.host_count):
        client = product.client(state, number)
        if client is not None and isinstance(client.host, MemoisedHost):
            results[number] = _result(client.host.boundary())
    seen.append(_end_aspects(_listed(product.moves(state)), product.shared(state), results))
    return seen


def _listed(possible: Sequence[Choice | Move]) -> str:
    """What can happen; a product lists it in another order than a world."""
    return ", ".join(sorted(one.label for one in possible)) or "nothing"


def _aspects(offered: str, step: Step | None) -> Aspects:
    """What is compared of a step; of one that could not be taken, what could."""
    if step is None:
        return {"what can happen": offered}
    return {
        "what can happen": offered,
        "the operation": None if step.operation is None else step.operation.identity(),
        "the answer": _comparable(step.answer),
        "the reports": [_comparable(report) for report in step.reports],
    }


def _end_aspects(offered: str, shared: SharedState, results: Mapping[int, Any]) -> Aspects:
    return {
        "what can happen": offered,
        "what is violated": None if shared.watcher is None else shared.watcher.violation,
        "what the disks hold": [_held(disk) for disk in shared.disks],
        "who crashed": sorted(shared.crashed),
        "what may still land": [flight.identity() for flight in shared.late],
        "what the tasks returned": dict(results),
    }


def _held(disk: SectorStore) -> Any:
    """What is in the sectors, and what a power loss may bring back; not how often the disk was written before."""
    unflushed = {sector: disk.survivors(sector) for sector in disk.versions}
    visible = [None if at in disk.undecided else content for at, content in enumerate(disk.sectors)]
    return visible, unflushed, disk.undecided, disk.reservation_holder


def _result(boundary: Hashable) -> Any:
    return boundary.result if isinstance(boundary, TaskEnded) else None


def _comparable(thing: Any) -> Any:
    """An exception as its class and words: two of them are never equal."""
    return (type(thing).__name__, str(thing)) if isinstance(thing, BaseException) else thing


def _shown(thing: Any) -> str:
    text, most = thing if isinstance(thing, str) else repr(thing), SHOWN_CHARACTER_COUNT_MAXIMUM
    return text if len(text) <= most else f"{text[:most]}..."
