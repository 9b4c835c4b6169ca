"""minicheck: explicit-state search, breadth first, in Python, over tuples that the model's function makes.

A state is every cell, each process's point, each reader's value, and a flag that something wrong was read; in the right
version that flag is never set, and the state counts are the known ones. After a bug, the search goes on to the end of
the space; a wrong state has no successors here, as if the assertion had ended the run. It has no time limit of its own:
at the limit, the successor function raises the error by which minicheck lets a model say that it is not finite.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from time import perf_counter
from typing import Any

from bench.explore_peers.row import CUT, Row, new_row, settle
from bench.explore_peers.script import main, missing_package
from bench.explore_peers.toy import rechecks

State = tuple[int, ...]
Successors = Callable[[State], list[tuple[str, State]]]
STATES_MAXIMUM = 50_000_000
CHECK, READ, RECHECK, SLOT = range(4)


def availability() -> str:
    """Whether it can be imported."""
    return missing_package("minicheck")


def field_names(n: int, r: int) -> tuple[str, ...]:
    """The components of a state."""
    cells = [f"{kind}{extent}" for kind in ("volume", "slot", "table") for extent in range(n)]
    readers = [f"{what}{index}" for index in range(r) for what in ("point", "value")]
    return (*cells, "writer", *readers, "wrong")


def step_writer(after: list[int], n: int) -> None:
    """The writer's next step, done to a state."""
    extent, step = divmod(after[3 * n], 4)
    if step:
        slot_table_or_volume = (n, 2 * n, 0)[step - 1]
        after[slot_table_or_volume + extent] = 1
    after[3 * n] += 1


def step_reader(after: list[int], n: int, reader: int, rechecked: list[bool]) -> None:
    """A reader's next step, done to a state."""
    point = 3 * n + 1 + 2 * reader
    extent, step = divmod(after[point], 4)
    following = 4
    if step == CHECK:
        following = SLOT if after[2 * n + extent] else READ
    elif step == READ and rechecked[extent]:
        after[point + 1] = after[extent]
        following = RECHECK
    elif step == READ:
        after[-1] = after[extent]
    elif step == RECHECK:
        if after[2 * n + extent]:
            following = SLOT
        else:
            after[-1] = after[point + 1]
        after[point + 1] = 0
    else:
        after[-1] = 1 - after[n + extent]
    after[point] = 4 * extent + following


def successors_of(n: int, r: int, mutant: str) -> Successors:
    """The model's successor function. A process's point is 4 * extent + what it does next there."""
    rechecked = [[rechecks(n, r, mutant, index, extent) for extent in range(n)] for index in range(r)]
    writer, end = 3 * n, 4 * n

    def successors(state: State) -> list[tuple[str, State]]:
        found: list[tuple[str, State]] = []
        if state[-1]:
            return found
        if state[writer] < end:
            after = list(state)
            step_writer(after, n)
            found.append(("writer", tuple(after)))
        for reader in range(r):
            if state[writer + 1 + 2 * reader] < end:
                after = list(state)
                step_reader(after, n, reader, rechecked[reader])
                found.append((f"reader {reader}", tuple(after)))
        return found

    return successors


def measure(n: int, r: int, mutant: str, seconds_maximum: float) -> list[Row]:
    """One search."""
    minicheck: Any = importlib.import_module("minicheck")
    incomplete: Any = importlib.import_module("minicheck._core").SearchIncomplete
    fields = field_names(n, r)
    successors = successors_of(n, r, mutant)
    start = perf_counter()

    def limited(state: State) -> list[tuple[str, State]]:
        if perf_counter() - start > seconds_maximum:
            raise incomplete(CUT)
        return successors(state)

    protocol = minicheck.Protocol(
        name="toy",
        candidate=False,
        fields=fields,
        initial=(0,) * len(fields),
        transitions=limited,
        invariants={"old content": lambda state: not state["wrong"]},
    )
    result = minicheck.check_safety(protocol, max_states=STATES_MAXIMUM)
    row = new_row(n, r, mutant, "minicheck")
    row["seconds"] = perf_counter() - start
    row["states"] = result["reachable_states"]
    violated = result["properties"]["old content"]["holds"] is False
    settle(row, violated, result["exhaustive"], CUT)
    if not row["exhausted"]:
        row["note"] = CUT if CUT in result["incomplete_reason"] else result["incomplete_reason"]
    return [row]


if __name__ == "__main__":
    main(measure, availability)
