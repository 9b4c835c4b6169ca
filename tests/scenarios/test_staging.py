"""From a scenario to a world in which its race is about to begin."""

from __future__ import annotations

from typing import Any

import pytest

import shadowshare.scenarios.staging as staging
from shadowshare.models.computers import Implementation
from shadowshare.models.observations import StepFailed
from shadowshare.models.patterns import origin_of
from shadowshare.protocol.active import Active
from shadowshare.protocol.errors import AreaFull
from shadowshare.protocol.recovery import Recovery
from shadowshare.scenarios.definition import Scenario, ScenarioError
from shadowshare.scenarios.preparation import Preparation
from shadowshare.scenarios.staging import initial_volume, live_hosts, location_of, rules_of, stage
from shadowshare.sim.disks.memory_disk import Misbehaviour
from shadowshare.sim.faults.catalogue import budgets
from shadowshare.sim.stepped.rules import Successor
from shadowshare.sim.stepped.shared import SharedState
from shadowshare.sim.stepped.world import SteppedWorld
from tests.scenarios.files import small

CRASHES = "[faults]\ncrashes = 1\npower_losses = 1\ntears = true\nwrite_errors = 2\nread_errors = 3\nflush_errors = 4"
HOSTS = 'W = "active"\nV = "recovers W"\nR = "passive"'


class Listener:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.violation: Any = None
        self.told: list[tuple[str, int]] = []

    def wrote(self, shared: SharedState, host: int, operation: object) -> None:
        self.told.append(("wrote", host))

    def reported(self, shared: SharedState, host: int, report: Any) -> None:
        self.told.append((type(report).__name__, host))

    def submitted(self, shared: SharedState, host: int, operation: object) -> None:
        self.told.append(("submitted", host))

    def lost_power(self, shared: SharedState) -> None:
        self.told.append(("lost_power", -1))

    def inspects(self, operation: object) -> tuple[()]:
        return ()

    def notes(self, operation: object) -> tuple[()]:
        return ()

    def fork(self) -> Listener:
        raise NotImplementedError

    def key(self) -> object:
        raise NotImplementedError


def staged(
    scenario: Scenario, watcher: Any = None, implementation: Implementation | None = None
) -> SteppedWorld:
    return stage(scenario, live_hosts(scenario, implementation or Implementation()), watcher)


def volume_of(world: SteppedWorld, scenario: Scenario) -> list[str]:
    sectors = world.disks[0].sectors[: scenario.geometry.volume_sector_count]
    return [origin_of(content) for content in sectors]


def test_what_was_done_before_the_race_is_done() -> None:
    scenario = small('W = ["write 0"]', before='"W: create s", "W: write 1", "R: open", "W: write 1"')
    listener = Listener()
    world = staged(scenario, listener)
    assert volume_of(world, scenario) == ["initial of sector 0", "W 'write 1' (W3.1) of sector 1"]
    reports = [told for told in listener.told if told[0] != "wrote"]
    assert reports == [
        *[
            ("Activated", 0),
            ("CreationBegan", 0),
            ("CreationEnded", 0),
            ("ChangeBegan", 0),
            ("ChangeEnded", 0),
        ],
        *[("ChangeBegan", 0), ("ChangeEnded", 0), ("ChangeBegan", 0)],
    ]
    assert ("wrote", 0) in listener.told[: listener.told.index(("Activated", 0))]
    assert world.watcher is listener


def test_nothing_tears_before_the_race() -> None:
    """The write of two sectors, that of its slot, and so on, are told of as one write each."""
    counts = []
    for tears in ("true", "false"):
        sections = f"[store]\nextent_sectors = 2\n[faults]\ntears = {tears}"
        listener = Listener()
        staged(small('W = ["write 1"]', before='"W: create s", "W: write 0"', sections=sections), listener)
        counts.append(listener.told.count(("wrote", 0)))
    assert counts[0] == counts[1]


def test_the_first_operations_of_the_race_are_in_flight() -> None:
    scenario = small('W = [["write 0"], ["verify 1"]]\nR = ["catch-up"]')
    world = staged(scenario)
    assert [(flight.label, flight.host) for flight in world.flights] == [("W1", 0), ("W2", 0), ("R", 1)]
    assert [choice.label for choice in world.choices()] == ["W1", "W2", "R"]
    assert world.trace is None


def test_faults_can_happen_in_the_race_and_not_before() -> None:
    scenario = small(hosts=HOSTS, sections=CRASHES + "\n[disk]\nfence_is_ignored = true")
    world = staged(scenario)
    labels = [choice.label for choice in world.choices()]
    assert {"crash.W", "power"} <= set(labels)
    assert world.shared.faults_left == (2, 3, 4)
    assert [disk.misbehaviour for disk in world.disks] == [Misbehaviour(fence_is_ignored=True)]
    assert [flight.host for flight in world.flights] == [0], "the host that recovers waits"


