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
from shadowshare.protocol.geometry import VOLUME_DEVICE, Geometry, Location
from shadowshare.protocol.policy import Policy
from shadowshare.protocol.view import DEFAULT_SETTINGS
from shadowshare.scenarios.definition import ACTIVE, PASSIVE, HostPlan, Scenario, ScenarioError
from shadowshare.scenarios.preparation import Preparation
from shadowshare.sim.disks.memory_disk import MemoryDisk
from shadowshare.sim.disks.overlaid_disk import OverlaidDisk
from shadowshare.sim.faults.catalogue import FAULTS, ON_OVERLAY, budgets
from shadowshare.sim.faults.fault import Reach
from shadowshare.sim.host import Computer, Host
from shadowshare.sim.inline import perform_inline
from shadowshare.sim.stepped.ports import HostPort, Watcher
from shadowshare.sim.stepped.rules import Rules, Successor
from shadowshare.sim.stepped.world import SteppedWorld

BEFORE_OPERATION_COUNT_MAXIMUM = 100_000
"""Of one step before the race; one that takes more never ends."""


def location_of(geometry: Geometry) -> Location:
    """Where the computers of a scenario look for the superblock."""
    return Location(geometry.area_device, geometry.superblock_sectors)


def location_in(scenario: Scenario) -> Location:
    """Where the computers of a scenario look for the superblock, if the store may grow meanwhile.

    The second copy is where the area ends, which is told by its device; the one of a smaller area may still be there.
    """
    first, _ = scenario.geometry.superblock_sectors
    lasts = [geometry.superblock_sectors[1] for geometry in scenario.geometries]
    return Location(scenario.geometry.area_device, (first, *lasts))


def initial_volume(geometry: Geometry) -> list[bytes]:
    """The sectors of the volume before anything is written."""
    return [
        sector_content(INITIAL, sector, geometry.sector_bytes)
        for sector in range(geometry.volume_sector_count)
    ]


@lru_cache(maxsize=64)
def _formatted(
    geometry: Geometry, policy: Policy, sector_count: int | None = None
) -> tuple[tuple[bytes, ...], ...]:
    """The sectors of each device after formatting, with the initial content in the volume.

    There are ``sector_count`` from the differential area on, so that it may grow.
    """
    size = geometry.sector_bytes
    volume = initial_volume(geometry)
    area = [bytes(size)] * (sector_count or geometry.area_sector_count)
    contents = [volume, area] if geometry.area_device else [volume + area]
    disks = [MemoryDisk(size, sectors, has_volatile_cache=False) for sectors in contents]
    perform_inline(format_store(geometry, DEFAULT_SETTINGS._replace(policy=policy)), disks)
    return tuple(tuple(disk.sectors) for disk in disks)


def computer_factory(
    scenario: Scenario, plan: HostPlan, implementation: Implementation, notes_rest: bool = False
) -> Callable[[], Computer]:
    """Makes the computer of one host, afresh at each call; see `ScriptedComputer` for ``notes_rest``."""
    setting = Setting(
        scenario.geometry, location_in(scenario), scenario.shadow_copies, scenario.catch_up_blocks
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
        late_writes=faults.late_writes,
        tears=faults.tears,
        faults=budgets(**{name: getattr(faults, name) for name in FAULTS}),
        fault_reach=_reach_of(scenario),
    )


def _reach_of(scenario: Scenario) -> Reach:
    """What faults may touch."""
    faults = scenario.faults
    sectors: set[tuple[int, int]] | None = None
    if faults.places:
        sectors = {place for name in faults.places for place in _sectors_of(name, scenario)}
    victims = frozenset(map(scenario.host_number, faults.victims)) if faults.victims else None
    superblocks = frozenset(_sectors_of("superblock", scenario))
    return Reach(
        None if sectors is None else frozenset(sectors),
        victims,
        (superblocks,) if faults.spares_a_copy else (),
    )


