"""A schedule, replayed on the running protocol code and put into words: who did what to which extent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from shadowshare.models import observations as seen
from shadowshare.models.computers import Implementation
from shadowshare.models.patterns import origin_of
from shadowshare.protocol.geometry import VOLUME_DEVICE, Geometry
from shadowshare.protocol.layout import Block, NoBlock, Record, decode_block
from shadowshare.protocol.operations import Operation, Read, Write
from shadowshare.scenarios.definition import PASSIVE, Scenario
from shadowshare.scenarios.staging import live_hosts, stage
from shadowshare.sim.schedule import Schedule, ScheduleError
from shadowshare.sim.stepped.flight import Step
from shadowshare.sim.stepped.world import SteppedWorld
from shadowshare.verify.oracle import Oracle
from shadowshare.verify.race import without_hosts
from shadowshare.verify.result import Violation


class Row(NamedTuple):
    """One step in words.

    Attributes:
        number: from 1.
        label: in the schedule.
        host: who; empty for an event of the disks.
        action: what happened.
        result: what came of it.
    """

    number: int
    label: str
    host: str
    action: str
    result: str


@dataclass(frozen=True, slots=True)
class Replay:
    """A schedule that was run.

    Attributes:
        scenario: its name.
        schedule: as a string.
        hosts: names, in order.
        rows: the steps in words.
        violation: what went wrong, if something did.
        is_over: whether nothing was in flight any more at the end.
    """

    scenario: str
    schedule: str
    hosts: tuple[str, ...]
    rows: tuple[Row, ...]
    violation: Violation | None
    is_over: bool


def run_schedule(
    scenario: Scenario, labels: Sequence[str], implementation: Implementation | None = None
) -> tuple[SteppedWorld, list[Step]]:
    """Run a schedule on live hosts, and audit the disks if nothing is in flight at its end.

    Passives that take no step in it are left out: they would only stay in flight.

    Returns:
        The world at the end, whose watcher is an `Oracle`, and the trace.

    Raises:
        ScheduleError: a label does not fit, with its position.
    """
    actors = {label.partition(".")[0].rstrip("0123456789!~") for label in labels}
    idle = {plan.name for plan in scenario.hosts if plan.role == PASSIVE and plan.name not in actors}
    try:
        return _run(without_hosts(scenario, idle), labels, implementation or Implementation())
    except ScheduleError:
        if idle:  # what could happen instead may be a step of one that was left out
            _run(scenario, labels, implementation or Implementation())
        raise


def _run(
    scenario: Scenario, labels: Sequence[str], implementation: Implementation
) -> tuple[SteppedWorld, list[Step]]:
    oracle = Oracle(scenario)
    world = stage(scenario, live_hosts(scenario, implementation), oracle)
    trace: list[Step] = []
    world.trace = trace
    for number, label in enumerate(labels, start=1):
        try:
            world.take_label(label)
        except ScheduleError as error:
            raise ScheduleError(
                f"step {number} of the schedule does not fit scenario {scenario.name!r}: {error}"
            ) from None
    if world.is_over:
        oracle.audit(world.shared, world.is_stuck)
    return world, trace


def replay(scenario: Scenario, labels: Sequence[str], implementation: Implementation | None = None) -> Replay:
    """Run a schedule and put it into words.

    Raises:
        ScheduleError: it does not fit the scenario.
    """
    world, trace = run_schedule(scenario, labels, implementation)
    oracle = world.watcher
    assert isinstance(oracle, Oracle)
    names = world.rules.names
    rows = [_row(number, step, names, scenario.geometry) for number, step in enumerate(trace, start=1)]
    schedule = str(Schedule(scenario.name, tuple(labels)))
    return Replay(scenario.name, schedule, names, tuple(rows), oracle.violation, world.is_over)


def _row(number: int, step: Step, names: tuple[str, ...], geometry: Geometry) -> Row:
    host = "" if step.host is None else names[step.host]
    if step.operation is None:
        return Row(number, step.label, host, _event(step.label), "")
    action = describe(step.operation, geometry)
    if step.label.startswith("late."):
        return Row(number, step.label, host, f"late: {action}", "lands after the crash")
    results = [text for text in (_answer(step, geometry), *map(_report, step.reports)) if text]
    return Row(number, step.label, host, action, "; ".join(results))


def _event(label: str) -> str:
    kind, _, what = label.partition(".")
    if kind == "crash":
        return f"{what} crashes"
    if kind == "power":
        return "the disks lose power, the active host crashes"
    return f"of the next unflushed sector, content {what} survives (0 is the oldest)"


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


def _blocks(operation: Operation, geometry: Geometry) -> str:
    half, position = divmod(operation.sector - geometry.journal_sectors.start, geometry.half_block_count)
    where = " of half 1" if half else ""
    if isinstance(operation, Write):
        block = decode_block(geometry, operation.sector, operation.data)
        if isinstance(block, Block):
            return f"journal block {position}{where}: {', '.join(map(describe_record, block.records))}"
    last = position + operation.sector_count - 1
    blocks = f"block {position}" if last == position else f"blocks {position} to {last}"
    return f"journal {blocks}{where}"


def describe_record(record: Record) -> str:
    """A journal record in words."""
    kind = type(record).__name__.upper()
    fields = record._asdict()
    shadow_copy = fields.pop("shadow_copy", None)
    if kind == "COPIED":
        last = "" if fields["extent_count"] == 1 else f" (and {fields['extent_count'] - 1} more)"
        return f"COPIED {shadow_copy} extent {fields['extent']} -> slot {fields['slot']}{last}"
    return kind if shadow_copy is None else f"{kind} {shadow_copy}"


def _answer(step: Step, geometry: Geometry) -> str:
    answer, operation = step.answer, step.operation
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


def _report(report: object) -> str:
    match report:
        case seen.ReadEnded(shadow_copy=shadow_copy):
            origins = dict.fromkeys(origin_of(raw) for _, raw in report.sectors)
            return f"READ of {shadow_copy} RETURNS {', '.join(origins)}"
        case seen.ReadBegan(shadow_copy=shadow_copy):
            return f"begins to read {shadow_copy}"
        case seen.ChangeEnded():
            return "write acknowledged"
        case seen.CreationEnded(shadow_copy=shadow_copy):
            return f"created {shadow_copy}"
        case seen.DeletionEnded(shadow_copy=shadow_copy):
            return f"deleted {shadow_copy}"
        case seen.Activated():
            return "is the active now"
        case seen.StepFailed(error=error, step=step):
            return f"{step.text if step else ''!r} ends with {type(error).__name__}"
        case Exception():
            return f"fails with {type(report).__name__}: {report}"
        case _:
            return ""