def test_rules() -> None:
    rules = rules_of(small('W = [["flush"], ["flush"]]', hosts=HOSTS, sections=CRASHES))
    assert rules.names == ("W", "V", "R")
    assert rules.actors == (("W", "W", "W1", "W2"), ("V",), ("R",))
    assert rules.readers == {2}
    assert rules.successors == ((0, Successor(1, (0,))),)
    assert rules.mortals == ()
    assert (rules.plain_crashes, rules.late_writes) == (True, True)
    unlike = rules_of(small(hosts=HOSTS, sections=CRASHES + "\nlate_writes = false"))
    assert not unlike.late_writes
    assert not rules.power_stops_all
    assert (rules.crash_count, rules.power_loss_count, rules.tears) == (1, 1, True)
    assert rules.faults == budgets(write_errors=2, read_errors=3, flush_errors=4)


def test_a_superblock_that_may_become_a_slot_is_not_where_faults_of_superblocks_are() -> None:
    faults = '[faults]\nbit_rot = 1\nplaces = ["superblock"]'
    plain, growing = small(sections=faults), small('W = ["grow 9"]', sections=faults)
    assert rules_of(plain).fault_reach.sectors == frozenset(
        (0, at) for at in plain.geometry.superblock_sectors
    )
    slots = range(growing.grown.slot_sector(0), growing.grown.slot_sector(growing.grown.slot_count))
    reached = rules_of(growing).fault_reach.sectors or frozenset()
    assert reached == frozenset((0, at) for at in growing.grown.superblock_sectors)
    assert reached.isdisjoint((0, sector) for sector in slots)


@pytest.mark.parametrize("own_device", ["true", "false"])
def test_the_disks_hold_the_store(own_device: str) -> None:
    scenario = small(before='"R: open"', sections=f"[store]\nown_device = {own_device}\nextents = 3")
    world = staged(scenario)
    assert len(world.disks) == len(scenario.geometry.devices)
    assert world.disks[0].sectors[:3] == initial_volume(scenario.geometry)
    end = location_of(scenario.geometry).superblock_sectors[-1] + 1
    assert world.disks[scenario.geometry.area_device].sector_count == end
    assert all(not disk.has_volatile_cache for disk in world.disks), "nothing can lose power"


def test_each_staging_is_afresh() -> None:
    scenario = small('W = ["write 0"]')
    first, second = staged(scenario), staged(scenario)
    while first.flights:
        first.take(first.flights[0])
    assert volume_of(first, scenario) != volume_of(second, scenario)
    assert volume_of(second, scenario) == volume_of(staged(scenario), scenario)


# -- what cannot be done -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "sections", "step", "reason"),
    [
        ('"W: create s", "W: write 0-1"', "[store]\nslots = 1", "W: write 0-1", "AreaFull: "),
        ('"W: create s", "W: delete s", "W: delete s"', "", "W: delete s", "ShadowCopyNotFound: "),
        ('"R: open", "R: read s 0", "W: create s"', "", "R: read s 0", "ShadowCopyNotFound: "),
        (
            '"W: create a", "W: create b", "W: create c", "W: create d", "W: create e", "W: write 0", "W: write 1"',
            "[store]\nhalf_blocks = 4",
            "W: write 1",
            "JournalFull: ",
        ),
    ],
)
def test_a_step_before_the_race_that_is_refused(before: str, sections: str, step: str, reason: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        staged(small('W = ["verify all"]', before=before, sections=sections))
    message = str(caught.value)
    assert message.startswith(f"scenario 'small': step '{step}")
    assert f" before the race cannot be done: {reason}" in message


def test_a_step_before_the_race_may_be_refused_if_the_scenario_says_so() -> None:
    sections = "[store]\nslots = 1\n[faults]\nallowed_errors = ['AreaFull']"
    scenario = small('W = ["write 0"]', before='"W: create s", "W: write 0-1"', sections=sections)
    assert volume_of(staged(scenario), scenario) == ["initial of sector 0", "initial of sector 1"]


class _RefusesToWrite(Active):
    async def write(self, offset: int, data: object) -> None:
        raise AreaFull("this one never writes")


class _MakesOneThatRefuses(Recovery):
    active_class = _RefusesToWrite


def test_an_implementation_that_refuses_what_it_must_do_is_judged_by_the_watcher() -> None:
    scenario = small(before='"W: write 0"')
    listener = Listener()
    staged(scenario, listener, Implementation(recovery=_MakesOneThatRefuses))
    assert (StepFailed.__name__, 0) in listener.told


def test_before_the_race_there_is_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "BEFORE_OPERATION_COUNT_MAXIMUM", 10)
    with pytest.raises(ScenarioError, match="takes more than 10 operations"):
        staged(small(before='"W: create s", "W: write all"', sections="[store]\nextents = 4"))


def test_a_world_that_is_being_prepared_is_not_copied() -> None:
    preparation = Preparation(None, ())
    with pytest.raises(TypeError, match="once it is staged"):
        preparation.fork()
    with pytest.raises(TypeError, match="once it is staged"):
        preparation.key()
