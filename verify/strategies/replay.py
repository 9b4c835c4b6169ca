"""One given schedule."""

from __future__ import annotations

from collections.abc import Sequence

from shadowshare.sim.schedule import ScheduleError
from shadowshare.verify.exploration.product import Move, Product
from shadowshare.verify.exploration.search import Budget, Progress
from shadowshare.verify.result import Exploration


class Replay:
    """Runs one schedule, up to its end or to a violation.

    Args:
        labels: the schedule, see `shadowshare.sim.schedule.parse_schedule`.
    """

    name = "replay"
    is_sampling = True

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)

    def run(self, product: Product, budget: Budget, progress: Progress | None = None) -> Exploration:
        """Run the schedule, whatever the budget.

        Raises:
            ScheduleError: a label cannot happen where it stands; says what can.
        """
        state, taken = product.initial, 0
        violation = product.violation(state)
        while violation is None and taken < len(self.labels):
            state += self._move(product.moves(state), taken).delta
            taken += 1
            violation = product.violation(state)
        if violation is None and product.is_end(state):
            violation = product.judge_end(state)
        return Exploration(
            violation,
            self.labels[:taken] if violation is not None else (),
            reason="" if violation is not None else self._reason(product, state),
            execution_count=1,
            step_count=taken,
            depth_steps=taken,
        )

    def _move(self, moves: Sequence[Move], position: int) -> Move:
        label = self.labels[position]
        for move in moves:
            if move.label == label:
                return move
        raise ScheduleError(
            f"step {position + 1} of the schedule: {label!r} cannot happen here; what can: {_named(moves)}"
        )

    def _reason(self, product: Product, state: int) -> str:
        following = (
            "" if product.is_end(state) else f", after which {_named(product.moves(state))} can happen"
        )
        return (
            f"one schedule of {len(self.labels)} steps was run{following}; it proves nothing about the others"
        )


def _named(moves: Sequence[Move]) -> str:
    return ", ".join(move.label for move in moves) or "nothing"
