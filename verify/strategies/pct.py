"""Random priorities with a few changes of priority: probabilistic concurrency testing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shadowshare.verify.exploration.product import Move, Product
from shadowshare.verify.strategies.threads import LEARNING_EXECUTION_COUNT, Thread, ThreadSampler


class PriorityWalk(ThreadSampler):
    """PCT (Burckhardt, Kothari, Musuvathi, Nagarakatte, ASPLOS 2010).

    Each thread has a random priority, and the first in priority of those that can go on always does. At ``depth`` - 1
    steps, drawn from the first k, the thread that just went on is put below all others (the i-th drawn at level i of
    those). A violation has depth d if d constraints "this event comes before that one" are enough for it to happen;
    each schedule meets it with a probability of at least 1/(n k^(d-1)), for n threads and schedules of at most k
    steps. Both are measured: the most threads, and the longest schedule, that were met.

    So that the bound keeps its meaning with crashes, late writes and errors, each of those is a thread of its own, with
    one event and a random priority (`shadowshare.verify.strategies.threads`): n and k count them, and a crash
    at a certain step is one event between two others. If they were drawn by chance instead, the bound would not speak
    of them at all.

    The bound does not cover: the order of the pieces of one request and what survives a power loss, which are drawn
    uniformly; violations of a greater depth; schedules longer than k, of which `tallies` tell if there were any.

    A schedule twice as long as the longest random one is taken for one in which a thread waits by asking again and
    again: from there on the thread that goes on is put below all others now and then, so that the one that it waits
    for gets its turn. Such a schedule does not count for k.

    Args:
        seed: of the choices.
        first: number of the first schedule.
        depth: d, at least 1.

    Raises:
        ValueError: the depth is less than 1.
    """

    name = "pct"

    def __init__(self, seed: int = 0, first: int = 0, depth: int = 3) -> None:
        super().__init__(seed, first)
        if depth < 1:
            raise ValueError(f"a depth of {depth}: it is 1 at least")
        self.depth = depth

    def begin(self, product: Product) -> None:
        """Draw the steps at which priorities change; the priorities are drawn when threads are first met."""
        self._priorities: dict[Thread, float] = {}
        self._step = 0
        horizon, random = max(1, self.longest_step_count), self.random.random
        self._patience = 2 * max(1, self.random_step_count)
        self._levels = {1 + int(random() * horizon): float(level) for level in range(-1, -self.depth, -1)}
        self._next_change = min([self._patience, *self._levels])

    def choose_thread(self, threads: Mapping[Thread, Sequence[Move]]) -> Thread:
        """The first in priority."""
        priorities = self._priorities
        first, highest = None, float("-inf")
        for thread in threads:
            priority = priorities.get(thread)
            if priority is None:
                priority = priorities[thread] = self.random.random()
            if priority > highest:
                first, highest = thread, priority
        self._step += 1
        if self._step == self._next_change:
            self._change(first)
        return first

    def _change(self, thread: Thread) -> None:
        """Put a thread below all others, and note when the next one will be."""
        level = self._levels.pop(self._step, None)
        if level is None:
            self._patience += max(1, self.random_step_count)
            level = min(self._priorities.values()) - 1
        self._priorities[thread] = level
        self._next_change = min([self._patience, *self._levels])

    def end(self, number: int, moves: Sequence[Move]) -> None:
        """Measure n and k again, in the first schedules, unless a thread waited."""
        if number < LEARNING_EXECUTION_COUNT and self._step < self._patience:
            self.measure(moves)
        elif len(moves) > self.longest_step_count:
            self.tallies["longer than those of which the bound speaks"] += 1

    def remark(self, product: Product) -> str:
        """The bound."""
        threads, steps = self.thread_count, self.longest_step_count
        bound = threads * steps ** (self.depth - 1)
        return (
            f"a violation of depth {self.depth} is met by each schedule with a probability of at least "
            f"1/{bound:,} = 1/({threads}*{steps}^{self.depth - 1}), by {threads} threads in at most {steps} "
            f"steps; {super().remark(product)}"
        )
