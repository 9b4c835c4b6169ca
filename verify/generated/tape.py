"""A schedule as a tape of bytes: each byte says where to go on, and for how long.

The tape is made to be shrunk: a shorter one, and smaller bytes, say a simpler schedule. What happens by itself is *the
calm rule*: the thread that took the last step takes the next one if it can, else the first one that can; there are no
faults; and where no operation can take effect, that is the end. A byte says something else for a moment:

==============  ====================================================================================================
``0``           a step by the calm rule
``16 r + c``    a step of the c-th of the operations that can take effect, those of the last thread first; then some
                steps by the calm rule, the more the greater r is
``192 + f``     the f-th of the faults that can happen (errors, late writes, crashes, power losses), if any can
==============  ====================================================================================================

Numbers beyond what there is begin again with the first. Behind the last byte the calm rule holds to the end. So a tape
of n bytes switches at most n times between threads that could have gone on, and has at most n faults. What survived a
power loss takes a byte for each decision; behind the last byte it is the oldest content.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from shadowshare.sim.schedule import FAULT_KINDS, kind_of, split_mark
from shadowshare.verify.exploration.product import Lane, Move, Product

FIRST_FAULT = 192
"""The bytes from here on are faults, where one can happen."""

CALM_STEP_COUNTS = (0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 4, 6, 9, 14)
"""By the upper half of a byte: how many steps by the calm rule follow its own one."""

STEP_COUNT_MAXIMUM = 100_000
"""A schedule is cut after so many steps: tasks may go on for ever."""

REMEMBERED_STATE_COUNT = 1 << 17
"""States of which it is remembered what can happen there; the first ones, which schedules have in common."""


BEHIND_THE_LAST = -1
"""Stands for the bytes that a tape does not have."""


class Walk(NamedTuple):
    """A schedule that was run, to its end or to a violation.

    Attributes:
        labels: of its steps.
        violation: what is violated; None if nothing is.
    """

    labels: tuple[str, ...]
    violation: Any


class _Place:
    """A state, and what can happen in it; nothing if it is violated.

    Attributes:
        violation: what is violated in it; None if nothing is.
        operations: those that can take effect, or what can have survived a power loss.
        faults: what can go wrong.
        is_calm: whether the calm rule goes on here: not at an end, nor where something is to be decided.
    """

    __slots__ = ("faults", "is_calm", "operations", "violation")

    def __init__(self, product: Product, state: int) -> None:
        self.violation = product.violation(state)
        moves = product.moves(state) if self.violation is None else []
        self.operations = [move for move in moves if not is_fault(move.label)]
        self.faults = [move for move in moves if is_fault(move.label)]
        self.is_calm = bool(self.operations) and bool(thread_of(self.operations[0].label))
        if not self.operations and self.violation is None:
            self.violation = product.judge_end(state)

    def choose(self, thread: str, byte: int) -> Move | None:
        """What a byte says; None to end here, where no operation can take effect."""
        if self.faults and byte >= FIRST_FAULT:
            return self.faults[(byte - FIRST_FAULT) % len(self.faults)]
        if not self.operations:
            return None
        if byte == BEHIND_THE_LAST or not byte & 15:
            return self._next_of(thread) or self.operations[0]
        in_order = sorted(self.operations, key=lambda move: thread_of(move.label) != thread)
        return in_order[(byte & 15) % len(in_order)]

    def _next_of(self, thread: str) -> Move | None:
        for move in self.operations:
            if thread_of(move.label) == thread:
                return move
        return None

    def calm_step_count(self, byte: int) -> int:
        """How many steps by the calm rule follow what a byte says."""
        if byte == BEHIND_THE_LAST:
            return STEP_COUNT_MAXIMUM
        return 0 if byte >= FIRST_FAULT and self.faults else CALM_STEP_COUNTS[byte >> 4]


class Walker:
    """Runs tapes on one product, and remembers what can happen where they came by.

    Args:
        product: the world.
    """

    def __init__(self, product: Product) -> None:
        self._product = product
        self._places: dict[int, _Place] = {}

    def walk(self, tape: Iterable[int]) -> Walk:
        """Run the schedule that the bytes of a tape say."""
        bytes_left = iter(tape)
        labels: list[str] = []
        state, thread, calm_count = self._product.initial, "", 0
        lane: Lane | None = None
        while len(labels) < STEP_COUNT_MAXIMUM:
            move = self._go_on(state, lane, thread) if calm_count and lane is not None else None
            if move is None:
                place = self._places.get(state) or self._look(state)
                if place.violation is not None:
                    return Walk(tuple(labels), place.violation)
                byte = 0
                if not calm_count or not place.is_calm:
                    byte = next(bytes_left, BEHIND_THE_LAST)
                    calm_count = place.calm_step_count(byte) + 1
                move = place.choose(thread, byte)
                if move is None:
                    break
                if thread_of(move.label):
                    assert move.step.host is not None, "a thread is a task of a host"
                    thread, lane = thread_of(move.label), self._product.operation_lanes[move.step.host]
            calm_count -= 1
            labels.append(move.label)
            state += move.delta
        return Walk(tuple(labels), None)

    def _go_on(self, state: int, lane: Lane, thread: str) -> Move | None:
        """The next step of a thread, found without a look at the others; None if it has none, or to look closer."""
        product = self._product
        if product.violations and product.violation(state) is not None:
            return None
        moves = lane.moves.get(state & lane.mask)
        for move in product.learn(lane, state) if moves is None else moves:
            if thread_of(move.label) == thread and not is_fault(move.label):
                return move
        return None

    def _look(self, state: int) -> _Place:
        place = _Place(self._product, state)
        if len(self._places) < REMEMBERED_STATE_COUNT:
            self._places[state] = place
        return place


@lru_cache(maxsize=4096)
def thread_of(label: str) -> str:
    """The task that takes a step; empty if it is no task's."""
    return split_mark(label)[0].partition(".")[0] if label[0].isupper() else ""


@lru_cache(maxsize=4096)
def is_fault(label: str) -> bool:
    """Whether a step is something that goes wrong."""
    return kind_of(label) in FAULT_KINDS
