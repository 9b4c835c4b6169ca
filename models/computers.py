"""Computers that carry out scripts: the active writer, the passive reader.

Each runs the protocol's own code, of which an `Implementation` names the classes: other ones can be put in their place.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, NamedTuple

from shadowshare.models import observations as seen
from shadowshare.models.observations import (
    Activated,
    ChangeBegan,
    ChangeEnded,
    ChangesAsked,
    ChangesTold,
    CreationBegan,
    CreationEnded,
    DeletionBegan,
    DeletionEnded,
    FlushBegan,
    FlushEnded,
    GrowthBegan,
    GrowthEnded,
    ListAsked,
    Listed,
    LiveRead,
    Observation,
    PolicyBegan,
    PolicyEnded,
    ReadBegan,
    ReadEnded,
    RevertBegan,
    RevertEnded,
    StepFailed,
)
from shadowshare.models.patterns import sector_content
from shadowshare.models.remembered import remembered
from shadowshare.models.steps import ScriptStep, SectorRange
from shadowshare.protocol.active import Active
from shadowshare.protocol.errors import ShadowshareError
from shadowshare.protocol.geometry import Geometry, Location
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.protocol.marks import Mark
from shadowshare.protocol.operations import Buffer
from shadowshare.protocol.passive import ByteRange, Passive
from shadowshare.protocol.recovery import Recovery
from shadowshare.sim.host import Computer, TaskFunction

CREATED_NS = 0x0123_4567_89AB_CDEF
"""The time of every creation: as many bytes as it may have, no two of them equal."""

ACTIVATE = ScriptStep("become the active", "activate", "", ())
Script = Sequence[ScriptStep]

_MARKS = [*Mark]
ACTIVE_MARKS = frozenset(_MARKS[_MARKS.index(Mark.WRITE_HELD_BY_CREATION) :]) - {Mark.SECOND_SUPERBLOCK_USED}
"""The rare paths of the active and of recovery: they come behind those of whoever reads the journal."""

PASSIVE_MARKS = frozenset(Mark) - ACTIVE_MARKS
"""The rare paths of whoever reads the journal: passives above all."""


@dataclass(frozen=True, slots=True)
class Implementation:
    """The protocol code under test.

    Attributes:
        recovery: makes the active: an instance has ``run(location)``.
        passive: makes a passive: has ``open(location, window_block_count)``.
        own_marks: rare paths of code that is not the protocol's, which a gate must reach, too.
    """

    recovery: type[Recovery] = Recovery
    passive: type[Passive] = Passive
    own_marks: frozenset[Enum] = frozenset()

    @property
    def marks(self) -> frozenset[Enum]:
        """The rare paths that this code has: its own, and those of the protocol's code that it is, or is made from."""
        marks = set(self.own_marks)
        if issubclass(self.passive, Passive):
            marks |= PASSIVE_MARKS
        if issubclass(self.recovery, Recovery):
            marks |= ACTIVE_MARKS
        return frozenset(marks)


@dataclass(frozen=True, slots=True)
class Setting:
    """What all computers of a scenario share.

    Attributes:
        geometry: of the store.
        location: where they find it.
        shadow_copies: the ids that the scripts' names stand for.
        window_block_count: journal blocks per catch-up read.
    """

    geometry: Geometry
    location: Location
    shadow_copies: Mapping[str, ShadowCopyId]
    window_block_count: int


