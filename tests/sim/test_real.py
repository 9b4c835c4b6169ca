"""The real world: tasks of one host on threads."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from shadowshare.protocol.errors import ReadError, WriteError
from shadowshare.protocol.operations import Event, Operation, Read, Write, together
from shadowshare.sim.disks.memory_disk import Answer, MemoryDisk
from shadowshare.sim.real.world import Deadlock, RealWorld, drive, drive_together

SECTOR_BYTES = 512


class SlowDisk(MemoryDisk):
    """Takes its time, and knows how many operations it had in flight at once."""

    def __init__(self) -> None:
        super().__init__(SECTOR_BYTES, [bytes(SECTOR_BYTES)] * 64)
        self.in_flight_count = 0
        self.most_in_flight = 0
        self.lock = threading.Lock()

    def perform(self, operation: Operation, host: int, issued_at: int) -> Answer:
        with self.lock:
            self.in_flight_count += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight_count)
        time.sleep(0.02)
        with self.lock:
            self.in_flight_count -= 1
            return super().perform(operation, host, issued_at)


class FailingDisk(MemoryDisk):
    """Refuses to read sector 1, and has a bug that shows in sector 2."""

    def perform(self, operation: Operation, host: int, issued_at: int) -> Answer:
        if operation.sector == 2:
            raise ZeroDivisionError
        return (
            ReadError("bad sector") if operation.sector == 1 else super().perform(operation, host, issued_at)
        )


async def read(sector: int) -> Any:
    return await Read(0, sector, 1)


async def survive(sector: int) -> str:
    try:
        return str(bytes(await read(sector))[0])
    except ReadError as error:
        return str(error)


async def read_group(*sectors: int) -> list[Any]:
    return await together([Read(0, sector, 1) for sector in sectors])


def numbered_disk() -> MemoryDisk:
    return MemoryDisk(SECTOR_BYTES, [bytes([number]) * SECTOR_BYTES for number in range(64)])


@pytest.mark.parametrize("lane_count", [1, 4])
def test_answers_come_in_the_order_of_the_request(lane_count: int) -> None:
    assert [answer[0] for answer in drive(read_group(*range(40)), [numbered_disk()], lane_count)] == list(
        range(40)
    )
    tasks = [read_group(first, first + 1) for first in range(0, 40, 2)]
    answers = drive_together(tasks, [numbered_disk()], lane_count)
    assert [answer[0] for group in answers for answer in group] == list(range(40))


class LaterFirst(MemoryDisk):
    """The lower the sector, the longer an operation takes."""

    def perform(self, operation: Operation, host: int, issued_at: int) -> Answer:
        time.sleep(0.02 * (4 - operation.sector))
        return super().perform(operation, host, issued_at)


def test_answers_that_arrive_in_another_order() -> None:
    sectors = [bytes([number]) * SECTOR_BYTES for number in range(4)]
    assert drive(read_group(0, 1, 2, 3), [LaterFirst(SECTOR_BYTES, sectors)], 4) == sectors
    assert drive_together([read_group(0, 3), read(1)], [LaterFirst(SECTOR_BYTES, sectors)], 3) == [
        [sectors[0], sectors[3]],
        sectors[1],
    ]


@pytest.mark.parametrize("lane_count", [1, 3])
def test_as_many_operations_at_once_as_lanes(lane_count: int) -> None:
    disks = [SlowDisk(), SlowDisk(), SlowDisk()]
    drive(read_group(*range(9)), disks[:1], lane_count)
    drive_together([read(sector) for sector in range(9)], disks[1:2], lane_count)
    drive_together([read_group(*range(9))], disks[2:], lane_count)
    assert [disk.most_in_flight for disk in disks] == [lane_count] * 3


def test_errors_are_thrown_into_the_coroutine() -> None:
    disk = FailingDisk.blank(SECTOR_BYTES, 4)
    assert drive(survive(1), [disk]) == "bad sector"
    with pytest.raises(ReadError, match="bad sector"):
        drive(read(1), [disk])
    with pytest.raises(ReadError, match="bad sector"):
        drive(read_group(0, 1, 3), [disk], lane_count=2)
    assert drive_together([survive(0), survive(1)], [disk], 2) == ["0", "bad sector"]


def test_the_first_error_is_raised_after_all_have_ended() -> None:
    ended = []

    async def fail() -> None:
        raise WriteError("the first")

    async def go_on(sector: int) -> None:
        for _ in range(5):
            await read(sector)
        ended.append(sector)

    async def fail_later() -> None:
        await read(0)
        raise WriteError("the second")

    with pytest.raises(WriteError, match="the first"):
        drive_together([go_on(0), fail(), fail_later(), go_on(3)], [numbered_disk()], 2)
    assert sorted(ended) == [0, 3]


def test_a_bug_in_a_disk_is_raised_and_does_not_hang() -> None:
    disk = FailingDisk.blank(SECTOR_BYTES, 4)
    with pytest.raises(ZeroDivisionError):
        drive_together([read(2), read(0)], [disk], 2)
    with pytest.raises(ZeroDivisionError):
        drive(read(2), [disk])


def test_tasks_wait_for_each_other() -> None:
    event, order = Event(), []

    async def wait() -> str:
        await event
        order.append("woken")
        return "waited"

    async def set_it() -> str:
        await read(0)
        order.append("set")
        event.set()
        await read(1)
        return "set"

    assert drive_together([wait(), set_it(), wait()], [numbered_disk()], 2) == ["waited", "set", "waited"]
    assert order == ["set", "woken", "woken"]


def test_all_who_wait_are_woken_at_once() -> None:
    event = Event()

    async def wait() -> None:
        await event

    async def set_it() -> None:
        event.set()

    assert drive_together([wait(), wait(), set_it(), wait()], [numbered_disk()], 2) == [None] * 4


def test_tasks_run_one_at_a_time() -> None:
    running = []

    async def run(sector: int) -> None:
        for _ in range(20):
            running.append(sector)
            assert len(running) == 1
            time.sleep(0.0005)
            running.pop()
            await read(sector)

    drive_together([run(sector) for sector in range(4)], [numbered_disk()], 4)


async def wait_for(event: Event) -> None:
    await read(0)
    await event


def test_a_deadlock_is_noticed() -> None:
    with pytest.raises(Deadlock, match="the tasks 1, 2 wait"):
        drive_together([read(0), wait_for(Event()), wait_for(Event())], [numbered_disk()], 2)
    with pytest.raises(Deadlock, match="the only task"):
        drive(wait_for(Event()), [numbered_disk()])


def test_an_error_that_others_wait_on_for_ever_says_so() -> None:
    with pytest.raises(ReadError, match="bad sector") as caught:
        drive_together([read(1), wait_for(Event())], [FailingDisk.blank(SECTOR_BYTES, 4)], 2)
    assert caught.value.__notes__ == ["because of it the tasks 1 wait for events that nobody will set"]


def test_a_host_that_was_fenced(tmp_path: Path) -> None:
    """Worlds of several hosts on one disk: the operations carry the number of their host."""
    disk = MemoryDisk.blank(SECTOR_BYTES, 8)
    disk.reservation_holder = 1

    async def write() -> None:
        await Write(0, 0, 1, b"x" * SECTOR_BYTES)

    with RealWorld([disk], host=1) as world:
        world.run(write())
    with RealWorld([disk], host=2) as world, pytest.raises(Exception, match="another host"):
        world.run(write())
