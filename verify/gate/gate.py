"""The gate: all checks, shared among processes, and what they say together.

First come the fixed checks, those that find something soonest before the others; then generated races, a number of them
or as many as the time allows. The first violation ends it, since a gate that is red needs no more, and what was not
checked is named.

The result is that of one process: the first violation is the first one in the order of the tasks, and what was checked
behind it, by chance or by another process, is thrown away. So a gate with a fixed number of races says the same each
time, but for what is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from heapq import heapify, heappop, heappush
from multiprocessing import active_children, get_context
from time import perf_counter

from shadowshare.protocol.marks import Mark
from shadowshare.verify.exploration.parallel import WorkerEnded, prepare_worker
from shadowshare.verify.gate.check import STAGES, Check, GateResult
from shadowshare.verify.gate.plan import GatePlan, Task, fixed_tasks, generated_tasks

MARKS_NOT_REACHED_HERE = frozenset({Mark.HALF_IS_OVER})
"""Rare paths that only a reader knows: this active ends a half with a SEAL.

Tests reach them with journals written by hand.
"""

Tell = Callable[[Check, int], None]
"""Called with each check that was made, and how many of the fixed ones wait."""


def run_gate(plan: GatePlan, tell: Tell | None = None) -> GateResult:
    """Make all checks, and generate races: as many as the plan says, or until the time is used.

    Raises:
        WorkerEnded: a process is gone.
    """
    start = perf_counter()
    children = set(active_children())
    pool = ProcessPoolExecutor(plan.jobs, get_context("spawn"), prepare_worker)
    try:
        making = _Making(plan, pool, tell or (lambda check, waiting_count: None), start)
        making.run()
    except BrokenProcessPool:
        raise WorkerEnded(
            "a process of the gate ended without a result: was the memory used up? Take fewer jobs"
        ) from None
    finally:
        for child in set(active_children()) - children:
            child.terminate()  # nobody wants its result any more
        # The pool's thread is waited for: ending Python while it closes its pipe prints a traceback.
        pool.shutdown(cancel_futures=True)
    return _result(plan, making.made(), making.left_out(), perf_counter() - start)


class _Making:
    """Checks that wait, that are being made, and that were made."""

    def __init__(self, plan: GatePlan, pool: ProcessPoolExecutor, tell: Tell, start: float) -> None:
        self._plan = plan
        self._pool = pool
        self._tell = tell
        self._start = start
        self._generated = generated_tasks(plan)
        self._has_generated = False
        self._waiting = fixed_tasks(plan)
        if plan.race_count is not None:
            self._waiting += self._generated
        heapify(self._waiting)
        self._running: dict[Future[Check], Task] = {}
        self._done: list[tuple[Task, Check]] = []
        self._end: Task | None = None
        """The first task that is violated, which ends the gate."""

    def run(self) -> None:
        """Make checks until all are made, or those up to the first that is violated."""
        while True:
            while len(self._running) <= self._plan.jobs and (task := self._next_task()) is not None:
                self._running[self._pool.submit(task.work)] = task
            if not any(map(self._is_wanted, [*self._running.values(), *self._waiting[:1]])):
                return
            for future in wait(self._running, return_when=FIRST_COMPLETED).done:
                self._take(self._running.pop(future), future.result())

    def _is_wanted(self, task: Task) -> bool:
        """Whether one process, which makes one check after the other, would make it."""
        return self._end is None or task <= self._end

    def _next_task(self) -> Task | None:
        if self._waiting:
            return heappop(self._waiting) if self._is_wanted(self._waiting[0]) else None
        is_time_left = perf_counter() - self._start < self._plan.seconds
        if (
            self._end is not None
            or self._plan.race_count is not None
            or (self._has_generated and not is_time_left)
        ):
            return None
        self._has_generated = True
        return next(self._generated)

    def _take(self, task: Task, check: Check) -> None:
        if check.verdict == "unknown" and task.thorough is not None:
            heappush(self._waiting, task.again())
            return
        self._done.append((task, check))
        if check.verdict == "violated" and self._is_wanted(task) and not self._plan.keeps_going:
            self._end = task
        self._tell(check, len(self._waiting))

    def made(self) -> list[Check]:
        """The checks that count, in the order of the tasks."""
        return [check for task, check in sorted(self._done, key=lambda one: one[0]) if self._is_wanted(task)]

    def left_out(self) -> list[str]:
        """The stages of those that were not made, or do not count."""
        unmade = [*self._waiting, *self._running.values()]
        return [task.stage for task in unmade] + [
            task.stage for task, _ in self._done if not self._is_wanted(task)
        ]


def _result(plan: GatePlan, made: Sequence[Check], left_out: Sequence[str], seconds: float) -> GateResult:
    reached = frozenset[str]().union(*(check.marks for check in made if check.stage != "mutants"))
    # Of a gate that ended early nobody can say what it would have reached.
    marks = frozenset() if left_out else plan.implementation.marks - MARKS_NOT_REACHED_HERE
    wanted = sorted(mark.name for mark in marks)
    ordered = sorted(made, key=lambda check: (STAGES.index(check.stage), check.name))
    counts = {stage: left_out.count(stage) for stage in STAGES if stage in left_out}
    return GateResult(
        tuple(ordered),
        plan.seed,
        tuple(name for name in wanted if name not in reached),
        seconds,
        tuple(f"{count} of {stage}" for stage, count in counts.items()),
    )
