"""Random schedules, each choice uniform among all that may happen, all hosts together.

It never proves anything: without a violation the verdict is unknown. By default the hosts are memoised, so that the
protocol's code runs only for what has not happened before; with ``live`` it runs at every step, as an independent check
of the memoised hosts.
"""

from __future__ import annotations

from collections.abc import Hashable
from random import Random

from shadowshare.models.computers import Implementation
from shadowshare.scenarios.definition import Scenario
from shadowshare.scenarios.staging import live_hosts, stage
from shadowshare.sim.stepped.world import SteppedWorld
from shadowshare.verify.memoised import memoised_hosts
from shadowshare.verify.oracle import Oracle, Violation
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
    scenario: Scenario,
    schedule_count: int,
    seed: int = 0,
    implementation: Implementation | None = None,
    live: bool = False,
) -> Exploration:
    """Run random schedules until one violates something.

    Args:
        scenario: what to run.
        schedule_count: how many schedules.
        seed: of the choices; the same seed gives the same schedules.
        implementation: the protocol code under test; the real one by default.
        live: whether to run the protocol's code at every step.
    """
    random = Random(seed)
    worlds = Worlds(scenario, implementation or Implementation(), live)
    step_count = depth = 0
    for number in range(1, schedule_count + 1):
        world = worlds.fresh()
        labels = walk_once(world, random)
        step_count += len(labels)
        depth = max(depth, len(labels))
        violation = worlds.judge(world)
        if violation is not None:
            return Exploration(violation, tuple(labels), False, "", number, 0, step_count, depth)
    return Exploration(
        None, (), False, "random schedules prove nothing", schedule_count, 0, step_count, depth
    )


class Worlds:
    """Makes worlds in which the race is about to begin, and judges how they ended."""

    def __init__(self, scenario: Scenario, implementation: Implementation, live: bool) -> None:
        self._scenario = scenario
        self._implementation = implementation
        self._staged: SteppedWorld | None = None
        self._flawless: set[Hashable] = set()
        if not live:
            hosts = memoised_hosts(scenario, implementation)
            self._staged = stage(scenario, hosts, Oracle(scenario))

    def fresh(self) -> SteppedWorld:
        """A world at the beginning of the race."""
        if self._staged is not None:
            return self._staged.fork()
        return stage(self._scenario, live_hosts(self._scenario, self._implementation), Oracle(self._scenario))

    def judge(self, world: SteppedWorld) -> Violation | None:
        """The violation in a world that a walk left; what is left on the disks is audited once for each such state."""
        oracle = world.watcher
        assert isinstance(oracle, Oracle)
        if world.is_over and oracle.violation is None:
            left = (tuple(disk.key() for disk in world.disks), oracle.key(), world.is_stuck)
            if left not in self._flawless:
                oracle.audit(world)
                self._flawless.add(left)
        for host in world.hosts:
            host.close()
        return oracle.violation
