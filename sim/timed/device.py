"""A device with a queue and parallel servers, in front of a disk.

An operation that arrives waits until a server is free, occupies it for the time that the latency model says, and takes
effect on the disk at the moment when its service ends. That needs one moment of the environment for each operation,
whatever the order in which waiting operations are served: the end of a service begins the next one.

**Why at the end.** A device may let an operation take effect anywhere within its service. To a host that is the same as
an effect at the end of a shorter service and an answer that travels longer; so what a later moment cannot show, a path
with a way back can (`shadowshare.sim.timed.path`). And effects that come one at a time, in an order, are what the
stepped world takes: every timed run is one of its schedules.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any, Protocol

from simpy.events import NORMAL
from simpy.events import Event as SimPyEvent

from shadowshare.protocol.operations import Access, Operation
from shadowshare.sim.disks.disk import Disk
from shadowshare.sim.timed.environment import Moment, TimedEnvironment
from shadowshare.sim.timed.latency import ServiceTime

Urgency = Callable[[Operation], int]
"""Which of the operations that wait is served first: the one with the smallest number, then the one that came first."""


def reads_first(operation: Operation) -> int:
    """Reads before everything else."""
    return 0 if operation.access is Access.READ else 1


class Answered(Protocol):
    """Called when an operation took effect, with the answer."""

    def __call__(self, flight: TimedFlight, answer: Any) -> None:
        """Hand the answer on."""


class TimedFlight(Moment):
    """An operation on its way: to a device, through it, and back.

    Attributes:
        host: number of the host that asks.
        task: number of its task.
        operation: what is asked.
        answered: called with the answer, when it took effect.
        tag: whatever the one who sent it wants to find again.
        issued_ns: when the host issued it.
        arrived_ns: when it reached the device.
        begun_ns: when a server of the device took it.
    """

    arrived_ns: int
    begun_ns: int
    __slots__ = (
        "answered",
        "arrived_ns",
        "begun_ns",
        "device",
        "host",
        "issued_at",
        "issued_ns",
        "operation",
        "tag",
        "task",
    )

    def __init__(
        self, host: int, task: int, operation: Operation, device: TimedDevice, answered: Answered, tag: Any
    ) -> None:
        self.host = host
        self.task = task
        self.operation = operation
        self.device = device
        self.answered = answered
        self.tag = tag
        self.issued_ns = device.environment.now_ns
        self.issued_at = 0 if device.disk is None else device.disk.write_count

    def happen(self) -> None:
        """The service ended."""
        self.device.end(self)


class TimedDevice:
    """A device at work.

    Args:
        environment: in which it works.
        disk: on which operations take effect; None for a device without content, which answers None.
        service_time: how long an operation occupies a server.
        server_count: operations that are served at the same time (channels).
        urgency: the order of service; None for first come, first served.
        queue_depth: among how many waiting operations the device chooses by urgency; those beyond wait in order of
            arrival until there is room. Without urgency it makes no difference. None for all of them.
        flush_is_exclusive: whether a flush waits until every service has ended, and holds up those behind it.
    """

    def __init__(
        self,
        environment: TimedEnvironment,
        disk: Disk | None,
        service_time: ServiceTime,
        server_count: int = 1,
        urgency: Urgency | None = None,
        queue_depth: int | None = None,
        flush_is_exclusive: bool = False,
    ) -> None:
        if server_count < 1 or (queue_depth is not None and queue_depth < 1):
            raise ValueError("a device has one server or more, and chooses among one operation or more")
        self.environment = environment
        self.disk = disk
        self.service_time = service_time
        self.server_count = server_count
        self.busy_count = 0
        """Servers that are serving."""
        self.served_count = 0
        """Operations that were served."""
        self.busy_ns = 0
        """How long servers were occupied, by all that began."""
        self._urgency = urgency
        self._queue_depth = queue_depth
        self._flush_is_exclusive = flush_is_exclusive
        self._is_flushing = False
        self._is_first_come_first_served = urgency is None and not flush_is_exclusive
        """Whether nothing waits while a server is free."""
        self._in_order: deque[TimedFlight] = deque()
        self._by_urgency: list[tuple[int, int, TimedFlight]] = []
        self._arrival_count = 0

    @property
    def waiting_count(self) -> int:
        """Operations that wait for a server."""
        return len(self._in_order) + len(self._by_urgency)

    def arrive(self, flight: TimedFlight) -> None:
        """An operation reached the device."""
        flight.arrived_ns = self.environment.now_ns
        if self.busy_count >= self.server_count:
            self._in_order.append(flight)
        elif self._is_first_come_first_served:
            self._begin(flight)
        else:
            self._in_order.append(flight)
            self._begin_waiting()

    def perform(self, operation: Operation, host: int = 0) -> SimPyEvent:
        """For SimPy processes: ``answer = yield device.perform(operation)``. A `DiskError` is an answer."""
        event = SimPyEvent(self.environment)
        self.arrive(TimedFlight(host, 0, operation, self, _succeed, event))
        return event

    def _begin(self, flight: TimedFlight) -> None:
        environment, operation = self.environment, flight.operation
        now_ns = flight.begun_ns = environment.now_ns
        service_ns = self.service_time(operation, now_ns)
        self.busy_count += 1
        self.busy_ns += service_ns
        environment.schedule(flight, NORMAL, service_ns)  # type: ignore[arg-type]

    def end(self, flight: TimedFlight) -> None:
        """A service ended: the operation takes effect, and the next service begins."""
        disk = self.disk
        answer = None if disk is None else disk.perform(flight.operation, flight.host, flight.issued_at)
        self.busy_count -= 1
        self.served_count += 1
        if self._is_first_come_first_served:
            if self._in_order:
                self._begin(self._in_order.popleft())
        else:
            self._is_flushing = False
            self._begin_waiting()
        flight.answered(flight, answer)

    # -- who is next ---------------------------------------------------------------------------------------------

    def _must_wait(self, flight: TimedFlight) -> bool:
        """Whether a flush stands in the way, though a server is free."""
        if not self._flush_is_exclusive:
            return False
        return self._is_flushing or (self.busy_count > 0 and flight.operation.access is Access.FLUSH)

    def _begin_waiting(self) -> None:
        """Begin as many services as can begin now."""
        while self.busy_count < self.server_count:
            flight = self._next()
            if flight is None or self._must_wait(flight):
                return
            if self._urgency is None:
                self._in_order.popleft()
            else:
                heappop(self._by_urgency)
            self._is_flushing = self._flush_is_exclusive and flight.operation.access is Access.FLUSH
            self._begin(flight)

    def _next(self) -> TimedFlight | None:
        """The operation to serve next; it stays where it is."""
        in_order = self._in_order
        if self._urgency is None:
            return in_order[0] if in_order else None
        by_urgency = self._by_urgency
        while in_order and (self._queue_depth is None or len(by_urgency) < self._queue_depth):
            flight = in_order.popleft()
            self._arrival_count += 1
            heappush(by_urgency, (self._urgency(flight.operation), self._arrival_count, flight))
        return by_urgency[0][2] if by_urgency else None


def _succeed(flight: TimedFlight, answer: Any) -> None:
    flight.tag.succeed(answer)
