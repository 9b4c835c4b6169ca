"""Threads, as the strategies mean them that choose by thread: what happens in an order of its own.

A task of a host is a thread, whose events are its operations; the pieces of one request are events of the same
thread. Every other event of a world is a *thread of its own* that waits to happen: each host's crash, the power loss,
a late write, and the errors of a task (``W!``, ``W~``). So that "the crash comes after this write and before that one"
is said by two constraints on the order of threads, as it is of any two tasks, and what a strategy promises for
orders of threads holds for those events as well.

What survived a power loss (``keep.k``) is no matter of order. Those are the moves of one pseudo-thread, `DECISION`;
where it can go on nothing else can, and the strategies take each of its moves with the same probability.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from shadowshare.sim.schedule import split_mark
from shadowshare.verify.exploration.product import Move, Product
from shadowshare.verify.strategies.random_walk import RandomWalk
from shadowshare.verify.strategies.strategy import REMEMBERED_STATE_COUNT, Sampler

Thread = Hashable
"""Identifies a thread: the label of a task or of an event, or what a late write is."""

DECISION = "keep"
"""Stands for the choices of what survived a power loss."""

MEASURING_EXECUTION_COUNT = 64
"""Random schedules from which threads and events are counted before the first schedule is drawn."""

LEARNING_EXECUTION_COUNT = 192
"""Number of the first drawn schedule from which nothing is counted any more, so that what is drawn stays the same."""


def thread_of(move: Move) -> Thread:
    """The thread that a move is an event of."""
    label = move.label
    plain, mark = split_mark(label)
    kind = plain.partition(".")[0]
    if kind == "late" and move.step.operation is not None:  # its number changes when another one lands
        return kind, move.step.host, move.step.operation.identity()
    if kind in ("crash", "power"):
        return label
    return kind + mark.partition(".")[0]


def task_of(move: Move) -> str:
    """The task that takes a step with a move, whatever error it is told; empty for an event that is no task's step."""
    kind = split_mark(move.label)[0].partition(".")[0]
    return "" if kind in ("late", "crash", "power", "keep") else kind


class CalmWalk(RandomWalk):
    """Uniform choices among the steps of tasks; a crash, or another event, only where no task can go on.

    So each task is met in its full length. With uniform choices among everything most would crash early.
    """

    def choose(self, state: int, moves: Sequence[Move]) -> Move:
        """Any step of a task that is not told of an error, if there is one."""
        calm = [move for move in moves if task_of(move) == thread_of(move)]
        return super().choose(state, calm or moves)


class ThreadSampler(Sampler):
    """Chooses a thread, and then any of its moves with the same probability.

    It counts the threads, the events of each, and the steps of a schedule: in random schedules before the first one,
    which are not judged (`CalmWalk`), and in the first ones that it draws. These are run again if `first` is greater
    than 0, so that schedules go on exactly where a shorter run stopped.
    """

    def __init__(self, seed: int = 0, first: int = 0) -> None:
        super().__init__(seed, first)
        self.event_counts: dict[Thread, float] = {}
        """The events of each thread, on average over the random schedules in which it had any; if there is none,
        over those of the first drawn ones. (In others that are drawn, a crash may have cut it short.)"""
        self.longest_step_count = 0
        """Of the schedules that were measured."""
        self.random_step_count = 0
        """The longest of the random schedules among them."""
        self._totals: dict[Thread, tuple[int, int]] = {}
        self._whole: frozenset[Thread] = frozenset()
        self._threads: dict[int, dict[Thread, tuple[Move, ...]]] = {}
        self._of_labels: dict[str, Thread] = {}

    @property
    def thread_count(self) -> int:
        """Threads met in schedules that were measured."""
        return len(self.event_counts.keys() - {DECISION})

    def choose_thread(self, threads: Mapping[Thread, Sequence[Move]]) -> Thread:
        """Which of the threads that can go on, at least one, does so."""
        raise NotImplementedError

    def prepare(self, product: Product) -> None:
        """Count what there is."""
        self.event_counts, self.longest_step_count, self._totals = {}, 0, {}
        self._whole = frozenset()
        self._threads, self._of_labels = {}, {}
        walk = CalmWalk(self.seed)
        for number in range(MEASURING_EXECUTION_COUNT):
            self.measure(walk.walk(product, number, judges=False)[0])
        self.random_step_count = self.longest_step_count
        self._whole = frozenset(self._totals)
        for number in range(min(self.first, LEARNING_EXECUTION_COUNT)):
            self.end(number, self.walk(product, number)[0])

    def end(self, number: int, moves: Sequence[Move]) -> None:
        """Count what happened, in the first schedules."""
        if number < LEARNING_EXECUTION_COUNT:
            self.measure(moves)

    def measure(self, moves: Sequence[Move]) -> None:
        """Count what happened in a schedule."""
        self.longest_step_count = max(self.longest_step_count, len(moves))
        counts: dict[Thread, int] = {}
        for move in moves:
            thread = self._thread_of(move)
            if thread not in self._whole:
                counts[thread] = counts.get(thread, 0) + 1
        for thread, count in counts.items():
            events, schedules = self._totals.get(thread, (0, 0))
            self._totals[thread] = events + count, schedules + 1
            self.event_counts[thread] = (events + count) / (schedules + 1)

    def choose(self, state: int, moves: Sequence[Move]) -> Move:
        """A move of the thread that goes on."""
        threads = self._threads.get(state)
        if threads is None:
            threads = self._by_thread(moves)
            if len(self._threads) < REMEMBERED_STATE_COUNT:
                self._threads[state] = threads
        of_thread = threads[self.choose_thread(threads)]
        if len(of_thread) == 1:
            return of_thread[0]
        return of_thread[int(self.random.random() * len(of_thread))]

    def _by_thread(self, moves: Sequence[Move]) -> dict[Thread, tuple[Move, ...]]:
        threads: dict[Thread, tuple[Move, ...]] = {}
        for move in moves:
            thread = self._thread_of(move)
            threads[thread] = (*threads.get(thread, ()), move)
        return threads

    def _thread_of(self, move: Move) -> Thread:
        thread = self._of_labels.get(move.label)
        if thread is None:
            thread = thread_of(move)
            if isinstance(thread, str):
                self._of_labels[move.label] = thread
        return thread
