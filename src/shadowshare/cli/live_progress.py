"""How far an exploration is, on standard error, if that is a terminal; and how it ends early."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from shadowshare.cli.exploration_options import searches_states
from shadowshare.cli.terminal import is_looked_at
from shadowshare.verify.exploration.search import Budget
from shadowshare.verify.exploration.search import Progress as Listener
from shadowshare.verify.runner import Plan


@contextmanager
def exploration_progress(label: str, plan: Plan) -> Iterator[Listener | None]:
    """A line that says how far an exploration is. Yields a function to tell it; None if nobody would see it."""
    if not is_looked_at(sys.stderr):
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"))
    start = perf_counter()
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(label, total=None, told="")

        def listen(covered_count: int, waiting_count: int) -> None:
            seconds = perf_counter() - start
            share = share_spent(plan, covered_count, seconds)
            shown.update(
                task,
                told=progress_text(plan, covered_count, waiting_count, seconds),
                total=None if share is None else 1.0,
                completed=share or 0.0,
            )

        yield listen


def progress_text(plan: Plan, covered_count: int, waiting_count: int, seconds: float = 0.0) -> str:
    """How much was covered, how fast (if it is said how long it took), and how much is known to wait."""
    unit = "states" if searches_states(plan.strategy) else "executions"
    words = [f"{covered_count:,} {unit}"]
    if seconds:
        words.append(f"{covered_count / seconds:,.0f}/s")
    if waiting_count:
        words.append(f"{waiting_count:,} waiting")
    return ", ".join(words)


def share_spent(plan: Plan, covered_count: int, seconds: float) -> float | None:
    """Which share of the budget is spent, as far as can be seen from outside; None if there is no such budget."""
    count_maximum = (
        plan.state_count_maximum if searches_states(plan.strategy) else plan.execution_count_maximum
    )
    shares = [covered_count / count_maximum] if count_maximum else []
    if plan.seconds_maximum:
        shares.append(seconds / plan.seconds_maximum)
    return min(1.0, max(shares)) if shares else None


@contextmanager
def interruptible(budget: Budget) -> Iterator[None]:
    """Ctrl-C lets the exploration end at the next chance; the second one does what it always does.

    Where Ctrl-C is ignored, as in a job in the background, it still is.
    """
    before = signal.getsignal(signal.SIGINT)
    if not callable(before):
        yield
        return

    def interrupt(*_: object) -> None:
        signal.signal(signal.SIGINT, before)
        budget.interrupt()

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def status() -> Iterator[Callable[[str], None]]:
    """A line that says what goes on. Yields a function to change it."""
    if not is_looked_at(sys.stderr):
        yield lambda _: None
        return
    with Console(stderr=True).status("") as line:
        yield line.update
