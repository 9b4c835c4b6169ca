"""What a scenario file means: its store, its computers and their scripts, and the ids behind its names.

`understand` checks everything that the types cannot say, and refuses a scenario that could not be run, or would prove
nothing, with all that is wrong with it.
"""

from __future__ import annotations

import re

import msgspec

from shadowshare.models.computers import ACTIVATE
from shadowshare.models.steps import ScriptStep, StepError, parse_step
from shadowshare.models.toml_tables import shown
from shadowshare.protocol import errors
from shadowshare.protocol.geometry import HALF_BLOCK_COUNT_MINIMUM, SECTOR_BYTES, Geometry
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.protocol.marks import Mark
from shadowshare.protocol.policy import Policy
from shadowshare.scenarios.document import ACTIVE, PLACES, Document, ScenarioError, StoreShape
from shadowshare.scenarios.host_roles import SECOND_EPOCH, Role, read_roles
from shadowshare.scenarios.scenario import HostPlan, Scenario
from shadowshare.sim.disks.memory_disk import Misbehaviour
from shadowshare.sim.faults.catalogue import FAULTS

STORE_ID = b"shadowshare-lab!"
VOLUME_SECTOR_COUNT_MAXIMUM = 4096
AREA_SECTOR_COUNT_MAXIMUM = 65536
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")
_NOT_UNDERSTOOD = ScriptStep("", "", "", ())


def understand(document: Document) -> Scenario:
    """The scenario that a document describes.

    Raises:
        ScenarioError: names everything that is wrong.
    """
    return _Meaning(document).scenario()


