"""Small memory disks, for tests."""

from __future__ import annotations

from hypothesis import strategies as st

from shadowshare.protocol.operations import Flush, Read, Write
from shadowshare.sim.disks.memory_disk import MemoryDisk, Misbehaviour

SECTOR_BYTES = 512
SECTOR_COUNT = 5
PLACES = st.tuples(st.integers(0, SECTOR_COUNT - 1), st.integers(1, 3)).map(
    lambda place: (place[0], min(place[1], SECTOR_COUNT - place[0]))
)


def content(number: int) -> bytes:
    return number.to_bytes(4, "little") * (SECTOR_BYTES // 4)


def blank(misbehaviour: Misbehaviour | None = None) -> MemoryDisk:
    sectors = [bytes(SECTOR_BYTES)] * SECTOR_COUNT
    return MemoryDisk(SECTOR_BYTES, sectors, misbehaviour=misbehaviour or Misbehaviour())


def write(disk: MemoryDisk, sector: int, *numbers: int, host: int = 0) -> object:
    data = b"".join(map(content, numbers))
    return disk.perform(Write(0, sector, len(numbers), data), host, disk.write_count)


def read(disk: MemoryDisk, sector: int, sector_count: int = 1, host: int = 0) -> object:
    return disk.perform(Read(0, sector, sector_count), host, disk.write_count)


def flush(disk: MemoryDisk, issued_at: int | None = None) -> object:
    return disk.perform(Flush(0), 0, disk.write_count if issued_at is None else issued_at)


def possible_contents(disk: MemoryDisk, sector: int) -> list[bytes]:
    """What a power loss now might leave in a sector; and that each of it is what is read there once it is decided."""
    after = disk.fork()
    after.lose_power()
    if sector not in after.undecided:
        return [after.sectors[sector]]
    possible = list(after.undecided[sector])
    for number, raw in enumerate(possible):
        decided = after.fork()
        decided.survive(sector, number)
        assert read(decided, sector) == raw
    return possible
