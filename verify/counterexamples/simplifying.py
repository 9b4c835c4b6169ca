"""What a schedule costs a person who reads it, and simpler ones near it: steps left out, or brought together.

A simpler schedule is tried by following it as far as it fits: a step that cannot happen any more is left out, and a
decision that comes up takes the first choice. The moves are those of Jalbert and Sen (A trace simplification technique
for effective debugging of concurrent programs, FSE 2010): leave out steps of one thread that follow each other, and
bring such a block to the one of the same thread before it. Many blocks are left out at once first (Zeller and
Hildebrandt, Simplifying and isolating failure-inducing input, IEEE Transactions on Software Engineering, 2002).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from itertools import chain, groupby
from typing import Any, NamedTuple

from shadowshare.sim.schedule import FAULT_KINDS, ScheduleError, kind_of, split_mark
from shadowshare.verify.exploration.product import Move, Product

RUN_ON_STEP_COUNT_MAXIMUM = 1000
"""Steps that are taken, at most, behind a schedule to bring it to its end."""


class Cost(NamedTuple):
    """What makes a schedule hard to follow, the worst first; costs compare in this order.

    Attributes:
        preemption_count: switches away from a thread that could have gone on.
        switch_count: steps of another thread than the one before.
        fault_count: crashes, power losses, late writes, and errors.
        step_count: everything that happens.
    """

    preemption_count: int
    switch_count: int
    fault_count: int
    step_count: int


class Steps(NamedTuple):
    """A schedule that violates something, what it violates, and what it costs."""

    labels: tuple[str, ...]
    violation: Any
    cost: Cost

    @property
    def sources(self) -> set[str]:
        """Where its steps come from."""
        return {source_of(label) for label in self.labels}


@lru_cache(maxsize=4096)
def thread_of(label: str) -> str:
    """The task that takes a step; empty if it is no task's."""
    return split_mark(label)[0].partition(".")[0] if label[0].isupper() else ""


@lru_cache(maxsize=4096)
def source_of(label: str) -> str:
    """What makes a step happen: a thread, a fault (and whom it hits), or that something is decided (``keep``)."""
    if label[0].isupper():
        return thread_of(label) + split_mark(label)[1].partition(".")[0]
    return label if label.startswith("crash.") else label.partition(".")[0]


@lru_cache(maxsize=4096)
def is_fault(source: str) -> bool:
    """Whether what comes from there is something that goes wrong."""
    return kind_of(source) in FAULT_KINDS


def in_order(sources: Collection[str]) -> list[str]:
    """Those that there may be a schedule without: the faults first, then the threads."""
    return sorted(
        (source for source in sources if source != "keep"), key=lambda one: (not is_fault(one), one)
    )


class Way:
    """A schedule that is being run, what it has cost so far, and what it violates.

    Args:
        product: the world.
        at_end: whether what is looked for is judged where no operation can take effect; else after every step.
    """

    def __init__(self, product: Product, at_end: bool) -> None:
        self.labels: list[str] = []
        self.violation: Any = None
        self._product = product
        self._at_end = at_end
        self._state = product.initial
        self._last = ""
        self._preemption_count = self._switch_count = self._fault_count = 0
        self.moves: Sequence[Move] = ()
        """What can happen next; nothing once something is violated."""
        self._look()

    def _look(self) -> None:
        self.violation = violation_in(self._product, self._at_end, self._state)
        self.moves = self._product.moves(self._state) if self.violation is None else ()

    def take(self, move: Move) -> None:
        """Let one of `moves` happen."""
        thread = thread_of(move.label)
        if thread and thread != self._last:
            if self._last:
                self._switch_count += 1
                self._preemption_count += any(thread_of(other.label) == self._last for other in self.moves)
            self._last = thread
        self._fault_count += is_fault(source_of(move.label))
        self.labels.append(move.label)
        self._state += move.delta
        self._look()

    def find(self, label: str) -> Move | None:
        """What can happen under this label."""
        return next((move for move in self.moves if move.label == label), None)

    def try_label(self, label: str) -> None:
        """Take the step of this label, or one from the same source; nothing if neither can happen."""
        source = source_of(label)
        while source != "keep" and self.moves and source_of(self.moves[0].label) == "keep":
            self.take(self.moves[0])
        move = self.find(label) or next(
            (move for move in self.moves if source_of(move.label) == source), None
        )
        if move is not None:
            self.take(move)

    def run_on(self) -> None:
        """Go on without a fault and with few switches, until nothing can happen."""
        for _ in range(RUN_ON_STEP_COUNT_MAXIMUM):
            calm = [move for move in self.moves if not is_fault(source_of(move.label))]
            if not calm:
                return
            same = [move for move in calm if thread_of(move.label) == self._last]
            self.take((same or calm)[0])

    def steps(self) -> Steps:
        """The schedule so far."""
        cost = Cost(self._preemption_count, self._switch_count, self._fault_count, len(self.labels))
        return Steps(tuple(self.labels), self.violation, cost)


