"""What went on in a timed world, operation by operation: for traces."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from shadowshare.protocol.operations import Operation
from shadowshare.sim.timed.device import TimedFlight
from shadowshare.sim.timed.environment import TimedEnvironment


class Flown(NamedTuple):
    """An operation that was answered.

    Attributes:
        host: number of the host.
        operation: what it asked.
        issued_ns: when it asked.
        arrived_ns: when that reached the device.
        begun_ns: when a server of the device took it.
        answered_ns: when the answer reached the host.
    """

    host: int
    operation: Operation
    issued_ns: int
    arrived_ns: int
    begun_ns: int
    answered_ns: int


class Recording:
    """An observer of a `TimedWorld` that keeps the operations in the order in which they are answered.

    Args:
        environment: of the world.
        slots_used: how many slots of the differential area are in use.
        operation_count_maximum: how many operations are kept.
    """

    def __init__(
        self, environment: TimedEnvironment, slots_used: Callable[[], int], operation_count_maximum: int
    ) -> None:
        self.flown: list[Flown] = []
        self.slots: list[tuple[int, int]] = []
        """When the number of slots in use was found to have changed, and what it was then."""
        self._environment = environment
        self._slots_used = slots_used
        self._operation_count_maximum = operation_count_maximum

    @property
    def is_full(self) -> bool:
        """Whether no more is kept."""
        return len(self.flown) >= self._operation_count_maximum

    def __call__(self, flight: TimedFlight) -> None:
        """Keep an operation."""
        if self.is_full:
            return
        now_ns = self._environment.now_ns
        times_ns = (flight.issued_ns, flight.arrived_ns, flight.begun_ns, now_ns)
        self.flown.append(Flown(flight.host, flight.operation, *times_ns))
        used_count = self._slots_used()
        if not self.slots or self.slots[-1][1] != used_count:
            self.slots.append((now_ns, used_count))
