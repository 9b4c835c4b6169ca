"""Explorations shared among processes; the result is that of one process.

Parts that were finished out of order are looked at in order, and what one process would not have done is thrown away.
An interruption, or a result that makes the others useless, is told to the workers, who look for it now and then.
"""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple

from shadowshare.protocol.errors import ShadowshareError
from shadowshare.protocol.marks import recording
from shadowshare.verify.exploration.search import Budget, Progress
from shadowshare.verify.result import Exploration, sum_of

if TYPE_CHECKING:
    from shadowshare.verify.explorer import Part
    from shadowshare.verify.race import Race
    from shadowshare.verify.strategies.strategy import Sampler

CHUNK_EXECUTION_COUNT = 1024
CHUNK_EXECUTION_COUNT_MAXIMUM = 1 << 16
"""Schedules that a process draws before it says what it found."""

POLL_SECONDS = 0.1
"""How long a process waits for another before it looks whether it was interrupted, and tells of the progress."""


class WorkerEnded(ShadowshareError):
    """A process that shared the work is gone."""


class _Link(NamedTuple):
    """What the workers share with the process that began them.

    Attributes:
        stop: set when nobody wants their results any more.
        covered: by the number of a part, or chunk: how much was covered of it.
        waiting: by the number of a part: how much of it is known to wait.
    """

    stop: Any
    covered: Any
    waiting: Any


_own: dict[str, Any] = {}
"""In a worker: the link, and the part of which it draws schedules, and the race of it, made once."""


@contextmanager
def _workers(
    jobs: int, part_count: int, part: Part | None = None
) -> Iterator[tuple[ProcessPoolExecutor, _Link]]:
    """Processes that end, whatever happens, soon after what they are needed for."""
    context = get_context("spawn")
    covered, waiting = context.RawArray("Q", part_count), context.RawArray("Q", part_count)
    link = _Link(context.Event(), covered, waiting)
    pool = ProcessPoolExecutor(jobs, context, _prepare, (link, part))
    try:
        yield pool, link
    finally:
        link.stop.set()
        pool.shutdown(cancel_futures=True)


def _prepare(link: _Link, part: Part | None) -> None:
    prepare_worker()
    _own["link"] = link
    _own["part"] = part


