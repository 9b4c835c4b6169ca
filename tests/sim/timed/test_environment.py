"""The environment: SimPy as it is, moments beside events, and every order of ties."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from itertools import permutations, product
from typing import Any

import pytest
from simpy import Environment, Resource

from shadowshare.sim.timed.device import TimedDevice
from shadowshare.sim.timed.environment import TieBreaker, TimedEnvironment
from shadowshare.sim.timed.world import TimedWorld
from tests.sim.timed.timed_worlds import Log, always, host_of, read


def test_moments_and_events_come_in_order_of_time_and_then_of_scheduling() -> None:
    environment = TimedEnvironment()
    log = Log(environment)

    def process() -> Generator[Any, Any, Any]:
        log("process begins")
        yield environment.timeout(5)
        log("timeout")

    environment.process(process())
    environment.after(5, log, "call")
    environment.after(3, log, "earlier call")
    environment.run()
    assert log.entries == [(0, "process begins"), (3, "earlier call"), (5, "call"), (5, "timeout")]


def test_everything_of_simpy_does_the_same_as_in_its_own_environment() -> None:
    def history(environment: Environment) -> list[tuple[float, str]]:
        found: list[tuple[float, str]] = []
        resource = Resource(environment, 2)

        def customer(name: str, arrives_ns: int) -> Generator[Any, Any, Any]:
            yield environment.timeout(arrives_ns)
            with resource.request() as request:
                yield request | environment.timeout(25)
                if not request.triggered:
                    found.append((environment.now, f"{name} leaves"))
                    return
                yield environment.timeout(30)
                found.append((environment.now, f"{name} served"))

        for number in range(9):
            environment.process(customer(f"customer {number}", number * 7))
        environment.run(until=60)
        found.append((environment.now, "pause"))
        environment.run(environment.timeout(500))
        return found

    assert history(TimedEnvironment()) == history(Environment())


def test_a_run_until_a_time_ends_there() -> None:
    environment = TimedEnvironment()
    log = Log(environment)
    environment.after(10, log, "due")
    environment.run(until=10)
    assert (environment.now, log.entries) == (10, [])
    environment.run(until=11)
    assert log.entries == [(10, "due")]


def every_tie_order(run: Any) -> list[Any]:
    """What ``run(break_tie)`` gives for every way of breaking its ties, depth first."""
    found: list[Any] = []
    waiting: list[tuple[int, ...]] = [()]
    while waiting:
        prefix = waiting.pop()
        taken: list[int] = []

        def break_tie(tied: Sequence[Any], prefix: Sequence[int] = prefix, taken: list[int] = taken) -> int:
            if len(taken) < len(prefix):
                taken.append(prefix[len(taken)])
            else:
                waiting.extend((*taken, other) for other in range(1, len(tied)))
                taken.append(0)
            return taken[-1]

        found.append(run(break_tie))
    return found


def _rounds(break_tie: TieBreaker | None) -> tuple[Any, ...]:
    """Three hosts, each with two operations that take the same time on a device with a server for each."""
    environment = TimedEnvironment(break_tie)
    log = Log(environment)
    world = TimedWorld(environment, [TimedDevice(environment, None, always(10), 3)])

    for name in "ABC":

        async def task(name: str = name) -> None:
            for sector in range(2):
                await read(sector)
                log(name)

        world.start(world.add(host_of(task)), 0)
    environment.run()
    assert [time for time, _ in log.entries] == [10] * 3 + [20] * 3
    return tuple(name for _, name in log.entries)


def test_without_a_choice_one_interleaving_is_seen_and_with_one_all_36_are() -> None:
    assert _rounds(None) == tuple("ABCABC")
    orders = every_tie_order(_rounds)
    expected = {first + second for first, second in product(permutations("ABC"), repeat=2)}
    assert len(expected) == 36
    assert set(orders) == expected
    assert len(orders) == 36, "each order once"


def test_events_of_simpy_are_among_what_is_tied() -> None:
    def run(break_tie: TieBreaker) -> tuple[str, ...]:
        environment = TimedEnvironment(break_tie)
        log = Log(environment)

        def process() -> Generator[Any, Any, Any]:
            yield environment.timeout(4)
            log("event")

        environment.process(process())
        environment.after(4, log, "moment")
        environment.run()
        return tuple(name for _, name in log.entries)

    assert set(every_tie_order(run)) == {("moment", "event"), ("event", "moment")}


def test_a_process_that_fails_is_heard_of() -> None:
    environment = TimedEnvironment()

    def process() -> Generator[Any, Any, Any]:
        yield environment.timeout(1)
        raise OSError("no space")

    environment.process(process())
    with pytest.raises(OSError, match="no space"):
        environment.run()
