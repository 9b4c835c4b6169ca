"""The path between a host and its devices: how long the way takes, how much may be under way, and stalls."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from shadowshare.sim.timed.device import TimedFlight
from shadowshare.sim.timed.environment import TimedEnvironment

Deliver = Callable[[TimedFlight, Any], None]
"""Called when an answer arrives at the host."""

Pace = Callable[[int, int], int]
"""``pace(begins_ns, way_ns)``: how long a way takes that begins then, and would take ``way_ns`` if nothing were wrong.
Who begins later does not end earlier."""


class Path:
    """The path of one host. Whatever goes along it in one direction stays in order.

    Args:
        environment: in which time passes.
        deliver: called when an answer arrives.
        request_ns: how long a request travels to the device.
        answer_ns: how long an answer travels back.
        queue_depth: how many requests of this host may be under way, answers included; the others wait in order. None
            for no limit.
        pace: how fast the path is at which time; None for always the same.
    """

    def __init__(
        self,
        environment: TimedEnvironment,
        deliver: Deliver,
        request_ns: int = 0,
        answer_ns: int = 0,
        queue_depth: int | None = None,
        pace: Pace | None = None,
    ) -> None:
        if queue_depth is not None and queue_depth < 1:
            raise ValueError("at least one request must be able to be under way")
        self._environment = environment
        self._deliver = deliver
        self.request_ns = request_ns
        self.answer_ns = answer_ns
        self.queue_depth = queue_depth
        self.under_way_count = 0
        """Requests that were sent and whose answers have not arrived."""
        self.is_stalled = False
        """Whether nothing arrives at either end, see `stall`."""
        self._waiting: deque[TimedFlight] = deque()
        self._held: deque[Callable[[], None]] = deque()
        self._pace = pace
        self._is_plain = self._is_always_plain = not (request_ns or answer_ns or pace)
        """Whether everything arrives at once, as on most paths most of the time."""

    @property
    def waiting_count(self) -> int:
        """Requests that wait in the host until less is under way."""
        return len(self._waiting)

    def send(self, flight: TimedFlight) -> None:
        """Send a request on its way, or let it wait until less is under way."""
        if self.queue_depth is not None and self.under_way_count >= self.queue_depth:
            self._waiting.append(flight)
            return
        self.under_way_count += 1
        if self._is_plain:
            flight.device.arrive(flight)
        else:
            self._travel(self.request_ns, flight.device.arrive, flight)

    def bring_back(self, flight: TimedFlight, answer: Any) -> None:
        """An operation took effect; its answer travels back."""
        if self._is_plain and not self._waiting:
            self.under_way_count -= 1
            self._deliver(flight, answer)
        else:
            self._travel(self.answer_ns, self._arrive, flight, answer)

    def _travel(self, delay_ns: int, arrive: Callable[..., None], *what: Any) -> None:
        if self._pace is not None:
            delay_ns = self._pace(self._environment.now_ns, delay_ns)
        if delay_ns:
            self._environment.after(delay_ns, self._reach, arrive, what)
        else:
            self._reach(arrive, what)

    def _reach(self, arrive: Callable[..., None], what: tuple[Any, ...]) -> None:
        """Something came to the end of its way; while the path is stalled it is held there."""
        if self.is_stalled:
            self._held.append(lambda: arrive(*what))
        else:
            arrive(*what)

    def _arrive(self, flight: TimedFlight, answer: Any) -> None:
        self.under_way_count -= 1
        if self._waiting:
            self.send(self._waiting.popleft())
        self._deliver(flight, answer)

    # -- stalls --------------------------------------------------------------------------------------------------

    def stall(self) -> None:
        """From now on nothing arrives: no request at a device, no answer at the host. Devices go on serving."""
        self.is_stalled = True
        self._is_plain = False

    def resume(self) -> None:
        """Let what was held arrive, in order, and everything after it."""
        self.is_stalled = False
        self._is_plain = self._is_always_plain
        held, self._held = self._held, deque()
        for arrive in held:
            self._reach(arrive, ())
