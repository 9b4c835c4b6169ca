"""Paths: how long the way takes, how much may be under way, stalls."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from shadowshare.protocol.operations import Write
from shadowshare.sim.disks.memory_disk import MemoryDisk
from shadowshare.sim.timed.device import TimedDevice
from shadowshare.sim.timed.environment import TimedEnvironment
from shadowshare.sim.timed.world import TimedWorld
from tests.sim.timed.timed_worlds import Log, always, host_of, read


def _world(service_ns: int = 10, server_count: int = 8) -> tuple[TimedWorld, Log]:
    environment = TimedEnvironment()
    device = TimedDevice(environment, None, always(service_ns), server_count)
    return TimedWorld(environment, [device]), Log(environment)


def test_the_way_there_and_back_takes_time() -> None:
    world, log = _world()

    async def task() -> None:
        for sector in range(2):
            await read(sector)
            log(sector)

    world.start(world.add(host_of(task), request_ns=3, answer_ns=4), 0)
    world.environment.run()
    assert log.entries == [(17, 0), (34, 1)]


def test_what_took_effect_may_be_heard_of_later_than_what_came_after() -> None:
    """A writer with a slow way back hears of its write after a reader has already read it."""
    environment = TimedEnvironment()
    disk = MemoryDisk.blank(512, 1)
    world = TimedWorld(environment, [TimedDevice(environment, disk, always(10), 2)])
    log = Log(environment)

    async def writer() -> None:
        await Write(0, 0, 1, b"new".ljust(512, b"\0"))
        log("written")

    async def reader() -> None:
        await read(0)
        log(bytes((await read(0))[:3]))

    world.start(world.add(host_of(writer), answer_ns=100), 0)
    world.start(world.add(host_of(reader)), 0)
    environment.run()
    assert log.entries == [(20, b"new"), (110, "written")]


def test_no_more_than_the_queue_depth_is_under_way() -> None:
    world, log = _world()

    def task(sector: int) -> Any:
        async def run() -> None:
            await read(sector)
            log(sector)

        return run

    host = world.add(host_of(*map(task, range(5))), queue_depth=2)
    for number in range(5):
        world.start(host, number)
    path = world.paths[host]
    assert (path.under_way_count, path.waiting_count) == (2, 3)
    world.environment.run()
    assert log.entries == [(10, 0), (10, 1), (20, 2), (20, 3), (30, 4)]
    assert (path.under_way_count, path.waiting_count) == (0, 0)


def test_a_process_stalls_a_path_for_a_while() -> None:
    """Of host 0 nothing arrives meanwhile, neither requests nor answers; host 1 notices nothing."""
    world, log = _world()

    def task(name: str) -> Any:
        async def run() -> None:
            for number in range(4):
                await read(0)
                log((name, number))

        return run

    for name in "AB":
        world.start(world.add(host_of(task(name))), 0)

    def stall() -> Generator[Any, Any, Any]:
        yield world.environment.timeout(15)
        world.paths[0].stall()
        yield world.environment.timeout(50)
        world.paths[0].resume()

    world.environment.process(stall())
    world.environment.run()
    times = {what: time for time, what in log.entries}
    assert [times["A", number] for number in range(4)] == [10, 65, 75, 85]
    assert [times["B", number] for number in range(4)] == [10, 20, 30, 40]


def test_what_was_held_arrives_in_order_and_a_second_stall_holds_the_rest() -> None:
    world, log = _world()

    def task(sector: int) -> Any:
        async def run() -> None:
            await read(sector)
            log(sector)
            if sector == 1:
                world.paths[0].stall()

        return run

    host = world.add(host_of(*map(task, range(4))))
    world.paths[host].stall()
    for number in range(4):
        world.start(host, number)
    assert world.devices[0].busy_count == 0, "no request arrived"
    world.environment.after(5, world.paths[host].resume)
    world.environment.after(30, world.paths[host].resume)
    world.environment.run()
    assert log.entries == [(15, 0), (15, 1), (30, 2), (30, 3)]


def test_a_queue_depth_of_nothing_is_refused() -> None:
    world, _ = _world()
    with pytest.raises(ValueError, match="at least one request"):
        world.add(host_of(), queue_depth=0)
