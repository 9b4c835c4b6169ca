"""Every interleaving of a scenario, by its states.

Breadth first over (hosts' nodes, disks, oracle, faults left): a state that was met before is not explored again, and
the first violation found is a shortest one. The protocol's code runs through memoised hosts.

Passives are explored one at a time. A host that only reads the shared disks changes nothing that another host, or the
oracle's judgement of another host, depends on; so what can happen to one passive does not depend on the others being
there, and scenarios with n passives need the sum of n explorations, not their product. The premise is checked: the
first operation of a passive that is no read is a violation.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from time import perf_counter

from shadowshare.models.computers import Implementation, step_key
from shadowshare.models.observations import ReadEnded
from shadowshare.scenarios.definition import PASSIVE, Scenario, edit
from shadowshare.scenarios.staging import stage
from shadowshare.sim.stepped.world import SteppedWorld
from shadowshare.verify.memoised import MemoisedHost, automata
from shadowshare.verify.oracle import Oracle, Violation
from shadowshare.verify.result import Exploration

PROGRESS_STEP_COUNT = 4096

STATE_COUNT_MAXIMUM = 1_000_000
"""States that a search meets at most unless told otherwise; a small scenario takes some 2.5 KB a state."""

Progress = Callable[[int, int], None]
"""Called now and then with the states met and the length of the queue."""


class Budget:
    """How much may be spent; when it is spent the verdict is unknown.

    Args:
        state_count: states to meet at most.
        seconds: time to take at most; None for no limit.
    """

    def __init__(self, state_count: int = STATE_COUNT_MAXIMUM, seconds: float | None = None) -> None:
        self.state_count = state_count
        self._end = None if seconds is None else perf_counter() + seconds

    def spent(self, state_count: int) -> str:
        """Why to stop now; empty to go on."""
        if state_count >= self.state_count:
            return f"stopped after {state_count} states"
        if self._end is not None and perf_counter() > self._end:
            return "stopped because the time was used up"
        return ""


def explore(
    scenario: Scenario,
    implementation: Implementation | None = None,
    budget: Budget | None = None,
    merges: bool = True,
    passives_apart: bool = True,
    progress: Progress | None = None,
) -> Exploration:
    """Explore every interleaving of a scenario.

    Args:
        scenario: what to explore.
        implementation: the protocol code under test; the real one by default.
        budget: how much may be spent.
        merges: whether hosts at rest merge by their digest; without, by their whole history.
        passives_apart: whether to explore passives one at a time.
        progress: told how far it is.
    """
    implementation = implementation or Implementation()
    budget = budget or Budget()
    passives = [plan.name for plan in scenario.hosts if plan.role == PASSIVE]
    if not passives_apart or len(passives) < 2:
        return _Search(scenario, implementation, budget, merges, progress).run()
    results = []
    for name in passives:
        others = set(passives) - {name}
        results.append(
            _Search(without_hosts(scenario, others), implementation, budget, merges, progress).run()
        )
        if results[-1].verdict != "verified":
            break
    return _sum(results)


def without_hosts(scenario: Scenario, names: set[str]) -> Scenario:
    """The scenario with some passives taken away."""
    return edit(
        scenario,
        hosts=tuple(plan for plan in scenario.hosts if plan.name not in names),
        before=tuple(name for name in scenario.before if name not in names),
    )


def _sum(results: list[Exploration]) -> Exploration:
    last = results[-1]
    counts = [result.schedule_count for result in results]
    return Exploration(
        last.violation,
        last.labels,
        all(result.is_exhausted for result in results),
        last.reason,
        None if None in counts else sum(count or 0 for count in counts),
        sum(result.state_count for result in results),
        sum(result.step_count for result in results),
        max(result.depth_steps for result in results),
        sum(result.host_run_count for result in results),
        tuple(step for result in results for step in result.unreached),
        len(results),
    )


class _Search:
    """One breadth-first search."""

    def __init__(
        self,
        scenario: Scenario,
        implementation: Implementation,
        budget: Budget,
        merges: bool,
        progress: Progress | None,
    ) -> None:
        self._scenario = scenario
        self._budget = budget
        self._progress = progress
        self._automata = automata(scenario, implementation, merges)
        self._ids: dict[Hashable, int] = {}
        self._came_from: list[tuple[int, str]] = []
        self._depths: list[int] = []
        self._successors: list[list[int]] = []
        self._ends: list[bool] = []
        self._step_count = 0
        hosts = [MemoisedHost(automaton) for automaton in self._automata]
        self._start = stage(scenario, hosts, Oracle(scenario))

    def run(self) -> Exploration:
        """Search until everything is covered, something is violated, or the budget is spent."""
        self._meet(self._start, -1, "")
        violation = self._judge(self._start)
        queue: deque[tuple[int, SteppedWorld]] = deque([(0, self._start)])
        labels: list[str] = []
        reason = ""
        while queue and violation is None and not reason:
            number, world = queue.popleft()
            if number % PROGRESS_STEP_COUNT == 0 and self._progress is not None:
                self._progress(len(self._ids), len(queue))
            for choice in world.choices():
                after = world.fork()
                after.take(choice)
                self._step_count += 1
                violation = self._judge(after)
                if violation is not None:
                    labels = [*self._labels_to(number), choice.label]
                    break
                known = len(self._ids)
                reached = self._meet(after, number, choice.label)
                self._successors[number].append(reached)
                if reached == known:
                    queue.append((reached, after))
            reason = self._budget.spent(len(self._ids))
        return self._result(violation, labels, reason if queue else "")

    def _judge(self, world: SteppedWorld) -> Violation | None:
        """The violation in a world, if there is one; where nothing is in flight, also of what is left on the disks."""
        oracle = world.watcher
        assert isinstance(oracle, Oracle)
        if world.is_over:
            oracle.audit(world)
        return oracle.violation

    def _meet(self, world: SteppedWorld, came_from: int, label: str) -> int:
        """The number of a world's state; a new one if it was not met before."""
        key = world.key()
        number = self._ids.get(key)
        if number is None:
            number = self._ids[key] = len(self._ids)
            self._came_from.append((came_from, label))
            self._depths.append(self._depths[came_from] + 1 if came_from >= 0 else 0)
            self._successors.append([])
            self._ends.append(world.is_over)
        return number

    def _labels_to(self, number: int) -> list[str]:
        labels = []
        while number > 0:
            number, label = self._came_from[number]
            labels.append(label)
        return labels[::-1]

    def _result(self, violation: Violation | None, labels: list[str], reason: str) -> Exploration:
        is_exhausted = violation is None and not reason
        unreached = self._unreached() if is_exhausted else ()
        if unreached:
            reason = f"never got data in any schedule, so nothing was shown about it: {', '.join(unreached)}"
        return Exploration(
            violation,
            tuple(labels),
            is_exhausted,
            reason,
            count_schedules(self._successors, self._ends) if is_exhausted else None,
            len(self._ids),
            self._step_count,
            max(self._depths),
            sum(automaton.run_count for automaton in self._automata),
            unreached,
        )

    def _unreached(self) -> tuple[str, ...]:
        """The passives' read steps of the race that ended with data in no schedule."""
        unreached = []
        for plan, automaton in zip(self._scenario.hosts, self._automata, strict=True):
            reached = {report.key for report in automaton.reports() if isinstance(report, ReadEnded)}
            for number, script in list(enumerate(plan.scripts))[plan.before_count :]:
                unreached += [
                    f"{plan.name}: {step.text}"
                    for position, step in enumerate(script)
                    if step.verb == "read" and step_key(plan.name, number, position) not in reached
                ]
        return tuple(unreached)


def count_schedules(successors: list[list[int]], ends: list[bool]) -> int | None:
    """How many ways lead from node 0 to nodes where nothing is in flight; None if there is a cycle."""
    incoming = [0] * len(successors)
    for reached in successors:
        for node in reached:
            incoming[node] += 1
    ways = [0] * len(successors)
    ways[0] = 1
    ready = [node for node, count in enumerate(incoming) if count == 0]
    total = done_count = 0
    while ready:
        node = ready.pop()
        done_count += 1
        total += ways[node] if ends[node] else 0
        for after in successors[node]:
            ways[after] += ways[node]
            incoming[after] -= 1
            if incoming[after] == 0:
                ready.append(after)
    return total if done_count == len(successors) else None
