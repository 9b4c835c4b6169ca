"""Mutex and gate keep apart what must not go on together, whatever order the disk answers in."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shadowshare.protocol.coordination import Gate, Mutex
from shadowshare.protocol.errors import ReadError
from shadowshare.protocol.operations import Event, Read
from shadowshare.sim.disks.memory_disk import MemoryDisk
from tests.protocol.stores import Tasks

TaskFunction = Callable[[], Coroutine[Any, Any, Any]]
ORDERS = st.lists(st.integers(0, 99), max_size=60)


def run_in_order(tasks: Tasks, order: list[int]) -> None:
    """Let operations take effect in the order that the numbers choose, then the rest."""
    for number in order:
        if tasks.waiting:
            tasks.step(sorted(tasks.waiting)[number % len(tasks.waiting)])
    tasks.finish()


def disk() -> MemoryDisk:
    return MemoryDisk.blank(512, 1)


@given(st.integers(1, 5), ORDERS)
def test_one_at_a_time_in_order_of_arrival(task_count: int, order: list[int]) -> None:
    mutex = Mutex()
    arrived: list[int] = []
    entered: list[int] = []
    inside: set[int] = set()

    def function(number: int) -> TaskFunction:
        async def task() -> None:
            for _ in range(2):
                await Read(0, 0, 1)
                arrived.append(number)
                async with mutex:
                    entered.append(number)
                    inside.add(number)
                    assert inside == {number}
                    await Read(0, 0, 1)
                    assert inside == {number}
                    inside.remove(number)

        return task

    tasks = Tasks(disk(), *[function(number) for number in range(task_count)])
    run_in_order(tasks, order)
    assert tasks.results == dict.fromkeys(range(task_count))
    assert entered == arrived
    assert len(entered) == 2 * task_count


def test_an_error_leaves_the_mutex() -> None:
    mutex = Mutex()

    async def fails() -> None:
        async with mutex:
            await Read(0, 9, 1)

    async def passes() -> str:
        async with mutex:
            return "passed"

    results = Tasks(disk(), fails, passes).finish()
    assert isinstance(results[0], ReadError)
    assert results[1] == "passed"


@given(st.integers(0, 4), st.integers(1, 3), ORDERS)
def test_many_pass_together_or_one_alone(pass_count: int, close_count: int, order: list[int]) -> None:
    gate = Gate()
    inside: list[str] = []

    async def passes() -> None:
        for _ in range(2):
            await gate.enter()
            inside.append("one of many")
            assert "alone" not in inside
            await Read(0, 0, 1)
            assert "alone" not in inside
            inside.remove("one of many")
            gate.leave()

    async def closes() -> None:
        for _ in range(2):
            await Read(0, 0, 1)
            await gate.close()
            assert not inside
            inside.append("alone")
            await Read(0, 0, 1)
            assert inside == ["alone"]
            inside.remove("alone")
            await gate.reopen()

    tasks = Tasks(disk(), *[passes] * pass_count, *[closes] * close_count)
    run_in_order(tasks, order)
    assert tasks.results == dict.fromkeys(range(pass_count + close_count))


def test_several_pass_at_once() -> None:
    gate = Gate()
    events: list[str] = []

    async def passes() -> None:
        await gate.enter()
        events.append("in")
        await Read(0, 0, 1)
        events.append("out")
        gate.leave()

    Tasks(disk(), passes, passes).finish()
    assert events == ["in", "in", "out", "out"]


def test_newcomers_wait_for_one_who_waits_to_be_alone() -> None:
    gate = Gate()
    events: list[str] = []

    def passes(name: str) -> TaskFunction:
        async def task() -> None:
            await gate.enter()
            events.append(name)
            await Read(0, 0, 1)
            gate.leave()

        return task

    async def closes() -> None:
        await gate.close()
        events.append("alone")
        await Read(0, 0, 1)
        await gate.reopen()

    tasks = Tasks(disk(), passes("first"), closes, passes("later"))
    assert events == ["first"]
    tasks.finish()
    assert events == ["first", "alone", "later"]


def test_an_event_that_is_set_holds_nobody() -> None:
    event = Event()
    event.set()

    async def passes() -> str:
        await event
        return "passed"

    assert Tasks(disk(), passes).results == {0: "passed"}