class ScriptedComputer:
    """Runs scripts, each a task; reports what they ask for and get.

    With ``notes_rest`` it also says when the host is at rest between steps, for explorers that merge states.
    """

    def __init__(self, name: str, setting: Setting, scripts: Sequence[Script]) -> None:
        self.notes_rest = False
        self.name = name
        self.setting = setting
        self.reports: list[Any] = []
        self._positions = [0] * len(scripts)
        self._is_within = [False] * len(scripts)
        self._boundary: Hashable | None = None
        self._scripts = scripts

    def computer(self) -> Computer:
        """What a host runs."""
        tasks = [self._task_function(number) for number in range(len(self._scripts))]
        return Computer(tasks, self.reports, self._take_boundary, self)

    def _task_function(self, number: int) -> TaskFunction:
        def task() -> Coroutine[Any, Any, None]:
            return self._run(number)

        return task

    async def _run(self, number: int) -> None:
        """Carry out one script; a step that fails is reported, and the next one follows."""
        for position, step in enumerate(self._scripts[number]):
            key = step_key(self.name, number, position)
            self._is_within[number] = True
            try:
                await self.carry_out(step, key)
            except ShadowshareError as error:
                copies = self.setting.shadow_copies
                self.report(StepFailed(key, step, copies.get(step.name), error, copies.get(step.target)))
            self._is_within[number] = False
            self._positions[number] = position + 1
            if self.notes_rest and not any(self._is_within):
                self._boundary = (tuple(self._positions), self.digest())

    def _take_boundary(self) -> Hashable | None:
        boundary, self._boundary = self._boundary, None
        return boundary

    def report(self, observation: Observation) -> None:
        """Tell the observer."""
        self.reports.append(observation)

    def current_step(self, number: int) -> ScriptStep | None:
        """The step that a task is carrying out; None if it has none, before its first and behind its last one."""
        return self._scripts[number][self._positions[number]] if self._is_within[number] else None

    @property
    def protocol(self) -> Active | Passive | None:
        """The protocol's object that carries out the steps; None before the computer knows the store."""
        raise NotImplementedError

    async def carry_out(self, step: ScriptStep, key: str) -> None:
        """Do one step."""
        raise NotImplementedError

    def digest(self) -> Hashable:
        """The computer's state between two steps."""
        raise NotImplementedError

    def span(self, place: SectorRange) -> tuple[int, int]:
        """Offset and length of a place, in bytes."""
        return place.span(self.setting.geometry.sector_bytes)

    def contents(self, place: SectorRange, data: Buffer) -> tuple[seen.Piece, ...]:
        """What was read at ``place``, sector by sector."""
        size = self.setting.geometry.sector_bytes
        return seen.pieces_of(*place.span(size), size, bytes(data))


class ActiveComputer(ScriptedComputer):
    """The active: its first step is to become so."""

    def __init__(
        self, name: str, setting: Setting, scripts: Sequence[Script], implementation: Implementation
    ) -> None:
        super().__init__(name, setting, scripts)
        self._recovery = implementation.recovery()
        self._active: Active | None = None

    @property
    def protocol(self) -> Active | None:
        """The active."""
        return self._active

    def digest(self) -> Hashable:
        """The protocol object's digest, and all that it remembers besides."""
        return None if self._active is None else (self._active.digest(), remembered(self._active))

    async def carry_out(self, step: ScriptStep, key: str) -> None:
        """Do one step."""
        if step.verb == "activate":
            self._active = await self._recovery.run(self.setting.location, self.setting.window_block_count)
            self.report(Activated())
            return
        active = self._active
        if active is None:
            return
        match step.verb:
            case "create":
                self.report(CreationBegan(key))
                self.report(CreationEnded(key, await active.create(CREATED_NS)))
            case "delete":
                shadow_copy = self.setting.shadow_copies[step.name]
                self.report(DeletionBegan(key, shadow_copy))
                await active.delete(shadow_copy)
                self.report(DeletionEnded(key, shadow_copy))
            case "revert":
                shadow_copy = self.setting.shadow_copies[step.name]
                self.report(RevertBegan(key, shadow_copy))
                await active.revert(shadow_copy)
                self.report(RevertEnded(key, shadow_copy))
            case "grow":
                self.report(GrowthBegan(key))
                await active.grow(self.setting.geometry.with_slots(step.slot_count).area_sector_count)
                self.report(GrowthEnded(key, step.slot_count))
            case "policy":
                assert step.policy is not None
                self.report(PolicyBegan(key))
                await active.set_policy(active.view.settings._replace(policy=step.policy))
                self.report(PolicyEnded(key, step.policy))
            case "flush":
                self.report(FlushBegan(key))
                await active.flush()
                self.report(FlushEnded(key))
            case "verify":
                place = step.places[0]
                data = await active.read(*self.span(place))
                self.report(LiveRead(self.contents(place, data)))
            case _:
                await self._change(active, step, key)

    async def _change(self, active: Active, step: ScriptStep, key: str) -> None:
        change = _prepare_change(self.name, step, key, self.setting.geometry.sector_bytes)
        self.report(change.began)
        if step.verb == "write":
            await active.write(change.offset, change.data)
        elif step.verb == "zero":
            await active.write_zeroes(change.offset, len(change.data))
        else:
            await active.discard(change.offset, len(change.data))
        self.report(change.ended)


