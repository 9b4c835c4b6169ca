"""Each choice uniform among all that can happen."""

from __future__ import annotations

from collections.abc import Sequence

from shadowshare.verify.exploration.product import Move
from shadowshare.verify.strategies.strategy import Sampler


class RandomWalk(Sampler):
    """Each choice uniform among all that can happen."""

    name = "random"

    def choose(self, state: int, moves: Sequence[Move]) -> Move:
        """Any of them."""
        return moves[int(self.random.random() * len(moves))]
