"""Two tasks add one to a counter: every interleaving, first without and then with compare-and-write."""

from shadowshare.verify.tasks import Cell, End, Setup, explore


async def read_then_write(counter: Cell) -> None:
    """Add one, not knowing whether somebody else did in between."""
    await counter.write(await counter.read() + 1)


async def compare_and_write(counter: Cell) -> None:
    """Add one, and begin again if somebody else did in between."""
    while not await counter.compare_and_write(value := await counter.read(), value + 1):
        pass


def both_counted(end: End) -> bool:
    """Whether the counter says 2 in the end."""
    return bool(end["counter"] == 2)


for add in (read_then_write, compare_and_write):
    setup = Setup()
    counter = setup.cell("counter", 0)
    for name in ("A", "B"):
        setup.task(name, add, counter)
    result = explore(setup, both_counted)
    print(f"{add.__name__}: {result.verdict}", *result.labels)
