"""The model: a writer that copies N extents before it overwrites them, and R readers that re-check.

Cells, all 0 at the start: ``volume[e]`` (0 old, 1 new), ``slot[e]`` (0 empty, 1 a copy of old content) and ``table[e]``
(1 copied). Each step is atomic, and a process may be overtaken between any two steps:

- the writer, for each extent in order: read the volume, write the slot, write the table, write the volume;
- a reader, for each extent in order: check the table. If it is set, read the slot. Else read the volume, then check
  the table again: if it is now set, read the slot, else the value from the volume counts. Old content must come out;
  that is asserted in the extent's last step.

Mutants: in ``norecheck``, no reader checks again; in ``late``, only the last reader does not, on its last extent.

A state is the cells and where each process is, a value that is not used any more counting as 0. Known numbers of
states: 675 for (N, R) = (2, 2), 2,091 for (3, 2), 27,415 for (3, 3), 366,819 for (3, 4). There are 4^(NR) Mazurkiewicz
traces.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Sequence

MUTANTS = ("norecheck", "late")
SLOT_OF_OLD = 1

Process = Generator[None, None, None]


class Cells:
    """The shared disk."""

    def __init__(self, n: int) -> None:
        self.volume = [0] * n
        self.slot = [0] * n
        self.table = [0] * n


def rechecks(n: int, r: int, mutant: str, reader: int, extent: int) -> bool:
    """Whether this reader checks again on this extent."""
    if mutant == "late":
        return (reader, extent) != (r - 1, n - 1)
    return mutant != "norecheck"


def longest(n: int, r: int) -> int:
    """How many steps all processes take together, at most."""
    return 4 * n * (1 + r)


def writer(cells: Cells, n: int) -> Process:
    """The writer. It yields between its steps, so that each `next` is one step and the last one ends it."""
    for extent in range(n):
        if extent:
            yield
        old = cells.volume[extent]
        yield
        cells.slot[extent] = SLOT_OF_OLD + old
        yield
        cells.table[extent] = 1
        yield
        cells.volume[extent] = 1


def reader(cells: Cells, rechecked: Sequence[bool]) -> Process:
    """A reader, of as many extents as there are flags; each says whether the reader checks again there."""
    for extent, rechecks_here in enumerate(rechecked):
        if extent:
            yield
        copied = cells.table[extent]
        yield
        value = 0
        if not copied:
            value = cells.volume[extent]
            if rechecks_here:
                yield
                copied = cells.table[extent]
                if copied:
                    yield
        if copied:
            value = cells.slot[extent] - SLOT_OF_OLD
        assert value == 0, f"extent {extent} is not as it was"


def processes(n: int, r: int, mutant: str) -> list[Process]:
    """The writer and the readers over fresh cells."""
    cells = Cells(n)
    readers = [
        reader(cells, [rechecks(n, r, mutant, index, extent) for extent in range(n)]) for index in range(r)
    ]
    return [writer(cells, n), *readers]


async def race(n: int, r: int, mutant: str) -> None:
    """The same as tasks of asyncio, with no scheduling point that is not one of the model.

    The last task to end, or the first to fail, wakes this one: `gather` would add a callback for each task.
    """
    loop = asyncio.get_running_loop()
    over: asyncio.Future[None] = loop.create_future()
    running = 1 + r

    async def run(process: Process) -> None:
        nonlocal running
        try:
            for _ in process:
                await asyncio.sleep(0)
        except AssertionError as error:
            if not over.done():
                over.set_exception(error)
        running -= 1
        if not running and not over.done():
            over.set_result(None)

    tasks = [loop.create_task(run(process)) for process in processes(n, r, mutant)]
    await over
    assert all(task.done() for task in tasks)
