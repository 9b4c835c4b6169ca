"""Memoised hosts: the protocol's code runs once for each new thing that can happen to it.

A host is a deterministic automaton of the answers it gets. `Automaton` remembers it as nodes and edges (node, task,
answer) -> node; a `MemoisedHost` is merely a node in it, and is copied by copying a number. The real code runs only for
an edge that is new: on a live host that stands at that node, or on a new one to which the answers on the way there are
given again.

Nodes merge where the host says that it is at rest (`Computer.boundary`): what led there no longer matters.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Any, NamedTuple

from shadowshare.models.computers import Implementation
from shadowshare.protocol.operations import Operation
from shadowshare.scenarios.definition import Scenario
from shadowshare.scenarios.staging import computer_factory
from shadowshare.sim.disks.memory_disk import Answer
from shadowshare.sim.host import Computer, Host, Outcome

LIVE_HOST_COUNT_MAXIMUM = 64


class HiddenNondeterminism(AssertionError):
    """The same answers led a host to something else the second time."""


class IncompleteDigest(AssertionError):
    """Two states of a host were taken for one, and are not."""


class _Node(NamedTuple):
    parent: int
    task: int
    answer: Any
    outcome: Outcome | None
    unfinished_count: int
    boundary: Hashable


class Automaton:
    """What is known of one host.

    Args:
        factory: makes the computer afresh.
        merges: whether nodes at rest merge; without, every history is a node of its own.
    """

    def __init__(self, factory: Callable[[], Computer], merges: bool = True) -> None:
        self._factory = factory
        self._merges = merges
        self._nodes: list[_Node] = [_Node(-1, 0, None, None, 0, None)]
        self._edges: dict[tuple[int, int, Any], tuple[int, Outcome]] = {}
        self._at_rest: dict[Hashable, int] = {}
        self._live: OrderedDict[int, Host] = OrderedDict()
        self.run_count = 0
        """How often the real code was run for a new edge."""

    @property
    def node_count(self) -> int:
        """Different states of the host that were met."""
        return len(self._nodes)

    def reports(self) -> Iterator[Any]:
        """Everything that the host reported, wherever it was led."""
        for _, (_, reports) in self._edges.values():
            yield from reports

    def unfinished_count(self, node: int) -> int:
        """Tasks that were started and have not ended."""
        return self._nodes[node].unfinished_count

    def step(self, node: int, task: int, answer: Answer) -> tuple[int, Outcome]:
        """The node and the outcome to which an answer leads."""
        edge = (node, task, answer)
        known = self._edges.get(edge)
        if known is None:
            known = self._edges[edge] = self._run(node, task, answer)
        return known

    def _run(self, node: int, task: int, answer: Answer) -> tuple[int, Outcome]:
        host = self._live.pop(node, None) or self._relive(node)
        outcome = host.deliver(task, answer)
        self.run_count += 1
        boundary = host.computer.boundary()
        if boundary is not None and self._merges:
            merged = self._at_rest.get(boundary)
            if merged is not None:
                self._check_alike(boundary, merged, outcome)
                return merged, outcome
            self._at_rest[boundary] = len(self._nodes)
        self._nodes.append(_Node(node, task, answer, outcome, host.unfinished_count, boundary))
        reached = len(self._nodes) - 1
        self._live[reached] = host
        if len(self._live) > LIVE_HOST_COUNT_MAXIMUM:
            self._live.popitem(last=False)[1].close()
        return reached, outcome

    def _check_alike(self, boundary: Hashable, node: int, outcome: Outcome) -> None:
        """A host that is at rest as another one was must ask for the same next."""
        before = self._nodes[node].outcome
        if before is not None and _identity(before) != _identity(outcome):
            raise IncompleteDigest(
                f"a host rests twice as {boundary!r}, but asks for {outcome[0]} then, after {before[0]}: "
                "what identifies it leaves something out"
            )

    def boundary(self, node: int) -> Hashable:
        """What identifies the host at that node, if it was at rest on the last step there; else None."""
        return self._nodes[node].boundary

    def requests(self) -> Iterator[Operation]:
        """Every operation that the host asked for, wherever it was led."""
        for _, (requests, _) in self._edges.values():
            for _, request in requests:
                yield from request if isinstance(request, tuple) else (request,)

    def way(self, node: int) -> list[tuple[int, Outcome]]:
        """A way to a node: the tasks that were given an answer, and what came of it.

        Where nodes were merged there are others, which differ only in what no longer matters.
        """
        way: list[tuple[int, Outcome]] = []
        while node:
            step = self._nodes[node]
            if step.outcome is not None:
                way.append((step.task, step.outcome))
            node = step.parent
        return way[::-1]

    def _relive(self, node: int) -> Host:
        """A live host at a node, by giving it the answers on the way there."""
        way = []
        while node:
            way.append(self._nodes[node])
            node = self._nodes[node].parent
        host = Host(self._factory())
        for step in reversed(way):
            outcome = host.deliver(step.task, step.answer)
            host.computer.boundary()
            if step.outcome is not None and _identity(outcome) != _identity(step.outcome):
                raise HiddenNondeterminism(
                    f"the same answers led to {outcome} after {step.outcome}: the code depends on something else"
                )
        return host


def _identity(outcome: Outcome) -> object:
    """What must be the same each time: the requests."""
    return [
        (
            task,
            [operation.identity() for operation in (request if isinstance(request, tuple) else (request,))],
        )
        for task, request in outcome[0]
    ]


class MemoisedHost:
    """A host as a node of its automaton; answers like `Host`."""

    __slots__ = ("_automaton", "_node")

    def __init__(self, automaton: Automaton, node: int = 0) -> None:
        self._automaton = automaton
        self._node = node

    @property
    def unfinished_count(self) -> int:
        """Tasks that were started and have not ended."""
        return self._automaton.unfinished_count(self._node)

    def deliver(self, task: int, answer: Answer) -> Outcome:
        """Give a task an answer, or start it with None."""
        self._node, outcome = self._automaton.step(self._node, task, answer)
        return outcome

    def close(self) -> None:
        """The host crashed: nothing to do."""

    def fork(self) -> MemoisedHost:
        """An independent copy."""
        return MemoisedHost(self._automaton, self._node)

    def key(self) -> Hashable:
        """The node."""
        return self._node

    def boundary(self) -> Hashable:
        """What identifies the host, if it was at rest on its last step; else None."""
        return self._automaton.boundary(self._node)

    def way(self) -> list[tuple[int, Outcome]]:
        """A way on which it came here; see `Automaton.way`."""
        return self._automaton.way(self._node)


def automata(scenario: Scenario, implementation: Implementation, merges: bool = True) -> list[Automaton]:
    """An automaton for each computer of a scenario."""
    return [
        Automaton(computer_factory(scenario, plan, implementation, merges), merges) for plan in scenario.hosts
    ]


def memoised_hosts(scenario: Scenario, implementation: Implementation) -> list[MemoisedHost]:
    """Memoised hosts for every computer of a scenario."""
    return [MemoisedHost(automaton) for automaton in automata(scenario, implementation)]
