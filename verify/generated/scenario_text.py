"""A scenario as the text of a scenario file, from which an equal one can be read again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import msgspec

from shadowshare.models.computers import ACTIVATE
from shadowshare.scenarios.definition import (
    PASSIVE,
    DiskSwitches,
    Document,
    Faults,
    HostPlan,
    Scenario,
    ScenarioError,
    StoreShape,
    parse_scenario,
)

_TABLES = ("hosts", "store", "faults", "disk", "race")


def to_toml(scenario: Scenario) -> str:
    """The text of a file that describes an equal scenario.

    Raises:
        ScenarioError: no file describes it: it was put together by hand.
    """
    try:
        text = document_to_toml(_document_of(scenario))
        is_equal = parse_scenario(text) == scenario
    except (ScenarioError, StopIteration) as error:
        raise ScenarioError(f"scenario {scenario.name!r} cannot be written as a file: {error}") from None
    if not is_equal:
        raise ScenarioError(f"scenario {scenario.name!r} cannot be written as a file: none describes it")
    return text


def document_to_toml(document: Document) -> str:
    """The text of a scenario file. What is as by default is left out."""
    return "".join(f"{line}\n" for line in _lines(document))


# -- from what a scenario means to what its file says ------------------------------------------------------------


def _document_of(scenario: Scenario) -> Document:
    before = {plan.name: iter(_steps_before(plan)) for plan in scenario.hosts}
    return Document(
        name=scenario.name,
        story=scenario.story,
        race={plan.name: tasks for plan in scenario.hosts if (tasks := _tasks(plan))},
        expected="verified" if scenario.expected == "verified" else "violated",
        hosts={plan.name: _role_of(plan, scenario) for plan in scenario.hosts},
        before=[f"{name}: {next(before[name])}" for name in scenario.before],
        store=_shape_of(scenario),
        faults=scenario.faults,
        disk=DiskSwitches(**asdict(scenario.misbehaviour)),
        catch_up_blocks=scenario.catch_up_blocks,
        sometimes=scenario.sometimes,
    )


def _role_of(plan: HostPlan, scenario: Scenario) -> str:
    """The active begins before the race; one that is not there then takes over, when it crashed or while it lives."""
    if plan.recovers:
        return f"recovers {plan.recovers}"
    if plan.role == PASSIVE or plan.before_count:
        return plan.role
    relieved = next(host.name for host in scenario.hosts if host.role != PASSIVE and host.before_count)
    return f"relieves {relieved}"


def _shape_of(scenario: Scenario) -> StoreShape:
    geometry = scenario.geometry
    names = {shadow_copy: name for name, shadow_copy in scenario.shadow_copies.items()}
    return StoreShape(
        geometry.extent_count,
        geometry.extent_sectors,
        geometry.slot_count,
        geometry.half_block_count,
        bool(geometry.area_device),
        scenario.policy.value,
        tuple(names[shadow_copy] for shadow_copy in scenario.kept),
        last_extent_sectors=geometry.volume_sector_count % geometry.extent_sectors,
        sector_bytes=geometry.sector_bytes,
    )


def _steps_before(plan: HostPlan) -> list[str]:
    """What a host does before the race, without becoming the active: nobody writes that."""
    steps = [step for script in plan.scripts[: plan.before_count] for step in script]
    return [step.text for step in steps if step is not ACTIVATE]


def _tasks(plan: HostPlan) -> list[str | list[str]]:
    """What a host does in the race: steps, or lists of steps if it has several tasks."""
    scripts = plan.scripts[plan.before_count :]
    tasks = [[step.text for step in script if step is not ACTIVATE] for script in scripts]
    if len(tasks) == 1 and tasks[0]:
        return [*tasks[0]]
    return [] if plan.role != PASSIVE and not plan.before_count else [*tasks]


# -- from there to text ------------------------------------------------------------------------------------------


def _lines(document: Document) -> Iterator[str]:
    for name in document.__struct_fields__:
        value = getattr(document, name)
        if name not in _TABLES and value != getattr(_PLAIN, name):
            yield f"{name} = {_value(value)}"
    for name in _TABLES:
        table = getattr(document, name)
        fields = table if isinstance(table, dict) else _changed(table)
        if table != getattr(_PLAIN, name) or name == "race":
            yield ""
            yield f"[{name}]"
            yield from (f"{key} = {_value(value)}" for key, value in fields.items())


_PLAIN = Document(name="", story="", race={})


def _changed(table: StoreShape | Faults | DiskSwitches) -> dict[str, Any]:
    """The fields of a table that are not as by default."""
    plain = msgspec.structs.asdict(type(table)())
    return {key: value for key, value in msgspec.structs.asdict(table).items() if value != plain[key]}


def _value(value: object) -> str:
    """A value as TOML writes it; the names and texts of a scenario have no character that TOML cannot quote so."""
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value, ensure_ascii=False)
