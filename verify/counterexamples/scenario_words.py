"""A scenario as something that can be replayed, and the words for what its computers do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from shadowshare.models import observations as seen
from shadowshare.models.computers import Implementation
from shadowshare.models.patterns import origin_of
from shadowshare.protocol.geometry import VOLUME_DEVICE, Geometry
from shadowshare.protocol.layout import Block, Copied, NoBlock, Record, ShadowCopyId, decode_block
from shadowshare.protocol.operations import Operation, Read, Write
from shadowshare.scenarios.definition import PASSIVE, Scenario
from shadowshare.scenarios.staging import live_hosts, stage
from shadowshare.sim.schedule import split_mark
from shadowshare.sim.stepped.world import SteppedWorld
from shadowshare.verify.counterexamples.subject import Concern, Place
from shadowshare.verify.exploration.liveness import violation_of_way
from shadowshare.verify.race import Race, without_hosts
from shadowshare.verify.result import Violation
from shadowshare.verify.rules.oracle import Oracle


def without_idle(scenario: Scenario, labels: Sequence[str]) -> Scenario:
    """The scenario without the passives that take no step in a schedule; all of it if there is no step.

    What is wrong then is wrong before the race, and that may be with any of them.
    """
    if not labels:
        return scenario
    actors = {split_mark(label)[0].partition(".")[0].rstrip("0123456789") for label in labels}
    idle = {plan.name for plan in scenario.hosts if plan.role == PASSIVE and plan.name not in actors}
    return without_hosts(scenario, idle) if idle else scenario


class ScenarioSubject:
    """A scenario, watched by the oracle.

    Args:
        scenario: what happens.
        implementation: the protocol code under test.
    """

    def __init__(self, scenario: Scenario, implementation: Implementation) -> None:
        self.scenario = scenario
        self._implementation = implementation
        self._geometry = scenario.grown

    @property
    def name(self) -> str:
        """As it stands in schedules."""
        return self.scenario.name

    @property
    def title(self) -> str:
        """As it stands in messages."""
        return f"scenario {self.scenario.name!r}"

    def world(self) -> SteppedWorld:
        """A world of running code at the start; all hosts are in it."""
        return stage(self.scenario, live_hosts(self.scenario, self._implementation), Oracle(self.scenario))

    def violation(self, world: SteppedWorld) -> Violation | None:
        """What the oracle has seen, or sees when it audits an end."""
        oracle = world.watcher
        assert isinstance(oracle, Oracle)
        if world.is_over:
            oracle.audit(world.shared, world.is_stuck)
        return oracle.violation

    def violation_of_way(self, labels: Sequence[str]) -> Violation | None:
        """What the schedule shows by not ending."""
        return violation_of_way(Race(self.scenario, self._implementation).product, labels)

    def hosts(self, labels: Sequence[str]) -> tuple[str, ...]:
        """All of them."""
        return tuple(plan.name for plan in self.scenario.hosts)

    # -- words ---------------------------------------------------------------------------------------------------

    def place(self, device: int, sector: int) -> Place:
        """What a sector is called."""
        geometry = self._geometry
        if device == VOLUME_DEVICE and sector < geometry.volume_sector_count:
            return Place("volume", f"extent {sector // geometry.extent_sectors} of the volume")
        if device == geometry.area_device:
            if sector in geometry.superblock_sectors:
                return Place("superblock", "a superblock")
            if sector in geometry.journal_sectors:
                return Place("journal", f"journal {_block_name(sector, geometry)}")
            slot = (sector - geometry.slot_sector(0)) // geometry.extent_sectors
            if 0 <= slot < geometry.slot_count:
                return slot_place(slot)
        return Place(f"device {device}", f"sector {sector} of device {device}")

    def action(self, operation: Operation) -> str:
        """An operation in words."""
        return describe(operation, self._geometry)

    def answer(self, operation: Operation, answer: Any) -> str:
        """What an operation got: who wrote what was read, or what the journal says."""
        return _answer(operation, answer, self._geometry)

    def report(self, report: Any) -> str:
        """What a computer reports."""
        return _report(report)

    def power_loss(self) -> str:
        """What a power loss does."""
        if self.scenario.misbehaviour.power_loss_is_silent:
            return "the disks lose power, and tell nobody"
        return "the disks lose power, the active host crashes"

    # -- what a violation is about -------------------------------------------------------------------------------

    def concern(
        self, violation: Violation, world: SteppedWorld, accesses: Sequence[tuple[str, Operation]]
    ) -> Concern:
        """The extent that is violated, the slots to which it was copied, and the journal; or everything."""
        if violation.extent is None:
            return lambda place: True
        places = {Place("volume", f"extent {violation.extent} of the volume")}
        places.update(slot_place(slot) for slot in self._slots_of(violation.extent, world, accesses))
        return lambda place: place.region == "journal" or place in places

    def _slots_of(
        self, extent: int, world: SteppedWorld, accesses: Sequence[tuple[str, Operation]]
    ) -> Iterator[int]:
        """The slots that a journal block names for an extent: one that was there, or was written."""
        geometry, area = self._geometry, self._geometry.area_device
        raws = [(sector, world.disks[area].sectors[sector]) for sector in geometry.journal_sectors]
        raws += [
            (operation.sector, operation.data)
            for _, operation in accesses
            if isinstance(operation, Write)
            and operation.device == area
            and operation.sector in geometry.journal_sectors
        ]
        for sector, raw in raws:
            block = decode_block(geometry, sector, raw)
            for record in block.records if isinstance(block, Block) else ():
                if isinstance(record, Copied) and 0 <= extent - record.extent < record.extent_count:
                    yield record.slot + extent - record.extent


def slot_place(slot: int) -> Place:
    """What a slot is called."""
    return Place("slots", f"slot {slot}")


# -- operations in words -----------------------------------------------------------------------------------------


def describe(operation: Operation, geometry: Geometry) -> str:
    """An operation in words: ``writes slot 0``, ``reads extent 1 of the volume``."""
    if not operation.sector_count:
        return f"{operation.access.value} {'the disk' if len(geometry.devices) == 1 else _device(operation)}"
    verb = {"read": "reads", "write": "writes", "zero": "zeroes", "discard": "discards"}[operation.verb]
    return f"{verb} {_place(operation, geometry)}"


def _device(operation: Operation) -> str:
    return "the volume's disk" if operation.device == VOLUME_DEVICE else "the area's disk"


def _place(operation: Operation, geometry: Geometry) -> str:
    first, count = operation.sector, operation.sector_count
    if operation.device == VOLUME_DEVICE and first < geometry.volume_sector_count:
        return f"{_extents('extent', first, count, geometry.extent_sectors)} of the volume"
    if operation.device == geometry.area_device:
        if first in geometry.superblock_sectors:
            return "a superblock"
        if first in geometry.journal_sectors:
            return _blocks(operation, geometry)
        if first >= geometry.slot_sector(0):
            return _extents("slot", first - geometry.slot_sector(0), count, geometry.extent_sectors)
    return f"sectors {first} to {first + count - 1} of device {operation.device}"


def _extents(kind: str, first: int, count: int, extent_sectors: int) -> str:
    low, high = first // extent_sectors, (first + count - 1) // extent_sectors
    text = f"{kind} {low}" if low == high else f"{kind}s {low} to {high}"
    if first % extent_sectors or count % extent_sectors:
        return f"{text} (sectors {first} to {first + count - 1})" if count > 1 else f"{text} (sector {first})"
    return text


def _block_name(sector: int, geometry: Geometry, block_count: int = 1) -> str:
    half, position = divmod(sector - geometry.journal_sectors.start, geometry.half_block_count)
    last = position + block_count - 1
    blocks = f"block {position}" if last == position else f"blocks {position} to {last}"
    return f"{blocks}{' of half 1' if half else ''}"


def _blocks(operation: Operation, geometry: Geometry) -> str:
    if isinstance(operation, Write):
        block = decode_block(geometry, operation.sector, operation.data)
        if isinstance(block, Block):
            name = _block_name(operation.sector, geometry)
            return f"journal {name}: {', '.join(map(describe_record, block.records))}"
    return f"journal {_block_name(operation.sector, geometry, operation.sector_count)}"


def describe_record(record: Record) -> str:
    """A journal record in words."""
    kind = type(record).__name__.upper()
    fields = record._asdict()
    shadow_copy = fields.pop("shadow_copy", None)
    if kind == "COPIED":
        last = "" if fields["extent_count"] == 1 else f" (and {fields['extent_count'] - 1} more)"
        return f"COPIED {shadow_copy} extent {fields['extent']} -> slot {fields['slot']}{last}"
    if kind == "GROWN":
        return f"GROWN to {fields['slot_count']} slots"
    return kind if shadow_copy is None else f"{kind} {shadow_copy}"


def _answer(operation: Operation, answer: Any, geometry: Geometry) -> str:
    if isinstance(answer, Exception):
        return f"{type(answer).__name__}"
    if not isinstance(operation, Read) or answer is None:
        return ""
    size = geometry.sector_bytes
    sectors = [bytes(answer[start : start + size]) for start in range(0, len(answer), size)]
    if operation.device == geometry.area_device and operation.sector in geometry.journal_sectors:
        found = [decode_block(geometry, operation.sector + index, raw) for index, raw in enumerate(sectors)]
        return ", ".join(_found(block) for block in found)
    if operation.device == geometry.area_device and operation.sector in geometry.superblock_sectors:
        return ""
    return "got " + ", ".join(dict.fromkeys(origin_of(raw) for raw in sectors))


def _found(block: Block | NoBlock) -> str:
    if isinstance(block, NoBlock):
        return block.value
    return f"#{block.sequence} {'+'.join(describe_record(record) for record in block.records)}"


_DONE: dict[type, str] = {
    seen.CreationEnded: "created",
    seen.DeletionEnded: "deleted",
    seen.RevertEnded: "reverted the volume to",
}


_SAID: dict[type, str] = {
    seen.ChangeEnded: "write acknowledged",
    seen.Activated: "is the active now",
}


def _listed(shadow_copy: tuple[ShadowCopyId, int, bool]) -> str:
    identity, _, is_valid = shadow_copy
    return str(identity) if is_valid else f"{identity} without image"


def _report(report: object) -> str:
    match report:
        case seen.ReadEnded(shadow_copy=shadow_copy):
            origins = dict.fromkeys(origin_of(piece.content) for piece in report.sectors)
            return f"READ of {shadow_copy} RETURNS {', '.join(origins)}"
        case seen.ReadBegan(shadow_copy=shadow_copy):
            return f"begins to read {shadow_copy}"
        case seen.Listed(shadow_copies=shadow_copies):
            return f"LISTED: {', '.join(map(_listed, shadow_copies)) or 'nothing'}"
        case seen.ChangesTold(base=base, target=target, extents=extents):
            listed = ", ".join(map(str, sorted(extents))) or "nothing"
            return f"CHANGED between {base} and {target or 'the volume'}: {listed}"
        case seen.CreationEnded() | seen.DeletionEnded() | seen.RevertEnded():
            return f"{_DONE[type(report)]} {report.shadow_copy}"
        case seen.PolicyEnded(policy=policy):
            return f"policy is {policy.value}"
        case seen.GrowthEnded(slot_count=slot_count):
            return f"has {slot_count} slots"
        case seen.StepFailed(error=error, step=step):
            return f"{step.text if step else ''!r} ends with {type(error).__name__}"
        case Exception():
            return f"fails with {type(report).__name__}: {report}"
        case _:
            return _SAID.get(type(report), "")
