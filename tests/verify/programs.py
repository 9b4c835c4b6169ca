"""Small scenarios for tests of the explorer, and a search that is too simple to be wrong."""

from __future__ import annotations

from collections.abc import Iterator

from shadowshare.models.computers import Implementation
from shadowshare.scenarios.definition import Scenario, parse_scenario
from shadowshare.scenarios.staging import live_hosts, stage
from shadowshare.sim.stepped.world import SteppedWorld
from shadowshare.verify.oracle import Oracle


def small(race: str, before: str = '"W: create s", "R: open"', extra: str = "") -> Scenario:
    """A scenario of W and R on two extents."""
    return parse_scenario(
        f'name = "small"\nstory = "For a test."\nbefore = [{before}]\n{extra}\n[race]\n{race}\n'
    )


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
            oracle = world.watcher
            assert isinstance(oracle, Oracle)
            oracle.audit(world)
            yield labels, world
        waiting += [[*labels, choice.label] for choice in world.choices()]
