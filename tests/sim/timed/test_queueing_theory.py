"""Queues in front of devices wait as long as queueing theory says.

Each run is long, begins after a warm-up, and gives a 99 % interval that is narrow enough to tell the known result from
that of a similar queue.
"""

from __future__ import annotations

from collections.abc import Callable
from math import factorial
from typing import NamedTuple

import numpy as np
import pytest

from shadowshare.models.experiment.batch_means import batch_means
from shadowshare.models.experiment.interval import Interval
from shadowshare.protocol.operations import Operation, Read, Write
from shadowshare.sim.timed.device import Answered, TimedDevice, TimedFlight, reads_first
from shadowshare.sim.timed.environment import TimedEnvironment

SERVICE_NS = 100_000
WARM_UP_COUNT = 4_000
CUSTOMER_COUNT = 64_000

Draw = Callable[[np.random.Generator], float]
"""A service time, in units of the mean service time."""


class Customer(NamedTuple):
    """What one operation went through, in units of the mean service time."""

    arrived: float
    waited: float
    left: float
    is_read: bool


def exponential(random: np.random.Generator) -> float:
    return float(random.exponential())


def constant(random: np.random.Generator) -> float:
    return 1.0


def lognormal(random: np.random.Generator) -> float:
    """With a coefficient of variation of 0.7."""
    variance = np.log(1 + 0.7**2)
    return float(random.lognormal(-variance / 2, np.sqrt(variance)))


def customers(load: float, draw: Draw, server_count: int = 1, with_priority: bool = False) -> list[Customer]:
    """Run an open queue with Poisson arrivals; half of the operations are reads. In order of arrival."""
    environment, random = TimedEnvironment(), np.random.default_rng(17)
    services = np.random.default_rng(23)

    def service_time(operation: Operation, begins_ns: int) -> int:
        return round(draw(services) * SERVICE_NS)

    served: dict[int, Customer] = {}

    def answered(flight: TimedFlight, answer: object) -> None:
        times = (flight.arrived_ns, flight.begun_ns - flight.arrived_ns, environment.now_ns)
        arrived, waited, left = (time / SERVICE_NS for time in times)
        served[flight.tag] = Customer(arrived, waited, left, isinstance(flight.operation, Read))

    device = TimedDevice(
        environment, None, service_time, server_count, reads_first if with_priority else None
    )
    gaps = random.exponential(SERVICE_NS / (load * server_count), WARM_UP_COUNT + CUSTOMER_COUNT)
    arrival = _Arrivals(environment, device, [round(gap) for gap in gaps], random, answered)
    environment.after(0, arrival.next)
    environment.run()
    return [served[number] for number in range(len(gaps))][WARM_UP_COUNT:]


class _Arrivals:
    """Operations that arrive one after the other."""

    def __init__(
        self,
        environment: TimedEnvironment,
        device: TimedDevice,
        gaps_ns: list[int],
        random: np.random.Generator,
        answered: Answered,
    ) -> None:
        self._environment, self._device, self._gaps_ns = environment, device, gaps_ns
        self._random, self._answered = random, answered
        self._count = 0

    def next(self) -> None:
        operation = Read(0, 0, 1) if self._random.random() < 0.5 else Write(0, 0, 1, b"")
        self._device.arrive(TimedFlight(0, 0, operation, self._device, self._answered, self._count))
        self._count += 1
        if self._count < len(self._gaps_ns):
            self._environment.after(self._gaps_ns[self._count], self.next)


def mean_wait(served: list[Customer]) -> Interval:
    result = batch_means([customer.waited for customer in served], confidence=0.99)
    assert result.are_independent
    return result.interval


# -- known results, in units of the mean service time ----------------------------------------------------------------


def wait_in_one_queue(load: float, squared_variation: float) -> float:
    """M/G/1: Pollaczek and Khinchine (Kleinrock, Queueing Systems I, 5.69)."""
    return load * (1 + squared_variation) / (2 * (1 - load))


def wait_in_many_servers(load: float, server_count: int) -> float:
    """M/M/c: Erlang's C formula (Kleinrock, Queueing Systems I, 3.40)."""
    offered = load * server_count
    all_busy = offered**server_count / factorial(server_count) / (1 - load)
    probability = all_busy / (sum(offered**n / factorial(n) for n in range(server_count)) + all_busy)
    return probability / (server_count * (1 - load))


@pytest.mark.parametrize(
    ("draw", "squared_variation"), [(exponential, 1.0), (constant, 0.0), (lognormal, 0.49)]
)
def test_one_server_waits_as_long_as_pollaczek_and_khinchine_say(
    draw: Draw, squared_variation: float
) -> None:
    interval = mean_wait(customers(0.6, draw))
    assert interval.holds(wait_in_one_queue(0.6, squared_variation))
    assert interval.relative_half_width < 0.12
    assert not interval.holds(wait_in_one_queue(0.65, squared_variation))
    assert not interval.holds(wait_in_one_queue(0.6, squared_variation + 0.5))


def test_several_servers_wait_as_long_as_erlang_says() -> None:
    interval = mean_wait(customers(0.7, exponential, server_count=4))
    assert interval.holds(wait_in_many_servers(0.7, 4))
    assert not interval.holds(wait_in_many_servers(0.7, 3))
    assert not interval.holds(wait_in_many_servers(0.7, 5))


def test_reads_that_go_first_wait_as_cobham_says() -> None:
    """Two classes without preemption (Kleinrock, Queueing Systems II, 3.31), each with half of the load."""
    served = customers(0.7, exponential, with_priority=True)
    reads = mean_wait([customer for customer in served if customer.is_read])
    writes = mean_wait([customer for customer in served if not customer.is_read])
    residual = 0.7
    assert reads.holds(residual / (1 - 0.35))
    assert writes.holds(residual / (1 - 0.35) / (1 - 0.7))
    assert not reads.holds(wait_in_one_queue(0.7, 1.0))
    assert not writes.holds(wait_in_one_queue(0.7, 1.0))


@pytest.mark.parametrize(("load", "server_count"), [(0.6, 1), (0.7, 4)])
def test_littles_law(load: float, server_count: int) -> None:
    """The number in the system, over time, is the rate of arrivals times the time that each spends in it."""
    served = customers(load, lognormal, server_count)
    times = np.array([(customer.arrived, customer.left) for customer in served])
    start, end = times[:, 0].min(), times[:, 0].max()
    moments = np.random.default_rng(29).uniform(start, end, 200_000)
    arrived = np.searchsorted(np.sort(times[:, 0]), moments)
    left = np.searchsorted(np.sort(times[:, 1]), moments)
    number_in_system = float(np.mean(arrived - left))
    rate = len(served) / (end - start)
    assert number_in_system == pytest.approx(rate * float(np.mean(times[:, 1] - times[:, 0])), rel=0.02)


def test_utilisation_is_the_load() -> None:
    served = customers(0.6, exponential)
    services = [customer.left - customer.arrived - customer.waited for customer in served]
    duration = served[-1].left - served[0].arrived
    assert sum(services) / duration == pytest.approx(0.6, rel=0.03)
