"""Random schedules on the running protocol code, each choice uniform among all that may happen.

It never proves anything: without a violation the verdict is unknown. It is an independent check of the explorer, since
it runs live hosts, all of them together.
"""

from __future__ import annotations

from random import Random

from shadowshare.models.computers import Implementation
from shadowshare.scenarios.definition import Scenario
from shadowshare.scenarios.staging import live_hosts, stage
from shadowshare.sim.stepped import SteppedWorld
from shadowshare.verify.oracle import Oracle
from shadowshare.verify.result import Exploration


def walk_once(world: SteppedWorld, random: Random) -> list[str]:
    """Run one random schedule to its end, or to the first violation; returns its labels."""
    watcher = world.watcher
    chance = random.random
    labels = []
    while not world.is_over and (watcher is None or watcher.violation is None):
        choices = world.choices()
        choice = choices[int(chance() * len(choices))]
        labels.append(choice.label)
        world.take(choice)
    return labels


def random_walk(
    scenario: Scenario, schedule_count: int, seed: int = 0, implementation: Implementation | None = None
) -> Exploration:
    """Run random schedules until one violates something.

    Args:
        scenario: what to run.
        schedule_count: how many schedules.
        seed: of the choices; the same seed gives the same schedules.
        implementation: the protocol code under test; the real one by default.
    """
    random = Random(seed)
    step_count = depth = 0
    for number in range(1, schedule_count + 1):
        oracle = Oracle(scenario)
        world = stage(scenario, live_hosts(scenario, implementation or Implementation()), oracle)
        labels = walk_once(world, random)
        step_count += len(labels)
        depth = max(depth, len(labels))
        if world.is_over:
            oracle.audit(world)
        for host in world.hosts:
            host.close()
        if oracle.violation is not None:
            return Exploration(oracle.violation, tuple(labels), False, "", number, 0, step_count, depth)
    return Exploration(None, (), False, "random schedules prove nothing", schedule_count, 0, step_count, depth)
