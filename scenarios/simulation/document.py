"""A simulation file, and the plan that it means. ``docs/simulation.md`` explains every field.

A value that reads ``"$name"`` stands for the parameter of that name; parameters have a value in the file, and whoever
runs the simulation can give them another one. Every other field can be given another value, too, by its place:
``device.servers``, or ``passives.1.clients`` in the second of several tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from shadowshare.models.latency.errors import ModelError
from shadowshare.models.simulation.plan import SECOND_NS, SimulationPlan
from shadowshare.models.toml_tables import parse_toml, read_table
from shadowshare.models.workloads.errors import WorkloadError
from shadowshare.protocol.errors import GeometryMismatch
from shadowshare.scenarios.simulation.errors import SimulationError
from shadowshare.scenarios.simulation.hosts import ActiveTable, MixTable, PassivesTable, ReadsTable
from shadowshare.scenarios.simulation.tables import (
    DeviceTable,
    FailOverTable,
    ShadowCopiesTable,
    StoreTable,
    TimeTable,
)

Value = int | float | str
"""Of a parameter, or of a field."""


class _Document(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    story: str
    parameters: dict[str, Value] = {}
    store: StoreTable = StoreTable()
    device: DeviceTable = DeviceTable()
    active: ActiveTable = MixTable()
    passives: tuple[PassivesTable, ...] = (ReadsTable(count=4),)
    shadow_copies: ShadowCopiesTable = ShadowCopiesTable()
    fail_over: FailOverTable | None = None
    time: TimeTable = TimeTable()


class SimulationScenario:
    """A simulation file that was read; a plan for each choice of its parameters.

    Args:
        tables: what stands in the file.
        folder: where the file is; files that it names are looked for there first, and then in the working folder.
    """

    def __init__(self, tables: Mapping[str, Any], folder: Path | None = None) -> None:
        self._tables = tables
        self._folder = folder
        document = self._document({})
        self.name = document.name
        self.story = " ".join(document.story.split())
        self.parameters: Mapping[str, Value] = document.parameters

    def plan(self, changed: Mapping[str, Value] | None = None) -> SimulationPlan:
        """What is simulated.

        Args:
            changed: values that are not as in the file: of parameters by name, of fields by place.

        Raises:
            SimulationError: there is no such parameter or field, its value does not fit where it stands, or a file that
                is named cannot be read.
        """
        document = self._document(changed or {})
        time, fail_over = document.time, document.fail_over
        if fail_over is not None and not fail_over.at_seconds < time.warm_up_seconds + time.measured_seconds:
            raise SimulationError(
                "fail_over.at_seconds: the simulation ends before: make it longer, or this sooner"
            )
        try:
            geometry = document.store.geometry()
            return SimulationPlan(
                geometry,
                (document.device.plan(self._find),) * len(geometry.devices),
                document.active.plan(self._find),
                tuple(table.plan(self._find, table.count) for table in document.passives if table.count),
                document.shadow_copies.plan(),
                round(time.warm_up_seconds * SECOND_NS),
                round(time.measured_seconds * SECOND_NS),
                fail_over.plan() if fail_over is not None else None,
            )
        except (GeometryMismatch, ModelError, WorkloadError) as error:
            raise SimulationError(str(error)) from None

    def _find(self, name: str) -> Path:
        beside = (self._folder or Path()) / name
        return beside if beside.exists() else Path(name)

    def _document(self, changed: Mapping[str, Value]) -> _Document:
        problems: list[str] = []
        document = read_table(self._filled_tables(changed, problems), _Document, "", problems)
        if document is None or problems:
            raise SimulationError("; ".join(problems))
        return document

    def _filled_tables(self, changed: Mapping[str, Value], problems: list[str]) -> dict[str, Any]:
        """The tables with the parameters in their places."""
        parameters = self._tables.get("parameters", {})
        if not isinstance(parameters, dict):
            return dict(self._tables)
        places = {name: value for name, value in changed.items() if "." in name}
        given = {name: value for name, value in changed.items() if name not in places}
        for name in given.keys() - parameters.keys():
            known = ", ".join(parameters) or "none"
            problems.append(
                f"there is no parameter {name!r}; there are: {known}; and fields by place, such as device.servers"
            )
        tables = {
            key: dict(parameters)
            if key == "parameters"
            else _filled(value, {**parameters, **given}, key, problems)
            for key, value in self._tables.items()
        }
        for place, value in places.items():
            _put(tables, place, value, problems)
        _name_workloads(tables)
        return tables


def read_simulation(text: str, folder: Path | None = None) -> SimulationScenario:
    """The simulation that a TOML text describes; of the folder see `SimulationScenario`.

    Raises:
        SimulationError: says everything that is wrong, and where.
    """
    try:
        tables = parse_toml(text)
    except ValueError as error:
        raise SimulationError(str(error)) from None
    scenario = SimulationScenario(tables, folder)
    scenario.plan()
    return scenario


def _name_workloads(tables: dict[str, Any]) -> None:
    """Give hosts that do not say what they do the usual workload."""
    for name, usual in (("active", "mix"), ("passives", "reads")):
        value = tables.get(name)
        for table in value if isinstance(value, list) else [value]:
            if isinstance(table, dict):
                table.setdefault("workload", usual)


def _put(tables: dict[str, Any], place: str, value: Value, problems: list[str]) -> None:
    """Put a value where a place such as ``passives.1.clients`` says; tables that are missing are made."""
    *way, field = place.split(".")
    if way[0] == "parameters":
        problems.append(f"{place}: name a parameter without its table: {field}")
    at: Any = tables
    for key in way:
        if isinstance(at, list):
            at = at[int(key)] if key.isascii() and key.isdecimal() and int(key) < len(at) else None
        elif isinstance(at, dict):
            at = at.setdefault(key, {})
    if isinstance(at, dict):
        at[field] = value
    else:
        problems.append(
            f"{place}: there is no such place; of several tables name one by its number, from 0 on"
        )


def _filled(value: Any, parameters: Mapping[str, Any], where: str, problems: list[str]) -> Any:
    """A value of the file with the parameters in their places."""
    if isinstance(value, dict):
        return {key: _filled(item, parameters, f"{where}.{key}", problems) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, parameters, f"{where}[{index}]", problems) for index, item in enumerate(value)]
    if isinstance(value, str) and value.startswith("$"):
        name = value[1:]
        if name not in parameters:
            problems.append(f"{where}: there is no parameter {name!r}: add it to parameters")
            return 1
        return parameters[name]
    return value
