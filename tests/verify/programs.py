"""Small scenarios for tests of the explorer, and a search that is too simple to be wrong."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from shadowshare.models.computers import Implementation
from shadowshare.protocol.active import Active
from shadowshare.protocol.recovery import Recovery
from shadowshare.scenarios.definition import Scenario, parse_scenario
from shadowshare.scenarios.staging import live_hosts, stage
from shadowshare.sim.stepped.world import SteppedWorld
from shadowshare.verify.race import Race
from shadowshare.verify.rules.oracle import Oracle
from shadowshare.verify.strategies.random_walk import RandomWalk


def small(race: str, before: str = '"W: create s", "R: open"', extra: str = "") -> Scenario:
    """A scenario of W and R on two extents."""
    return parse_scenario(
        f'name = "small"\nstory = "For a test."\nbefore = [{before}]\n{extra}\n[race]\n{race}\n'
    )


def with_active(kind: type[Active]) -> Implementation:
    """The protocol with another active."""
    return Implementation(recovery=type("RecoveryOf" + kind.__name__, (Recovery,), {"active_class": kind}))


def ends_by_brute_force(
    scenario: Scenario, implementation: Implementation | None = None
) -> Iterator[tuple[list[str], SteppedWorld]]:
    """Every schedule at whose end nothing is in flight, and the world there; each run anew on running code."""
    waiting: list[list[str]] = [[]]
    while waiting:
        labels = waiting.pop()
        hosts = live_hosts(scenario, implementation or Implementation())
        world = stage(scenario, hosts, Oracle(scenario))
        for label in labels:
            world.take_label(label)
        if world.is_over:
            oracle_of(world).audit(world.shared, world.is_stuck)
            yield labels, world
        waiting += [[*labels, choice.label] for choice in world.choices()]


def oracle_of(world: SteppedWorld) -> Oracle:
    """Who watches a scenario's world."""
    assert isinstance(world.watcher, Oracle)
    return world.watcher


def walk_running(
    scenario: Scenario, seed: int, implementation: Implementation | None = None
) -> tuple[list[str], SteppedWorld]:
    """One random schedule of running code, to its end or to a violation, and the world there, audited."""
    hosts = live_hosts(scenario, implementation or Implementation())
    world = stage(scenario, hosts, Oracle(scenario))
    random, labels = Random(seed), []
    while not world.is_over and world.watcher.violation is None:
        choices = world.choices()
        choice = choices[int(random.random() * len(choices))]
        labels.append(choice.label)
        world.take(choice)
    if world.is_over:
        oracle_of(world).audit(world.shared, world.is_stuck)
    for host in world.hosts.values():
        host.close()
    return labels, world


def random_schedules(scenario: Scenario, count: int) -> Iterator[list[str]]:
    """The labels of random schedules, drawn from the product."""
    product, walk = Race(scenario).product, RandomWalk()
    for number in range(count):
        yield walk.run_one(product, number)[0]
