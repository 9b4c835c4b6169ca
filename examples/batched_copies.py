"""A writer that copies many extents in one batch, a power loss at any step, and a recovery that looks at each extent.

The writer copies all extents into slots, flushes, notes all copies in a table, flushes, and overwrites the extents.
After a power loss, each sector that was not flushed may hold its old content or the new one: 2^n images for n extents.
They are never made: what survived of an extent is decided when somebody looks at that extent, and those who look at
other extents do not care.
"""

from shadowshare.verify.tasks import Array, Setup, explore, flush

OLD, NEW = "old", "new"


async def writer(volume: Array, slots: Array, table: Array, flushes_slots: bool) -> None:
    """Copy all extents, then overwrite them."""
    for extent in range(volume.cell_count):
        await slots.write(extent, (OLD,))
    if flushes_slots:
        await flush()
    for extent in range(volume.cell_count):
        await table.write(extent, (True,))
    await flush()
    for extent in range(volume.cell_count):
        await volume.write(extent, (NEW,))
    await flush()


async def recovery(volume: Array, slots: Array, table: Array, extent: int) -> None:
    """Look one extent up as a reader would after a power loss: it must be the old one."""
    place = slots if await table[extent].read() else volume
    assert await place[extent].read() == OLD


def batched_copies(extent_count: int, flushes_slots: bool = True) -> Setup:
    """The writer, and a recovery for each extent."""
    setup = Setup(crashes=1, power_losses=1, plain_crashes=False, late_writes=False)
    volume = setup.array("volume", [OLD] * extent_count)
    slots = setup.array("slots", [None] * extent_count)
    table = setup.array("table", [False] * extent_count)
    setup.task("W", writer, volume, slots, table, flushes_slots)
    for extent in range(extent_count):
        setup.task(
            f"V{'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[extent]}", recovery, volume, slots, table, extent, recovers="W"
        )
    return setup


def main() -> None:
    """Explore it as it must be, and without the first flush."""
    right = explore(batched_copies(12))
    print(f"12 extents: {right.verdict}, {right.schedule_count} schedules")
    wrong = explore(batched_copies(12, flushes_slots=False))
    print(f"without a flush before the table: {wrong.verdict}", *wrong.labels)


if __name__ == "__main__":
    main()
