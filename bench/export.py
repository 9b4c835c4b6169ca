"""How fast a passive exports an image that nobody has changed, against plain O_DIRECT reads of the same file.

Both read the whole volume in order, in requests of the same size, one at a time; they take turns, so that both meet the
same disk. The plain reads go into one page-aligned buffer, once of ordinary pages, as most programs have it, and once
of huge pages, as the passive has it: with these a device gets longer requests. The passive reads the journal once more
after each batch of requests, to prove that what it read is the image: that small read is what it costs. Measured are
batches of one, the worst case, and of several.
"""

from __future__ import annotations

import argparse
import json
import mmap
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from shadowshare.protocol.errors import CannotOpen
from shadowshare.protocol.formatting import format_store
from shadowshare.protocol.geometry import plan_geometry
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.protocol.passive import ByteRange, Passive
from shadowshare.protocol.recovery import activate
from shadowshare.sim.disks.aligned import allocate
from shadowshare.sim.disks.file_disk import FileDisk
from shadowshare.sim.real.store_disks import open_disks
from shadowshare.sim.real.world import RealWorld

MIB = 1024 * 1024
GIB = 1024 * MIB
SECTOR_BYTES = 4096
EXTENT_BYTES = 64 * 1024
AREA_BYTES = 64 * MIB
JOURNAL_READ_BYTES = 16 * SECTOR_BYTES
REQUEST_BYTES = (1 * MIB, 4 * MIB)
BATCH_BYTES = 16 * MIB
"""What the passive reads between two looks at the journal, where it reads in batches."""

SLICE_BYTES = 64 * MIB
"""After so much they take turns."""

Way = Callable[[int, int], object]
"""Reads those bytes: ``way(start, end)``."""


def measure(
    size_bytes: int = GIB,
    request_bytes: tuple[int, ...] = REQUEST_BYTES,
    round_count: int = 5,
    folder: Path | None = None,
) -> dict[str, Any]:
    """Measure in a file of its own, which is removed afterwards.

    Args:
        size_bytes: of the volume: a multiple of every request size, with which 64 MiB can be divided.
        request_bytes: the sizes of a request to compare.
        round_count: how often each is measured; the medians are returned.
        folder: where to put the file; None chooses this directory if the one for temporary files is in memory.

    Returns:
        ``size_bytes``, ``round_count``, and in ``requests`` one entry for each request size: ``request_bytes``;
        ``plain_bytes_per_second`` and ``plain_huge_bytes_per_second``; ``batch_bytes_per_second`` and
        ``single_bytes_per_second``, a passive in batches and in batches of one; ``batch_ratio`` and ``single_ratio`` to
        the plain reads, ``batch_ratio_huge`` and ``single_ratio_huge`` to those into huge pages; and
        ``journal_read_seconds``, one direct read as long as a catch-up's. All are medians of the rounds.

    Raises:
        CannotOpen: the file system refuses O_DIRECT.
    """
    with tempfile.TemporaryDirectory(prefix="bench-export-", dir=folder or _folder_on_disk()) as name:
        image = Path(name) / "disk.img"
        shadow_copy = _make_store(image, size_bytes)
        requests = [_compare(image, shadow_copy, size_bytes, size, round_count) for size in request_bytes]
    return {"size_bytes": size_bytes, "round_count": round_count, "requests": requests}


def _folder_on_disk() -> Path:
    """A folder whose file system really reads a disk, as far as one can tell."""
    candidates = [Path(tempfile.gettempdir()), Path("/var/tmp"), Path.cwd()]
    in_memory = {path.stat().st_dev for path in (Path("/dev/shm"), Path("/run")) if path.exists()}
    return next(
        (path for path in candidates if path.exists() and path.stat().st_dev not in in_memory), Path.cwd()
    )


def _make_store(image: Path, size_bytes: int) -> ShadowCopyId:
    """A store with a volume of random bytes, all of them written, and one shadow copy."""
    block = os.urandom(16 * MIB)
    with image.open("wb") as file:
        for written in range(0, size_bytes + AREA_BYTES, len(block)):
            file.write(block[: size_bytes + AREA_BYTES - written])
        file.flush()
        os.fsync(file.fileno())
    sectors, area_sectors = size_bytes // SECTOR_BYTES, AREA_BYTES // SECTOR_BYTES
    extent_sectors = EXTENT_BYTES // SECTOR_BYTES
    geometry = plan_geometry(
        os.urandom(16), SECTOR_BYTES, extent_sectors, sectors, 0, sectors, area_sectors, 256
    )
    with FileDisk.open(image, SECTOR_BYTES, writable=True, direct=True) as disk, RealWorld([disk]) as world:
        world.run(format_store(geometry))
    with open_disks(image, writable=True) as store, RealWorld(store.disks) as world:
        return world.run(world.run(activate(store.located.location)).create())


