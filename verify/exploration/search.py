"""Every state of a product, breadth first: nothing is met twice, and the first violation found is a nearest one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import inf
from sys import maxsize
from time import perf_counter
from typing import Any

from shadowshare.sim.schedule import kind_of
from shadowshare.verify.exploration.liveness import (
    LeftAlone,
    actors_of,
    avoids,
    never,
    round_and_round,
    round_for_ever,
    too_long,
)
from shadowshare.verify.exploration.product import SHARED_BITS, Lane, Move, Product

PROGRESS_STEP_COUNT = 4096

LEARNT_ALONE_COUNT = 500
"""How often, besides once for ten states, a search that is not at its end finds out what comes of a host left alone."""

STATE_COUNT_MAXIMUM = 1_000_000
"""States that a search meets at most unless told otherwise; a state takes some 200 bytes."""

Progress = Callable[[int, int], None]
"""Called now and then with how much was covered (states, or executions) and how much is known to wait (states)."""


class Budget:
    """How much may be spent; when it is spent the verdict is unknown.

    Args:
        state_count: states to meet at most.
        seconds: time to take at most; None for no limit.
        execution_count: schedules to run at most, for strategies that run one after the other; None for no limit.
        step_count: steps to take at most; None for no limit.
    """

    def __init__(
        self,
        state_count: int = STATE_COUNT_MAXIMUM,
        seconds: float | None = None,
        execution_count: int | None = None,
        step_count: int | None = None,
    ) -> None:
        self.state_count = state_count
        self.execution_count = execution_count
        self.step_count = step_count
        self._end = None if seconds is None else perf_counter() + seconds
        self._is_interrupted = False

    def interrupt(self) -> None:
        """Let whoever asks next stop."""
        self._is_interrupted = True

    @property
    def is_interrupted(self) -> bool:
        """Whether `interrupt` was called."""
        return self._is_interrupted

    def spent(self, state_count: int = 0, execution_count: int = 0, step_count: int = 0) -> str:
        """Why to stop now; empty to go on."""
        if self._is_interrupted:
            return "interrupted"
        if state_count >= self.state_count:
            return f"stopped after {state_count} states"
        if self.execution_count is not None and execution_count >= self.execution_count:
            return f"stopped after {execution_count} executions"
        if self.step_count is not None and step_count >= self.step_count:
            return f"stopped after {step_count} steps"
        if self._end is not None and perf_counter() > self._end:
            return "stopped because the time was used up"
        return ""


class Search:
    """A breadth-first search, which can stop and go on.

    Args:
        product: what is searched.
    """

    def __init__(self, product: Product) -> None:
        self.product = product
        self.violation: Any = None
        self.labels: tuple[str, ...] = ()
        """The way to the violation."""
        self.step_count = 0
        self.position = 0
        """How many of the states were left behind: everything that can happen in them was tried."""
        self.states = [product.initial]
        """Those met, nearest first."""
        self.parents = [-1]
        """By number of a state: the number of the one from which it was met first."""
        self._numbers = {product.initial: 0}
        self._left_alone = [LeftAlone(product, patience) for patience in product.patiences]
        self._is_violated(0)

    @property
    def is_exhausted(self) -> bool:
        """Whether nothing is left to try."""
        return self.violation is None and self.position == len(self.states)

    def run(self, budget: Budget, progress: Progress | None = None) -> str:
        """Search on until everything is covered, something is violated, or the budget is spent; then, why."""
        while self.violation is None and self.position < len(self.states):
            reason = budget.spent(len(self.states), step_count=self.step_count)
            if reason:
                return reason
            if progress is not None:
                progress(len(self.states), len(self.states) - self.position)
            self._expand(min(len(self.states), self.position + PROGRESS_STEP_COUNT), budget)
            self._look_at_those_alone()
        return ""

    def _look_at_those_alone(self) -> None:
        """A violation if a host takes too long from one of the states that were met since the last time."""
        if self.violation is not None:
            return
        is_known = self.position == len(
            self.states
        )  # then all that a host alone can come to was met, and is known
        learnt_count_maximum = inf if is_known else LEARNT_ALONE_COUNT + len(self.states) // 10
        for left_alone in self._left_alone:
            found = left_alone.look(self.states, learnt_count_maximum)
            if found is not None:
                number, labels = found
                self.violation = too_long(left_alone.patience)
                self.labels = (*self.labels_to(number), *labels)
                return

    def look_for_ever(self) -> None:
        """A violation if a fair schedule may go on for ever; everything must have been met."""
        found = round_for_ever(self)
        if found is not None:
            number, labels = found
            self.violation = round_and_round(actors_of(labels))
            self.labels = (*self.labels_to(number), *labels)

    def look_for_never(self) -> None:
        """A violation if what must come to hold never does; everything must have been met."""
        for eventual in self.product.eventual:
            labels = avoids(self, eventual)
            if labels is not None:
                self.violation, self.labels = never(eventual), labels
                return

    def steps_alone(self) -> int:
        """The most steps that a host took to finish something, when it was left alone in one of the states met."""
        return max((left_alone.step_count for left_alone in self._left_alone), default=0)

    def _expand(self, end: int, budget: Budget) -> None:
        """Try everything that can happen in the states up to number ``end``; one of them after the other."""
        operation_lanes = [(lane.mask, lane.moves, lane) for lane in self.product.operation_lanes]
        event_lanes = [(lane.mask, lane.moves, lane) for lane in self.product.event_lanes]
        states, violations, try_lanes = self.states, self.product.violations, self._try
        state_count_maximum = budget.state_count
        step_count_maximum = maxsize if budget.step_count is None else budget.step_count
        while (
            self.position < end and len(states) < state_count_maximum and self.step_count < step_count_maximum
        ):
            known_count = len(states)
            can_go_on = try_lanes(operation_lanes)
            if not can_go_on and self._is_wrong_end():
                return
            if event_lanes:
                try_lanes(event_lanes)
            self.position += 1
            if violations and any(self._is_violated(number) for number in range(known_count, len(states))):
                return

    def _try(self, lanes: list[tuple[int, dict[int, tuple[Move, ...]], Lane]]) -> bool:
        """Try everything that some lanes allow in the present state; whether they allow anything."""
        product, states, parents, numbers = self.product, self.states, self.parents, self._numbers
        canonical = product.canonical if product.has_alike else None
        position, step_count = self.position, 0
        state = states[position]
        for mask, known, lane in lanes:
            moves = known.get(state & mask)
            if moves is None:
                moves = product.learn(lane, state)
            for move in moves:
                after = state + move[1]
                if canonical is not None:
                    after = canonical(after)
                if after not in numbers:
                    numbers[after] = len(states)
                    states.append(after)
                    parents.append(position)
            step_count += len(moves)
        self.step_count += step_count
        return step_count > 0

    def _is_violated(self, number: int) -> bool:
        return self._found(self.product.violation(self.states[number]), number)

    def _is_wrong_end(self) -> bool:
        state = self.states[self.position]
        return not self.product.shared(state).deciding and self._found(
            self.product.judge_end(state), self.position
        )

    def _found(self, violation: Any, number: int) -> bool:
        if violation is None:
            return False
        self.labels, state = self._way_to(number)
        # Where hosts are taken for one another, what the way leads to may name another one of them.
        self.violation = self.product.violation(state) or self.product.judge_end(state)
        return True

    def restore(self, parents: Sequence[int], moves: Sequence[int], position: int, step_count: int) -> None:
        """Go, without trying anything else, to where another search of the same was.

        Args:
            parents: by number of a state, from 1: the number of the one from which it was met first.
            moves: by number of a state, from 1: which of the moves of that one led to it.
            position: how many states were left behind.
            step_count: choices that were taken.

        Raises:
            ValueError: a state was met before.
            IndexError: there is no such state or move.
        """
        product, parent, possible = self.product, -1, list[Move]()
        for came_from, move in zip(parents, moves, strict=True):
            if came_from != parent:
                parent, possible = came_from, product.moves(self.states[came_from])
            after = product.canonical(self.states[parent] + possible[move].delta)
            if after in self._numbers:
                raise ValueError("a state was met before")
            self._numbers[after] = len(self.states)
            self.states.append(after)
            self.parents.append(parent)
        if not 0 <= position <= len(self.states):
            raise ValueError("there are not so many states")
        self.position, self.step_count = position, step_count

    # -- ways ----------------------------------------------------------------------------------------------------

    def labels_to(self, number: int) -> tuple[str, ...]:
        """The labels on the way to a state."""
        return self._way_to(number)[0]

    def _way_to(self, number: int) -> tuple[tuple[str, ...], int]:
        """The labels on the way to a state, found by going it again from the start; and where it leads.

        Where hosts are taken for one another, that is a state that is the same but for which of them is where.
        """
        way = []
        while number > 0:
            way.append(self.states[number])
            number = self.parents[number]
        labels, state = [], self.product.initial
        for wanted in reversed(way):
            move = self._move_to(state, wanted)
            labels.append(move.label)
            state += move.delta
        return tuple(labels), state

    def _move_to(self, state: int, wanted: int) -> Move:
        """The move to a state, or to one that differs only in which host is where, also in who violated something."""
        product, is_violated = self.product, self.product.violation(wanted) is not None
        reached = [(move, product.canonical(state + move.delta)) for move in product.moves(state)]
        for move, after in reached:
            if after == wanted:
                return move
        return next(
            move
            for move, after in reached
            if is_violated
            and product.violation(after) is not None
            and after >> SHARED_BITS == wanted >> SHARED_BITS
        )

    def choice_counts(self) -> Mapping[str, int]:
        """How many of the choices taken were of which kind; empty if nothing but whole operations can happen."""
        product, counts = self.product, Counter[str]()
        rules = product.shared(product.initial).rules
        if not (rules.has_happenings or rules.tears):
            return counts
        for lane in product.lanes:
            met = Counter[int]()
            for state in self.states[: self.position]:
                part = state & lane.mask
                met[part] += 1
                if part not in lane.moves:  # of a search that was restored
                    product.learn(lane, state)
            for part, times in met.items():
                for move in lane.moves[part]:
                    counts[kind_of(move.label)] += times
        return dict(counts)

    def depth_steps(self) -> int:
        """Length of the longest of the shortest ways to a state."""
        depths = [0] * len(self.parents)
        for number, parent in enumerate(self.parents):
            if parent >= 0:
                depths[number] = depths[parent] + 1
        return max(depths)

    def schedule_count(self) -> int | None:
        """How many ways lead from the start to ends; None if there are infinitely many.

        With hosts that are taken for one another, ways that differ only in which is which count once for each order.
        """
        product, numbers = self.product, self._numbers
        incoming = [0] * len(self.states)
        reached = []
        for state in self.states:
            after = [numbers[product.canonical(state + move[1])] for move in product.moves(state)]
            reached.append(after)
            for number in after:
                incoming[number] += 1
        ways = [1] + [0] * (len(self.states) - 1)
        ready = [number for number, count in enumerate(incoming) if count == 0]
        total = done_count = 0
        while ready:
            number = ready.pop()
            done_count += 1
            if product.is_end(self.states[number]):
                total += ways[number]
            for after_number in reached[number]:
                ways[after_number] += ways[number]
                incoming[after_number] -= 1
                if incoming[after_number] == 0:
                    ready.append(after_number)
        return total if done_count == len(self.states) else None
