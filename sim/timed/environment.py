"""SimPy's environment, with moments that cost less than events, and with ties that somebody may break.

Everything of SimPy works in it: processes, timeouts, resources. What the timed world itself does needs no list of
callbacks, no value and no failure: a `Moment` is scheduled like an event, and is told when its time has come.

SimPy lets what is due at the same time happen in the order in which it was scheduled, and so shows one interleaving of
those that are possible. With a `TieBreaker` that order is a choice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import Any

from simpy.core import EmptySchedule, Environment
from simpy.events import NORMAL, Event

TieBreaker = Callable[[Sequence[Any]], int]
"""Given the moments and events that are due at the same time (two or more, in the order in which they were scheduled),
says which comes first; the others, and what it adds to them, are asked about again."""


class Moment:
    """Something that happens at one time. Schedule it with ``environment.schedule(moment, delay=...)``."""

    __slots__ = ()

    def happen(self) -> None:
        """Its time has come."""
        raise NotImplementedError


class Call(Moment):
    """A moment at which a function is called."""

    __slots__ = ("_arguments", "_function")

    def __init__(self, function: Callable[..., None], *arguments: Any) -> None:
        self._function = function
        self._arguments = arguments

    def happen(self) -> None:
        """Call it."""
        self._function(*self._arguments)


class TimedEnvironment(Environment):
    """A SimPy environment whose time is integer nanoseconds.

    Args:
        break_tie: chooses among what is due at the same time; None for the order in which it was scheduled.
    """

    def __init__(self, break_tie: TieBreaker | None = None) -> None:
        super().__init__(0)
        self.now_ns: Any = 0
        """The same as ``now``, without the cost of a property."""
        self.break_tie = break_tie

    def after(self, delay_ns: int, function: Callable[..., None], *arguments: Any) -> None:
        """Call a function in ``delay_ns`` nanoseconds."""
        self.schedule(Call(function, *arguments), NORMAL, delay_ns)  # type: ignore[arg-type]

    def step(self) -> None:
        """Let the next moment or event happen.

        Raises:
            EmptySchedule: there is none.
        """
        queue = self._queue
        if not queue:
            raise EmptySchedule
        if self.break_tie is not None:
            self._choose()
        self.now_ns, _, _, due = queue[0]
        if isinstance(due, Event):
            super().step()
        else:
            self._now = self.now_ns
            heappop(queue)
            due.happen()

    def _choose(self) -> None:
        """Put the one of those due at the same time that is to come first at the head of the queue."""
        queue = self._queue
        tied = [heappop(queue)]
        while queue and queue[0][:2] == tied[0][:2]:
            tied.append(heappop(queue))
        first = 0
        if len(tied) > 1:
            assert self.break_tie is not None
            first = self.break_tie([entry[3] for entry in tied])
        time, priority, _, due = tied.pop(first)
        for entry in tied:
            heappush(queue, entry)
        heappush(queue, (time, priority, -1, due))
