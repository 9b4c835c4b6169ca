"""Disk operations of concurrent writers against the least that the protocol allows: ``python -m bench.writers``.

Every writer changes extents of its own for the first time since a shadow copy, one after the other, and then the same
extents once more. The disk completes, in each round, everything that was in flight when the round began; so figures are
counts, not times, and the same at each run. The least for a first write is: read the extent, write the slot, write the
volume; and for all writers together, in each turn, one flush of the slots, and as many journal blocks, a flush each, as
their records fill. Fewer flushes would cost time: while one group is in the journal, the next one copies its extents,
so a turn of all writers is two groups or more, and yet takes hardly more rounds than one group would.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from shadowshare.protocol.active import Active
from shadowshare.protocol.formatting import format_store
from shadowshare.protocol.geometry import Geometry, Location, plan_geometry
from shadowshare.protocol.operations import Operation, Write
from shadowshare.protocol.recovery import activate
from shadowshare.sim.disks.memory_disk import MemoryDisk
from shadowshare.sim.host import Computer, Host
from shadowshare.sim.inline import perform_inline

WRITER_COUNTS = (1, 2, 4, 8, 16, 32, 64)
WRITES_EACH = 16
EXTENT_SECTORS = 16
SECTOR_BYTES = 512
HALF_BLOCK_COUNT = 512
DATA_OPERATIONS_LEAST = 3.0
"""Read the extent, write the slot, write the volume."""
SLOT_FLUSHES_LEAST = 1
"""Of the slots, before the journal block; each block has one of its own, before the volume."""
DATA_ROUNDS_LEAST = 4
"""Read the extents, write the slots, flush; and, behind the journal, write the volume."""
BLOCK_ROUNDS_LEAST = 2
"""Write a journal block, flush."""


class Figures(NamedTuple):
    """What writes cost, each per write.

    Attributes:
        writers: tasks that write at the same time.
        operations: reads and writes of the disk.
        operations_least: the least that would do.
        flushes: flushes.
        flushes_least: the least that would do.
        amplification: bytes written by bytes of the volume that were changed.
        rounds: of the disk, from a write's start to its end.
        rounds_least: the least, if all writers were one group.
        again_operations: operations of a second write of the same extent.
        again_flushes: its flushes.
    """

    writers: int
    operations: float
    operations_least: float
    flushes: float
    flushes_least: float
    amplification: float
    rounds: float
    rounds_least: int
    again_operations: float
    again_flushes: float


class Rounds:
    """A host whose operations all take one round of the disk."""

    def __init__(self, disk: MemoryDisk, geometry: Geometry) -> None:
        self.disk = disk
        self.geometry = geometry
        self.counts: Counter[str] = Counter()
        self.round_count = 0

    def run(self, tasks: list[Callable[[], Coroutine[Any, Any, None]]]) -> None:
        """Run tasks to their ends."""
        host = Host(Computer(tasks, [], lambda: None))
        flights = [request for task in range(len(tasks)) for request in host.deliver(task, None)[0]]
        while flights:
            self.round_count += 1
            landed = [(task, self._answer(request)) for task, request in flights]
            flights = [request for task, answer in landed for request in host.deliver(task, answer)[0]]
        assert not host.unfinished_count

    def _answer(self, request: Any) -> Any:
        if isinstance(request, Operation):
            return self._perform(request)
        return tuple(self._perform(one) for one in request)

    def _perform(self, operation: Operation) -> Any:
        self.counts[operation.verb] += 1
        if isinstance(operation, Write):
            self.counts["bytes"] += len(operation.data)
        return self.disk.perform(operation, 0, self.disk.write_count)


def measure(writer_count: int) -> Figures:
    """The figures for so many writers."""
    extent_count = writer_count * WRITES_EACH
    volume = extent_count * EXTENT_SECTORS
    area = 2 + 2 * HALF_BLOCK_COUNT + volume
    geometry = plan_geometry(
        bytes(16), SECTOR_BYTES, EXTENT_SECTORS, volume, 0, volume, area, HALF_BLOCK_COUNT
    )
    disk = MemoryDisk(SECTOR_BYTES, [bytes(SECTOR_BYTES)] * (volume + area), has_volatile_cache=False)
    perform_inline(format_store(geometry), [disk])
    active = perform_inline(activate(Location(0, geometry.superblock_sectors)), [disk])
    perform_inline(active.create(), [disk])
    first, again = Rounds(disk, geometry), Rounds(disk, geometry)
    for rounds in (first, again):
        rounds.run([_writer(active, number) for number in range(writer_count)])
    write_count = writer_count * WRITES_EACH
    extent_bytes = EXTENT_SECTORS * SECTOR_BYTES
    per_block = active._journal.record_capacity
    blocks_least = -(-writer_count // per_block)
    return Figures(
        writer_count,
        (first.counts["read"] + first.counts["write"]) / write_count,
        DATA_OPERATIONS_LEAST + blocks_least / writer_count,
        first.counts["flush"] / write_count,
        (SLOT_FLUSHES_LEAST + blocks_least) / writer_count,
        first.counts["bytes"] / (write_count * extent_bytes),
        first.round_count / WRITES_EACH,
        DATA_ROUNDS_LEAST + BLOCK_ROUNDS_LEAST * blocks_least,
        (again.counts["read"] + again.counts["write"]) / write_count,
        again.counts["flush"] / write_count,
    )


def _writer(active: Active, number: int) -> Callable[[], Coroutine[Any, Any, None]]:
    """Writes one extent after the other, far enough from the other writers' that no two copies become one record."""
    extent_bytes = EXTENT_SECTORS * SECTOR_BYTES

    async def write() -> None:
        for turn in range(WRITES_EACH):
            await active.write((number * WRITES_EACH + turn) * extent_bytes, b"new!" * (extent_bytes // 4))

    return write


def show(rows: list[Figures]) -> None:
    """Print the figures for people."""
    print("per first write of an extent, and per second one; in brackets: the least\n")
    print(
        "writers  reads and writes    flushes          bytes written   rounds      again: operations, flushes"
    )
    for row in rows:
        print(
            f"{row.writers:7}  {row.operations:6.2f} ({row.operations_least:.2f})    "
            f"{row.flushes:5.3f} ({row.flushes_least:.3f})  {row.amplification:8.2f} times  "
            f"{row.rounds:5.1f} ({row.rounds_least:2})   {row.again_operations:.0f}, {row.again_flushes:.0f}"
        )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench.writers", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    rows = [measure(writer_count) for writer_count in WRITER_COUNTS]
    if parser.parse_args().json:
        print(json.dumps([row._asdict() for row in rows]))
    else:
        show(rows)


if __name__ == "__main__":
    main()
