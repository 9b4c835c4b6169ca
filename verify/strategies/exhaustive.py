"""Every state, breadth first: proves, or finds a shortest counterexample."""

from __future__ import annotations

from shadowshare.verify.exploration.product import Product
from shadowshare.verify.exploration.search import Budget, Progress, Search
from shadowshare.verify.result import Exploration


class Exhaustive:
    """Every state, breadth first.

    Args:
        counts_schedules: whether to count the interleavings that were covered, which takes about as long again. Only so
            it is noticed if one goes on for ever.
    """

    name = "exhaustive"
    is_sampling = False

    def __init__(self, counts_schedules: bool = True) -> None:
        self._counts_schedules = counts_schedules

    def run(self, product: Product, budget: Budget, progress: Progress | None = None) -> Exploration:
        """Search until everything is covered, something is violated, or the budget is spent."""
        return self.finish(Search(product), budget, progress)

    def finish(self, search: Search, budget: Budget, progress: Progress | None = None) -> Exploration:
        """Let a search, which may have begun already, go on to its end."""
        reason = search.run(budget, progress)
        schedule_count = None
        if search.is_exhausted:
            search.look_for_never()
        if search.is_exhausted and self._counts_schedules:
            schedule_count = search.schedule_count()
            if schedule_count is None:
                search.look_for_ever()
        return Exploration(
            search.violation,
            search.labels,
            search.is_exhausted,
            reason,
            schedule_count,
            state_count=len(search.states),
            step_count=search.step_count,
            depth_steps=search.depth_steps(),
            choice_counts=search.choice_counts(),
            steps_alone=search.steps_alone() if search.violation is None else 0,
        )