def _sectors_of(place: str, scenario: Scenario) -> list[tuple[int, int]]:
    """Device and number of every sector of a part of the disks.

    Where the area may grow, that of the second superblock may become one of slots: only the last one is of superblocks.
    """
    geometry = scenario.geometry
    device, sectors = geometry.area_device, range(0)
    if place == "superblock":
        return [(device, sector) for sector in scenario.grown.superblock_sectors]
    if place == "journal":
        sectors = geometry.journal_sectors
    elif place == "slots":
        sectors = range(geometry.slot_sector(0), geometry.slot_sector(geometry.slot_count))
    else:
        device, sectors = VOLUME_DEVICE, range(geometry.volume_sector_count)
    return [(device, sector) for sector in sectors]


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

    Raises:
        ScenarioError: a step before the race cannot be done.
    """
    rules = rules_of(scenario)
    preparation = Preparation(watcher, scenario.faults.allowed_errors)
    world = _prepared(scenario, rules, hosts, preparation)
    if preparation.refusal is not None:
        _refuse_if_it_cannot_be(scenario, rules)
    world.watcher = watcher
    world.permit(rules)
    for disk in world.disks:
        disk.misbehaviour = scenario.misbehaviour
    for number, plan in enumerate(scenario.hosts):
        if not plan.recovers:
            for task in range(plan.before_count, len(plan.scripts)):
                world.start(number, task)
    return world


def _prepared(
    scenario: Scenario, rules: Rules, hosts: Sequence[HostPort], preparation: Preparation
) -> SteppedWorld:
    """The world in which everything before the race is done, and no fault happened."""
    calm = Rules(rules.names, rules.actors, rules.readers)
    disks = [
        _disk(scenario, sectors, has_volatile_cache=bool(rules.power_loss_count))
        for sectors in _formatted(scenario.geometry, scenario.policy, scenario.grown.area_sector_count)
    ]
    world = SteppedWorld(disks, hosts, calm, preparation)
    done = [0] * len(scenario.hosts)
    first = [plan.name for plan in scenario.hosts if plan.role == ACTIVE and plan.before_count]
    for name in (*first, *scenario.before):
        number = scenario.host_number(name)
        world.start(number, done[number])
        done[number] += 1
        if not _finish(world):
            preparation.gave_up(world.shared, number, BEFORE_OPERATION_COUNT_MAXIMUM)
            break
    return world


def _disk(scenario: Scenario, sectors: Sequence[bytes], has_volatile_cache: bool) -> MemoryDisk:
    """A disk with an overlay only where faults need one, since that takes time."""
    size = scenario.geometry.sector_bytes
    if not any(getattr(scenario.faults, name) for name in ON_OVERLAY):
        return MemoryDisk(size, sectors, has_volatile_cache)
    remembers = bool(scenario.faults.stale_reads)
    return OverlaidDisk(size, sectors, has_volatile_cache, remembers=remembers)


def _refuse_if_it_cannot_be(scenario: Scenario, rules: Rules) -> None:
    """A step before the race was refused: blame the scenario if the protocol as it is refuses it, too.

    Otherwise the implementation under test is at fault, and the race's watcher judges it.
    """
    preparation = Preparation(None, scenario.faults.allowed_errors)
    hosts = live_hosts(scenario, Implementation())
    _prepared(scenario, rules, hosts, preparation)
    for host in hosts:
        host.close()
    if preparation.refusal is not None:
        step, error = preparation.refusal
        raise ScenarioError(
            f"scenario {scenario.name!r}: step {step!r} before the race cannot be done: "
            f"{type(error).__name__}: {error}"
        )


def _finish(world: SteppedWorld) -> bool:
    """Let everything in flight take effect, in order of issue; whether it comes to an end."""
    for _ in range(BEFORE_OPERATION_COUNT_MAXIMUM):
        if not world.flights:
            return True
        world.take(world.flights[0])
    return False


def live_hosts(scenario: Scenario, implementation: Implementation) -> list[Host]:
    """Running hosts for every computer of the scenario."""
    return [Host(computer_factory(scenario, plan, implementation)()) for plan in scenario.hosts]