def _compare(
    image: Path, shadow_copy: ShadowCopyId, size_bytes: int, request_bytes: int, round_count: int
) -> dict[str, Any]:
    """All ways of reading in turn, slice by slice, after one round that does not count."""
    with ExitStack() as stack:
        store = stack.enter_context(open_disks(image, writable=False, direct=True))
        world = stack.enter_context(RealWorld(store.disks))
        passive: Passive = world.run(Passive.open(store.located.location))
        descriptor = os.open(image, os.O_RDONLY | os.O_DIRECT)
        stack.callback(os.close, descriptor)
        ordinary = memoryview(mmap.mmap(-1, request_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
        huge = memoryview(allocate(request_bytes))[:request_bytes]
        ways = [
            lambda start, end: _read_plainly(descriptor, ordinary, start, end),
            lambda start, end: _read_plainly(descriptor, huge, start, end),
            lambda start, end: _export(world, passive, shadow_copy, start, end, request_bytes, BATCH_BYTES),
            lambda start, end: _export(world, passive, shadow_copy, start, end, request_bytes, request_bytes),
        ]
        rounds = [_seconds_by_way(ways, size_bytes) for _ in range(round_count + 1)][1:]
        journal_view = memoryview(allocate(JOURNAL_READ_BYTES))[:JOURNAL_READ_BYTES]
        journal_seconds = _read_plainly(descriptor, journal_view, 0, 1000 * JOURNAL_READ_BYTES) / 1000
    names = ("plain", "plain_huge", "batch", "single")
    rates = {
        f"{name}_bytes_per_second": size_bytes / median(seconds)
        for name, seconds in zip(names, zip(*rounds, strict=True), strict=True)
    }
    return {
        "request_bytes": request_bytes,
        **rates,
        "batch_ratio": median(seconds[0] / seconds[2] for seconds in rounds),
        "single_ratio": median(seconds[0] / seconds[3] for seconds in rounds),
        "batch_ratio_huge": median(seconds[1] / seconds[2] for seconds in rounds),
        "single_ratio_huge": median(seconds[1] / seconds[3] for seconds in rounds),
        "journal_read_seconds": journal_seconds,
    }


def _seconds_by_way(ways: Sequence[Way], size_bytes: int) -> list[float]:
    """How long each way takes for the whole volume; they take turns after every slice, in changing order."""
    seconds = [0.0] * len(ways)
    for turn, start in enumerate(range(0, size_bytes, SLICE_BYTES)):
        for index in range(len(ways)):
            way = (index + turn) % len(ways)
            started = perf_counter()
            ways[way](start, min(start + SLICE_BYTES, size_bytes))
            seconds[way] += perf_counter() - started
    return seconds


def _read_plainly(descriptor: int, view: memoryview, start: int, end: int) -> float:
    """Read those bytes directly, always into the same buffer; returns the seconds that it took."""
    started = perf_counter()
    for offset in range(start, end, len(view)):
        if os.preadv(descriptor, [view], offset) != len(view):
            raise RuntimeError(f"a plain read at byte {offset} was short")
    return perf_counter() - started


def _export(
    world: RealWorld,
    passive: Passive,
    shadow_copy: ShadowCopyId,
    start: int,
    end: int,
    request_bytes: int,
    batch_bytes: int,
) -> None:
    """Have a passive read those bytes of the image."""
    for first in range(start, end, batch_bytes):
        last = min(first + batch_bytes, end)
        ranges = [ByteRange(offset, request_bytes) for offset in range(first, last, request_bytes)]
        pieces = world.run(passive.read_many(shadow_copy, ranges))
        if sum(map(len, pieces)) != last - first:
            raise RuntimeError(f"the passive's read at byte {first} was short")
        del pieces  # its buffers are recycled


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size-mib", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    try:
        print(json.dumps(measure(arguments.size_mib * MIB, round_count=arguments.rounds), indent=2))
    except CannotOpen as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
