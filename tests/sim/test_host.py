"""A host runs its tasks one at a time, wakes those whose event was set, and reports what they did not catch."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from shadowshare.protocol.errors import ReadError
from shadowshare.protocol.operations import Event, Flush, Operation, Read, together
from shadowshare.sim.host import Computer, Host

TaskFunction = Callable[[], Coroutine[Any, Any, None]]


def host_of(*tasks: TaskFunction, reports: list[Any] | None = None) -> Host:
    return Host(Computer(tasks, [] if reports is None else reports, lambda: None))


def sectors(requests: tuple[tuple[int, Any], ...]) -> list[tuple[int, int]]:
    """Task and sector of each request."""
    return [(task, request.sector) for task, request in requests]


def reads(sector: int) -> TaskFunction:
    async def task() -> None:
        await Read(0, sector, 1)

    return task


def test_a_task_runs_from_request_to_request() -> None:
    reports: list[Any] = []

    async def task() -> None:
        reports.append("began")
        reports.append(await Read(0, 1, 1))
        reports.append(await together([Read(0, 2, 1), Flush(0)]))

    host = host_of(task, reports=reports)
    assert host.unfinished_count == 0
    requests, reported = host.deliver(0, None)
    assert (sectors(requests), reported) == ([(0, 1)], ("began",))
    assert host.unfinished_count == 1
    requests, reported = host.deliver(0, b"data")
    assert reported == (b"data",)
    assert isinstance(requests[0][1], tuple)
    assert [operation.verb for operation in requests[0][1]] == ["read", "flush"]
    requests, reported = host.deliver(0, [b"more", None])  # type: ignore[arg-type]
    assert (requests, reported) == ((), ([b"more", None],))
    assert host.unfinished_count == 0


def test_an_error_is_thrown_into_the_task() -> None:
    reports: list[Any] = []

    async def task() -> None:
        try:
            await Read(0, 1, 1)
        except ReadError as error:
            reports.append(error)
        await Read(0, 2, 1)

    host = host_of(task, reports=reports)
    host.deliver(0, None)
    requests, reported = host.deliver(0, ReadError("bad sector"))
    assert sectors(requests) == [(0, 2)]
    assert reported == (ReadError("bad sector"),)


@pytest.mark.parametrize("error", [ReadError("bad sector"), ValueError("a mistake")])
def test_an_error_that_a_task_does_not_catch_is_reported(error: Exception) -> None:
    host = host_of(reads(1), reads(2))
    host.deliver(0, None)
    host.deliver(1, None)
    requests, reported = host.deliver(0, error)
    assert (requests, reported) == ((), (error,))
    assert host.unfinished_count == 1
    assert host.deliver(1, b"") == ((), ())


def waits_then_reads(event: Event, sector: int) -> TaskFunction:
    async def task() -> None:
        await event
        await Read(0, sector, 1)

    return task


def test_a_task_that_waits_makes_no_request() -> None:
    event = Event()
    host = host_of(waits_then_reads(event, 1))
    assert host.deliver(0, None) == ((), ())
    assert host.unfinished_count == 1


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_waiting_tasks_wake_in_the_order_in_which_they_came(order: tuple[int, ...]) -> None:
    event = Event()

    async def sets() -> None:
        event.set()
        await Read(0, 9, 1)

    host = host_of(*[waits_then_reads(event, sector) for sector in range(3)], sets)
    for task in order:
        host.deliver(task, None)
    requests, _ = host.deliver(3, None)
    assert sectors(requests) == [(3, 9), *[(task, task) for task in order]]


def test_who_wakes_may_wake_others_and_wait_again() -> None:
    first, second = Event(), Event()
    reports: list[Any] = []

    async def relays() -> None:
        await first
        reports.append("relays")
        second.set()
        await Event()

    async def waits() -> None:
        await second
        reports.append("woken")

    async def sets() -> None:
        first.set()

    host = host_of(waits, relays, sets, reports=reports)
    host.deliver(0, None)
    host.deliver(1, None)
    assert host.deliver(2, None) == ((), ("relays", "woken"))
    assert host.unfinished_count == 1


def test_an_error_wakes_too() -> None:
    event = Event()

    async def fails() -> None:
        try:
            await Read(0, 1, 1)
        finally:
            event.set()

    host = host_of(waits_then_reads(event, 5), fails)
    host.deliver(0, None)
    host.deliver(1, None)
    requests, reported = host.deliver(1, ReadError("bad sector"))
    assert (sectors(requests), reported) == ([(0, 5)], (ReadError("bad sector"),))


def test_tasks_share_what_they_close_over_and_hosts_do_not() -> None:
    def counting() -> Host:
        reports: list[Any] = []
        count = [0]

        async def task() -> None:
            count[0] += 1
            reports.append(count[0])

        return host_of(task, task, reports=reports)

    for host in (counting(), counting()):
        assert host.deliver(0, None) == ((), (1,))
        assert host.deliver(1, None) == ((), (2,))


def test_a_crash_drops_all_tasks() -> None:
    ended: list[str] = []

    async def task() -> None:
        try:
            await Read(0, 1, 1)
        finally:
            ended.append("closed")

    host = host_of(task, task, reads(1))
    host.deliver(0, None)
    host.deliver(1, None)
    host.close()
    assert ended == ["closed", "closed"]


def test_a_running_host_cannot_be_copied_or_compared() -> None:
    host = host_of(reads(1))
    with pytest.raises(TypeError, match="memoised"):
        host.fork()
    with pytest.raises(TypeError, match="memoised"):
        host.key()


def test_the_same_answers_give_the_same_requests() -> None:
    def outcomes() -> list[Any]:
        host = host_of(reads(1), reads(2))
        found = [host.deliver(0, None), host.deliver(1, None), host.deliver(1, b""), host.deliver(0, b"")]
        return [
            [(task, request.identity()) for task, request in requests if isinstance(request, Operation)]
            for requests, _ in found
        ]

    assert outcomes() == outcomes()
