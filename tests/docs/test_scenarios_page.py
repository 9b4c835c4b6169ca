"""``docs/scenarios.md`` has every field, step and label, and its examples are what happens."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shadowshare.models.steps import ACTIVE_VERBS, PASSIVE_VERBS, SectorRange, parse_step
from shadowshare.scenarios.catalogue import built_in
from shadowshare.scenarios.definition import (
    DiskSwitches,
    Document,
    Faults,
    ScenarioError,
    StoreShape,
    load_scenario,
)
from shadowshare.scenarios.staging import initial_volume
from shadowshare.sim.schedule import parse_schedule
from shadowshare.verify.counterexamples.counterexample import replay
from shadowshare.verify.explorer import explore
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.rules import oracle
from tests.docs.documents import DOCS, fences, read, section, tables
from tests.repository.tree import ROOT

PAGE = "scenarios.md"
EXAMPLE = ROOT / "examples" / "my-scenario.toml"

SECTIONS: dict[str, type[msgspec.Struct]] = {
    "Top level": Document,
    "`[store]`": StoreShape,
    "`[faults]`": Faults,
    "`[disk]`": DiskSwitches,
}


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_field_is_documented(heading: str) -> None:
    documented = [row["field"] for row in tables(section(read(PAGE), heading))[0]]
    assert sorted(documented) == sorted(field.name for field in msgspec.structs.fields(SECTIONS[heading]))


@pytest.mark.parametrize("heading", SECTIONS)
def test_defaults_are_those_of_the_code(heading: str) -> None:
    kind = SECTIONS[heading]
    documented = {row["field"]: row["default"] for row in tables(section(read(PAGE), heading))[0]}
    for field in msgspec.structs.fields(kind):
        if field.required:
            assert documented[field.name] == "required"
            continue
        made: Any = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        if not isinstance(made, msgspec.Struct):
            assert json.loads(documented[field.name]) == json.loads(msgspec.json.encode(made)), field.name


def test_every_step_is_documented() -> None:
    rows = tables(section(read(PAGE), "`[race]` and `before`"))[0]
    verbs = {"active": set(ACTIVE_VERBS), "passive": set(PASSIVE_VERBS)}
    assert {row["step"].split()[0] for row in rows} == verbs["active"] | verbs["passive"]
    assert all(row["step"].split()[0] in verbs[row["who"]] for row in rows)


def test_every_place_is_understood() -> None:
    geometry = load_scenario(EXAMPLE).geometry
    places = {row["WHERE"] for row in tables(section(read(PAGE), "`[race]` and `before`"))[1]}
    spans = {place: parse_step(f"verify {place}", "active", geometry).places[0] for place in places}
    sectors = {"2": (4, 2), "0-2": (0, 6), "1:0": (2, 1), "0:1-1:0": (1, 2), "all": (0, 6)}
    expected = {place: SectorRange(*span) for place, span in sectors.items()}
    assert spans == {**expected, "100+700": SectorRange(0, 2, (100, 700))}
    assert len(initial_volume(geometry)) == 6


def test_example_on_the_page_is_the_file() -> None:
    (shown,) = [fence.text for fence in fences(DOCS / PAGE) if fence.info == "toml"]
    assert shown == EXAMPLE.read_text(encoding="utf-8")


def test_example_is_what_it_expects() -> None:
    scenario = load_scenario(EXAMPLE)
    assert explore(scenario).verdict == scenario.expected == "verified"


@pytest.mark.parametrize("what", ["wrong", "wrong fields"])
def test_messages_on_the_page_are_those_of_the_wrong_files(what: str, tmp_path: Path) -> None:
    shown = {fence.info: fence.text for fence in fences(DOCS / PAGE)}
    path = tmp_path / "wrong-scenario.toml"
    path.write_text(shown[f"toml {what}"], encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    expected = " ".join(shown[f"text {what}"].split())
    assert sorted(message.removeprefix(f"{path}: ").split("; ")) == sorted(expected.split("; "))


def test_every_rule_of_the_oracle_is_documented() -> None:
    rules = [row["rule"] for row in tables(section(read(PAGE), "Verdicts"))[0]]
    assert rules == re.findall(r"^- ``([a-z-]+)``: ", oracle.__doc__ or "", flags=re.MULTILINE)


def test_schedules_on_the_page_can_be_replayed() -> None:
    """The first one shows a bug, with its mutant, and the second one a write that lands after a crash."""
    own = load_scenario(EXAMPLE)
    commands = re.findall(r"shadowshare replay '(.*?)'(?: --mutant (\S+))?", read(PAGE))
    assert len(commands) == 2
    for text, mutant_name in commands:
        schedule = parse_schedule(text)
        scenario = own if schedule.scenario == own.name else built_in(schedule.scenario)
        implementation = mutant(mutant_name).implementation if mutant_name else None
        replayed = replay(scenario, schedule.labels, implementation)
        assert (replayed.violation is not None) == bool(mutant_name)
