"""Hypothesis: its generated data choose which process goes next, each schedule from the start.

"hypothesis, data()" draws an integer for each step; "hypothesis, tape" draws one string of bytes, a byte for each step.
Both sample. Failures are not shrunk, and not remembered. Executions are those that came to their end: Hypothesis breaks
off some where it runs out of data.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from time import perf_counter
from typing import Any

from bench.explore_peers.row import CUT, SAMPLED, Row, new_row, settle
from bench.explore_peers.script import main, missing_package
from bench.explore_peers.toy import longest, processes

SAMPLES = 1000
EVERY = 1_000_000
NO_MORE = "generated nothing more; does not say whether that was all"

Choose = Callable[[int], int]


class OutOfTime(KeyboardInterrupt):
    """The time limit has passed. Hypothesis takes any other exception as a failure, and repeats it."""


def availability() -> str:
    """Whether it can be imported."""
    return missing_package("hypothesis")


def run_schedule(n: int, r: int, mutant: str, choose: Choose) -> None:
    """Run the model once; `choose` says which of so many processes takes the next step."""
    running = processes(n, r, mutant)
    while running:
        index = choose(len(running)) if len(running) > 1 else 0
        try:
            next(running[index])
        except StopIteration:
            del running[index]


def tape_choices(tape: bytes) -> Choose:
    """Choices by one byte each."""
    position = iter(tape)
    return lambda count: next(position) % count


def data_choices(data: Any, integers: Any) -> Choose:
    """Choices by one draw each."""
    return lambda count: int(data.draw(integers(0, count - 1)))


def measure_one(
    n: int,
    r: int,
    mutant: str,
    seconds_maximum: float,
    engine: str,
    strategy: Any,
    choices: Callable[[Any], Choose],
) -> Row:
    """One test, until its first failure."""
    hypothesis: Any = importlib.import_module("hypothesis")
    executions, violated = 0, False
    start = perf_counter()

    def test(given: Any) -> None:
        nonlocal executions, violated
        if perf_counter() - start > seconds_maximum and not violated:
            raise OutOfTime
        try:
            run_schedule(n, r, mutant, choices(given))
        except AssertionError:
            executions += not violated
            violated = True
            raise
        executions += not violated

    settings = hypothesis.settings(
        max_examples=EVERY if mutant else SAMPLES,
        deadline=None,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
        report_multiple_bugs=False,
        derandomize=False,
    )
    why_not = SAMPLED
    try:
        settings(hypothesis.given(strategy)(test))()
    except OutOfTime:
        why_not = CUT
    except AssertionError:
        pass
    row = new_row(n, r, mutant, engine)
    row["seconds"] = perf_counter() - start
    row["executions"] = executions
    if why_not == SAMPLED and executions < settings.max_examples:
        why_not = NO_MORE
    return settle(row, violated, exhausted=False, why_not=why_not)


def measure(n: int, r: int, mutant: str, seconds_maximum: float) -> list[Row]:
    """Draw by draw, then with a tape."""
    strategies: Any = importlib.import_module("hypothesis.strategies")
    length = longest(n, r)
    return [
        measure_one(
            n,
            r,
            mutant,
            seconds_maximum,
            "hypothesis, data()",
            strategies.data(),
            lambda data: data_choices(data, strategies.integers),
        ),
        measure_one(
            n,
            r,
            mutant,
            seconds_maximum,
            "hypothesis, tape",
            strategies.binary(min_size=length, max_size=length),
            tape_choices,
        ),
    ]


if __name__ == "__main__":
    main(measure, availability)
