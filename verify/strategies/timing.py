"""When what is in flight in a stepped world takes effect, if devices and paths of the timed world decide."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from random import Random
from typing import Any

from numpy.random import Generator, default_rng

from shadowshare.protocol.operations import Access, Operation
from shadowshare.sim.timed.device import TimedDevice, TimedFlight, Urgency
from shadowshare.sim.timed.environment import TimedEnvironment
from shadowshare.sim.timed.latency import LatencyModel, ServiceTime
from shadowshare.sim.timed.path import Path
from shadowshare.verify.exploration.product import Move

SECTOR_BYTES = 512
DEVICE_SECTOR_COUNT = 1 << 20
"""What a latency model is told of a device, whose real size a strategy does not know."""

Key = Hashable
Pick = Callable[[int], int]
"""Of so many that are tied, which comes first."""


@dataclass(frozen=True, slots=True)
class Exponential:
    """A latency model: exponential, with a mean for each kind of operation, of a solid-state disk without cache.

    Attributes:
        read_ns: of a read.
        write_ns: of a write.
        flush_ns: of a flush; a reservation takes as long.
    """

    read_ns: int = 80_000
    write_ns: int = 25_000
    flush_ns: int = 400_000

    def start(self, random: Generator, sector_bytes: int, sector_count: int) -> ServiceTime:
        """See `LatencyModel`."""
        means = {Access.READ: self.read_ns, Access.WRITE: self.write_ns}
        other, draw = self.flush_ns, random.standard_exponential

        def service_time(operation: Operation, _begins_ns: int) -> int:
            return int(means.get(operation.access, other) * draw())

        return service_time


@dataclass(frozen=True, slots=True)
class Fixed:
    """A latency model: every operation takes the same time."""

    service_ns: int

    def start(self, random: Generator, sector_bytes: int, sector_count: int) -> ServiceTime:
        """See `LatencyModel`."""
        service_ns = self.service_ns
        return lambda _operation, _begins_ns: service_ns


@dataclass(frozen=True, slots=True)
class Timing:
    """How long everything takes in a race.

    Attributes:
        latency: of every device.
        server_count: operations that each device serves at once.
        urgency: the order of service; None for first come, first served.
        queue_depth: see `TimedDevice`.
        flush_is_exclusive: see `TimedDevice`.
        pause_ns: mean of the exponential pause between an answer and what its host asks for then.
        ways_ns: by the name of a host: how long its requests and its answers travel; others have no way to go.
        fault_ns: mean of the exponential time until a crash, a power loss or a late write that can happen does.
        error_share: how many of the operations that may report an error do.
    """

    latency: LatencyModel = field(default_factory=Exponential)
    server_count: int = 4
    urgency: Urgency | None = None
    queue_depth: int | None = None
    flush_is_exclusive: bool = False
    pause_ns: int = 10_000
    ways_ns: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    fault_ns: int = 2_000_000
    error_share: float = 0.1


LOCKSTEP = Timing(Fixed(100_000), server_count=1_000_000, pause_ns=0)
"""Every operation takes the same time and waits for none, so that all hosts go on step by step together."""


class Clock:
    """One schedule's time.

    An operation in flight is issued when its host has got the answer before, and takes effect when its service ends;
    the answer comes back when the path brings it.

    Args:
        timing: how long everything takes.
        random: of all draws.
        pick: breaks ties of arrivals at a device that has no server free for all of them.
    """

    def __init__(self, timing: Timing, random: Random, pick: Pick) -> None:
        self.environment = TimedEnvironment(self._break_tie)
        self._timing = timing
        self._random = random
        self._pick = pick
        self._devices: dict[int, TimedDevice] = {}
        self._paths: dict[int, Path] = {}
        self._waiting: dict[Key, object] = {}
        """Of what can happen and has not: the flight, or a token."""
        self._due: list[tuple[Key, object]] = []
        self._taken: TimedFlight | None = None

    def heed(self, moves: Mapping[Key, Move]) -> None:
        """What can happen now: issue what is new, and forget what is gone."""
        waiting, taken = self._waiting, self._taken
        for key in [key for key in waiting if key not in moves]:
            del waiting[key]
        following: list[TimedFlight] = []
        for key, move in moves.items():
            if key in waiting:
                continue
            operation, host = move.step.operation, move.step.host
            if _is_event(move) or operation is None or host is None:
                waiting[key] = token = object()
                self.environment.after(self._drawn(self._timing.fault_ns), self._happened, key, token)
                continue
            flight = TimedFlight(host, 0, operation, self._device(operation.device), self._took_effect, key)
            waiting[key] = flight
            path = self._path(host, move.label)
            if taken is not None and taken.host == host:
                following.append(flight)
            else:
                self._send(path, flight)
        if taken is not None:
            taken.tag = following
            self._paths[taken.host].bring_back(taken, None)
            self._taken = None

    def wait(self) -> list[Key]:
        """Let time pass until something is due; all that is due then, in the order in which it was scheduled."""
        environment, waiting = self.environment, self._waiting
        while True:
            while not self._due or environment.peek() == environment.now_ns:
                environment.step()
            self._due = [(key, what) for key, what in self._due if waiting.get(key) is what]
            if self._due:
                return [key for key, _ in self._due]

    def take(self, key: Key) -> None:
        """Something that is due happened."""
        what = self._waiting.pop(key)
        self._due = [entry for entry in self._due if entry[1] is not what]
        self._taken = what if isinstance(what, TimedFlight) else None

    # -- what takes time -----------------------------------------------------------------------------------------

    def _drawn(self, mean_ns: int) -> int:
        return int(-mean_ns * log(1.0 - self._random.random())) if mean_ns else 0

    def _device(self, number: int) -> TimedDevice:
        device = self._devices.get(number)
        if device is None:
            timing = self._timing
            stream = default_rng(self._random.getrandbits(64))
            device = self._devices[number] = TimedDevice(
                self.environment,
                None,
                timing.latency.start(stream, SECTOR_BYTES, DEVICE_SECTOR_COUNT),
                timing.server_count,
                timing.urgency,
                timing.queue_depth,
                timing.flush_is_exclusive,
            )
        return device

    def _path(self, host: int, label: str) -> Path:
        path = self._paths.get(host)
        if path is None:
            name = label.partition(".")[0].rstrip("0123456789")
            request_ns, answer_ns = self._timing.ways_ns.get(name, (0, 0))
            path = self._paths[host] = Path(self.environment, self._delivered, request_ns, answer_ns)
        return path

    def _send(self, path: Path, flight: TimedFlight) -> None:
        self.environment.after(self._drawn(self._timing.pause_ns), path.send, flight)

    def _delivered(self, flight: TimedFlight, answer: Any) -> None:
        for following in flight.tag:
            self._send(self._paths[following.host], following)

    def _took_effect(self, flight: TimedFlight, answer: Any) -> None:
        self._due.append((flight.tag, flight))

    def _happened(self, key: Key, token: object) -> None:
        self._due.append((key, token))

    def _break_tie(self, tied: Sequence[Any]) -> int:
        """Which of the moments at one time comes first; that of effects is chosen when all are due."""
        if isinstance(tied[0], TimedFlight):
            return 0
        others = [number for number, moment in enumerate(tied) if not isinstance(moment, TimedFlight)]
        crowded = any(
            device.busy_count + device.waiting_count + len(others) > device.server_count
            for device in self._devices.values()
        )
        return others[self._pick(len(others))] if crowded and len(others) > 1 else 0


def _is_event(move: Move) -> bool:
    """Whether a move is no operation of a task in flight."""
    return move.label.partition(".")[0] in ("crash", "power", "late")
