"""What a strategy is, and what those have in common that run one schedule after the other.

A strategy is anything with `Strategy.run`. One that merely chooses what happens next, at each step of one schedule
after the other, is a `Sampler`: it says what it does at the beginning of a schedule, and which move it takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, Protocol

from shadowshare.verify.product import Move, Product
from shadowshare.verify.result import Exploration
from shadowshare.verify.search import Budget, Progress

PROGRESS_EXECUTION_COUNT = 256


class Strategy(Protocol):
    """Chooses which interleavings of a product are run."""

    name: str
    is_sampling: bool
    """Whether it draws schedules, and so can find something, but never prove that there is nothing."""

    def run(self, product: Product, budget: Budget, progress: Progress | None = None) -> Exploration:
        """Run interleavings until all are covered, something is violated, or the budget is spent."""


class Sampler:
    """Runs one schedule after the other; each depends on the seed and its own number, from 0, and on nothing else.

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

    def prepare(self, product: Product) -> None:
        """Called once, before the first schedule."""

    def begin(self, product: Product) -> None:
        """Called at the beginning of each schedule, with `random` made afresh."""

    def choose(self, state: int, moves: Sequence[Move]) -> Move:
        """Which of ``moves``, at least one, is taken in ``state``."""
        raise NotImplementedError

    def remark(self, product: Product) -> str:
        """What the schedules that were run say about those that were not."""
        return "schedules that are drawn prove nothing about the others"

    def run(self, product: Product, budget: Budget, progress: Progress | None = None) -> Exploration:
        """Run schedules until one violates something, or the budget is spent."""
        self.prepare(product)
        execution_count = step_count = depth = 0
        reason = budget.spent()
        while not reason:
            if progress is not None and execution_count % PROGRESS_EXECUTION_COUNT == 0:
                progress(execution_count, 0)
            labels, violation = self.run_one(product, self.first + execution_count)
            execution_count += 1
            step_count += len(labels)
            depth = max(depth, len(labels))
            if violation is not None:
                return Exploration(
                    violation,
                    tuple(labels),
                    execution_count=execution_count,
                    step_count=step_count,
                    depth_steps=depth,
                )
            reason = budget.spent(execution_count=execution_count, step_count=step_count)
        return Exploration(
            reason=f"{reason}; {self.remark(product)}",
            execution_count=execution_count,
            step_count=step_count,
            depth_steps=depth,
        )

    def run_one(self, product: Product, number: int) -> tuple[list[str], Any]:
        """Run the schedule of one number to its end or to a violation; its labels, and what is violated."""
        self.random.seed((self.seed << 40) + number)
        self.begin(product)
        labels: list[str] = []
        state, violations = product.initial, product.violations
        while not product.is_end(state):
            move = self.choose(state, product.moves(state))
            labels.append(move.label)
            state = product.canonical(state + move.delta) if product.has_alike else state + move.delta
            if violations and (violation := product.violation(state)) is not None:
                return labels, violation
        return labels, product.judge_end(state)