class _Meaning:
    """Works out what a document means; collects everything that is wrong."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[str] = []
        self._check_heading()
        self._check_numbers()
        self.roles = read_roles(document.hosts, document.faults.crashes, self.problems)
        self.before = self._before()
        for name in document.race:
            if name not in document.hosts:
                self.problems.append(f"race.{shown(name)}: there is no host {name!r} in hosts")

    def scenario(self) -> Scenario:
        document = self.document
        geometry = self._geometry(document.store)
        hosts: list[HostPlan] = []
        ids: dict[str, ShadowCopyId] = {}
        if geometry is not None and all(role.kind for role in self.roles.values()):
            hosts = [self._host(name, role, geometry) for name, role in self.roles.items()]
            ids = self._shadow_copies(hosts)
            self._check_race(hosts)
            self.problems += [
                f"store.keeps: nobody creates {name!r}" for name in document.store.keeps if name not in ids
            ]
        if self.problems or geometry is None:
            raise ScenarioError("; ".join(dict.fromkeys(self.problems)))
        return Scenario(
            document.name,
            " ".join(document.story.split()),
            document.expected,
            geometry,
            Policy(document.store.policy),
            tuple(ids[name] for name in document.store.keeps),
            tuple(hosts),
            tuple(name for name, _ in self.before),
            ids,
            document.faults,
            Misbehaviour(**msgspec.structs.asdict(document.disk)),
            document.catch_up_blocks,
            document.sometimes,
        )

    # -- heading and numbers -------------------------------------------------------------------------------------

    def _check_heading(self) -> None:
        if not _NAME.fullmatch(self.document.name):
            self.problems.append(
                f"name: {self.document.name!r:.100} must be small letters, digits and hyphens, at most 100"
            )
        story = " ".join(self.document.story.split())
        if not story:
            self.problems.append("story: say in two sentences what happens")
        elif not story.isprintable():
            self.problems.append("story: must be text that can be printed, without control characters")

    def _check_numbers(self) -> None:
        document, faults = self.document, self.document.faults
        self._check_bounds("catch_up_blocks", document.catch_up_blocks, 2, 1024)
        for field in ("crashes", "power_losses", *FAULTS):
            self._check_bounds(f"faults.{field}", getattr(faults, field), 0, 100)
        if faults.power_losses > faults.crashes:
            self.problems.append(
                "faults.power_losses: a power loss is a crash too, so crashes must be as many or more"
            )
        self._check_reach()
        known = [
            name
            for name, kind in vars(errors).items()
            if isinstance(kind, type) and issubclass(kind, Exception)
        ]
        for name in document.sometimes:
            if name not in Mark.__members__:
                self.problems.append(
                    f"sometimes: there is no rare path {name!r}, but there are {', '.join(Mark.__members__)}"
                )
        for name in faults.allowed_errors:
            if name not in known:
                self.problems.append(
                    f"faults.allowed_errors: there is no error {name!r}, but there are {', '.join(known)}"
                )

    def _check_reach(self) -> None:
        """What faults may touch must be there."""
        faults = self.document.faults
        for field, names, there in (
            ("places", faults.places, PLACES),
            ("victims", faults.victims, self.document.hosts),
        ):
            for name in names:
                if name not in there:
                    self.problems.append(
                        f"faults.{field}: there is no {name!r}, but there are {', '.join(map(shown, there))}"
                    )
        if faults.power_losses and any(role.startswith("relieves") for role in self.document.hosts.values()):
            self.problems.append(
                "faults.power_losses: a host that relieves another one would have to crash with the disks, and cannot"
            )
        if faults.spares_a_copy and faults.shrunk_devices:
            self.problems.append("faults.spares_a_copy: a device that shrinks spares nothing behind its end")

    def _check_bounds(self, field: str, value: int, minimum: int, maximum: int) -> bool:
        if minimum <= value <= maximum:
            return True
        self.problems.append(f"{field}: must be from {minimum} to {maximum}")
        return False

    def _geometry(self, store: StoreShape) -> Geometry | None:
        bounds = {
            "extents": (1, VOLUME_SECTOR_COUNT_MAXIMUM),
            "extent_sectors": (1, VOLUME_SECTOR_COUNT_MAXIMUM),
            "slots": (1, AREA_SECTOR_COUNT_MAXIMUM),
            "last_extent_sectors": (0, store.extent_sectors),
            "half_blocks": (HALF_BLOCK_COUNT_MINIMUM, AREA_SECTOR_COUNT_MAXIMUM),
        }
        fits = [
            self._check_bounds(f"store.{field}", getattr(store, field), *limits)
            for field, limits in bounds.items()
        ]
        if store.sector_bytes not in SECTOR_BYTES:
            self.problems.append(f"store.sector_bytes: must be {' or '.join(map(str, SECTOR_BYTES))}")
            return None
        if not all(fits):
            return None
        volume = store.volume_sectors
        area = 2 + 2 * store.half_blocks + store.slots * store.extent_sectors
        if volume > VOLUME_SECTOR_COUNT_MAXIMUM:
            self.problems.append(
                f"store: extents times extent_sectors are {volume}, and must be {VOLUME_SECTOR_COUNT_MAXIMUM} or less"
            )
        if area > AREA_SECTOR_COUNT_MAXIMUM:
            self.problems.append(
                f"store: half_blocks and slots need {area} sectors of differential area, but there may be "
                f"{AREA_SECTOR_COUNT_MAXIMUM}"
            )
        if volume > VOLUME_SECTOR_COUNT_MAXIMUM or area > AREA_SECTOR_COUNT_MAXIMUM:
            return None
        device, sector = (1, 0) if store.own_device else (0, volume)
        return Geometry(
            STORE_ID,
            store.sector_bytes,
            store.extent_sectors,
            volume,
            device,
            sector,
            area,
            store.half_blocks,
            store.slots,
        )

    # -- scripts -------------------------------------------------------------------------------------------------

    def _before(self) -> list[tuple[str, str]]:
        """The steps before the race, each with its host."""
        steps = []
        for line in self.document.before:
            host, colon, text = line.partition(":")
            if colon and host.strip() in self.document.hosts:
                steps.append((host.strip(), text))
            else:
                hosts = ", ".join(map(shown, self.document.hosts))
                self.problems.append(
                    f"before: {line!r} must read 'HOST: step' with one of the hosts: {hosts}"
                )
        return steps

    def _host(self, name: str, role: Role, geometry: Geometry) -> HostPlan:
        before = [[text] for host, text in self.before if host == name]
        tasks = self._tasks(name)
        scripts = [
            tuple(self._step(name, role.kind, text, geometry) for text in script) for script in before + tasks
        ]
        before_count = len(before)
        if role.recovers or role.relieves:
            if before:
                when = f"once {role.recovers} crashed" if role.recovers else "in the race"
                self.problems.append(f"before: {name} is there only {when}")
            if len(tasks) > 1:
                self.problems.append(f"race.{name}: a host that takes over has one task, not a list of lists")
            scripts = [(ACTIVATE, *(scripts[0] if scripts else ()))]
        elif role.kind == ACTIVE:
            scripts = [(ACTIVATE,), *scripts]
            before_count += 1
        else:
            self._check_opened(name, scripts, before_count)
        return HostPlan(name, role.kind, role.recovers, tuple(scripts), before_count)

    def _tasks(self, name: str) -> list[list[str]]:
        """The steps of each task of a host in the race."""
        race = self.document.race.get(name, [])
        tasks = [item for item in race if isinstance(item, list)]
        steps = [item for item in race if isinstance(item, str)]
        if tasks and steps:
            self.problems.append(
                f"race.{name}: must be steps, or lists of steps with one list a task, but not both"
            )
        return tasks or ([steps] if steps else [])

    def _step(self, host: str, role: str, text: str, geometry: Geometry) -> ScriptStep:
        try:
            return parse_step(text, role, geometry)
        except StepError as error:
            self.problems.append(f"{host}: {error}")
            return _NOT_UNDERSTOOD

    def _check_opened(self, name: str, scripts: list[tuple[ScriptStep, ...]], before_count: int) -> None:
        """A passive must open the store before it does anything else with it; what it did before the race counts."""
        is_open = False
        for number, script in enumerate(scripts):
            was_open = is_open
            for step in script:
                is_open = is_open or step.verb == "open"
                if not is_open and step is not _NOT_UNDERSTOOD:
                    self.problems.append(
                        f"{name}: step {step.text!r} comes before the store is open: put '{name}: open' into before, "
                        "or 'open' in front of it"
                    )
                    return
            if number >= before_count:
                is_open = was_open

    def _check_race(self, hosts: list[HostPlan]) -> None:
        steps = [step for host in hosts for script in host.scripts[host.before_count :] for step in script]
        if hosts and not any(self.document.race.values()) and not any(step is ACTIVATE for step in steps):
            self.problems.append("race: nobody does anything: give at least one host a step")

    # -- names ---------------------------------------------------------------------------------------------------

    def _shadow_copies(self, hosts: list[HostPlan]) -> dict[str, ShadowCopyId]:
        """The ids that creations will get: the epoch of their host, and their number in its script."""
        ids: dict[str, ShadowCopyId] = {}
        for host in hosts:
            creators = [
                script
                for script in host.scripts[host.before_count :]
                if any(step.verb == "create" for step in script)
            ]
            if len(creators) > 1:
                self.problems.append(
                    f"race.{host.name}: only one task of a host may create, so that ids are known"
                )
            created = [step.name for script in host.scripts for step in script if step.verb == "create"]
            if created and self.roles[host.name].epoch > SECOND_EPOCH:
                self.problems.append(
                    f"race.{host.name}: a host that takes over after or beside another one must not create: the id "
                    "would depend on when that one did"
                )
            for number, name in enumerate(created, start=1):
                if name in ids:
                    self.problems.append(f"{host.name}: shadow copy {name!r} is created twice")
                ids[name] = ShadowCopyId(self.roles[host.name].epoch, number)
        for host in hosts:
            for step in [step for script in host.scripts for step in script]:
                self.problems += [
                    f"{host.name}: step {step.text!r}: nobody creates {name!r}"
                    for name in (step.name, step.target)
                    if name and name not in ids
                ]
        return ids