def prepare_worker() -> None:
    """In a worker: Ctrl-C, which a terminal sends to all, is for the process that began it, with which it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End when the process that began this one was killed: it cannot say so any more."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _result(
    future: Future[Exploration], budget: Budget, link: _Link, tell: Callable[[], None]
) -> Exploration:
    """Wait for a result; if the budget is interrupted meanwhile, so are all workers."""
    while True:
        try:
            return future.result(timeout=POLL_SECONDS)
        except TimeoutError:
            tell()
            if budget.is_interrupted:
                link.stop.set()
        except BrokenProcessPool:
            raise WorkerEnded(
                "a process that shared the work ended without a result: was the memory used up? Take fewer jobs"
            ) from None


def _listen(budget: Budget, number: int) -> Progress:
    """In a worker: says how far a part is, and interrupts it if nobody wants it any more."""
    link: _Link = _own["link"]

    def listen(covered: int, waiting: int) -> None:
        link.covered[number], link.waiting[number] = covered, waiting
        if link.stop.is_set():
            budget.interrupt()

    return listen


# -- parts -------------------------------------------------------------------------------------------------------


def explore_parts(
    parts: Sequence[Part], budget: Budget, jobs: int, progress: Progress | None
) -> list[Exploration]:
    """Explore parts, and return the results up to the first that is not verified."""
    found: list[Exploration] = []
    with _workers(jobs, len(parts)) as (pool, link):

        def tell() -> None:
            if progress is not None:
                progress(sum(link.covered), sum(link.waiting))

        futures = [pool.submit(_explore, part, number, budget) for number, part in enumerate(parts)]
        for future in futures:
            found.append(_result(future, budget, link, tell))
            tell()
            if found[-1].verdict != "verified":
                break
    return found


def _explore(part: Part, number: int, budget: Budget) -> Exploration:
    """In a worker: explore a part."""
    mine = copy(budget)
    return part.explore(mine, _listen(mine, number))


# -- schedules that are drawn ------------------------------------------------------------------------------------


def sample(part: Part, sampler: Sampler, budget: Budget, jobs: int, progress: Progress | None) -> Exploration:
    """Draw schedules until one violates something, or the budget is spent."""
    with _workers(jobs, 2 * jobs, part) as (pool, link):
        return _Drawing(pool, link, sampler, budget, jobs, progress).run()


class _Drawing:
    """Schedules that are being drawn, in chunks, of which as many as twice the jobs are begun or wait."""

    def __init__(
        self,
        pool: ProcessPoolExecutor,
        link: _Link,
        sampler: Sampler,
        budget: Budget,
        jobs: int,
        progress: Progress | None,
    ) -> None:
        self._pool = pool
        self._link = link
        self._sampler = sampler
        self._budget = budget
        self._jobs = jobs
        self._progress = progress
        self._whole = Exploration()
        self._begun: deque[tuple[int, Future[Exploration]]] = deque()
        self._free = list(range(2 * jobs))
        self._begun_count = 0

    def run(self) -> Exploration:
        """Add up chunks in their order, and stop where one process would have stopped."""
        budget = self._budget
        while not (reason := budget.spent(0, self._whole.execution_count, self._whole.step_count)):
            self._begin_chunks()
            chunk = self._next_chunk()
            runs = max(
                self._whole.host_run_count, chunk.host_run_count
            )  # each counts from its process's beginning
            self._whole = replace(sum_of([self._whole, chunk]), apart_count=0, host_run_count=runs)
            if chunk.violation is not None:
                return self._whole
        remark = self._whole.reason.partition("; ")[2]
        return replace(self._whole, reason=f"{reason}; {remark}" if remark else reason)

    def _begin_chunks(self) -> None:
        while self._free and (size := self._chunk_size()):
            number = self._free.pop()
            self._begun.append(
                (number, self._begin(number, self._begun_count, size, self._budget.step_count))
            )
            self._begun_count += size

    def _begin(
        self, number: int, first: int, execution_count: int, step_count: int | None
    ) -> Future[Exploration]:
        limit = copy(self._budget)
        limit.execution_count, limit.step_count = execution_count, step_count
        return self._pool.submit(_sample, self._sampler, number, first, limit)

    def _chunk_size(self) -> int:
        """Schedules to draw at once: not few, because a process may have to learn what the first ones taught."""
        limit = self._budget.execution_count
        if limit is None:
            return min(
                CHUNK_EXECUTION_COUNT_MAXIMUM, max(CHUNK_EXECUTION_COUNT, self._begun_count // self._jobs)
            )
        return min(CHUNK_EXECUTION_COUNT_MAXIMUM, -(-limit // self._jobs), limit - self._begun_count)

    def _next_chunk(self) -> Exploration:
        """The next one; if it went beyond the budget of steps, as far as that reaches."""
        number, future = self._begun.popleft()
        chunk = _result(future, self._budget, self._link, self._tell)
        known = self._whole
        if (
            self._budget.step_count is not None
            and known.step_count + chunk.step_count > self._budget.step_count
        ):
            steps_left = self._budget.step_count - known.step_count
            future = self._begin(number, known.execution_count, chunk.execution_count, steps_left)
            chunk = _result(future, self._budget, self._link, self._tell)
        self._link.covered[number] = 0
        self._free.append(number)
        return chunk

    def _tell(self) -> None:
        if self._progress is not None:
            self._progress(self._whole.execution_count + sum(self._link.covered), 0)


def _sample(sampler: Sampler, number: int, first: int, limit: Budget) -> Exploration:
    """In a worker: draw a chunk of schedules, from number ``first`` on."""
    with recording() as marks:
        if "race" not in _own:
            _own["race"], _own["marks"] = _own["part"].race(), set()
        race: Race = _own["race"]
        mine, budget = copy(sampler), copy(limit)
        mine.first = sampler.first + first
        found = mine.run(race.product, budget, _listen(budget, number))
    # Remembered steps reach no mark again: what was reached in an earlier chunk of this process counts here, too.
    _own["marks"] |= {mark.name for mark in marks}
    return replace(found, host_run_count=race.host_run_count, marks=tuple(sorted(_own["marks"])))
