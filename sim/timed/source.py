"""Where the tasks of a host get their users' requests from, and where is noted how long each took.

A task asks with ``request = await NextRequest(source, ...)``; by asking it says that its previous request is done. It
needs no clock, and it is the same code for closed and open workloads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from typing import Any, NamedTuple, Protocol

from shadowshare.protocol.errors import ShadowshareError
from shadowshare.sim.timed.environment import TimedEnvironment
from shadowshare.sim.timed.workload import HostRequest


class HostCrashed(ShadowshareError):
    """What a request ends with that a host had begun with when it crashed."""


class TimeStandsStill(ShadowshareError):
    """Users ask without a pause, and are answered in no time: the simulation would never end."""


AT_ONCE_COUNT_MAXIMUM = 10_000
"""So many requests of one source are not done at one moment of a simulation that goes on."""


class Served(NamedTuple):
    """A request that was done.

    Attributes:
        host: number of the host.
        request: what was asked.
        arrived_ns: when it was asked.
        begun_ns: when a task began with it; later than that only in open workloads.
        done_ns: when it was done.
        error: what it ended with instead; None if it was done.
    """

    host: int
    request: HostRequest
    arrived_ns: int
    begun_ns: int
    done_ns: int
    error: Exception | None


class Recorder(Protocol):
    """Notes requests that were done."""

    def __call__(self, served: Served) -> None:
        """Note one."""


class Resume(Protocol):
    """Lets a task go on with an answer."""

    def __call__(self, host: int, task: int, answer: Any) -> None:
        """Let it go on."""


class NextRequest:
    """Await it to get the next request of a source; None if there will be none.

    Args:
        source: from which to take it.
        error: what the previous request ended with; None if it was done.
        following: requests that follow from the previous one's answer: this task gets them first.
    """

    __slots__ = ("error", "following", "source")

    def __init__(
        self,
        source: Source,
        error: Exception | None = None,
        following: Iterator[HostRequest] | None = None,
    ) -> None:
        self.source = source
        self.error = error
        self.following = following

    def __await__(self) -> Generator[NextRequest, HostRequest | None, HostRequest | None]:
        return (yield self)


class Delay:
    """Await it to do nothing for a while."""

    __slots__ = ("delay_ns",)

    def __init__(self, delay_ns: int) -> None:
        self.delay_ns = delay_ns

    def __await__(self) -> Generator[Delay, None, None]:
        yield self


class Source:
    """Hands requests to the tasks of one host.

    Args:
        environment: in which time passes.
        requests: in order.
        record: notes each request that was done; None if nobody wants to know.
    """

    def __init__(
        self, environment: TimedEnvironment, requests: Iterator[HostRequest], record: Recorder | None = None
    ) -> None:
        self._environment = environment
        self._requests = requests
        self._record = record
        self._under_way: dict[tuple[int, int], tuple[HostRequest, int, int]] = {}
        self._following: dict[tuple[int, int], Iterator[HostRequest]] = {}
        self._crashed: set[int] = set()
        self._last_ns = -1
        self._at_once_count = 0

    @property
    def backlog_count(self) -> int:
        """Requests that arrived, and that no task has begun with."""
        return 0

    def take(self, host: int, task: int, done: NextRequest, resume: Resume) -> None:
        """A task is done with its previous request, if it had one, and wants the next.

        Raises:
            TimeStandsStill: there is no end of them at this moment.
        """
        self._count_at_once()
        key = (host, task)
        if key in self._under_way:
            self._ended(key, done.error)
        if done.following is not None:
            self._following[key] = done.following
        if key in self._following:
            request = next(self._following[key], None)
            if request is not None:
                self._ask_after_gap(host, task, request, resume)
                return
            del self._following[key]
        self._wanted(host, task, resume)

    def abandon(self, host: int) -> None:
        """A host crashed: what it had begun with ends with an error, and it gets nothing any more."""
        self._crashed.add(host)
        for key in [key for key in self._under_way if key[0] == host]:
            self._ended(key, HostCrashed("the host crashed before it answered"))
        for key in [key for key in self._following if key[0] == host]:
            del self._following[key]

    def _count_at_once(self) -> None:
        now_ns = self._environment.now_ns
        if now_ns != self._last_ns:
            self._last_ns, self._at_once_count = now_ns, 0
        self._at_once_count += 1
        if self._at_once_count > AT_ONCE_COUNT_MAXIMUM:
            raise TimeStandsStill(
                "a host's users never pause, and are answered in no time, so that time stands still: give the device "
                "a latency, or the users a pause"
            )

    def _ended(self, key: tuple[int, int], error: Exception | None) -> None:
        request, arrived_ns, begun_ns = self._under_way.pop(key)
        if self._record is not None:
            now_ns = self._environment.now_ns
            self._record(Served(key[0], request, arrived_ns, begun_ns, now_ns, error))

    def _wanted(self, host: int, task: int, resume: Resume) -> None:
        raise NotImplementedError

    def _ask_after_gap(self, host: int, task: int, request: HostRequest, resume: Resume) -> None:
        if request.gap_ns:
            self._environment.after(request.gap_ns, self._ask, host, task, request, resume)
        else:
            self._ask(host, task, request, resume)

    def _ask(self, host: int, task: int, request: HostRequest, resume: Resume) -> None:
        self._hand_over(host, task, request, self._environment.now_ns, resume)

    def _hand_over(self, host: int, task: int, request: HostRequest, arrived_ns: int, resume: Resume) -> None:
        if host not in self._crashed:
            self._under_way[host, task] = (request, arrived_ns, self._environment.now_ns)
            resume(host, task, request)


class ClosedSource(Source):
    """The requests of a client that waits for the answer before it asks again. One task takes them."""

    def _wanted(self, host: int, task: int, resume: Resume) -> None:
        request = next(self._requests, None)
        if request is None:
            resume(host, task, None)
        else:
            self._ask_after_gap(host, task, request, resume)


class OpenSource(Source):
    """Requests that arrive whether or not earlier ones are done. Several tasks of one host take them."""

    def __init__(
        self, environment: TimedEnvironment, requests: Iterator[HostRequest], record: Recorder | None = None
    ) -> None:
        super().__init__(environment, requests, record)
        self._backlog: deque[tuple[HostRequest, int]] = deque()
        self._idle: deque[tuple[int, int, Resume]] = deque()
        self._is_over = False
        self._expect()

    @property
    def backlog_count(self) -> int:
        """Requests that arrived, and that no task has begun with."""
        return len(self._backlog)

    def abandon(self, host: int) -> None:
        """See `Source`."""
        super().abandon(host)
        self._idle = deque(idle for idle in self._idle if idle[0] != host)

    def _expect(self) -> None:
        """Wait for the next arrival."""
        request = next(self._requests, None)
        if request is not None:
            self._environment.after(request.gap_ns, self._arrived, request)
            return
        self._is_over = True
        for host, task, resume in self._idle:
            resume(host, task, None)
        self._idle.clear()

    def _arrived(self, request: HostRequest) -> None:
        now_ns = self._environment.now_ns
        if self._idle:
            host, task, resume = self._idle.popleft()
            self._hand_over(host, task, request, now_ns, resume)
        else:
            self._backlog.append((request, now_ns))
        self._expect()

    def _wanted(self, host: int, task: int, resume: Resume) -> None:
        if self._backlog:
            request, arrived_ns = self._backlog.popleft()
            self._hand_over(host, task, request, arrived_ns, resume)
        elif self._is_over:
            resume(host, task, None)
        else:
            self._idle.append((host, task, resume))