def violation_in(product: Product, at_end: bool, state: int) -> Any:
    """What is violated in a state; None if nothing is."""
    violation = product.violation(state)
    if violation is None and at_end and product.is_end(state):
        return product.judge_end(state)
    return violation


def violating_steps(product: Product, labels: Sequence[str]) -> tuple[Steps, bool]:
    """The steps of a schedule up to what it violates, and whether that is judged at an end.

    Raises:
        ScheduleError: it does not fit, or violates nothing.
    """
    for at_end in (False, True):
        way = Way(product, at_end)
        for number, label in enumerate(labels, start=1):
            if way.violation is not None:
                break
            move = way.find(label)
            if move is None:
                possible = ", ".join(move.label for move in way.moves) or "nothing"
                raise ScheduleError(
                    f"step {number} of the schedule: {label!r} cannot happen here; what can: {possible}"
                )
            way.take(move)
        if way.violation is not None:
            return way.steps(), at_end
    raise ScheduleError("nothing is violated in this schedule")


class Simplifier:
    """Makes a schedule simpler where it stands.

    Args:
        product: the world.
        given: the schedule.
        at_end: whether what it violates is judged at an end.
        step_count_maximum: steps to take at most.
    """

    def __init__(self, product: Product, given: Steps, at_end: bool, step_count_maximum: int) -> None:
        self.product = product
        self.at_end = at_end
        self.best = given
        self.sources = given.sources
        """Where steps of a better schedule may come from: those without which nothing was violated."""
        self._steps_left = step_count_maximum

    def run(self) -> None:
        """Do what helps, until nothing does or the steps are spent."""
        self._leave_out_sources()
        self._leave_out_blocks()
        while self._bring_blocks_together():
            pass

    def _follow(self, labels: Sequence[str]) -> Steps | None:
        """Follow a schedule; its steps if it violates the same rule."""
        way = Way(self.product, self.at_end)
        for label in labels:
            way.try_label(label)
        if self.at_end:
            way.run_on()
        self._steps_left -= max(len(labels), len(way.labels))
        if way.violation is None or way.violation.rule != self.best.violation.rule:
            return None
        return way.steps()

    def _is_better(self, labels: Sequence[str]) -> bool:
        """Try a schedule; whether it is the best one now."""
        found = self._follow(labels) if self._steps_left > 0 else None
        if found is None or found.cost >= self.best.cost:
            return False
        self.best = found
        return True

    def _leave_out_sources(self) -> None:
        """Leave out all that one thread does, or all faults of a kind, if something is violated without."""
        for source in in_order(self.best.sources):
            found = self._follow([label for label in self.best.labels if source_of(label) != source])
            if found is not None and source not in found.sources:
                self.best = found
        self.sources = self.best.sources

    def _leave_out_blocks(self) -> None:
        """Leave out runs of blocks, from half of them down to single ones."""
        size = len(blocks_of(self.best.labels)) // 2
        while size and self._steps_left > 0:
            first = 0
            while first < len(blocks := blocks_of(self.best.labels)):
                if not self._is_better(_joined(blocks[:first] + blocks[first + size :])):
                    first += size
            size //= 2

    def _bring_blocks_together(self) -> bool:
        """Bring each block to the one of its thread before it, if that helps; whether anything did."""
        is_any_better = False
        number = 1
        while self._steps_left > 0 and number < len(blocks := blocks_of(self.best.labels)):
            thread = thread_of(blocks[number][0])
            before = [at for at in range(number - 1) if thread_of(blocks[at][0]) == thread]
            is_better = bool(before) and any(
                self._is_better(_joined(moved)) for moved in _brought_together(blocks, before[-1], number)
            )
            is_any_better |= is_better
            number += not is_better
        return is_any_better


def _brought_together(
    blocks: Sequence[Sequence[str]], before: int, behind: int
) -> Iterator[list[Sequence[str]]]:
    """Blocks with one of them brought back to an earlier one, and with that one put off up to the later one."""
    between = list(blocks[before + 1 : behind])
    yield [*blocks[: before + 1], blocks[behind], *between, *blocks[behind + 1 :]]
    yield [*blocks[:before], *between, blocks[before], *blocks[behind:]]


def blocks_of(labels: Sequence[str]) -> list[list[str]]:
    """Runs of steps of the same thread; what is no thread's step belongs to the block before it."""
    threads: list[str] = []
    for label in labels:
        threads.append(thread_of(label) or (threads[-1] if threads else ""))
    numbered = groupby(zip(threads, labels, strict=True), key=lambda pair: pair[0])
    return [[label for _, label in block] for _, block in numbered]


def _joined(blocks: Sequence[Sequence[str]]) -> list[str]:
    return list(chain.from_iterable(blocks))
