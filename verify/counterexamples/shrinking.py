"""From a schedule that violates something to one that a person can follow: few preemptions, few switches, few steps.

A *thread* is a task of a host; a *switch* is a step of another thread than the one before, and a *preemption* is a
switch away from a thread that could have gone on. What nobody schedules (crashes, power losses, late writes, what
survived) is no switch. Most races need two preemptions at most, however many has the schedule in which they were met
(Musuvathi and Qadeer, Iterative context bounding for systematic testing of multithreaded programs, PLDI 2007).

`shrink` first makes the schedule simpler where it stands (`shadowshare.verify.counterexamples.simplifying`), and then
searches all schedules of the threads and the kinds of faults that are left, cheapest first (Dijkstra's algorithm over
the state and the thread that took the last step). So the first violation of the same rule that it meets has the
fewest preemptions, of those the fewest switches, then the fewest faults, then the fewest steps. A kind of fault goes
even if its place is taken by as many preemptions; what is told last, that nothing costs less, is of schedules without
it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

from shadowshare.sim.schedule import ScheduleError
from shadowshare.verify.counterexamples.simplifying import (
    Cost,
    Simplifier,
    Steps,
    Way,
    in_order,
    is_fault,
    source_of,
    thread_of,
    violating_steps,
    violation_in,
)
from shadowshare.verify.exploration.product import Product

EXPANSION_COUNT_MAXIMUM = 40_000
"""States that are looked at, at most, in search of the least schedule."""

SIMPLIFYING_STEP_COUNT_MAXIMUM = 200_000
"""Steps that are taken, at most, to simplify the given schedule."""

STEP_BITS, FAULT_BITS, SWITCH_BITS = 30, 20, 20
_STEP = 1
_FAULT = 1 << STEP_BITS
_SWITCH = _FAULT << FAULT_BITS
_PREEMPTION = _SWITCH << SWITCH_BITS


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A schedule that violates the same rule as the one that was given.

    Attributes:
        labels: of its steps; something is violated with the last of them, or it is wrong that this is the end.
        violation: what is violated.
        cost: of it.
        cost_before: of the one that was given.
        is_least: whether no schedule of these threads and kinds of faults costs less.
        preemption_count_minimum: no schedule of these has fewer preemptions.
        reason: why it is not known that none costs less; empty if it is.
        expansion_count: states that were looked at.
    """

    labels: tuple[str, ...]
    violation: Any
    cost: Cost
    cost_before: Cost
    is_least: bool
    preemption_count_minimum: int
    reason: str
    expansion_count: int


def shrink(
    product: Product,
    labels: Sequence[str],
    expansion_count_maximum: int = EXPANSION_COUNT_MAXIMUM,
    simplifying_step_count_maximum: int = SIMPLIFYING_STEP_COUNT_MAXIMUM,
) -> Shrunk:
    """The least schedule that violates the rule that ``labels`` violate, or the best that could be found.

    Args:
        product: a world in which the schedule can happen.
        labels: the schedule.
        expansion_count_maximum: states to look at, at most.
        simplifying_step_count_maximum: steps to take, at most, to simplify the given schedule before.

    Raises:
        ScheduleError: the schedule does not fit, or violates nothing.
    """
    given, at_end = violating_steps(product, labels)
    simplifier = Simplifier(product, given, at_end, simplifying_step_count_maximum)
    simplifier.run()
    shrinker = _Shrinker(simplifier, expansion_count_maximum)
    shrinker.run()
    best = shrinker.best
    return Shrunk(
        best.labels,
        best.violation,
        best.cost,
        given.cost,
        not shrinker.reason,
        shrinker.preemption_count_minimum,
        shrinker.reason,
        shrinker.expansion_count,
    )


def as_it_is(product: Product, labels: Sequence[str], violation: Any, reason: str) -> Shrunk:
    """A schedule that is not shrunk, with what it costs.

    Args:
        product: a world in which the schedule can happen.
        labels: the schedule.
        violation: what it violates.
        reason: why it is not shrunk.

    Raises:
        ScheduleError: the schedule does not fit.
    """
    way = Way(product, at_end=True)
    for label in labels:
        move = way.find(label)
        if move is None:
            raise ScheduleError(f"nothing with the label {label!r} can happen")
        way.take(move)
    cost = way.steps().cost
    return Shrunk(tuple(labels), violation, cost, cost, False, 0, reason, 0)


