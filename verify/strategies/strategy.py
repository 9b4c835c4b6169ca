"""What a strategy is, and what those have in common that run one schedule after the other.

A strategy is anything with `Strategy.run`. One that merely chooses what happens next, at each step of one schedule
after the other, is a `Sampler`: it says what it does at the beginning of a schedule, and which move it takes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any, Protocol

from shadowshare.verify.exploration.product import SHARED_MASK, Move, Product
from shadowshare.verify.exploration.search import Budget, Progress
from shadowshare.verify.result import Exploration

PROGRESS_EXECUTION_COUNT = 256

REMEMBERED_STATE_COUNT = 1 << 16
"""States of which a sampler remembers at most what can happen there; the first ones, which schedules have in common."""

SCHEDULE_STEP_COUNT_MAXIMUM = 10_000
"""A schedule that a sampler draws is cut after so many steps: tasks may go on for ever, and each step is remembered."""


class Strategy(Protocol):
    """Chooses which interleavings of a product are run."""

    name: str
    is_sampling: bool
    """Whether it leaves interleavings out. Then all hosts are run together, and none is taken for another one: each
    of those reductions rests on every interleaving being covered."""

    def run(self, product: Product, budget: Budget, progress: Progress | None = None) -> Exploration:
        """Run interleavings until all are covered, something is violated, or the budget is spent."""


class Sampler:
    """Runs one schedule after the other; each depends on the seed and its own number, from 0, and on nothing else.

    A schedule goes on until nothing can happen any more. Where no operation can take effect, it is judged as an end;
    crashes and late writes that may still happen then happen after that. Hosts that are alike are not taken for one
    another.

    Args:
        seed: of the choices; the same seed gives the same schedules.
        first: number of the first schedule.
    """

    name = ""
    is_sampling = True

    def __init__(self, seed: int = 0, first: int = 0) -> None:
        self.seed = seed
        self.first = first
        self.random = Random()
        self.product: Product | None = None
        """What schedules are run of; None before the first one."""
        self._moves: dict[int, tuple[Move, ...]] = {}
        """By state: what can happen there. An end is here only if nothing is violated in it."""
        self.tallies = Counter[str]()
        """How many of the schedules that were run are out of the ordinary, by what they are, in words."""

    def __getstate__(self) -> dict[str, Any]:
        """Without what is known of a product: a copy, in another process for example, finds it out again."""
        return {**self.__dict__, "product": None, "_moves": {}}

    # -- what a sampler says -------------------------------------------------------------------------------------

    def prepare(self, product: Product) -> None:
        """Called once, before the first schedule."""

    def begin(self, product: Product) -> None:
        """Called at the beginning of each schedule, with `random` made afresh."""

    def choose(self, state: int, moves: Sequence[Move]) -> Move:
        """Which of ``moves``, at least one, is taken in ``state``."""
        raise NotImplementedError

    def end(self, number: int, moves: Sequence[Move]) -> None:
        """Called at the end of each schedule, with its number and what happened."""

    def remark(self, product: Product) -> str:
        """What the schedules that were run say about those that were not; all that counts them is in `tallies`."""
        return "schedules that are drawn prove nothing about the others"

    # -- running -------------------------------------------------------------------------------------------------

    def run(self, product: Product, budget: Budget, progress: Progress | None = None) -> Exploration:
        """Run schedules until one violates something, or the budget is spent."""
        self.start(product)
        execution_count = step_count = depth = 0
        violation, reason = None, budget.spent()
        labels: tuple[str, ...] = ()
        while not reason and violation is None:
            if progress is not None and execution_count % PROGRESS_EXECUTION_COUNT == 0:
                progress(execution_count, 0)
            moves, violation = self.draw(product, self.first + execution_count)
            execution_count += 1
            step_count += len(moves)
            depth = max(depth, len(moves))
            if violation is not None:
                labels = tuple([move.label for move in moves])
            elif len(moves) >= SCHEDULE_STEP_COUNT_MAXIMUM:
                self.tallies[f"cut after {SCHEDULE_STEP_COUNT_MAXIMUM:,} steps"] += 1
            reason = budget.spent(execution_count=execution_count, step_count=step_count)
        return Exploration(
            violation,
            labels,
            reason="" if violation is not None else f"{reason}; {self.remark(product)}",
            execution_count=execution_count,
            step_count=step_count,
            depth_steps=depth,
            tallies=dict(self.tallies),
        )

    def start(self, product: Product) -> None:
        """Forget everything about earlier schedules, and prepare for the first one."""
        self.product, self._moves = product, {}
        self.prepare(product)
        self.tallies = Counter()

    def run_one(self, product: Product, number: int) -> tuple[list[str], Any]:
        """Run the schedule of one number to its end or to a violation; its labels, and what is violated."""
        moves, violation = self.draw(product, number)
        return [move.label for move in moves], violation

    def draw(self, product: Product, number: int) -> tuple[list[Move], Any]:
        """Run the schedule of one number to its end or to a violation; what happened, and what is violated."""
        if self.product is not product:
            self.start(product)
        moves, violation = self.walk(product, number)
        self.end(number, moves)
        return moves, violation

    def walk(self, product: Product, number: int, judges: bool = True) -> tuple[list[Move], Any]:
        """As `draw`, without what comes before and after; on past violations unless it ``judges``."""
        self.random.seed((self.seed << 40) + number)
        self.begin(product)
        known, choose = self._moves, self.choose
        violations: dict[int, Any] = product.violations if judges else {}
        taken: list[Move] = []
        take = taken.append
        state = product.initial
        for _ in range(SCHEDULE_STEP_COUNT_MAXIMUM):
            moves = known.get(state)
            if moves is None:
                moves, violation = self._look(product, state)
                if violation is not None and judges:
                    return taken, violation
            if not moves:
                break
            move = choose(state, moves)
            take(move)
            state += move[1]
            if violations and state & SHARED_MASK in violations:
                return taken, product.violation(state)
        return taken, None

    def _look(self, product: Product, state: int) -> tuple[tuple[Move, ...], Any]:
        """What can happen in a state that is not remembered, and what is violated there if it is an end."""
        moves = tuple(product.moves(state))
        violation = product.judge_end(state) if product.is_end(state) else None
        if violation is None and len(self._moves) < REMEMBERED_STATE_COUNT:
            self._moves[state] = moves
        return moves, violation
