"""Ends a host that goes on without an operation: nothing else could, since a schedule only chooses among operations."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from shadowshare.sim.host import Host

TICK_SECONDS = 1.0
"""Of processor time, from one look to the next."""

TICK_COUNT_MAXIMUM = 3
"""Looks at one and the same run of a host, after which it counts as endless; runs take microseconds."""


class EndlessRun(Exception):
    """A task of a host runs on and on between two operations. Thrown into it, it is judged as an error of the host."""


class _Watchdog:
    """Looks which run of a host is under way."""

    def __init__(self) -> None:
        self._run: FrameType | None = None
        self._count = 0

    def look(self, number: int, frame: FrameType | None) -> None:
        """End the run that was under way the last times, too."""
        while frame is not None and frame.f_code is not Host._run.__code__:
            frame = frame.f_back
        self._count = self._count + 1 if frame is self._run else 1
        self._run = frame
        if frame is not None and self._count >= TICK_COUNT_MAXIMUM:
            raise EndlessRun("a task runs on and on, and asks for no operation")


@contextmanager
def watched() -> Iterator[None]:
    """Have hosts that run without end be ended, where signals can be handled: in the main thread, on POSIX."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _Watchdog().look)
    signal.setitimer(signal.ITIMER_VIRTUAL, TICK_SECONDS, TICK_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
