"""frontrun: runs real threads, steered at single bytecodes; its conflicts are inferred from the bytecode.

So this is the model as plain Python, with an extent's cells as attributes of one object: as items of lists, frontrun
needs more executions. It counts executions only, and makes more of them than there are traces: 11 for the 4 traces of
(1, 1). "frontrun, dpor" has no bound on preemptions (its default is two). Whether it was exhaustive, frontrun does not
say for threads (cut by its time limit, it reports that the property holds): here it was, if it ended before the limit.
A third way, exploring markers in comments, needs the same steps in every execution, which a reader does not have.

frontrun refuses to run outside its command line, so the module starts itself again under it.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

from bench.explore_peers.row import CUT, SAMPLED, Row, new_row, settle
from bench.explore_peers.script import main, missing_package
from bench.explore_peers.toy import SLOT_OF_OLD, rechecks

SAMPLES = 1000
EVERY = 1_000_000_000
ENGINES: dict[str, dict[str, Any]] = {
    "frontrun, dpor": {"strategy": "dpor", "preemption_bound": None},
    "frontrun, random": {"strategy": "random", "max_attempts": EVERY},
}


def availability() -> str:
    """Whether it can be imported."""
    return missing_package("frontrun")


class Extent:
    """The cells of one extent."""

    def __init__(self) -> None:
        self.volume = self.slot = self.table = 0


class Disk:
    """All extents, and for each reader whether it read something wrong."""

    def __init__(self, n: int, r: int) -> None:
        self.extents = [Extent() for _ in range(n)]
        self.wrong = [False] * r


def write(disk: Disk) -> None:
    """The writer."""
    for extent in disk.extents:
        old = extent.volume
        extent.slot = SLOT_OF_OLD + old
        extent.table = 1
        extent.volume = 1


def reader(index: int, rechecked: list[bool]) -> Callable[[Disk], None]:
    """A reader. It notes what is wrong, for an exception in a thread would end the whole exploration."""

    def read(disk: Disk) -> None:
        for extent, rechecks_here in zip(disk.extents, rechecked, strict=True):
            if extent.table:
                value = extent.slot - SLOT_OF_OLD
            else:
                value = extent.volume
                if rechecks_here and extent.table:
                    value = extent.slot - SLOT_OF_OLD
            if value:
                disk.wrong[index] = True

    return read


def measure(n: int, r: int, mutant: str, seconds_maximum: float) -> list[Row]:
    """Systematic and random."""
    frontrun: Any = importlib.import_module("frontrun")
    rows = []
    readers = [
        reader(index, [rechecks(n, r, mutant, index, extent) for extent in range(n)]) for index in range(r)
    ]
    for engine, options in ENGINES.items():
        is_sampling = options["strategy"] == "random"
        sampled = {"max_attempts": SAMPLES} if is_sampling and not mutant else {}
        start = perf_counter()
        result = frontrun.explore(
            setup=lambda: Disk(n, r),
            workers=[write, *readers],
            invariant=lambda disk: not any(disk.wrong),
            total_timeout=seconds_maximum,
            reproduce_on_failure=0,
            detect_io=False,
            **{**options, **sampled},
        )
        row = new_row(n, r, mutant, engine)
        row["seconds"] = seconds = perf_counter() - start
        row["executions"] = result.num_explored
        violated = result.property_holds is False
        is_whole = not is_sampling and result.property_holds is True and seconds < seconds_maximum
        why_not = SAMPLED if is_sampling and seconds < seconds_maximum else CUT
        rows.append(settle(row, violated, is_whole, result.inconclusive_reason or why_not))
    return rows


if __name__ == "__main__":
    if "FRONTRUN_ACTIVE" not in os.environ and not availability():
        arguments = [sys.executable, "-m", "bench.explore_peers.peer_frontrun", *sys.argv[1:]]
        os.execv(sys.executable, [sys.executable, "-m", "frontrun.cli", *arguments])
    main(measure, availability)