class _PreparedChange(NamedTuple):
    offset: int
    data: bytes
    began: ChangeBegan
    ended: ChangeEnded


@lru_cache(maxsize=16384)
def _prepare_change(host: str, step: ScriptStep, key: str, sector_bytes: int) -> _PreparedChange:
    """What a step of a script writes; the same at each run of the scenario."""
    place = step.places[0]
    sectors = range(place.sector, place.sector + place.sector_count)
    if step.verb == "write":
        origin = f"{host} {step.text!r} ({key})"
        contents = [sector_content(origin, sector, sector_bytes) for sector in sectors]
    else:
        contents = [bytes(sector_bytes)] * len(sectors)
    began = ChangeBegan(key, tuple(zip(sectors, contents, strict=True)))
    return _PreparedChange(place.sector * sector_bytes, b"".join(contents), began, ChangeEnded(key))


@lru_cache(maxsize=16384)
def step_key(host: str, number: int, position: int) -> str:
    """Names one step of one run: host, task, and step from 1."""
    return f"{host}{number}.{position + 1}"


class PassiveComputer(ScriptedComputer):
    """A passive reader."""

    def __init__(
        self, name: str, setting: Setting, scripts: Sequence[Script], implementation: Implementation
    ) -> None:
        super().__init__(name, setting, scripts)
        self._open: Callable[..., Coroutine[Any, Any, Passive]] = implementation.passive.open
        self._passive: Passive | None = None

    @property
    def protocol(self) -> Passive | None:
        """The passive."""
        return self._passive

    def digest(self) -> Hashable:
        """The protocol object's digest, and all that it remembers besides."""
        return None if self._passive is None else (self._passive.digest(), remembered(self._passive))

    async def carry_out(self, step: ScriptStep, key: str) -> None:
        """Do one step."""
        if step.verb == "open":
            self._passive = await self._open(self.setting.location, self.setting.window_block_count)
            return
        passive = self._passive
        if passive is None:
            return
        if step.verb == "catch-up":
            await passive.catch_up()
        elif step.verb == "list":
            await self._list(passive, key)
        elif step.verb == "changed":
            await self._ask_for_changes(passive, step, key)
        else:
            await self._read(passive, step, key)

    async def _list(self, passive: Passive, key: str) -> None:
        self.report(ListAsked(key))
        found = await passive.shadow_copies()
        self.report(Listed(key, tuple([(one.id, one.created_ns, one.is_valid) for one in found])))

    async def _read(self, passive: Passive, step: ScriptStep, key: str) -> None:
        shadow_copy = self.setting.shadow_copies[step.name]
        self.report(ReadBegan(key, shadow_copy))
        ranges = [ByteRange(*self.span(place)) for place in step.places]
        buffers = await passive.read_many(shadow_copy, ranges)
        contents = [self.contents(place, data) for place, data in zip(step.places, buffers, strict=True)]
        self.report(ReadEnded(key, shadow_copy, contents[0] if len(contents) == 1 else sum(contents, ())))

    async def _ask_for_changes(self, passive: Passive, step: ScriptStep, key: str) -> None:
        base = self.setting.shadow_copies[step.name]
        target = self.setting.shadow_copies[step.target] if step.target else None
        self.report(ChangesAsked(key, base, target))
        runs = await passive.changed(base, target)
        extents = frozenset(extent for first, count in runs for extent in range(first, first + count))
        self.report(ChangesTold(key, base, target, extents))
