"""One computer: its tasks, which run one at a time from disk operation to disk operation.

A host is a deterministic automaton. Its input is "task t gets answer a" (a first ``None`` starts the task); its output
is the requests that its tasks make then, and what they report. Every world drives hosts through `Host.deliver` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Hashable, Sequence
from typing import Any, NamedTuple

from shadowshare.protocol.operations import Event, Operation
from shadowshare.sim.memory_disk import Answer

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
    """

    tasks: Sequence[TaskFunction]
    reports: list[Any]
    boundary: Callable[[], Hashable | None]


class Outcome(NamedTuple):
    """What an answer led to: requests by task, and reports, both in order."""

    requests: tuple[tuple[int, Request], ...]
    reports: tuple[Any, ...]


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
        requests: list[tuple[int, Request]] = []
        self._run(task, answer, requests)
        if self._parked:
            self._wake(requests)
        reports = self.computer.reports
        if not reports:
            return Outcome(tuple(requests), ())
        outcome = Outcome(tuple(requests), tuple(reports))
        reports.clear()
        return outcome

    def _run(self, task: int, answer: Answer, requests: list[tuple[int, Request]]) -> None:
        coroutine = self._coroutines[task]
        if coroutine is None:
            coroutine = self._coroutines[task] = self.computer.tasks[task]()
            self.unfinished_count += 1
        try:
            wanted = coroutine.throw(answer) if isinstance(answer, Exception) else coroutine.send(answer)
        except StopIteration:
            self.unfinished_count -= 1
        except Exception as error:
            self.unfinished_count -= 1
            self.computer.reports.append(error)
        else:
            if isinstance(wanted, Event):
                self._parked.append((task, wanted))
            else:
                requests.append((task, wanted))

    def _wake(self, requests: list[tuple[int, Request]]) -> None:
        """Run every task whose event was set, in the order in which they began to wait."""
        woken = True
        while woken:
            woken = False
            for index, (task, event) in enumerate(self._parked):
                if event.is_set:
                    del self._parked[index]
                    self._run(task, None, requests)
                    woken = True
                    break

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
