"""Small programs for tests of strategies, of which it is known what they can do."""

from __future__ import annotations

from collections.abc import Sequence

from shadowshare.verify.cells.setup import Array, Cell, Setup, rest
from shadowshare.verify.cells.task_world import TaskWorld
from shadowshare.verify.strategies.pct import PriorityWalk
from shadowshare.verify.strategies.pos import PartialOrderSampling
from shadowshare.verify.strategies.random_walk import RandomWalk
from shadowshare.verify.strategies.strategy import Sampler
from shadowshare.verify.strategies.timed import Timed
from shadowshare.verify.strategies.urw import UniformInterleavings

SAMPLERS: list[type[Sampler]] = [RandomWalk, PriorityWalk, PartialOrderSampling, UniformInterleavings, Timed]


async def write_often(cell: Cell, count: int) -> None:
    for value in range(count):
        await cell.write(value)


async def read_often(cell: Cell, count: int) -> None:
    for _ in range(count):
        await cell.read()


async def increment(cell: Cell) -> None:
    await cell.write(await cell.read() + 1)


def independent(counts: Sequence[int]) -> Setup:
    """Tasks A, B, ... that write so many times, each to a cell of its own."""
    setup = Setup()
    for name, count in zip("ABCDEFG", counts, strict=False):
        setup.task(name, write_often, setup.cell(name), count)
    return setup


def increments() -> Setup:
    """A and B increment a counter and lose one."""
    setup = Setup()
    counter = setup.cell("counter")
    for name in "AB":
        setup.task(name, increment, counter)
    return setup


async def expect_calm(cell: Cell) -> None:
    """Fails if the cell changes between the first two reads, and between the last two."""
    values = [await cell.read() for _ in range(3)]
    assert len(set(values)) < 3


def unrest() -> Setup:
    """A fails if B writes between its first two reads, and C between the last two, or the other way round."""
    setup = Setup()
    cell = setup.cell("cell", "")
    setup.task("A", expect_calm, cell)
    for name in "BC":
        setup.task(name, _write_name, cell, name)
    return setup


async def _write_name(cell: Cell, name: str) -> None:
    await cell.write(name)


async def expect_same(cell: Cell) -> None:
    assert await cell.read() == await cell.read()


def split_read(before_count: int) -> Setup:
    """A fails if B's write falls between its two reads; B does something else before, and after."""
    setup = Setup()
    cell, other = setup.cell("cell"), setup.cell("other")

    async def change() -> None:
        await write_often(other, before_count)
        await cell.write(1)
        await write_often(other, before_count)

    setup.task("A", expect_same, cell)
    setup.task("B", change)
    return setup


async def write_both(cells: Array) -> None:
    """In between it reads, so that a crash there leaves no write in flight."""
    for number in range(2):
        await cells.read()
        await cells.write(number, [1])


async def expect_equal(cells: Array) -> None:
    first, second = await cells.read()
    assert first == second


def torn_by_crash() -> Setup:
    """V recovers A, and fails if A crashed between its two writes."""
    setup = Setup(crashes=1)
    cells = setup.array("cells", (0, 0))
    setup.task("A", write_both, cells)
    setup.task("V", expect_equal, cells, recovers="A")
    return setup


async def _read(cell: Cell) -> None:
    await cell.read()


def idle_beside() -> Setup:
    """A fails if B's write falls between its two reads; C does something else for a while."""
    setup = Setup()
    cell = setup.cell("cell")
    setup.task("A", expect_same, cell)
    setup.task("B", _write_name, cell, "B")
    setup.task("C", write_often, setup.cell("other"), 4)
    return setup


def crash_beside() -> Setup:
    """A fails if B's write falls between its two reads; C may crash, too, which matters to nobody."""
    setup = Setup(crashes=1, late_writes=False)
    cell, other = setup.cell("cell"), setup.cell("other")
    setup.task("A", expect_same, cell)
    setup.task("B", increment, cell)
    setup.task("C", _read, other)
    return setup


def crossed_locks() -> Setup:
    """A and B take two locks, each in another order."""
    setup = Setup()
    locks = [setup.lock("first"), setup.lock("second")]

    async def take(one: int, other: int) -> None:
        async with locks[one], locks[other]:
            pass

    setup.task("A", take, 0, 1)
    setup.task("B", take, 1, 0)
    return setup


def waiting_loop() -> Setup:
    """A asks again and again until B, after some steps, has set a flag."""
    setup = Setup()
    flag, other = setup.cell("flag"), setup.cell("other")

    async def wait() -> None:
        while not await flag.read():
            await rest("waits")

    async def free() -> None:
        await write_often(other, 5)
        await flag.write(1)

    setup.task("A", wait)
    setup.task("B", free)
    return setup


def copies(extents: int = 3, readers: int = 2, mutant: str = "") -> Setup:
    """A writer saves each extent's old content before it overwrites it; readers want the old content.

    Without a mistake a reader looks once more whether there is a saved content after it has read the extent. With
    ``no-recheck`` none does; with ``late`` the last reader does not for the last extent.
    """
    setup = Setup()
    volume = [setup.cell(f"volume{number}", 0) for number in range(extents)]
    slots = [setup.cell(f"slot{number}", None) for number in range(extents)]
    saved = [setup.cell(f"saved{number}", False) for number in range(extents)]

    async def write() -> None:
        for number in range(extents):
            await rest(number)
            await slots[number].write(await volume[number].read())
            await saved[number].write(True)
            await volume[number].write(1)

    async def read(rechecks: Sequence[bool]) -> None:
        for number in range(extents):
            await rest(number)
            value = None
            if not await saved[number].read():
                value = await volume[number].read()
                if not rechecks[number] or not await saved[number].read():
                    assert value == 0
                    continue
            await rest((number, "slot"))
            assert await slots[number].read() == 0

    setup.task("W", write)
    for reader in range(readers):
        is_late = mutant == "late" and reader == readers - 1
        rechecks = [
            mutant != "no-recheck" and not (is_late and number == extents - 1) for number in range(extents)
        ]
        setup.task("R" + "abcdefg"[reader], read, tuple(rechecks))
    return setup


def violations(sampler: Sampler, setup: Setup, count: int) -> int:
    """How many of the first schedules violate something."""
    product = TaskWorld(setup).product
    return sum(sampler.run_one(product, number)[1] is not None for number in range(count))


def drawn(sampler: Sampler, setup: Setup, numbers: range) -> list[tuple[str, ...]]:
    """The labels of schedules."""
    product = TaskWorld(setup).product
    return [tuple(sampler.run_one(product, number)[0]) for number in numbers]
