"""The programs on which partial-order reduction has been measured since 2005, and a small snapshot protocol.

*FG* is Flanagan and Godefroid: Dynamic Partial-Order Reduction for Model Checking Software, POPL 2005. *AAJS* is
Abdulla, Aronis, Jonsson, Sagonas: Optimal Dynamic Partial Order Reduction, POPL 2014, and JACM 64(4), 2017.
"""

from __future__ import annotations

from shadowshare.verify.cells.setup import Array, Cell, Lock, Setup, rest


def _name(number: int) -> str:
    """A, B, ... Z, Ba, Bb, ..."""
    tens, units = divmod(number, 26)
    letter = chr(ord("A") + (tens or units))
    return letter + chr(ord("a") + units) if tens else letter


def readers(count: int) -> Setup:
    """One task writes a variable that the others read (AAJS)."""
    setup = Setup()
    variable = setup.cell("x")

    async def write() -> None:
        await variable.write(1)

    async def read() -> int:
        value: int = await variable.read()
        return value

    setup.task("W", write)
    for number in range(count):
        setup.task("R" + _name(number).lower(), read)
    return setup


def indexer(task_count: int) -> Setup:
    """Tasks insert four messages each into a hash table of 128 places (FG)."""
    size, message_count = 128, 4
    setup = Setup()
    table = setup.array("table", (0,) * size)

    async def insert(number: int) -> None:
        for count in range(1, message_count + 1):
            message = count * 11 + number
            place = message * 7 % size
            while not await table[place].compare_and_write(0, message):
                place = (place + 1) % size

    for number in range(task_count):
        setup.task(_name(number), insert, number)
    return setup


def filesystem(task_count: int) -> Setup:
    """Tasks allocate a disk block for a file each, under a lock for the file and one for each block (FG)."""
    block_count, file_count = 26, 32
    setup = Setup()
    file_locks = [setup.lock(f"lock of file {number}") for number in range(file_count)]
    block_locks = [setup.lock(f"lock of block {number}") for number in range(block_count)]
    files = setup.array("files", (0,) * file_count)
    is_busy = setup.array("busy", (False,) * block_count)

    async def allocate(number: int) -> None:
        file = number % file_count
        async with file_locks[file]:
            if not await files[file].read():
                await take_block(file, is_busy, block_locks)

    async def take_block(file: int, is_busy: Array, locks: list[Lock]) -> None:
        block = file * 2 % block_count
        while True:
            async with locks[block]:
                if not await is_busy[block].read():
                    await is_busy[block].write(True)
                    await files[file].write(block + 1)
                    return
            block = (block + 1) % block_count

    for number in range(task_count):
        setup.task(_name(number), allocate, number)
    return setup


def last_zero(count: int) -> Setup:
    """One task looks for the last zero of an array, while others add one to its elements (AAJS)."""
    setup = Setup()
    array = setup.array("array", (0,) * (count + 1))

    async def look() -> int:
        position = count
        while await array[position].read():
            position -= 1
        return position

    async def add(position: int) -> None:
        await array[position].write(await array[position - 1].read() + 1)

    setup.task("R", look)
    for position in range(1, count + 1):
        setup.task("W" + _name(position).lower(), add, position)
    return setup


def toy_snapshot(extent_count: int, reader_count: int, writer_count: int = 1) -> Setup:
    """A writer copies each extent before it overwrites it; readers look up again what they read there."""
    setup = Setup()
    volume = [setup.cell(f"volume {extent}", 0) for extent in range(extent_count)]
    slots = [setup.cell(f"slot {extent}", None) for extent in range(extent_count)]
    table = [setup.cell(f"table {extent}", False) for extent in range(extent_count)]

    async def write(extents: range) -> None:
        for extent in extents:
            await rest(extent)
            await slots[extent].write(await volume[extent].read())
            await table[extent].write(True)
            await volume[extent].write(1)

    async def read() -> None:
        for extent in range(extent_count):
            await rest(extent)
            if not await was_copied(extent, table, slots):
                value = await volume[extent].read()
                assert await was_copied(extent, table, slots) or value == 0

    async def was_copied(extent: int, table: list[Cell], slots: list[Cell]) -> bool:
        if not await table[extent].read():
            return False
        assert await slots[extent].read() == 0
        return True

    share = -(-extent_count // writer_count)
    for number in range(writer_count):
        setup.task("W" + _name(number).lower(), write, range(extent_count)[number * share :][:share])
    for number in range(reader_count):
        setup.task("R" + _name(number).lower(), read)
    return setup