class _Shrinker:
    """Searches for better schedules than the simple one, until the states to look at are spent."""

    def __init__(self, simplifier: Simplifier, expansion_count_maximum: int) -> None:
        self.best = simplifier.best
        self.reason = ""
        self.expansion_count = 0
        self.preemption_count_minimum = 0
        self._product = simplifier.product
        self._at_end = simplifier.at_end
        self._sources = simplifier.sources
        self._expansion_count_maximum = expansion_count_maximum

    def run(self) -> None:
        """Find the least schedule; then one that does without a fault, or a thread, and is hardly worse."""
        search = self._search(self._sources, _number_of(self.best.cost))
        if search.is_cut_off:
            self.preemption_count_minimum = search.reached // _PREEMPTION
            self.reason = self._why_it_stopped()
            return
        while any(self._drops(source) for source in self._droppable()):
            pass
        self.preemption_count_minimum = self.best.cost.preemption_count

    def _why_it_stopped(self) -> str:
        """What is still open where the states to look at are spent."""
        stopped = f"stopped after looking at {self.expansion_count} states"
        if self.preemption_count_minimum == self.best.cost.preemption_count:
            return f"{stopped}: fewer preemptions are not possible, but perhaps fewer switches or steps"
        return f"{stopped}: at least {self.preemption_count_minimum} preemptions are needed, perhaps fewer than here"

    def _droppable(self) -> list[str]:
        """What there may be a schedule without: faults, and threads if there are three or more."""
        sources = in_order(self.best.sources)
        is_crowd = sum(not is_fault(source) for source in sources) > 2
        return [source for source in sources if is_fault(source) or is_crowd]

    def _drops(self, source: str) -> bool:
        """Whether a schedule without anything from one source was found.

        It may have a preemption more for each fault less, for a crash can stand for one: a thread stops.
        """
        before = self.best
        fault_count = sum(source_of(label) == source for label in before.labels) if is_fault(source) else 0
        self._search(self._sources - {source}, (before.cost.preemption_count + fault_count + 1) * _PREEMPTION)
        if self.best is before:
            return False
        self._sources -= {source}
        return True

    def _search(self, sources: Collection[str], bound: int) -> _Search:
        """Search for a schedule with steps from some sources that costs less than a bound."""
        search = _Search(self._product, sources, self.best.violation.rule, self._at_end)
        search.run(bound, self._expansion_count_maximum - self.expansion_count)
        self.expansion_count += search.expansion_count
        if search.found is not None:
            self.best = search.found
        return search


def _number_of(cost: Cost) -> int:
    """A cost as one number; they compare alike."""
    return (
        cost.preemption_count * _PREEMPTION
        + cost.switch_count * _SWITCH
        + cost.fault_count * _FAULT
        + cost.step_count
    )


def _cost_of(number: int) -> Cost:
    return Cost(
        number // _PREEMPTION,
        number % _PREEMPTION // _SWITCH,
        number % _SWITCH // _FAULT,
        number % _FAULT,
    )


class _Search:
    """One search, cheapest first, among the schedules with steps from some sources.

    A node is a state and the thread that took the last step: from there on, no more matters of how it was reached.
    """

    def __init__(self, product: Product, sources: Collection[str], rule: str, at_end: bool) -> None:
        self.found: Steps | None = None
        self.is_cut_off = False
        self.reached = 0
        """No schedule costs less than this number and violates the rule."""
        self.expansion_count = 0
        self._product = product
        self._sources = {*sources, "keep"}
        self._rule = rule
        self._at_end = at_end
        self._nodes: list[tuple[int, str, int, str]] = [(product.initial, "", -1, "")]
        self._least: dict[tuple[int, str], int] = {(product.initial, ""): 0}
        self._waiting = [(0, 0)]

    def run(self, bound: int, expansion_count_maximum: int) -> None:
        """Search until something is found, or nothing is left that costs less than ``bound``, or it is cut off."""
        while self._waiting and self.found is None:
            cost, number = heappop(self._waiting)
            state, last = self._nodes[number][:2]
            if cost > self._least[state, last]:
                continue
            self.reached = cost
            if self.expansion_count >= expansion_count_maximum:
                self.is_cut_off = True
                return
            self.expansion_count += 1
            violation = violation_in(self._product, self._at_end, state)
            if violation is None:
                self._expand(cost, number, bound)
            elif violation.rule == self._rule:
                self.found = Steps(self._labels_to(number), violation, _cost_of(cost))

    def _expand(self, cost: int, number: int, bound: int) -> None:
        """Note where each move leads from a node, and what it costs."""
        state, last = self._nodes[number][:2]
        moves = self._product.moves(state)
        switch = _STEP
        if last:
            switch += _SWITCH
            if any(thread_of(move.label) == last for move in moves):
                switch += _PREEMPTION
        for move in moves:
            source = source_of(move.label)
            if source not in self._sources:
                continue
            thread = thread_of(move.label) or last
            after = cost + (_STEP if thread == last else switch) + (_FAULT if is_fault(source) else 0)
            key = (state + move.delta, thread)
            if after < bound and after < self._least.get(key, bound):
                self._least[key] = after
                heappush(self._waiting, (after, len(self._nodes)))
                self._nodes.append((*key, number, move.label))

    def _labels_to(self, number: int) -> tuple[str, ...]:
        labels = []
        while number > 0:
            _, _, number, label = self._nodes[number]
            labels.append(label)
        return tuple(reversed(labels))
