"""simloom: runs asyncio tasks in a simulated world, each schedule from the start, from a seed.

It needs Python 3.12. Only its default is run here, a random walk over the seeds 0, 1, and so on: its systematic search
has no time limit, goes through schedules one by one, and is bounded by delays.
"""

from __future__ import annotations

import importlib
import platform
import sys
from functools import partial
from time import perf_counter
from typing import Any

from bench.explore_peers.row import CUT, SAMPLED, Row, new_row, settle
from bench.explore_peers.script import main, missing_package
from bench.explore_peers.toy import race

SAMPLES = 1000
AT_ONCE = 20
PYTHON = (3, 12)


def availability() -> str:
    """Whether this Python is new enough, and has it."""
    if sys.version_info < PYTHON:
        return (
            f"simloom needs Python 3.12 or later, but {sys.executable} is Python {platform.python_version()}"
        )
    return missing_package("simloom")


def measure(n: int, r: int, mutant: str, seconds_maximum: float) -> list[Row]:
    """Seeds, until the first bug or the limit."""
    simloom: Any = importlib.import_module("simloom")
    row = new_row(n, r, mutant, "simloom, random")
    runs, violated = 0, False
    start = perf_counter()
    while not violated and perf_counter() - start < seconds_maximum and (mutant or runs < SAMPLES):
        result = simloom.explore(partial(race, n, r, mutant), runs=AT_ONCE, start_seed=runs)
        runs += result.runs
        violated = result.failed
    row["seconds"] = seconds = perf_counter() - start
    row["executions"] = runs
    return [settle(row, violated, exhausted=False, why_not=SAMPLED if seconds < seconds_maximum else CUT)]


if __name__ == "__main__":
    main(measure, availability)
