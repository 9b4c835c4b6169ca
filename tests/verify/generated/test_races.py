"""Generated races can be run, must be verified, and are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest
from hypothesis import given, note

from shadowshare.models.computers import Implementation
from shadowshare.models.toml_tables import parse_toml
from shadowshare.scenarios.definition import Faults, Scenario, StoreShape, edit, parse_scenario
from shadowshare.scenarios.staging import live_hosts, stage
from shadowshare.sim.faults.catalogue import FAULTS
from shadowshare.verify.exploration.search import Budget, Search
from shadowshare.verify.explorer import explore
from shadowshare.verify.gate.generator import races_of
from shadowshare.verify.generated.races import interleavings, races
from shadowshare.verify.generated.scenario_text import to_toml
from shadowshare.verify.generated.schedules import Interleaving, check
from shadowshare.verify.generated.store_model import StoreModel
from shadowshare.verify.race import Race

STATE_COUNT_MAXIMUM = 1000
SAMPLE_SIZE = 400

TWO_POWER_LOSSES = """
name = "two-power-losses"
story = "What a first power loss took away, a flush after it makes final, before a second one."
before = ["W: write 0"]
[hosts]
W = "active"
V = "recovers W"
U = "recovers V"
[store]
extents = 1
slots = 1
[faults]
crashes = 2
power_losses = 2
[race]
W = ["write 0"]
V = ["flush", "verify 0"]
U = ["verify 0"]
"""

NEVER_ACKNOWLEDGED = """
name = "never-acknowledged"
story = "A write that was in flight at a crash, and never lands, is not what a flush makes durable."
[hosts]
W = "active"
V = "recovers W"
U = "recovers V"
[store]
extents = 1
slots = 1
[faults]
crashes = 2
power_losses = 1
[race]
W = ["write 0"]
V = ["flush"]
U = ["verify 0"]
"""


GROWN_TWICE = """
name = "grown-twice"
story = "Whoever finds the first superblock unreadable looks for the second one where each size of the area has it."
before = ["W: grow 2"]
[hosts]
W = "active"
V = "recovers W"
[store]
slots = 1
[faults]
crashes = 1
lasting_read_errors = 1
places = ["superblock"]
spares_a_copy = true
[race]
W = ["grow 3"]
"""


@given(races())
def test_no_state_of_any_race_is_violated(race: Scenario) -> None:
    note(to_toml(race))
    world = Race(race)
    search = Search(world.product)
    search.run(Budget(STATE_COUNT_MAXIMUM))
    assert search.violation is None, search.labels
    assert not (search.is_exhausted and world.unreached())


@given(interleavings())
def test_no_schedule_of_any_race_violates_anything(run: Interleaving) -> None:
    check(run)


@given(races())
def test_everything_before_a_race_can_be_done(race: Scenario) -> None:
    strict = edit(race, faults=Faults(race.faults.crashes, race.faults.power_losses))
    hosts = live_hosts(strict, Implementation())
    stage(strict, hosts, None)
    for host in hosts:
        host.close()


@cache
def sample() -> list[Scenario]:
    return [race for number in range(SAMPLE_SIZE // 8) for race in races_of(number, 8)]


def roles(race: Scenario) -> list[str]:
    """As a file says them, of the hosts that take over from a living one too."""
    return list(parse_toml(to_toml(race)).get("hosts", {}).values())


def features(race: Scenario) -> Iterator[str]:
    """What there is in a race."""
    faults = race.faults
    yield from (
        name for name in Faults.__struct_fields__ if getattr(faults, name) and name != "allowed_errors"
    )
    yield from faults.allowed_errors
    yield f"{faults.crashes} crashes with {faults.power_losses} power losses"
    relief_count = sum(role.startswith("relieves") for role in roles(race))
    yield f"{relief_count} relieve"
    yield from ["a crash beside a relief"] if faults.crashes and relief_count else []
    yield from ["several kinds of errors"] if sum(bool(getattr(faults, name)) for name in FAULTS) > 1 else []
    yield from ["keeps"] if race.kept else []
    yield "own device" if race.geometry.area_device else "one device"
    yield f"extents of {race.geometry.extent_sectors} sectors"
    for plan in race.hosts:
        scripts = plan.scripts[plan.before_count :]
        yield f"{plan.role} {plan.name} with {len(scripts)} tasks"
        yield from (f"{plan.role} {step.verb} in the race" for script in scripts for step in script)
        yield from (f"{step.verb} before" for script in plan.scripts[: plan.before_count] for step in script)
        yield from (
            f"read of {len(step.places)}" for script in scripts for step in script if step.verb == "read"
        )
    yield from ("an old view" for last in race.before[-1:] if last == "W" and "R" in race.before)


def test_there_are_races_of_every_kind() -> None:
    drawn = sample()
    found = Counter(feature for race in drawn for feature in set(features(race)))
    verbs = (
        *("write", "zero", "discard", "create", "delete", "flush", "verify"),
        *("revert", "grow", "policy"),
    )
    wanted = {
        *(f"active {verb} in the race" for verb in verbs),
        *(f"{verb} before" for verb in (*verbs, "open")),
        *(f"passive {verb} in the race" for verb in ("open", "read", "catch-up", "list", "changed")),
        *(f"active W with {count} tasks" for count in (1, 2, 3)),
        *(f"passive R with {count} tasks" for count in (1, 2)),
        *(
            f"{crashes} crashes with {lost} power losses"
            for crashes in range(3)
            for lost in range(crashes + 1)
        ),
        *(f"extents of {count} sectors" for count in (1, 2, 3)),
        *(f"{count} relieve" for count in (0, 1, 2)),
        *("a crash beside a relief", "several kinds of errors", "keeps"),
        *("WriteError", "ReadError", "FlushError", "ActiveStopped", "AreaFull", "JournalFull"),
        *("Fenced", "AreaInUse", "JournalDamaged"),
        *("lasting_read_errors", "full_devices", "shrunk_devices", "bit_rot", "spares_a_copy"),
        *("tears", "late_writes", "own device", "one device", "an old view", "read of 1", "read of 2"),
        *("passive S with 1 tasks", "active V with 1 tasks", "active U with 1 tasks"),
    }
    assert not {feature for feature in wanted if found[feature] < 3}
    assert len({to_toml(race) for race in drawn}) > SAMPLE_SIZE * 3 // 4


def test_no_task_reads_the_live_volume_piece_by_piece_while_another_one_writes() -> None:
    verbs = [
        {step.verb for script in race.hosts[0].scripts[race.hosts[0].before_count :] for step in script}
        for race in sample()
        if race.faults.tears and len(race.hosts[0].scripts) - race.hosts[0].before_count > 1
    ]
    assert len(verbs) > 10
    assert not [one for one in verbs if "verify" in one]


@pytest.mark.parametrize("text", [TWO_POWER_LOSSES, NEVER_ACKNOWLEDGED, GROWN_TWICE])
def test_what_was_held_to_be_wrong_once_and_is_right(text: str) -> None:
    assert explore(parse_scenario(text)).verdict == "verified"


def test_a_store_model_counts_slots_and_records() -> None:
    model = StoreModel(StoreShape(extents=3, slots=2, half_blocks=16))
    assert model.free_record_count == 77
    assert model.change(range(3))
    assert model.create("s")
    assert model.change([0])
    assert model.create("t")
    assert model.change([1])
    assert not model.change([2])
    assert model.change([1])
    assert model.free_record_count == 73
    assert model.delete("t")
    assert model.copies == {"s": {0, 1}}
    assert not model.change([2])
    assert model.delete("s")
    assert model.create("u")
    assert model.change([1, 2])


def test_a_store_model_knows_when_a_checkpoint_would_not_fit() -> None:
    model = StoreModel(StoreShape(extents=3, slots=8, half_blocks=4))
    assert model.create("s")
    assert model.change(range(3))
    assert model.create("t")
    assert not model.create("u")
    assert not model.change([0])
    assert model.delete("s")
    assert model.change([0])


def test_a_store_model_reverts_and_grows() -> None:
    model = StoreModel(StoreShape(extents=3, slots=2, half_blocks=16))
    assert model.create("s")
    assert model.change([0, 1])
    assert model.create("t")
    assert not model.revert("s")
    assert model.revert("t")
    assert not model.grow(1)
    assert model.grow(4)
    assert model.revert("s")
    assert model.copies == {"s": {0, 1}, "t": {0, 1}}
    assert not model.change([2])
    assert model.free_record_count == 78 - 1 - 1 - 6
