"""From a scenario to a world: the formatted disks, the computers, and what was done before the race."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

from shadowshare.models.computers import (
    ActiveComputer,
    Implementation,
    PassiveComputer,
    ScriptedComputer,
    Setting,
)
from shadowshare.models.patterns import INITIAL, sector_content
from shadowshare.protocol.formatting import format_store
from shadowshare.protocol.geometry import Geometry, Location
from shadowshare.scenarios.definition import ACTIVE, PASSIVE, HostPlan, Scenario
from shadowshare.sim.host import Computer, Host
from shadowshare.sim.inline import perform_inline
from shadowshare.sim.memory_disk import MemoryDisk
from shadowshare.sim.rules import Rules, Successor
from shadowshare.sim.stepped import HostPort, SteppedWorld, Watcher

BEFORE_STEP_COUNT_MAXIMUM = 1_000_000


def location_of(geometry: Geometry) -> Location:
    """Where the computers of a scenario look for the superblock."""
    return Location(geometry.area_device, geometry.superblock_sectors)


def initial_volume(geometry: Geometry) -> list[bytes]:
    """The sectors of the volume before anything is written."""
    return [
        sector_content(INITIAL, sector, geometry.sector_bytes)
        for sector in range(geometry.volume_sector_count)
    ]


@lru_cache(maxsize=64)
def _formatted(geometry: Geometry) -> tuple[tuple[bytes, ...], ...]:
    """The sectors of each device after formatting, with the initial content in the volume."""
    size = geometry.sector_bytes
    volume = initial_volume(geometry)
    area = [bytes(size)] * geometry.area_sector_count
    contents = [volume, area] if geometry.area_device else [volume + area]
    disks = [MemoryDisk(size, sectors, has_volatile_cache=False) for sectors in contents]
    perform_inline(format_store(geometry), disks)
    return tuple(tuple(disk.sectors) for disk in disks)


def computer_factory(
    scenario: Scenario, plan: HostPlan, implementation: Implementation, notes_rest: bool = False
) -> Callable[[], Computer]:
    """Makes the computer of one host, afresh at each call; see `ScriptedComputer` for ``notes_rest``."""
    setting = Setting(
        scenario.geometry, location_of(scenario.geometry), scenario.shadow_copies, scenario.catch_up_blocks
    )
    kind = ActiveComputer if plan.role == ACTIVE else PassiveComputer

    def make() -> Computer:
        scripted: ScriptedComputer = kind(plan.name, setting, plan.scripts, implementation)
        scripted.notes_rest = notes_rest
        return scripted.computer()

    return make


def rules_of(scenario: Scenario) -> Rules:
    """What may happen in the scenario's world."""
    faults = scenario.faults
    successors = [
        (scenario.host_number(plan.recovers), Successor(number, tuple(range(len(plan.scripts)))))
        for number, plan in enumerate(scenario.hosts)
        if plan.recovers
    ]
    return Rules(
        names=tuple(plan.name for plan in scenario.hosts),
        actors=tuple(_actors(plan) for plan in scenario.hosts),
        readers=frozenset(number for number, plan in enumerate(scenario.hosts) if plan.role == PASSIVE),
        crash_count=faults.crashes,
        power_loss_count=faults.power_losses,
        successors=tuple(successors),
        tears=faults.tears,
        write_error_count=faults.write_errors,
        read_error_count=faults.read_errors,
    )


def _actors(plan: HostPlan) -> tuple[str, ...]:
    race_count = len(plan.scripts) - plan.before_count
    if race_count <= 1:
        return (plan.name,) * len(plan.scripts)
    return (plan.name,) * plan.before_count + tuple(
        f"{plan.name}{number}" for number in range(1, race_count + 1)
    )


def stage(scenario: Scenario, hosts: Sequence[HostPort], watcher: Watcher | None) -> SteppedWorld:
    """The scenario's world at the moment when the race begins.

    Everything before it is done, its first operations are in flight, and faults can happen from here on.
    """
    rules = rules_of(scenario)
    calm = Rules(rules.names, rules.actors, rules.readers)
    disks = [
        MemoryDisk(scenario.geometry.sector_bytes, sectors, bool(rules.power_loss_count))
        for sectors in _formatted(scenario.geometry)
    ]
    world = SteppedWorld(disks, hosts, calm, watcher)
    done = [0] * len(scenario.hosts)
    first = [plan.name for plan in scenario.hosts if plan.role == ACTIVE and not plan.recovers]
    for name in (*first, *scenario.before):
        number = scenario.host_number(name)
        world.start(number, done[number])
        done[number] += 1
        _finish(world)
    world.permit(rules)
    for disk in disks:
        disk.misbehaviour = scenario.misbehaviour
    for number, plan in enumerate(scenario.hosts):
        if not plan.recovers:
            for task in range(plan.before_count, len(plan.scripts)):
                world.start(number, task)
    return world


def _finish(world: SteppedWorld) -> None:
    """Let everything in flight take effect, in order of issue."""
    for _ in range(BEFORE_STEP_COUNT_MAXIMUM):
        if not world.flights:
            return
        world.take(world.flights[0])
    raise AssertionError("what is done before the race does not end")


def live_hosts(scenario: Scenario, implementation: Implementation) -> list[Host]:
    """Running hosts for every computer of the scenario."""
    return [Host(computer_factory(scenario, plan, implementation)()) for plan in scenario.hosts]
