"""A scenario: what computers do to one store at the same time, as a TOML file that a person can read.

``docs/scenarios.md`` explains every field. `load_scenario` reads a file, and refuses it with all that is wrong in it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec

from shadowshare.models.steps import ScriptStep, StepError, parse_step
from shadowshare.protocol.errors import GeometryMismatch, ShadowshareError
from shadowshare.protocol.geometry import Geometry
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.sim.memory_disk import Misbehaviour

ACTIVE = "active"
PASSIVE = "passive"
RECOVERS = "recovers"
STORE_ID = b"shadowshare-lab!"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_HOST = re.compile(r"[A-Z][a-z]*")
_RESERVED = ("Crash", "Power", "Keep", "Late")


class ScenarioError(ShadowshareError):
    """A scenario file cannot be used."""


class StoreShape(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The store, kept as small as the race allows.

    Attributes:
        extents: extents in the volume.
        extent_sectors: sectors of 512 bytes in an extent.
        slots: slots in the differential area.
        half_blocks: journal blocks in one half.
        own_device: whether the differential area is on a device of its own.
    """

    extents: int = 2
    extent_sectors: int = 1
    slots: int = 4
    half_blocks: int = 16
    own_device: bool = False


class Faults(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What may happen besides the operations taking effect, at any step.

    Attributes:
        crashes: how many times the active host may crash, power losses included.
        power_losses: how many of these are power losses of the disks, which crash the active host too.
        tears: whether operations on several sectors take effect sector by sector, in any order.
        write_errors: how many writes may report an error, whether they landed or not.
        read_errors: how many reads may report an error.
        allowed_errors: names of error classes with which a step may end.
    """

    crashes: int = 0
    power_losses: int = 0
    tears: bool = False
    write_errors: int = 0
    read_errors: int = 0
    allowed_errors: tuple[str, ...] = ()


class DiskSwitches(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Assumptions of the disk contract to break, for negative tests; see `Misbehaviour`."""

    flush_does_nothing: bool = False
    fence_is_ignored: bool = False
    reads_are_cached: bool = False


class Document(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A scenario file as it is written; `Scenario` is what it means."""

    name: str
    story: str
    race: dict[str, list[str | list[str]]]
    expected: Literal["verified", "violated"] = "verified"
    hosts: dict[str, str] = msgspec.field(default_factory=lambda: {"W": ACTIVE, "R": PASSIVE})
    before: list[str] = []
    store: StoreShape = StoreShape()
    faults: Faults = Faults()
    disk: DiskSwitches = DiskSwitches()
    catch_up_blocks: int = 2


class HostPlan(msgspec.Struct, frozen=True):
    """One computer of a scenario.

    Attributes:
        name: capital letter, perhaps more letters.
        role: ``active`` or ``passive``.
        recovers: name of the host whose crash starts this one; empty if it is there from the start.
        scripts: of its tasks: first the steps before the race, one task each, then those of the race.
        before_count: how many of the scripts belong before the race.
    """

    name: str
    role: str
    recovers: str
    scripts: tuple[tuple[ScriptStep, ...], ...]
    before_count: int


class Scenario(msgspec.Struct, frozen=True):
    """A race, ready to be run.

    Attributes:
        name: lower case with hyphens.
        story: what happens, in two sentences.
        expected: the verdict that it must have.
        geometry: of its store.
        hosts: the computers.
        before: which host does its next task before the race, in order.
        shadow_copies: the ids that names stand for.
        faults: what else may happen.
        misbehaviour: what the disks do wrong.
        catch_up_blocks: journal blocks per catch-up read.
    """

    name: str
    story: str
    expected: str
    geometry: Geometry
    hosts: tuple[HostPlan, ...]
    before: tuple[str, ...]
    shadow_copies: dict[str, ShadowCopyId]
    faults: Faults
    misbehaviour: Misbehaviour
    catch_up_blocks: int

    def host_number(self, name: str) -> int:
        """Position of a host in ``hosts``."""
        return [host.name for host in self.hosts].index(name)


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file.

    Raises:
        ScenarioError: it cannot be read, or says something that cannot be; the message names file and place.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ScenarioError(f"{path}: the scenario file cannot be read: {reason}") from None
    try:
        return parse_scenario(text)
    except ScenarioError as error:
        raise ScenarioError(f"{path}: {error}") from None


def parse_scenario(text: str) -> Scenario:
    """The scenario that a TOML text describes.

    Raises:
        ScenarioError: says what is wrong and where.
    """
    try:
        document = msgspec.convert(tomllib.loads(text), Document)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"this is not TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise ScenarioError(f"{str(error).replace('`$.', '`').replace('`$`', 'the file')}") from None
    return _Meaning(document).scenario()


class _Meaning:
    """Checks a document and works out what it means; collects everything that is wrong."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[str] = []
        self.geometry = self._geometry()

    def scenario(self) -> Scenario:
        document = self.document
        self._check_heading()
        self._check_numbers()
        hosts = (
            tuple(self._host(name, role) for name, role in document.hosts.items()) if self.geometry else ()
        )
        before = tuple(line.partition(":")[0].strip() for line in document.before)
        shadow_copies = self._shadow_copies(hosts)
        self._check_faults(hosts)
        if self.problems or self.geometry is None:
            raise ScenarioError("; ".join(dict.fromkeys(self.problems)))
        return Scenario(
            document.name,
            " ".join(document.story.split()),
            document.expected,
            self.geometry,
            hosts,
            before,
            shadow_copies,
            document.faults,
            Misbehaviour(
                document.disk.flush_does_nothing,
                document.disk.fence_is_ignored,
                document.disk.reads_are_cached,
            ),
            document.catch_up_blocks,
        )

    def _geometry(self) -> Geometry | None:
        shape = self.document.store
        volume = shape.extents * shape.extent_sectors
        area = 2 + 2 * shape.half_blocks + shape.slots * shape.extent_sectors
        device, sector = (1, 0) if shape.own_device else (0, volume)
        if volume > 4096 or area > 65536:
            self.problems.append("store: at most 4096 sectors of volume and 65536 of differential area")
            return None
        try:
            return Geometry(
                STORE_ID,
                512,
                shape.extent_sectors,
                volume,
                device,
                sector,
                area,
                shape.half_blocks,
                shape.slots,
            )
        except GeometryMismatch as error:
            self.problems.append(f"store: {error}")
            return None

    def _check_heading(self) -> None:
        if not _NAME.fullmatch(self.document.name):
            self.problems.append(
                f"name: {self.document.name!r} must be lower-case letters, digits and hyphens"
            )
        if not self.document.story.strip():
            self.problems.append("story: say in two sentences what happens")
        for name in self.document.hosts:
            if not _HOST.fullmatch(name) or name in _RESERVED:
                self.problems.append(
                    f"hosts: {name!r} must be a capital letter, perhaps followed by small ones"
                )

    def _check_numbers(self) -> None:
        if not 2 <= self.document.catch_up_blocks <= 1024:
            self.problems.append(f"catch_up_blocks: {self.document.catch_up_blocks} must be from 2 to 1024")
        for field in ("crashes", "power_losses", "write_errors", "read_errors"):
            if not 0 <= getattr(self.document.faults, field) <= 100:
                self.problems.append(f"faults.{field}: must be from 0 to 100")
        if self.document.faults.power_losses > self.document.faults.crashes:
            self.problems.append(
                "faults.power_losses: a power loss is a crash too; crashes must be as many or more"
            )

    def _host(self, name: str, role_text: str) -> HostPlan:
        role, recovers = self._role(name, role_text)
        before = [
            text.strip()
            for line in self.document.before
            for host, _, text in [line.partition(":")]
            if host.strip() == name
        ]
        race = self.document.race.get(name, [])
        if recovers and before:
            self.problems.append(f"before: {name} is there only once {recovers} crashed")
        if any(isinstance(item, list) for item in race):
            tasks = [item if isinstance(item, list) else [item] for item in race]
        else:
            tasks = [[item for item in race if isinstance(item, str)]] if race else []
        scripts = [[text] for text in before] + tasks
        parsed = [tuple(self._step(name, role, text) for text in script) for script in scripts]
        before_count = len(before)
        activate = (ScriptStep("become the active", "activate", "", ()),)
        if recovers:
            parsed = [(*activate, *(parsed[0] if parsed else ()))]
            if len(tasks) > 1:
                self.problems.append(f"race.{name}: a host that recovers has one task, not a list of lists")
        elif role == ACTIVE:
            parsed = [activate, *parsed]
            before_count += 1
        return HostPlan(name, role, recovers, tuple(parsed), before_count)

    def _role(self, name: str, text: str) -> tuple[str, str]:
        if text in (ACTIVE, PASSIVE):
            return text, ""
        word, _, other = text.partition(" ")
        if word == RECOVERS and other in self.document.hosts and other != name:
            return ACTIVE, other
        self.problems.append(
            f"hosts.{name}: {text!r} must be 'active', 'passive', or 'recovers HOST' with a host that exists"
        )
        return PASSIVE, ""

    def _step(self, host: str, role: str, text: str) -> ScriptStep:
        assert self.geometry is not None
        try:
            return parse_step(text, role, self.geometry)
        except StepError as error:
            self.problems.append(f"{host}: {error}")
            return ScriptStep(text, "", "", ())

    def _shadow_copies(self, hosts: tuple[HostPlan, ...]) -> dict[str, ShadowCopyId]:
        """The ids that creations will get: the epoch of their host, and their number in its script."""
        ids: dict[str, ShadowCopyId] = {}
        for host in hosts:
            creators = [
                script
                for script in host.scripts[host.before_count :]
                if any(s.verb == "create" for s in script)
            ]
            if len(creators) > 1:
                self.problems.append(
                    f"race.{host.name}: only one task of a host may create, so that ids are known"
                )
            created = [step.name for script in host.scripts for step in script if step.verb == "create"]
            for number, name in enumerate(created, start=1):
                if name in ids:
                    self.problems.append(f"{host.name}: shadow copy {name!r} is created twice")
                ids[name] = ShadowCopyId(self._epoch(host, hosts), number)
        for host in hosts:
            for step in [step for script in host.scripts for step in script]:
                if step.name and step.name not in ids:
                    self.problems.append(f"{host.name}: step {step.text!r}: nobody creates {step.name!r}")
        return ids

    def _epoch(self, host: HostPlan, hosts: tuple[HostPlan, ...]) -> int:
        by_name = {other.name: other for other in hosts}
        epoch = 1
        while host.recovers in by_name and epoch <= len(hosts):
            host = by_name[host.recovers]
            epoch += 1
        return epoch

    def _check_faults(self, hosts: tuple[HostPlan, ...]) -> None:
        """Every name in the file must be a host's, one host is active, and a crash needs a host that recovers."""
        document = self.document
        for name in document.race:
            if name not in document.hosts:
                self.problems.append(f"race.{name}: there is no host {name!r} in hosts")
        for line in document.before:
            host = line.partition(":")[0].strip()
            if ":" not in line or host not in document.hosts:
                self.problems.append(
                    f"before: {line!r} must read 'HOST: step' with one of {', '.join(document.hosts)}"
                )
        actives = [host for host in hosts if host.role == ACTIVE and not host.recovers]
        if hosts and len(actives) != 1:
            self.problems.append(f"hosts: exactly one must be 'active'; {len(actives)} are")
        recovered = [host.recovers for host in hosts if host.recovers]
        if len(set(recovered)) != len(recovered):
            self.problems.append("hosts: two hosts recover the same one")
        if document.faults.crashes > len(recovered):
            self.problems.append(
                f"faults.crashes: {document.faults.crashes} need as many hosts that 'recovers HOST'"
            )


def edit(scenario: Scenario, **changes: Any) -> Scenario:
    """A copy of a scenario with some attributes changed."""
    replaced: Callable[..., Scenario] = msgspec.structs.replace
    return replaced(scenario, **changes)
