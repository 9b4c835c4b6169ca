"""Reading a snapshot without a lock, in small: a writer that copies extents before it overwrites them, and readers.

The writer, for each extent: read the volume, write the slot, note it in the table, write the volume. A reader, for each
extent: look it up in the table; if it is there, read the slot; else read the volume and *afterwards look again*, and if
it is there by now, read the slot instead. What comes out must be the old content.

Two ways to get it wrong: in ``norecheck`` nobody looks again; in ``late`` only the last reader does not, and only on
its last extent, so that the bug is rare.
"""

from shadowshare.verify.tasks import Array, Setup, explore, rest

OLD, NEW = "old", "new"
BUGS = ("norecheck", "late")


async def writer(volume: Array, slots: Array, table: Array) -> None:
    """Copy each extent, then overwrite it."""
    for extent in range(volume.cell_count):
        await rest(extent)
        old = await volume[extent].read()
        await slots[extent].write(old)
        await table[extent].write(True)
        await volume[extent].write(NEW)


async def reader(volume: Array, slots: Array, table: Array, looks_again: tuple[bool, ...]) -> None:
    """Read each extent as it was."""
    for extent in range(volume.cell_count):
        await rest(extent)
        is_copied = await table[extent].read()
        content = None
        if not is_copied:
            content = await volume[extent].read()
            is_copied = looks_again[extent] and await table[extent].read()
        if is_copied:
            await rest((extent, "slot"))  # what the volume held no longer matters
            content = await slots[extent].read()
        assert content == OLD


def toy_snapshot(extent_count: int, reader_count: int, bug: str = "") -> Setup:
    """The writer and its readers; ``bug`` is one of `BUGS`, or none."""
    setup = Setup()
    volume = setup.array("volume", [OLD] * extent_count)
    slots = setup.array("slots", [None] * extent_count)
    table = setup.array("table", [False] * extent_count)
    setup.task("W", writer, volume, slots, table)
    for number in range(reader_count):
        is_last = number == reader_count - 1
        looks_again = tuple(
            not (bug == "norecheck" or (bug == "late" and is_last and extent == extent_count - 1))
            for extent in range(extent_count)
        )
        setup.task(_reader_name(number), reader, volume, slots, table, looks_again)
    return setup


def _reader_name(number: int) -> str:
    """Ra, Rb, ... Rz, Rba, Rbb, ..."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    name = letters[number % 26]
    while number := number // 26:
        name = letters[number % 26] + name
    return f"R{name}"


def main() -> None:
    """Explore it as it must be, and with its bugs."""
    for bug in ("", *BUGS):
        result = explore(toy_snapshot(3, 2, bug))
        print(f"{bug or 'right'}: {result.verdict}, {result.state_count} states", *result.labels)


if __name__ == "__main__":
    main()
