"""What one engine did with one size of the model: a row of the comparison."""

from __future__ import annotations

from typing import NotRequired, TypedDict

CUT = "cut by the time limit"
SAMPLED = "samples schedules: can not exhaust"
STOPPED = "stopped at the bug"


class Row(TypedDict):
    """A row. What an engine does not count is None."""

    model: str  # "toy", or "toy-" and the mutant
    n: int  # extents
    r: int  # readers
    engine: str
    seconds: float | None
    compile_seconds: NotRequired[float]
    states: int | None
    traces: int | None  # Mazurkiewicz traces
    executions: int | None  # whole runs of the model; of a mutant, until the bug
    found: (
        bool | None
    )  # of a mutant: was the bug found? Of the right version: None, or True, which is a false alarm
    exhausted: bool  # nothing was left out
    note: str


def new_row(n: int, r: int, mutant: str, engine: str) -> Row:
    """The row of an engine that has done nothing yet."""
    return {
        "model": f"toy-{mutant}" if mutant else "toy",
        "n": n,
        "r": r,
        "engine": engine,
        "seconds": None,
        "states": None,
        "traces": None,
        "executions": None,
        "found": None,
        "exhausted": False,
        "note": "",
    }


def settle(row: Row, violated: bool, exhausted: bool, why_not: str) -> Row:
    """Enter the outcome: `why_not` says why it was not exhausted, if it was not and no bug ended it."""
    row["exhausted"] = exhausted
    if row["model"] != "toy":
        row["found"] = violated
    elif violated:
        row["found"] = True
    if exhausted:
        return row
    row["note"] = STOPPED if violated else why_not
    return row
