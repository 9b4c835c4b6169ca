"""Page-aligned buffers for direct input and output, and a pool that recycles them.

Recycling pays: the kernel zeroes every page of a fresh mapping when it is first touched, which cost a third of the
bandwidth of 1 MiB reads where this was measured. From 1 MiB on huge pages are asked for, with which a device gets
fewer and longer requests: that more than doubled the bandwidth.
"""

from __future__ import annotations

import contextlib
import mmap
import threading
from collections import deque

HUGE_PAGE_BYTES = 2 * 1024 * 1024
HUGE_FROM_BYTES = HUGE_PAGE_BYTES // 2
"""From this size on a buffer is made of huge pages, of which the smallest such buffer wastes half a one."""
POOL_BYTES = 64 * 1024 * 1024
"""What a pool remembers at most, buffers in use included; more than that is not recycled."""


def _capacity_bytes(size_bytes: int) -> int:
    capacity_bytes = max(mmap.PAGESIZE, 1 << max(0, size_bytes - 1).bit_length())
    return max(capacity_bytes, HUGE_PAGE_BYTES) if capacity_bytes >= HUGE_FROM_BYTES else capacity_bytes


def allocate(size_bytes: int) -> mmap.mmap:
    """A zeroed page-aligned buffer of at least ``size_bytes``, rounded up to a power of two of pages or huge pages.

    Raises:
        OSError: there is not enough memory.
    """
    capacity_bytes = _capacity_bytes(size_bytes)
    buffer = mmap.mmap(-1, capacity_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if capacity_bytes >= HUGE_PAGE_BYTES and hasattr(mmap, "MADV_HUGEPAGE"):
        with contextlib.suppress(OSError):  # a kernel without huge pages: only slower
            buffer.madvise(mmap.MADV_HUGEPAGE)
    return buffer


def is_free(buffer: mmap.mmap) -> bool:
    """Whether nobody holds a view of ``buffer``, nor a slice of one.

    A resize to the same size changes nothing, and Python refuses it exactly while a view is exported. Counting
    references would say the same, but what a count includes differs between versions of Python.
    """
    try:
        buffer.resize(len(buffer))
    except BufferError:
        return False
    return True


class BufferPool:
    """Buffers that are used again as soon as nobody holds a view of them. Several threads may share a pool.

    ``take`` a buffer, make a view of it, and ``give`` the buffer back while the view is alive: it stays in use until
    the last view of it is gone.
    """

    def __init__(self, limit_bytes: int = POOL_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._known_bytes = 0
        self._known: deque[mmap.mmap] = deque()
        self._lock = threading.Lock()

    def take(self, size_bytes: int) -> mmap.mmap:
        """A buffer of at least ``size_bytes`` that nobody else uses; its content is undefined."""
        capacity_bytes = _capacity_bytes(size_bytes)
        with self._lock:
            for index, buffer in enumerate(self._known):
                if len(buffer) == capacity_bytes and is_free(buffer):
                    del self._known[index]
                    self._known_bytes -= capacity_bytes
                    return buffer
        return allocate(size_bytes)

    def give(self, buffer: mmap.mmap) -> None:
        """Let ``buffer`` be used again once nobody holds a view of it."""
        with self._lock:
            self._known.append(buffer)
            self._known_bytes += len(buffer)
            while self._known_bytes > self._limit_bytes:
                self._known_bytes -= len(self._known.popleft())
