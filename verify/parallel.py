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
from shadowshare.verify.result import Exploration, sum_of
from shadowshare.verify.search import Budget, Progress

if TYPE_CHECKING:
    from shadowshare.verify.explorer import Part
    from shadowshare.verify.race import Race
    from shadowshare.verify.strategies.strategy import Sampler

CHUNK_EXECUTION_COUNT = 1024
"""Schedules that a process draws before it says what it found."""

POLL_SECONDS = 0.1
"""How long a process waits for another before it looks whether it was interrupted, and tells of the progress."""


class WorkerEnded(ShadowshareError):
    """A process that shared the work is gone."""


class _Link(NamedTuple):
    """What the workers share with the process that began them.

    Attributes:
        stop: set when nobody wants their results any more.
        covered: by the number of a part: how much was covered of it.
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
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # a terminal sends it to all, and the one that began them decides
    Thread(target=_end_with_parent, daemon=True).start()
    _own["link"] = link
    _own["part"] = part


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
    whole = Exploration()
    waiting: deque[Future[Exploration]] = deque()
    first_waiting = submitted = 0
    with _workers(jobs, 1, part) as (pool, link):

        def result(future: Future[Exploration]) -> Exploration:
            return _result(future, budget, link, lambda: None)

        while not (reason := budget.spent(0, whole.execution_count, whole.step_count)):
            while len(waiting) < 2 * jobs and (size := _chunk_size(budget, submitted)):
                waiting.append(pool.submit(_sample, sampler, submitted, size, budget, budget.step_count))
                submitted += size
            chunk = result(waiting.popleft())
            steps_left = None if budget.step_count is None else budget.step_count - whole.step_count
            if steps_left is not None and chunk.step_count > steps_left:
                size = chunk.execution_count
                chunk = result(pool.submit(_sample, sampler, first_waiting, size, budget, steps_left))
            first_waiting += chunk.execution_count
            whole = _added(whole, chunk)
            if progress is not None:
                progress(whole.execution_count, 0)
            if whole.violation is not None:
                return whole
    return replace(whole, reason=_reason(reason, whole.reason))


def _chunk_size(budget: Budget, submitted: int) -> int:
    limit = budget.execution_count
    return CHUNK_EXECUTION_COUNT if limit is None else min(CHUNK_EXECUTION_COUNT, limit - submitted)


def _added(whole: Exploration, chunk: Exploration) -> Exploration:
    runs = max(whole.host_run_count, chunk.host_run_count)  # each says what its process ran since it began
    return replace(sum_of([whole, chunk]), apart_count=0, host_run_count=runs)


def _reason(reason: str, last: str) -> str:
    remark = last.partition("; ")[2]
    return f"{reason}; {remark}" if remark else reason


def _sample(
    sampler: Sampler, first: int, execution_count: int, budget: Budget, step_count: int | None
) -> Exploration:
    """In a worker: draw some schedules."""
    if "race" not in _own:
        _own["race"] = _own["part"].race()
    race: Race = _own["race"]
    mine = copy(sampler)
    mine.first = sampler.first + first
    limit = copy(budget)
    limit.execution_count, limit.step_count = execution_count, step_count
    found = mine.run(race.product, limit, _listen(limit, 0))
    return replace(found, host_run_count=race.host_run_count)
