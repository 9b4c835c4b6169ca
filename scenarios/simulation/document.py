"""What stands in a simulation file, and the plan that it means. ``docs/simulation.md`` explains every field.

A value that reads ``"$name"`` stands for the parameter of that name; parameters have a value in the file, and whoever
runs the simulation can give them another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from shadowshare.models.latency.errors import ModelError
from shadowshare.models.latency.model_file import find_model
from shadowshare.models.simulation.plan import (
    SECOND_NS,
    DevicePlan,
    HostsPlan,
    ShadowCopyPlan,
    SimulationPlan,
)
from shadowshare.models.toml_tables import parse_toml, read_table
from shadowshare.models.workloads.gaps import Even, Poisson
from shadowshare.models.workloads.places import AnyPlaces, Anywhere, HotSpot, Sequential, Zipf
from shadowshare.models.workloads.synthetic import Synthetic
from shadowshare.protocol.errors import GeometryMismatch, ShadowshareError
from shadowshare.protocol.geometry import Geometry
from shadowshare.sim.timed.device import reads_first

STORE_ID = b"shadowshare-time"
HOST_COUNT_MAXIMUM = 10_000
KIB, MIB = 1024, 1024 * 1024
Number = int | float


class SimulationError(ShadowshareError):
    """A simulation cannot be understood, or cannot be run."""


def _check(field: str, value: float | None, minimum: float, maximum: float) -> None:
    if value is not None and not minimum <= value <= maximum:
        raise SimulationError(f"{field} must be from {minimum:g} to {maximum:g}, not {value:g}")


class StoreTable(msgspec.Struct, frozen=True, kw_only=True):
    """``[store]``: sizes."""

    volume_mib: int = 64
    extent_kib: int = 64
    slots: int = 2048
    journal_blocks: int = 4096
    sector_bytes: Literal[512, 4096] = 4096
    own_device: bool = False

    def __post_init__(self) -> None:
        _check("volume_mib", self.volume_mib, 1, 16 * MIB)
        _check("extent_kib", self.extent_kib, 4, 16 * KIB)
        _check("slots", self.slots, 1, 2**24)
        _check("journal_blocks", self.journal_blocks, 4, 2**24)

    def geometry(self) -> Geometry:
        """The store."""
        size, extent_sectors = self.sector_bytes, self.extent_kib * KIB // self.sector_bytes
        volume = self.volume_mib * MIB // size
        area = 2 + 2 * self.journal_blocks + self.slots * extent_sectors
        device, sector = (1, 0) if self.own_device else (0, volume)
        return Geometry(
            STORE_ID, size, extent_sectors, volume, device, sector, area, self.journal_blocks, self.slots
        )


class DeviceTable(msgspec.Struct, frozen=True, kw_only=True):
    """``[device]``: of both devices, if there are two."""

    latency: str = "virtual-nvme"
    servers: int = 8
    order: Literal["arrival", "reads-first"] = "arrival"
    queue_depth: int | None = None
    exclusive_flush: bool = False

    def __post_init__(self) -> None:
        _check("servers", self.servers, 1, 4096)
        _check("queue_depth", self.queue_depth, 1, 65536)


class HostsTable(msgspec.Struct, frozen=True, kw_only=True):
    """``[active]`` and ``[passives]``: what their users ask for, and their paths."""

    count: int = 1
    clients: int = 16
    requests_per_second: Number | None = None
    pause_us: Number = 0
    read_share: Number = 0
    request_kib: int = 4
    places: Literal["anywhere", "sequential", "hot", "zipf"] = "anywhere"
    path_request_us: Number = 0
    path_answer_us: Number = 0
    path_depth: int | None = None

    def __post_init__(self) -> None:
        _check("count", self.count, 0, HOST_COUNT_MAXIMUM)
        _check("clients", self.clients, 1, 4096)
        _check("requests_per_second", self.requests_per_second, 0.001, 1e8)
        _check("pause_us", self.pause_us, 0, 1e12)
        _check("read_share", self.read_share, 0, 1)
        _check("request_kib", self.request_kib, 4, 16 * KIB)
        _check("path_request_us", self.path_request_us, 0, 1e12)
        _check("path_answer_us", self.path_answer_us, 0, 1e12)
        _check("path_depth", self.path_depth, 1, 65536)

    def plan(self, read_share: float) -> HostsPlan:
        """Hosts with this workload; open if it says how many requests arrive in a second."""
        rate, size_bytes = self.requests_per_second, self.request_kib * KIB
        if rate is not None:
            gaps: Even | Poisson = Poisson(float(rate))
        else:
            gaps = Poisson(1e6 / self.pause_us) if self.pause_us else Even(0.0)
        workload = Synthetic(
            {"read": read_share, "write": 1.0 - read_share},
            {size_bytes: 1.0},
            self._places(),
            size_bytes,
            gaps,
            rate is not None,
            self.clients,
        )
        ways = round(self.path_request_us * 1000), round(self.path_answer_us * 1000)
        return HostsPlan(workload, self.count, *ways, self.path_depth)

    def _places(self) -> AnyPlaces:
        """Where requests go."""
        match self.places:
            case "sequential":
                return Sequential()
            case "hot":
                return HotSpot(0.1, 0.9)
            case "zipf":
                return Zipf(0.99)
        return Anywhere()


class ShadowCopiesTable(msgspec.Struct, frozen=True, kw_only=True):
    """``[shadow_copies]``."""

    at_start: int = 1
    every_seconds: Number = 0
    keep: int = 1

    def __post_init__(self) -> None:
        _check("at_start", self.at_start, 1, 32)
        _check("every_seconds", self.every_seconds, 0, 1e9)
        _check("keep", self.keep, 1, 32)


class TimeTable(msgspec.Struct, frozen=True, kw_only=True):
    """``[time]``: simulated, not that of a clock."""

    warm_up_seconds: Number = 0.5
    measured_seconds: Number = 2

    def __post_init__(self) -> None:
        _check("warm_up_seconds", self.warm_up_seconds, 0, 1e9)
        _check("measured_seconds", self.measured_seconds, 1e-6, 1e9)


class _Document(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    story: str
    parameters: dict[str, Number] = {}
    store: StoreTable = StoreTable()
    device: DeviceTable = DeviceTable()
    active: HostsTable = HostsTable()
    passives: HostsTable = HostsTable(count=4, clients=1)
    shadow_copies: ShadowCopiesTable = ShadowCopiesTable()
    time: TimeTable = TimeTable()


class SimulationScenario:
    """A simulation file that was read; a plan for each choice of its parameters."""

    def __init__(self, tables: Mapping[str, Any]) -> None:
        self._tables = tables
        document = self._document({})
        self.name = document.name
        self.story = " ".join(document.story.split())
        self.parameters: Mapping[str, Number] = document.parameters

    def plan(self, changed: Mapping[str, Number] | None = None) -> SimulationPlan:
        """What is simulated, with the parameters of the file but for those that are changed.

        Raises:
            SimulationError: there is no such parameter, or its value does not fit where it stands.
        """
        changed = changed or {}
        for name in changed:
            if name not in self.parameters:
                known = ", ".join(self.parameters) or "none"
                raise SimulationError(
                    f"simulation {self.name!r} has no parameter {name!r}; its parameters: {known}"
                )
        document = self._document(changed)
        try:
            geometry = document.store.geometry()
            latency = find_model(document.device.latency)
        except (GeometryMismatch, ModelError) as error:
            raise SimulationError(str(error)) from None
        device, copies, time = document.device, document.shadow_copies, document.time
        urgency = reads_first if device.order == "reads-first" else None
        plan = DevicePlan(latency, device.servers, urgency, device.queue_depth, device.exclusive_flush)
        passives = document.passives
        return SimulationPlan(
            geometry,
            (plan,) * len(geometry.devices),
            document.active.plan(document.active.read_share),
            (passives.plan(1.0),) if passives.count else (),
            ShadowCopyPlan(copies.at_start, round(copies.every_seconds * SECOND_NS), copies.keep),
            round(time.warm_up_seconds * SECOND_NS),
            round(time.measured_seconds * SECOND_NS),
        )

    def _document(self, changed: Mapping[str, Number]) -> _Document:
        problems: list[str] = []
        tables = dict(self._tables)
        parameters = tables.get("parameters", {})
        if isinstance(parameters, dict):
            tables = {
                key: value
                if key == "parameters"
                else _filled(value, {**parameters, **changed}, key, problems)
                for key, value in tables.items()
            }
        document = read_table(tables, _Document, "", problems)
        if document is None or problems:
            raise SimulationError("; ".join(problems))
        if document.active.count != 1:
            raise SimulationError("active.count: there is one active, and no other number of them")
        return document


def read_simulation(text: str) -> SimulationScenario:
    """The simulation that a TOML text describes.

    Raises:
        SimulationError: says everything that is wrong, and where.
    """
    try:
        tables = parse_toml(text)
    except ValueError as error:
        raise SimulationError(str(error)) from None
    scenario = SimulationScenario(tables)
    scenario.plan()
    return scenario


def _filled(value: Any, parameters: Mapping[str, Any], where: str, problems: list[str]) -> Any:
    """A value of the file with the parameters in their places."""
    if isinstance(value, dict):
        return {key: _filled(item, parameters, f"{where}.{key}", problems) for key, item in value.items()}
    if isinstance(value, str) and value.startswith("$"):
        name = value[1:]
        if name not in parameters:
            problems.append(f"{where}: there is no parameter {name!r}: add it to parameters")
            return 1
        return parameters[name]
    return value
