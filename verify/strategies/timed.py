"""Latencies choose: what is in flight takes effect when the devices and paths of the timed world say so.

So a timed run is an ordinary schedule of the stepped world: same hosts, same oracle, same traces; its string is
replayed and shrunk like any other. The devices and paths are those that measure what sharing costs
(`shadowshare.sim.timed`), with nothing on them.

What is due at the same time is a choice. `Timed` draws it, or lets another sampler choose; `EveryTie` tries all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shadowshare.sim.schedule import split_mark
from shadowshare.verify.exploration.product import Move, Product
from shadowshare.verify.exploration.search import Budget, Progress
from shadowshare.verify.result import Exploration
from shadowshare.verify.strategies.strategy import Sampler
from shadowshare.verify.strategies.threads import thread_of
from shadowshare.verify.strategies.timing import LOCKSTEP, Clock, Key, Timing

EVERY_TIE_PROGRESS_COUNT = 256


class Timed(Sampler):
    """Each schedule is a run of a timed world.

    Crashes, power losses and late writes happen at times of their own. What survived a power loss is drawn uniformly.

    Args:
        seed: of all draws.
        first: number of the first schedule.
        timing: how long everything takes.
        ties: chooses among what is due at the same time; None to draw it.
    """

    name = "timed"

    def __init__(
        self, seed: int = 0, first: int = 0, timing: Timing | None = None, ties: Sampler | None = None
    ) -> None:
        super().__init__(seed, first)
        self.timing = timing or Timing()
        self.ties = ties
        self._clock: Clock | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Without the time of the schedule that is run."""
        return {**super().__getstate__(), "_clock": None}

    def prepare(self, product: Product) -> None:
        """Called once, before the first schedule."""
        if self.ties is not None:
            self.ties.start(product)

    def begin(self, product: Product) -> None:
        """Time begins."""
        self._clock = Clock(self.timing, self.random, self.pick)
        if self.ties is not None:
            self.ties.random.seed(self.random.getrandbits(64))
            self.ties.begin(product)

    def choose(self, state: int, moves: Sequence[Move]) -> Move:
        """What is due next."""
        if moves[0].label.startswith("keep."):
            return moves[self.pick(len(moves))]
        assert self._clock is not None
        possible = {_key_of(move): move for move in moves if not split_mark(move.label)[1]}
        self._clock.heed(possible)
        due = self._clock.wait()
        tied = [possible[key] for key in due]
        if self.ties is not None:  # also where there is no choice: it may count steps
            move = self.ties.choose(state, tied)
        else:
            move = tied[self.pick(len(tied))] if len(tied) > 1 else tied[0]
        self._clock.take(_key_of(move))
        return self._in_error(move, moves)

    def pick(self, count: int) -> int:
        """Which of ``count`` things that are due at the same time comes first."""
        return int(self.random.random() * count)

    def _in_error(self, move: Move, moves: Sequence[Move]) -> Move:
        """The move, or a fault that strikes it."""
        errors = [other for other in moves if other is not move and split_mark(other.label)[0] == move.label]
        if errors and self.random.random() < self.timing.error_share:
            return errors[int(self.random.random() * len(errors))]
        return move

    def remark(self, product: Product) -> str:
        """What the schedules say."""
        return f"these are schedules that the latencies led to; {super().remark(product)}"


class EveryTie:
    """Every order of what is due at the same time, depth first; everything else is drawn once.

    If no time is drawn, these are all the interleavings that the timed world can show.

    Args:
        seed: of all other draws.
        timing: how long everything takes; by default all hosts go on step by step together.
    """

    name = "every-tie"
    is_sampling = True

    def __init__(self, seed: int = 0, timing: Timing = LOCKSTEP) -> None:
        self.seed = seed
        self.timing = timing

    def run(self, product: Product, budget: Budget, progress: Progress | None = None) -> Exploration:
        """Run every order of ties, until one violates something or the budget is spent."""
        walk = _TiesInTurn(self.seed, timing=self.timing)
        execution_count = step_count = depth = 0
        moves: list[Move] = []
        violation, reason = None, budget.spent()
        while walk.prefixes and not reason and violation is None:
            if progress is not None and execution_count % EVERY_TIE_PROGRESS_COUNT == 0:
                progress(execution_count, len(walk.prefixes))
            moves, violation = walk.draw(product, 0)
            execution_count += 1
            step_count += len(moves)
            depth = max(depth, len(moves))
            reason = budget.spent(execution_count=execution_count, step_count=step_count)
        ran = f"{reason}, before all were run" if walk.prefixes else "every order of ties was run"
        return Exploration(
            violation,
            tuple([move.label for move in moves]) if violation is not None else (),
            reason="" if violation is not None else f"{ran}; {walk.remark(product)}",
            execution_count=execution_count,
            step_count=step_count,
            depth_steps=depth,
        )


class _TiesInTurn(Timed):
    """Each schedule breaks its ties as none before did."""

    def __init__(self, seed: int, timing: Timing) -> None:
        super().__init__(seed, timing=timing)
        self.prefixes: list[tuple[int, ...]] = [()]
        """The first choices of schedules that are still to be run."""
        self._prefix: tuple[int, ...] = ()
        self._taken: list[int] = []

    def begin(self, product: Product) -> None:
        """Time begins."""
        self._prefix, self._taken = self.prefixes.pop(), []
        super().begin(product)

    def pick(self, count: int) -> int:
        """As the prefix says, and then the first; the others are left for later."""
        choice = 0
        if len(self._taken) < len(self._prefix):
            choice = self._prefix[len(self._taken)]
        else:
            self.prefixes += [(*self._taken, other) for other in range(count - 1, 0, -1)]
        self._taken.append(choice)
        return choice


def _key_of(move: Move) -> Key:
    """What stays the same of something that waits to happen."""
    return thread_of(move) if move.label.startswith("late.") else move.label
