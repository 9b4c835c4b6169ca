"""The real world: protocol coroutines against disks that take the time they take.

`drive` runs one coroutine. `drive_together` runs several tasks of one host: the tasks run one at a time, as the
protocol assumes, and only their disk operations overlap, on as many threads as there are lanes.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from types import TracebackType
from typing import Any, TypeVar

from shadowshare.protocol.errors import ShadowshareError
from shadowshare.protocol.operations import Event, Operation
from shadowshare.sim.disks.disk import Disk
from shadowshare.sim.disks.memory_disk import Answer
from shadowshare.sim.host import Computer, Host, Request
from shadowshare.sim.inline import run_to_result

Disks = Mapping[int, Disk] | Sequence[Disk]
"""Disks by device number."""

_T = TypeVar("_T")


class Deadlock(ShadowshareError):
    """Every task waits for another one, and no operation is in flight: they would wait for ever."""


# -- driving coroutines ------------------------------------------------------------------------------------------


def drive(coroutine: Coroutine[Any, Any, _T], disks: Disks, lane_count: int = 1) -> _T:
    """Run one coroutine to its result; errors are thrown into it, and raised if it does not catch them."""
    with RealWorld(disks, lane_count) as world:
        return world.run(coroutine)


def drive_together(
    coroutines: Sequence[Coroutine[Any, Any, Any]], disks: Disks, lane_count: int
) -> list[Any]:
    """Run several tasks of one host to their results; see `RealWorld.run_together`."""
    with RealWorld(disks, lane_count) as world:
        return world.run_together(coroutines)


class RealWorld:
    """Carries out the operations of one host's coroutines.

    Args:
        disks: by device number. With several lanes they must allow several threads, as a `FileDisk` does.
        lane_count: operations in flight at once, at most.
        host: number of the host, for disks that have reservations.
    """

    def __init__(self, disks: Disks, lane_count: int = 1, host: int = 0) -> None:
        self.disks = disks
        self._host = host
        self._lane_count = lane_count
        self._lanes = ThreadPoolExecutor(lane_count, thread_name_prefix="lane")

    def __enter__(self) -> RealWorld:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._lanes.shutdown()

    def perform(self, operation: Operation) -> Answer:
        """Carry out one operation."""
        disk = self.disks[operation.device]
        return disk.perform(operation, self._host, disk.write_count)

    def run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        """Run one coroutine to its result. It does without threads, unless it asks for several operations at once.

        Raises:
            Deadlock: it waits for an event, which nobody could set.
        """
        try:
            return run_to_result(coroutine, self._answer_to)
        finally:
            coroutine.close()

    def _answer_to(self, request: Any) -> Any:
        if isinstance(request, Operation):
            return self.perform(request)
        if isinstance(request, Event):
            raise Deadlock("the only task waits for an event that no other task is there to set")
        if self._lane_count > 1:
            return list(self._lanes.map(self.perform, request))
        return [self.perform(operation) for operation in request]

    def run_together(self, coroutines: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
        """Run several tasks, which may wait for each other's events, and return their results in order.

        Raises:
            Exception: the first error that a task ended with, after all of them have ended.
            Deadlock: the tasks left wait for each other.
        """
        tasks = _Tasks(coroutines)
        arrived: _Arrivals = SimpleQueue()
        in_flight_count = 0
        try:
            requests: Sequence[tuple[int, Request]] = tasks.start()
            while True:
                for task, request in requests:
                    in_flight_count += self._submit(_Flight(task, request), arrived)
                if not in_flight_count:
                    return tasks.results_or_error()
                flight, position, future = arrived.get()
                in_flight_count -= 1
                requests = []
                if flight.take(position, future.result()):
                    requests = tasks.go_on(flight.task, flight.answer())
        finally:
            tasks.close()

    def _submit(self, flight: _Flight, arrived: _Arrivals) -> int:
        """Start the operations of a request; returns how many there are."""
        for position, operation in enumerate(flight.operations):
            future = self._lanes.submit(self.perform, operation)
            future.add_done_callback(partial(_arrive, arrived, flight, position))
        return len(flight.operations)


def _arrive(arrived: _Arrivals, flight: _Flight, position: int, future: Future[Answer]) -> None:
    arrived.put((flight, position, future))


class _Flight:
    """A request of a task, and the answers that arrived so far."""

    def __init__(self, task: int, request: Request) -> None:
        self.task = task
        self._is_single = isinstance(request, Operation)
        self.operations = (request,) if isinstance(request, Operation) else request
        self._answers: dict[int, Answer] = {}

    def take(self, position: int, answer: Answer) -> bool:
        """Keep an answer; whether it was the last one missing."""
        self._answers[position] = answer
        return len(self._answers) == len(self.operations)

    def answer(self) -> Any:
        """What the task awaits."""
        return (
            self._answers[0]
            if self._is_single
            else [self._answers[index] for index in range(len(self._answers))]
        )


_Arrivals = SimpleQueue[tuple[_Flight, int, Future[Answer]]]


class _Tasks:
    """The tasks of one host, with their results; the host lets one run at a time."""

    def __init__(self, coroutines: Sequence[Coroutine[Any, Any, Any]]) -> None:
        self._coroutines = coroutines
        self._results: dict[int, Any] = {}
        self._errors: list[Exception] = []
        tasks = [partial(self._keep_result, task) for task in range(len(coroutines))]
        self._host = Host(Computer(tasks, [], lambda: None))

    async def _keep_result(self, task: int) -> None:
        self._results[task] = await self._coroutines[task]

    def start(self) -> list[tuple[int, Request]]:
        """Start every task; returns their requests."""
        return [request for task in range(len(self._coroutines)) for request in self.go_on(task, None)]

    def go_on(self, task: int, answer: Any) -> Sequence[tuple[int, Request]]:
        """Give a task its answer; returns the requests that this led to."""
        requests, errors = self._host.deliver(task, answer)
        self._errors += errors
        return requests

    def results_or_error(self) -> list[Any]:
        """The results, now that nothing is in flight."""
        waiting = ", ".join(map(str, self._host.waiting_tasks))
        if self._errors:
            if waiting:
                self._errors[0].add_note(
                    f"because of it the tasks {waiting} wait for events that nobody will set"
                )
            raise self._errors[0]
        if waiting:
            raise Deadlock(
                f"nothing is in flight, and the tasks {waiting} wait for events that nobody will set"
            )
        return [self._results[task] for task in range(len(self._coroutines))]

    def close(self) -> None:
        """Drop the coroutines that have not ended."""
        self._host.close()
        for coroutine in self._coroutines:
            coroutine.close()
