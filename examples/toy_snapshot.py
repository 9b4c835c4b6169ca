"""A toy of the race that this repository is about: one writer copies extents before it overwrites them, readers follow.

The writer does four things for each extent: it reads the old content, writes that into a slot, notes the copy in a
table, and overwrites the extent. A reader wants the old content of every extent. It looks the extent up in the table:
if it was copied, the slot has it. If not, it reads the volume, and *afterwards* looks the extent up once more, because
the writer may have been faster; then the slot has it after all. A reader without that second look is caught:

    $ python examples/toy_snapshot.py

There are no flushes and no crashes in it, so that the same model is soon written for other tools, to compare them.
"""

from __future__ import annotations

from shadowshare.verify.tasks import Array, Setup, explore, rest

OLD, NEW = 0, 1


async def writer(volume: Array, slots: Array, table: Array) -> None:
    """Copy each extent into its slot, note that, and overwrite it."""
    for extent in range(len(volume)):
        await rest(extent)
        (old,) = await volume.read(extent, 1)
        await slots.write(extent, (old,))
        await table.write(extent, (True,))
        await volume.write(extent, (NEW,))


async def reader(volume: Array, slots: Array, table: Array, rechecks: tuple[bool, ...]) -> None:
    """Read every extent as it was; ``rechecks`` says for which of them to look a second time."""
    for extent in range(len(volume)):
        await rest(extent)
        is_copied = await table[extent].read()
        if not is_copied:
            content = await volume[extent].read()
            is_copied = rechecks[extent] and await table[extent].read()
            if not is_copied:
                assert content == OLD
                continue
        await rest((extent, "slot"))
        assert await slots[extent].read() == OLD


def name_of(number: int) -> str:
    """A name for the reader of that number: ``Ra``, ``Rb``, ... ``Rz``, ``Rba``, ..."""
    letters = ""
    while number or not letters:
        number, letter = divmod(number, 26)
        letters = "abcdefghijklmnopqrstuvwxyz"[letter] + letters
    return f"R{letters}"


def toy_snapshot(extent_count: int, reader_count: int, skipped_rechecks: int = 0) -> Setup:
    """One writer of ``extent_count`` extents and ``reader_count`` readers.

    Args:
        extent_count: how many extents there are.
        reader_count: how many readers there are.
        skipped_rechecks: at how many extents, counted from the last one, the last reader does not look again.
    """
    setup = Setup()
    volume = setup.array("volume", [OLD] * extent_count)
    slots = setup.array("slots", [None] * extent_count)
    table = setup.array("table", [False] * extent_count)
    setup.task("W", writer, volume, slots, table)
    for number in range(reader_count):
        skipped = skipped_rechecks if number == reader_count - 1 else 0
        rechecks = tuple(extent < extent_count - skipped for extent in range(extent_count))
        setup.task(name_of(number), reader, volume, slots, table, rechecks)
    return setup


def main() -> None:
    """Explore it: all tasks together, then each reader alone with the writer; and with one that never looks twice."""
    together = explore(toy_snapshot(2, 2), readers_apart=False, alike_merge=False)
    print(
        f"together: {together.verdict}, {together.state_count} states, {together.schedule_count} interleavings"
    )
    apart = explore(toy_snapshot(3, 64))
    print(f"64 readers: {apart.verdict}, {apart.state_count} states: {'; '.join(apart.reductions)}")
    wrong = explore(toy_snapshot(3, 2, skipped_rechecks=1))
    print(f"without the second look: {wrong.verdict}", *wrong.labels)


if __name__ == "__main__":
    main()
