"""Explorations shared among processes; the result is that of one process.

Parts that were finished out of order are looked at in order, and what one process would not have done is thrown away.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from copy import copy
from dataclasses import replace
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from shadowshare.verify.result import Exploration, sum_of
from shadowshare.verify.search import Budget, Progress

if TYPE_CHECKING:
    from shadowshare.verify.explorer import Part
    from shadowshare.verify.race import Race
    from shadowshare.verify.strategies.strategy import Sampler

CHUNK_EXECUTION_COUNT = 1024
"""Schedules that a process draws before it says what it found."""

_own: dict[str, Any] = {}
"""In a worker: the race on which it draws schedules, made once."""


def _pool(jobs: int, part: Part | None = None) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(jobs, get_context("spawn"), _prepare, (part,))


def _prepare(part: Part | None) -> None:
    if part is not None:
        _own["race"] = part.race()


def explore_parts(
    parts: Sequence[Part], budget: Budget, jobs: int, progress: Progress | None
) -> list[Exploration]:
    """Explore parts, and return the results up to the first that is not verified."""
    found: list[Exploration] = []
    with _pool(jobs) as pool:
        waiting = [pool.submit(_explore, part, budget) for part in parts]
        for done in waiting:
            found.append(done.result())
            if progress is not None:
                progress(sum(one.state_count for one in found), len(parts) - len(found))
            if found[-1].verdict != "verified":
                pool.shutdown(wait=False, cancel_futures=True)
                break
    return found


def _explore(part: Part, budget: Budget) -> Exploration:
    return part.explore(budget)


def sample(part: Part, sampler: Sampler, budget: Budget, jobs: int, progress: Progress | None) -> Exploration:
    """Draw schedules until one violates something, or the budget is spent."""
    found: list[Exploration] = []
    waiting: deque[Future[Exploration]] = deque()
    limit = budget.execution_count
    submitted = execution_count = step_count = 0
    with _pool(jobs, part) as pool:
        while not (reason := budget.spent(0, execution_count, step_count)):
            while len(waiting) < 2 * jobs and (limit is None or submitted < limit):
                size = (
                    CHUNK_EXECUTION_COUNT if limit is None else min(CHUNK_EXECUTION_COUNT, limit - submitted)
                )
                waiting.append(pool.submit(_sample, sampler, submitted, size, budget))
                submitted += size
            found.append(waiting.popleft().result())
            execution_count += found[-1].execution_count
            step_count += found[-1].step_count
            if progress is not None:
                progress(execution_count, 0)
            if found[-1].violation is not None:
                reason = ""
                break
        pool.shutdown(wait=False, cancel_futures=True)
    if not found:
        return Exploration(reason=reason)
    runs = max(one.host_run_count for one in found)  # each says what its process ran since it began
    whole = replace(sum_of(found), apart_count=0, host_run_count=runs)
    return whole if whole.violation is not None else replace(whole, reason=_reason(reason, found[-1]))


def _reason(reason: str, last: Exploration) -> str:
    remark = last.reason.partition("; ")[2]
    return f"{reason}; {remark}" if remark else reason


def _sample(sampler: Sampler, first: int, execution_count: int, budget: Budget) -> Exploration:
    """In a worker: draw some schedules."""
    race: Race = _own["race"]
    mine = copy(sampler)
    mine.first = sampler.first + first
    limit = copy(budget)
    limit.execution_count = execution_count
    found = mine.run(race.product, limit)
    return replace(found, host_run_count=race.host_run_count)
