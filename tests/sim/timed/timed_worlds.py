"""Devices, hosts and worlds of timed tests."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from shadowshare.protocol.operations import Operation, Read
from shadowshare.sim.host import Computer, Host
from shadowshare.sim.timed.device import TimedDevice, TimedFlight
from shadowshare.sim.timed.environment import TimedEnvironment
from shadowshare.sim.timed.latency import ServiceTime

Task = Callable[[], Coroutine[Any, Any, None]]


def always(service_ns: int) -> ServiceTime:
    """Every operation takes the same time."""
    return lambda operation, begins_ns: service_ns


def in_turn(*services_ns: int) -> ServiceTime:
    """One time after the other."""
    left = list(services_ns)
    return lambda operation, begins_ns: left.pop(0)


def by_sector(operation: Operation, begins_ns: int) -> int:
    """An operation takes as many nanoseconds as its sector says."""
    return operation.sector


def host_of(*tasks: Task) -> Host:
    """A host that reports nothing."""
    return Host(Computer(tasks, [], lambda: None))


class Log:
    """What ended when."""

    def __init__(self, environment: TimedEnvironment) -> None:
        self.environment = environment
        self.entries: list[tuple[int, Any]] = []

    def __call__(self, what: Any) -> None:
        self.entries.append((self.environment.now_ns, what))

    def answered(self, flight: TimedFlight, answer: Any) -> None:
        self(flight.operation.sector)


def ends_of(device: TimedDevice, arrivals: Iterable[tuple[int, Operation]]) -> list[tuple[int, int]]:
    """When the operations that arrive at these times end; each as time and sector, in order."""
    log = Log(device.environment)
    for at_ns, operation in arrivals:
        device.environment.after(
            at_ns, device.arrive, TimedFlight(0, 0, operation, device, log.answered, None)
        )
    device.environment.run()
    return log.entries


def read(sector: int) -> Read:
    return Read(0, sector, 1)
