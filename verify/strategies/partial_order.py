"""Partial-order reduction: of the schedules that differ only in the order of independent steps, one is run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shadowshare.verify.exploration.product import Product
from shadowshare.verify.exploration.search import Budget, Progress
from shadowshare.verify.exploration.traces import Event, Junction, Junctions, Trace
from shadowshare.verify.exploration.wakeup_tree import WakeupTree
from shadowshare.verify.result import Exploration
from shadowshare.verify.strategies.strategy import PROGRESS_EXECUTION_COUNT

STEP_COUNT_MAXIMUM = 2_000
"""A schedule with more steps ends the exploration: tasks may go on for ever."""

REDUCTION = (
    "of the schedules that differ only in the order of steps that do not depend on each other, one was run"
)

REFUSED = (
    "optimal partial-order reduction: with crashes or errors, or where an answer decides whether a step reports "
    "something, some schedules are broken off"
)


class PartialOrder:
    """Source-DPOR with sleep sets, or optimal DPOR with wakeup trees (docs/partial-order-reduction.md).

    Abdulla, Aronis, Jonsson, Sagonas: Optimal Dynamic Partial Order Reduction, POPL 2014, and Source Sets: A
    Foundation for Optimal Dynamic Partial Order Reduction, JACM 64(4), 2017. States are compared with nothing here, and
    so a budget of states means nothing to it.

    Args:
        optimal: whether no schedule is begun that turns out to be equivalent to an earlier one. That takes longer for
            each schedule, and is not done in worlds with crashes or errors, nor where a step touches something else
            if it gets another answer.
        step_count_maximum: steps of a schedule at most.
    """

    is_sampling = False

    def __init__(self, optimal: bool = False, step_count_maximum: int = STEP_COUNT_MAXIMUM) -> None:
        self.name = "optimal-dpor" if optimal else "source-dpor"
        self._is_optimal = optimal
        self._step_count_maximum = step_count_maximum

    def run(self, product: Product, budget: Budget, progress: Progress | None = None) -> Exploration:
        """Run a schedule of each trace until all are covered, something is violated, or the budget is spent."""
        rules = product.shared(product.initial).rules
        if rules.power_loss_count:
            return Exploration(
                reason="partial-order reduction does not cover power losses; the exhaustive strategy does"
            )
        if self._is_optimal and not rules.has_happenings:
            try:
                return self._explore(_OptimalSearch(product, self._step_count_maximum), budget, progress)
            except _TouchesSomethingElse:
                pass
        found = self._explore(_SourceSearch(product, self._step_count_maximum), budget, progress)
        return replace(found, refused=(REFUSED,)) if self._is_optimal else found

    def _explore(self, search: _Search, budget: Budget, progress: Progress | None) -> Exploration:
        reason = search.run(budget, progress)
        is_exhausted = not reason and search.violation is None
        return Exploration(
            search.violation,
            search.labels,
            is_exhausted,
            reason,
            execution_count=search.trace_count + search.blocked_count,
            trace_count=search.trace_count if is_exhausted else None,
            blocked_count=search.blocked_count,
            step_count=search.step_count,
            depth_steps=search.depth_steps,
            reductions=(REDUCTION,),
        )


class _TouchesSomethingElse(Exception):
    """A step that gets another answer touches something else than it did."""


class _Node:
    """A state on the way that is being run.

    Attributes:
        junction: what can happen there.
        sleep: lanes that need not go on here: what begins with them was run already, or is equivalent to it.
        tree: of optimal DPOR: what must be run from here, and was not yet.
        chosen: of source-DPOR: the lanes that must go on here, those that did included.
        taken: the lane that goes on now, as a bit.
    """

    __slots__ = ("chosen", "junction", "sleep", "taken", "tree")

    def __init__(self, junction: Junction, sleep: int, tree: WakeupTree) -> None:
        self.junction = junction
        self.sleep = sleep
        self.tree = tree
        self.chosen = 0
        self.taken = 0


class _Search:
    """What both algorithms have in common: the schedule that is being run, and what came of it."""

    def __init__(self, product: Product, step_count_maximum: int) -> None:
        self.violation: Any = None
        self.labels: tuple[str, ...] = ()
        self.trace_count = self.blocked_count = self.step_count = self.depth_steps = 0
        self._step_count_maximum = step_count_maximum
        self._junctions = Junctions(product)
        self._nodes: list[_Node] = []
        self._trace = Trace()

    # -- what the algorithms say ---------------------------------------------------------------------------------

    def _begin(self, node: _Node, awake: int) -> None:
        """Choose one of some lanes at a state that was reached, unless it is known what must be run from there."""
        raise NotImplementedError

    def _next(self, node: _Node) -> int:
        """The lane that goes on next, as a bit; 0 if none must."""
        raise NotImplementedError

    def _child(self, node: _Node, junction: Junction, sleep: int) -> _Node:
        """Where the lane that goes on leads to."""
        raise NotImplementedError

    def _left(self, node: _Node) -> None:
        """Everything that must be run with the lane that went on was run."""
        raise NotImplementedError

    def _happened(self, event: Event, immediate: int) -> None:
        """An event happened; immediately before it were those at these positions, as bits."""
        raise NotImplementedError

    def _ended(self) -> None:
        """No operation can take effect any more, or all that could happen sleeps."""
        raise NotImplementedError

    # -- running -------------------------------------------------------------------------------------------------

    def run(self, budget: Budget, progress: Progress | None = None) -> str:
        """Run schedules until all are covered, something is violated, or the budget is spent; then, why."""
        nodes, trace, after = self._nodes, self._trace, self._junctions.after
        reason = self._arrive(_Node(self._junctions.first, 0, WakeupTree()), budget, progress)
        while nodes and not reason and self.violation is None:
            node = nodes[-1]
            taken = self._next(node)
            if not taken:
                self._leave()
                continue
            node.taken = taken
            lane = taken.bit_length() - 1
            junction, dependent = after(node.junction, lane)
            event = node.junction.events[lane]
            self._happened(event, trace.append(event))
            self.step_count += 1
            reason = self._arrive(self._child(node, junction, node.sleep & ~dependent), budget, progress)
        return reason

    def _leave(self) -> None:
        self._nodes.pop()
        if self._nodes:
            node = self._nodes[-1]
            self._trace.pop()
            self._left(node)
            node.sleep |= node.taken

    def _arrive(self, node: _Node, budget: Budget, progress: Progress | None) -> str:
        """Judge a state that was reached, and begin with what must be run from it; why to stop, if that is so."""
        self._nodes.append(node)
        junction = node.junction
        if junction.violation is not None:
            self.violation = junction.violation
            self.labels = tuple([event.label for event in self._trace.events])
        awake = junction.enabled & ~node.sleep
        self.trace_count += junction.is_end
        self.blocked_count += not awake and not junction.is_end
        if awake:
            self._begin(node, awake & junction.plain or awake)
            if not junction.is_end and self.violation is None:
                return "" if len(self._nodes) <= self._step_count_maximum else self._too_long()
        self._ended()
        return self._schedule_ended(budget, progress)

    def _too_long(self) -> str:
        return (
            f"stopped at a schedule of more than {self._step_count_maximum} steps, which may never end; "
            "the exhaustive strategy covers tasks that ask again and again"
        )

    def _schedule_ended(self, budget: Budget, progress: Progress | None) -> str:
        self.depth_steps = max(self.depth_steps, len(self._trace.events))
        if self._junctions.is_full:
            self._junctions.forget()
        count = self.trace_count + self.blocked_count
        if progress is not None and count % PROGRESS_EXECUTION_COUNT == 0:
            progress(count, 0)
        return budget.spent(execution_count=count, step_count=self.step_count)

    # -- races ---------------------------------------------------------------------------------------------------

    def _racing(self, event: Event, immediate: int, direct: int, end: int) -> list[int]:
        """The positions of events that race with one at ``end``: it could also happen without them."""
        if event.waits:
            return self._racing_with_waiting(event, direct, end)
        events, nodes, lane = self._trace.events, self._nodes, event.lane
        found = []
        while immediate:
            position = immediate.bit_length() - 1
            immediate ^= 1 << position
            other = events[position]
            if other.lane == lane or not other.is_plain:
                continue
            if other.host != event.host or nodes[position].junction.enabled >> lane & 1:
                found.append(position)
        return found

    def _racing_with_waiting(self, event: Event, direct: int, end: int) -> list[int]:
        """The same for an event that waits: the last event on which it depends may have let it happen."""
        events, before = self._trace.events, self._trace.before
        found = []
        while direct:
            position = direct.bit_length() - 1
            direct ^= 1 << position
            if events[position].lane == event.lane:
                direct &= ~before[position]
            elif self._without(position, end, event.lane) is not None:
                direct &= ~before[position]
                if events[position].is_plain:
                    found.append(position)
        return found

    def _without(self, position: int, end: int, lane: int) -> Event | None:
        """What a lane does where the event at a position, and all up to ``end`` that it led to, did not happen.

        It gets another answer, and so it may touch something else than it did after that event.
        """
        junction, trace = self._nodes[position].junction, self._trace
        for other in trace.without(position, end):
            junction, _ = self._junctions.after(junction, trace.events[other].lane)
        return junction.events.get(lane)


class _SourceSearch(_Search):
    """Algorithm 1 of the article: each race adds a lane at the state before it, unless one that can do is there."""

    def _begin(self, node: _Node, awake: int) -> None:
        last = self._nodes[-2].taken if len(self._nodes) > 1 else 0
        node.chosen = awake & last or awake & -awake

    def _next(self, node: _Node) -> int:
        waiting = node.chosen & ~node.sleep
        taken = waiting & -waiting
        if taken and self._junctions.has_happenings and self._prevents(node.junction, taken.bit_length() - 1):
            node.chosen = node.junction.enabled
        return taken

    def _prevents(self, junction: Junction, lane: int) -> bool:
        """Whether a lane that goes on keeps something else from happening, other than by taking a lock.

        Then no race may be found later that says so, and so everything is tried here.
        """
        event = junction.events[lane]
        if not event.is_plain:
            return True
        after, _ = self._junctions.after(junction, lane)
        lost = junction.enabled & ~after.enabled & ~(1 << lane)
        return any(
            other.flight == event.flight or (lost >> other.lane & 1 and not (other.waits and other.is_plain))
            for other in junction.events.values()
            if other is not event
        )

    def _child(self, node: _Node, junction: Junction, sleep: int) -> _Node:
        return _Node(junction, sleep, node.tree)

    def _left(self, node: _Node) -> None:
        pass

    def _happened(self, event: Event, immediate: int) -> None:
        end = len(self._trace.events) - 1
        self._reverse(event, immediate, self._trace.direct[end], end)

    def _ended(self) -> None:
        for event in self._junctions.pending(self._nodes[-1].junction):
            self._reverse(event, 0, self._trace.earlier(event), len(self._trace.events))

    def _reverse(self, event: Event, immediate: int, direct: int, end: int) -> None:
        for position in self._racing(event, immediate, direct, end):
            node = self._nodes[position]
            settled = node.chosen | node.sleep
            if not node.junction.enabled & ~settled:
                continue
            if self._without(position, end, event.lane) is not event:
                node.chosen = node.junction.enabled  # what it races with then is not known
                continue
            lane = 1 << event.lane
            found = self._trace.initials(position, end, lane, direct, settled)
            node.chosen |= lane if found & lane else found & -found


class _OptimalSearch(_Search):
    """Algorithm 2 of the article: at each end, each race is reversed by a sequence that no sleeping lane begins."""

    def __init__(self, product: Product, step_count_maximum: int) -> None:
        super().__init__(product, step_count_maximum)
        self._races: list[list[int]] = []
        """By position: the positions of events with which the one there races."""

    def _begin(self, node: _Node, awake: int) -> None:
        if not node.tree.branches:
            node.tree.add([node.junction.events[(awake & -awake).bit_length() - 1]])

    def _next(self, node: _Node) -> int:
        branches = node.tree.branches
        if not branches:
            return 0
        event = branches[0].event
        assert event is not None
        return 1 << event.lane

    def _child(self, node: _Node, junction: Junction, sleep: int) -> _Node:
        return _Node(junction, sleep, node.tree.branches[0])

    def _left(self, node: _Node) -> None:
        del node.tree.branches[0]
        self._races.pop()

    def _happened(self, event: Event, immediate: int) -> None:
        trace = self._trace
        end = len(trace.events) - 1
        direct = trace.direct[end]
        races = []
        for position in self._racing(event, immediate, direct, end):
            if self._without(position, end, event.lane) is not event:
                raise _TouchesSomethingElse
            # If a sleeping lane can come first, whatever else happens does not change that.
            if trace.initials(position, end, 1 << event.lane, direct, self._nodes[position].sleep):
                races.append(position)
        self._races.append(races)

    def _ended(self) -> None:
        trace = self._trace
        for end, positions in enumerate(self._races):
            for position in positions:
                self._reverse(position, trace.events[end])
        for event in self._junctions.pending(self._nodes[-1].junction):
            for position in self._racing(event, 0, trace.earlier(event), len(trace.events)):
                self._reverse(position, event)

    def _reverse(self, position: int, event: Event) -> None:
        """Let an event happen without the one at a position, behind all that happened anyway."""
        trace, node = self._trace, self._nodes[position]
        sequence = [trace.events[other] for other in trace.without(position, len(trace.events))]
        sequence.append(event)
        sleeping = node.sleep
        while sleeping:
            lane = sleeping.bit_length() - 1
            sleeping ^= 1 << lane
            if WakeupTree(node.junction.events[lane]).left_of(sequence) is not None:
                return
        node.tree.insert(sequence)
