"""Devices: who is served when."""

from __future__ import annotations

from collections.abc import Generator
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadowshare.protocol.operations import Flush, Read, Write
from shadowshare.sim.disks.memory_disk import MemoryDisk
from shadowshare.sim.timed.device import TimedDevice, TimedFlight, reads_first
from shadowshare.sim.timed.environment import TimedEnvironment
from tests.sim.timed.timed_worlds import Log, always, by_sector, ends_of, in_turn, read

Arrivals = list[tuple[int, int]]


def write(sector: int) -> Write:
    return Write(0, sector, 1, b"")


def test_one_server_serves_one_after_the_other() -> None:
    device = TimedDevice(TimedEnvironment(), None, by_sector)
    ends = ends_of(device, [(0, read(10)), (3, read(5)), (4, read(7)), (40, read(1))])
    assert ends == [(10, 10), (15, 5), (22, 7), (41, 1)]
    assert (device.served_count, device.busy_ns, device.busy_count, device.waiting_count) == (4, 23, 0, 0)


def test_parallel_servers_let_the_short_overtake() -> None:
    device = TimedDevice(TimedEnvironment(), None, by_sector, server_count=2)
    assert ends_of(device, [(0, read(10)), (0, read(4)), (0, read(3)), (0, read(9))]) == [
        (4, 4),
        (7, 3),
        (10, 10),
        (16, 9),
    ]


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 30)), min_size=1, max_size=30),
    st.integers(1, 4),
)
def test_first_come_first_served_is_the_recursion_of_kiefer_and_wolfowitz(
    arrivals: Arrivals, server_count: int
) -> None:
    """A service begins when the operation is there and the server that is free first is free."""
    arrivals.sort(key=lambda arrival: arrival[0])
    free_ns = [0] * server_count
    expected = []
    for at_ns, service_ns in arrivals:
        first = min(range(server_count), key=lambda number: free_ns[number])
        free_ns[first] = max(at_ns, free_ns[first]) + service_ns
        expected.append(free_ns[first])
    device = TimedDevice(TimedEnvironment(), None, by_sector, server_count)
    ends = ends_of(device, [(at_ns, read(service_ns)) for at_ns, service_ns in arrivals])
    assert sorted(time for time, _ in ends) == sorted(expected)


def test_urgent_operations_are_served_first() -> None:
    device = TimedDevice(TimedEnvironment(), None, by_sector, urgency=reads_first)
    arrivals = [(0, write(10)), (1, write(3)), (2, write(4)), (3, read(5)), (4, read(6))]
    assert [sector for _, sector in ends_of(device, arrivals)] == [10, 5, 6, 3, 4]


def test_a_device_chooses_among_what_its_queue_holds() -> None:
    device = TimedDevice(TimedEnvironment(), None, by_sector, urgency=reads_first, queue_depth=2)
    arrivals = [(0, write(10)), (1, write(3)), (2, write(4)), (3, read(5)), (4, read(6))]
    assert [sector for _, sector in ends_of(device, arrivals)] == [10, 3, 5, 6, 4]


def test_an_exclusive_flush_waits_for_what_is_served_and_holds_up_what_follows() -> None:
    def ends(is_exclusive: bool) -> list[tuple[int, int]]:
        environment = TimedEnvironment()
        device = TimedDevice(environment, None, in_turn(10, 4, 2, 6), 3, flush_is_exclusive=is_exclusive)
        return ends_of(device, [(0, read(1)), (0, read(2)), (1, Flush(0)), (1, read(3))])

    assert ends(False) == [(3, 0), (4, 2), (9, 3), (10, 1)]
    assert ends(True) == [(4, 2), (10, 1), (12, 0), (18, 3)]


def test_an_operation_takes_effect_when_its_service_ends() -> None:
    environment = TimedEnvironment()
    disk = MemoryDisk.blank(512, 4)
    device = TimedDevice(environment, disk, in_turn(10, 4, 7), 3)
    found: list[Any] = []

    def process(operation: Any) -> Generator[Any, Any, Any]:
        answer = yield device.perform(operation)
        found.append((environment.now, answer and bytes(answer[:3])))

    for operation in (Write(0, 0, 1, b"new".ljust(512, b"\0")), Read(0, 0, 1)):
        environment.process(process(operation))
    environment.run(until=5)
    environment.process(process(Read(0, 0, 1)))
    environment.run()
    assert found == [(4, b"\0\0\0"), (10, None), (12, b"new")]


def test_a_flush_covers_what_was_written_when_it_was_issued() -> None:
    environment = TimedEnvironment()
    disk = MemoryDisk.blank(512, 4)
    device = TimedDevice(environment, disk, in_turn(20, 5), 2)
    log = Log(environment)
    for at_ns, operation in ((0, Flush(0)), (1, Write(0, 0, 1, bytes(512)))):
        environment.run(until=at_ns or None) if at_ns else None
        device.arrive(TimedFlight(0, 0, operation, device, log.answered, None))
    environment.run()
    assert [time for time, _ in log.entries] == [6, 20]
    assert 0 in disk.versions, "a write that was issued after the flush is not made durable by it"


def test_a_device_needs_a_server_and_a_place() -> None:
    for wrong in ({"server_count": 0}, {"queue_depth": 0}):
        with pytest.raises(ValueError, match="one server or more"):
            TimedDevice(TimedEnvironment(), None, always(1), **wrong)  # type: ignore[arg-type]


def test_a_simpy_process_reads_the_queue() -> None:
    environment = TimedEnvironment()
    device = TimedDevice(environment, None, always(10))
    depths = []

    def watch() -> Generator[Any, Any, Any]:
        for _ in range(4):
            depths.append((environment.now, device.busy_count, device.waiting_count))
            yield environment.timeout(10)

    chance = Random(1)
    for sector in range(3):
        device.arrive(TimedFlight(0, 0, read(chance.randrange(9) + sector), device, lambda *_: None, None))
    environment.process(watch())
    environment.run()
    assert depths == [(0, 1, 2), (10, 1, 1), (20, 1, 0), (30, 0, 0)]
