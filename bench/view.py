"""How large the view is, and how long a look-up in it takes, as the number of copied extents grows.

Extents are copied in random order, one record each, as random writes on a large volume would have it. Memory is what
the process holds more afterwards. Look-ups are of random extents, half of them copied.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

from shadowshare.protocol.layout import Copied, Created, ShadowCopyId
from shadowshare.protocol.view import View

ENTRY_COUNTS = (10**3, 10**4, 10**5, 10**6)
LOOK_UP_COUNT = 200_000
SHADOW_COPY = ShadowCopyId(1, 1)


def copied_records(entry_count: int, random: Random) -> Iterator[Copied]:
    """Records for half of the extents of a volume, in random order, to slots in order."""
    extents = random.sample(range(2 * entry_count), entry_count)
    return (Copied(SHADOW_COPY, extent, slot, 1) for slot, extent in enumerate(extents))


def resident_bytes() -> int:
    """Memory that this process has resident."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def measure_view(entry_count: int) -> dict[str, Any]:
    """Figures for one size; to be called in a fresh process."""
    random = Random(1)
    view = View(extent_count=2 * entry_count, slot_count=entry_count)
    view.apply(Created(SHADOW_COPY, 0))
    records = list(copied_records(entry_count, random))
    before = resident_bytes()
    start = perf_counter()
    for index, record in enumerate(records):
        # Fresh integers, as decoding a journal makes them.
        view.apply(Copied(SHADOW_COPY, record.extent + 0, int(str(index)), 1))
    apply_seconds = perf_counter() - start
    size_bytes = resident_bytes() - before
    wanted = [random.randrange(2 * entry_count) for _ in range(LOOK_UP_COUNT)]
    start = perf_counter()
    for extent in wanted:
        view.find(SHADOW_COPY, extent)
    look_up_seconds = perf_counter() - start
    return {
        "name": "view",
        "entries": entry_count,
        "bytes_per_entry": round(size_bytes / entry_count),
        "look_up_ns": round(look_up_seconds / LOOK_UP_COUNT * 1e9),
        "apply_ns": round(apply_seconds / entry_count * 1e9),
    }


def measure(entry_counts: tuple[int, ...] = ENTRY_COUNTS) -> list[dict[str, Any]]:
    """A row of figures for each size, each from a process of its own."""
    context = multiprocessing.get_context("spawn")
    rows = []
    for entry_count in entry_counts:
        with context.Pool(1) as pool:
            rows.append(pool.apply(measure_view, (entry_count,)))
    return rows
