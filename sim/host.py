"""One computer: its tasks, which run one at a time from disk operation to disk operation.

A host is a deterministic automaton. Its input is "task t gets answer a" (a first ``None`` starts the task); its output
is the requests that its tasks make then, and what they report. Every world drives hosts through `Host.deliver` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Hashable, Sequence
from typing import Any, NamedTuple

from shadowshare.protocol.operations import Event, Operation
from shadowshare.sim.disks.memory_disk import Answer

Request = Operation | tuple[Operation, ...]
"""What a task awaits: one operation, or several that may take effect in any order."""

TaskFunction = Callable[[], Coroutine[Any, Any, None]]


class Computer(NamedTuple):
    """What a host runs.

    Attributes:
        tasks: functions that make the coroutines. They share whatever state they close over.
        reports: the list to which the tasks append what an observer should know.
        boundary: asked for after every delivery. If, during it, the host was for a moment at rest (no task had
            anything in its local variables that matters later), it returns what identifies the host's state at the
            last such moment, once; else None.
        model: what the tasks are made from, for an onlooker that knows it; worlds do not look at it.
    """

    tasks: Sequence[TaskFunction]
    reports: list[Any]
    boundary: Callable[[], Hashable | None]
    model: Any = None


Outcome = tuple[tuple[tuple[int, Request], ...], tuple[Any, ...]]
"""What an answer led to: requests, each with its task, and reports, both in order."""

NO_REPORTS: tuple[Any, ...] = ()


class Host:
    """A computer that really runs.

    An exception that a task does not catch ends the task and is reported as it is.
    """

    __slots__ = ("_coroutines", "_parked", "computer", "unfinished_count")

    def __init__(self, computer: Computer) -> None:
        self.computer = computer
        self._coroutines: list[Coroutine[Any, Any, None] | None] = [None] * len(computer.tasks)
        self._parked: list[tuple[int, Event]] = []
        self.unfinished_count = 0

    def deliver(self, task: int, answer: Answer) -> Outcome:
        """Give a task the answer to its request; the first delivery, of None, starts it."""
        request = self._run(task, answer)
        requests: tuple[tuple[int, Request], ...] = () if request is None else ((task, request),)
        if self._parked:
            requests += self._wake()
        reports = self.computer.reports
        if not reports:
            return requests, NO_REPORTS
        outcome = requests, tuple(reports)
        reports.clear()
        return outcome

    def _run(self, task: int, answer: Answer) -> Request | None:
        """Run a task to its next request; None if it waits for another task, or ended."""
        coroutine = self._coroutines[task] or self._begin(task)
        try:
            wanted = coroutine.throw(answer) if isinstance(answer, Exception) else coroutine.send(answer)
        except StopIteration:
            self.unfinished_count -= 1
            return None
        except Exception as error:  # noqa: BLE001 - whatever ended the task, an observer must hear of it
            self.unfinished_count -= 1
            self.computer.reports.append(error)
            return None
        if type(wanted) is Event:
            self._parked.append((task, wanted))
            return None
        request: Request = wanted
        return request

    def _begin(self, task: int) -> Coroutine[Any, Any, None]:
        coroutine = self._coroutines[task] = self.computer.tasks[task]()
        self.unfinished_count += 1
        return coroutine

    def _wake(self) -> tuple[tuple[int, Request], ...]:
        """Run every task whose event was set, in the order in which they began to wait."""
        requests: list[tuple[int, Request]] = []
        while ready := next((entry for entry in self._parked if entry[1].is_set), None):
            self._parked.remove(ready)
            request = self._run(ready[0], None)
            if request is not None:
                requests.append((ready[0], request))
        return tuple(requests)

    @property
    def waiting_tasks(self) -> list[int]:
        """The tasks that wait for an event, in the order in which they began to."""
        return [task for task, _ in self._parked]

    def close(self) -> None:
        """Drop the coroutines, as a crash does."""
        for coroutine in self._coroutines:
            if coroutine is not None:
                coroutine.close()

    def fork(self) -> Host:
        """A running host cannot be copied."""
        raise TypeError("a host of live coroutines cannot be forked: explore with memoised hosts")

    def key(self) -> Hashable:
        """A running host has no comparable state."""
        raise TypeError("a host of live coroutines has no key: explore with memoised hosts")
