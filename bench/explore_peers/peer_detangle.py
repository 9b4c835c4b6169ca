"""detangle: runs asyncio tasks on an event loop whose order it chooses, each schedule from the start.

It has no notion of states, nor of steps that commute. "detangle, dfs" goes through all schedules (its bound on delays
is set out of reach): exactly the model's interleavings, 43 for (1, 1), but 820,016,270 for (2, 2). "detangle, auto" is
its default, a mixture of random walks and PCT.
"""

from __future__ import annotations

import importlib
from functools import partial
from time import perf_counter
from typing import Any

from bench.explore_peers.row import CUT, SAMPLED, Row, new_row, settle
from bench.explore_peers.script import main, missing_package
from bench.explore_peers.toy import race

SAMPLES = 1000
EVERY = 1_000_000_000


def availability() -> str:
    """Whether it can be imported."""
    return missing_package("detangle")


def measure_one(
    n: int, r: int, mutant: str, seconds_maximum: float, engine: str, strategy: Any, runs: int
) -> Row:
    """One exploration, until the first bug."""
    detangle: Any = importlib.import_module("detangle")
    row = new_row(n, r, mutant, engine)
    start = perf_counter()
    try:
        result = detangle.explore(
            partial(race, n, r, mutant),
            strategy=strategy,
            runs=runs,
            max_duration=seconds_maximum,
            shrink=False,
            database=False,
            name="toy",
        )
    except detangle.BugFound as bug:
        row["seconds"] = perf_counter() - start
        row["executions"] = bug.report.runs
        return settle(row, violated=True, exhausted=False, why_not="")
    row["seconds"] = perf_counter() - start
    row["executions"] = result.runs
    why_not = SAMPLED if result.runs == runs else CUT
    return settle(row, violated=False, exhausted=result.exhausted, why_not=why_not)


def measure(n: int, r: int, mutant: str, seconds_maximum: float) -> list[Row]:
    """Systematic, then sampling."""
    detangle: Any = importlib.import_module("detangle")
    samples = EVERY if mutant else SAMPLES
    return [
        measure_one(n, r, mutant, seconds_maximum, "detangle, dfs", detangle.DFS(max_delays=EVERY), EVERY),
        measure_one(n, r, mutant, seconds_maximum, "detangle, auto", "auto", samples),
    ]


if __name__ == "__main__":
    main(measure, availability)
