"""The timed world: hosts whose operations take time.

It drives the same hosts as the stepped world, through `Host.deliver` alone. Where the stepped world asks a schedule
which operation takes effect next, here devices and paths say when each does. Processes of SimPy may run in the same
environment: they can stall a path, look at a queue, or use a device themselves.

This world has no oracle and no faults, so that it can run long. To judge what latencies lead to, take the strategy
``timed`` (`shadowshare.verify.strategies.timed`): it lets the same devices choose in the stepped world.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from shadowshare.protocol.operations import Operation
from shadowshare.sim.host import Host, Outcome
from shadowshare.sim.timed.device import TimedDevice, TimedFlight
from shadowshare.sim.timed.environment import TimedEnvironment
from shadowshare.sim.timed.path import Pace, Path
from shadowshare.sim.timed.source import Delay, NextRequest

Observer = Callable[[TimedFlight], None]
"""Called for each operation when its answer arrived at the host."""


class Together:
    """Operations that a task awaits together: the answers so far."""

    __slots__ = ("answers", "missing_count")

    def __init__(self, operation_count: int) -> None:
        self.answers: list[Any] = [None] * operation_count
        self.missing_count = operation_count


class TaskFailed(Exception):
    """A task of a host ended with an exception that nobody caught."""


class TimedWorld:
    """Hosts on devices.

    Args:
        environment: in which time passes.
        devices: by device number.
        observe: called for each operation; None if nobody wants to know.
    """

    def __init__(
        self, environment: TimedEnvironment, devices: Sequence[TimedDevice], observe: Observer | None = None
    ) -> None:
        self.environment = environment
        self.devices = list(devices)
        self.paths: list[Path] = []
        """Of each host."""
        self.hosts: list[Host | None] = []
        """By number; None for one that stopped."""
        self.observe = observe

    def add(
        self,
        host: Host,
        request_ns: int = 0,
        answer_ns: int = 0,
        queue_depth: int | None = None,
        pace: Pace | None = None,
    ) -> int:
        """Add a host with its path, see `Path`; returns its number. Its tasks begin with `start`."""
        path = Path(self.environment, self._arrived, request_ns, answer_ns, queue_depth, pace)
        self.hosts.append(host)
        self.paths.append(path)
        return len(self.hosts) - 1

    def start(self, host: int, task: int) -> None:
        """Start a task of a host now."""
        self._resume(host, task, None)

    def stop(self, host: int) -> None:
        """The host crashes. What it has under way may still take effect."""
        running, self.hosts[host] = self.hosts[host], None
        if running is not None:
            running.close()

    # -- what tasks await ----------------------------------------------------------------------------------------

    def _resume(self, host: int, task: int, answer: Any) -> None:
        """Give a task the answer that it waits for; what it asks for then is sent."""
        running = self.hosts[host]
        if running is not None:
            outcome = running.deliver(task, answer)
            self._take_outcome(host, outcome)

    def _take_outcome(self, host: int, outcome: Outcome) -> None:
        requests, reports = outcome
        request: Any
        for task, request in requests:
            if isinstance(request, Operation):
                self._send(host, task, request, None)
            elif isinstance(request, tuple):
                together = Together(len(request))
                for number, operation in enumerate(request):
                    self._send(host, task, operation, (together, number))
            elif isinstance(request, NextRequest):
                request.source.take(host, task, request, self._resume)
            else:
                assert isinstance(request, Delay), f"a task awaited {request!r}"
                self.environment.after(request.delay_ns, self._resume, host, task, None)
        for report in reports:
            if isinstance(report, Exception):
                raise TaskFailed(f"a task of host {host} ended: {report!r}") from report

    def _send(self, host: int, task: int, operation: Operation, tag: Any) -> None:
        path = self.paths[host]
        path.send(TimedFlight(host, task, operation, self.devices[operation.device], path.bring_back, tag))

    def _arrived(self, flight: TimedFlight, answer: Any) -> None:
        """An answer arrived at its host."""
        if self.observe is not None:
            self.observe(flight)
        if flight.tag is not None:
            together, number = flight.tag
            together.answers[number] = answer
            together.missing_count -= 1
            if together.missing_count:
                return
            answer = tuple(together.answers)
        self._resume(flight.host, flight.task, answer)
