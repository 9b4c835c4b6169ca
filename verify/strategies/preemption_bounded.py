"""Every schedule with few preemptions: the first violation met has the fewest of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from shadowshare.verify.exploration.product import Move, Product
from shadowshare.verify.exploration.search import Budget, Progress
from shadowshare.verify.result import Exploration
from shadowshare.verify.strategies.threads import task_of

PROGRESS_POSITION_COUNT = 4096


class PreemptionBounded:
    """Every schedule with at most some number of preemptions (Musuvathi, Qadeer, PLDI 2007).

    A preemption is a switch away from a task that could go on. A switch where the task has ended, or waits, is none;
    nor is a crash, a power loss, a late write, or what survives, after any of which the task that took the last step
    may go on. A step that is told of an error is a step of its task.

    First all schedules without a preemption are covered, then those with one, and so on, each breadth first: so the
    first violation has the fewest preemptions, and among those with so few the fewest steps. If the bound cut no
    schedule, or only where the same task goes on in the same state as in one that it did not cut, all are covered.

    All hosts are run together, and no reduction is combined with it: what a reduction leaves out counts on another
    order of independent steps, and that order may need more preemptions (Coons, Musuvathi, McKinley, "Bounded
    partial-order reduction", OOPSLA 2013).

    Args:
        preemptions: the bound.

    Raises:
        ValueError: the bound is negative.
    """

    name = "preemption-bounded"
    is_sampling = True

    def __init__(self, preemptions: int = 2) -> None:
        if preemptions < 0:
            raise ValueError(f"a bound of {preemptions} preemptions: it is 0 at least")
        self.preemptions = preemptions

    def run(self, product: Product, budget: Budget, progress: Progress | None = None) -> Exploration:
        """Cover everything with no preemption, then with one, ..., up to the bound."""
        search = _Search(product)
        reason = search.run(self.preemptions, budget, progress)
        return Exploration(
            search.violation,
            search.labels,
            is_exhausted=search.violation is None and not reason,
            reason=reason,
            state_count=len({node.state for node in search.nodes}),
            step_count=search.step_count,
            depth_steps=max(node.step_count for node in search.nodes),
        )


class _Node(NamedTuple):
    """A state, which task took the last step on the way there, and that way."""

    state: int
    last: str
    step_count: int
    parent: int
    label: str


class _Search:
    """A search of states with the last task, by preemptions first and by steps second."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self._tasks: dict[str, str] = {}
        self._met: set[tuple[int, str]] = set()
        self.nodes: list[_Node] = []
        self.violation: Any = None
        self.labels: tuple[str, ...] = ()
        self.step_count = 0

    def run(self, bound: int, budget: Budget, progress: Progress | None) -> str:
        """Search until something is violated, or everything is covered, or else why it is not."""
        waiting = [_Node(self._product.initial, "", 0, -1, "")]
        for preemption_count in range(bound + 1):
            waiting, reason = self._cover(waiting, budget, progress)
            if self.violation is not None:
                return ""
            if reason:
                return f"{reason}; every schedule of less than {preemption_count} preemptions is covered"
            if not waiting:
                return ""
        return f"every schedule of at most {bound} preemptions is covered, others are not"

    def _cover(
        self, waiting: list[_Node], budget: Budget, progress: Progress | None
    ) -> tuple[list[_Node], str]:
        """Go on without a preemption from where one just happened, in the order of steps.

        Returns:
            Where one preemption more leads to; and why the search stopped, if it did.
        """
        preempted: list[_Node] = []
        by_step_count: dict[int, list[_Node]] = {}
        for node in waiting:
            by_step_count.setdefault(node.step_count, []).append(node)
        while by_step_count:
            step_count = min(by_step_count)
            following = by_step_count.setdefault(step_count + 1, [])
            for node in by_step_count.pop(step_count):
                if (node.state, node.last) in self._met:
                    continue
                reason = budget.spent(len(self.nodes), step_count=self.step_count)
                if reason:
                    return preempted, reason
                self._meet(node, progress)
                if self.violation is not None:
                    return preempted, ""
                for is_preemption, after in self._after(node):
                    if (after.state, after.last) not in self._met:
                        (preempted if is_preemption else following).append(after)
            if not following:
                del by_step_count[step_count + 1]
        return [node for node in preempted if (node.state, node.last) not in self._met], ""

    def _meet(self, node: _Node, progress: Progress | None) -> None:
        """Note a node, and judge it."""
        if progress is not None and len(self.nodes) % PROGRESS_POSITION_COUNT == 0:
            progress(len(self.nodes), 0)
        self._met.add((node.state, node.last))
        self.nodes.append(node)
        product = self._product
        self.violation = product.violation(node.state)
        if self.violation is None and product.is_end(node.state):
            self.violation = product.judge_end(node.state)
        if self.violation is not None:
            self.labels = self._labels_to(node)

    def _labels_to(self, node: _Node) -> tuple[str, ...]:
        labels = []
        while node.parent >= 0:
            labels.append(node.label)
            node = self.nodes[node.parent]
        return tuple(reversed(labels))

    def _after(self, node: _Node) -> Iterator[tuple[bool, _Node]]:
        """What can happen after the node that was met last, and whether it is a preemption."""
        moves = self._product.moves(node.state)
        self.step_count += len(moves)
        parent = len(self.nodes) - 1
        tasks = [self._task_of(move) for move in moves]
        can_go_on = node.last != "" and node.last in tasks  # "" stands for events, too
        for move, task in zip(moves, tasks, strict=True):
            is_preemption = can_go_on and task not in ("", node.last)
            yield (
                is_preemption,
                _Node(node.state + move.delta, task or node.last, node.step_count + 1, parent, move.label),
            )

    def _task_of(self, move: Move) -> str:
        task = self._tasks.get(move.label)
        if task is None:
            task = self._tasks[move.label] = task_of(move)
        return task
