"""Ends protocol code that goes on and on: a host between two operations, or what the oracle asks for in one go.

Nothing else could, since a schedule only chooses among the operations of hosts.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from shadowshare.sim.host import Host
from shadowshare.sim.inline import run_to_result

TICK_SECONDS = 1.0
"""Of processor time, from one look to the next."""

TICK_COUNT_MAXIMUM = 3
"""Looks at one and the same run, after which it counts as endless; runs take microseconds."""

_RUNS = (Host._run.__code__, run_to_result.__code__)
"""What runs protocol code to its next operation, and to its result."""


class EndlessRun(Exception):
    """Protocol code runs on and on. Thrown into it, it is judged as an error of the host."""


class _Watchdog:
    """Looks which run is under way."""

    def __init__(self) -> None:
        self._run: FrameType | None = None
        self._count = 0

    def look(self, number: int, frame: FrameType | None) -> None:
        """End the run that was under way the last times, too."""
        while frame is not None and frame.f_code not in _RUNS:
            frame = frame.f_back
        self._count = self._count + 1 if frame is self._run else 1
        self._run = frame
        if frame is not None and self._count >= TICK_COUNT_MAXIMUM:
            raise EndlessRun("protocol code runs on and on, and comes to no operation, or to no result")


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
