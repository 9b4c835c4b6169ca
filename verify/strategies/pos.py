"""Partial-order sampling: random priorities of events, drawn again where events race."""

from __future__ import annotations

from collections.abc import Sequence

from shadowshare.verify.exploration.dependence import Touched, touched
from shadowshare.verify.exploration.product import SHARED_MASK, Move, Product
from shadowshare.verify.strategies.strategy import REMEMBERED_STATE_COUNT, Sampler


class PartialOrderSampling(Sampler):
    """POS (Yuan, Yang, Gu, CAV 2018).

    Each event that can happen has a random priority, and the first in priority happens. Those that race with it, that
    is, touch something in common with it that one of them changes (`shadowshare.verify.exploration.dependence`), get
    new priorities, and so does what the task does next. Events that do not race keep theirs, however long they wait: so
    interleavings that differ only in the order of independent steps, which show the same, take a smaller share of
    the schedules than in a walk with uniform choices.
    """

    name = "pos"

    def prepare(self, product: Product) -> None:
        """Forget the races of another product."""
        self._races: dict[int, dict[str, list[str]]] = {}
        self._touched: dict[tuple[int, int], Touched] = {}

    def begin(self, product: Product) -> None:
        """Nothing has a priority."""
        self._priorities: dict[str, float] = {}

    def choose(self, state: int, moves: Sequence[Move]) -> Move:
        """The first in priority."""
        priorities = self._priorities
        highest, first = -1.0, moves[0]
        for move in moves:
            priority = priorities.get(move.label)
            if priority is None:
                priority = priorities[move.label] = self.random.random()
            if priority > highest:
                highest, first = priority, move
        races = self._races.get(state)
        if races is None:
            races = {}
            if len(self._races) < REMEMBERED_STATE_COUNT:
                self._races[state] = races
        again = races.get(first.label)
        if again is None:
            again = races[first.label] = self._racing(state, first, moves)
        for label in again:
            priorities.pop(label, None)
        return first

    def _racing(self, state: int, taken: Move, moves: Sequence[Move]) -> list[str]:
        """The labels of the moves that race with the one taken, itself included."""
        changed = self._touched_by(state, taken)
        return [
            move.label for move in moves if move is taken or changed.depends_on(self._touched_by(state, move))
        ]

    def _touched_by(self, state: int, move: Move) -> Touched:
        key = (state & SHARED_MASK, id(move))  # the product keeps each of its moves
        found = self._touched.get(key)
        if found is None:
            assert self.product is not None
            found = self._touched[key] = touched(move, self.product.shared(state))
        return found
