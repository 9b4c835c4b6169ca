"""What is to be explained of a schedule, and how its steps are found that have to do with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shadowshare.protocol.geometry import VOLUME_DEVICE, Geometry
from shadowshare.protocol.layout import Block, Copied, Created, Deleted, Record, ShadowCopyId, decode_block
from shadowshare.protocol.operations import Access, Read, Write
from shadowshare.sim.stepped.world import SteppedWorld
from shadowshare.verify.counterexamples.happens_before import Order
from shadowshare.verify.counterexamples.moments import Moment
from shadowshare.verify.result import Violation
from shadowshare.verify.rules.evidence import Evidence
from shadowshare.verify.story.holdings import Holding


@dataclass(frozen=True, slots=True)
class Case:
    """What is to be explained.

    Attributes:
        geometry: of the store.
        names: of the hosts.
        order: the steps, and what happened before what.
        initial: what the journal says before the first step.
        violation: what is violated.
        violated_at: number of the step; None if the end is what is wrong.
        evidence: of a wrong sector; None if it is about something else.
        holding: the wrong sector as the reader had it in hand; None if nobody had.
    """

    geometry: Geometry
    names: Sequence[str]
    order: Order
    initial: tuple[Record, ...]
    violation: Violation
    violated_at: int | None
    evidence: Evidence | None
    holding: Holding | None

    @property
    def moments(self) -> Sequence[Moment]:
        """The steps."""
        return self.order.moments

    def numbered(self) -> Iterator[tuple[int, Moment]]:
        """The steps with their numbers."""
        return enumerate(self.moments, start=1)

    def who(self, number: int) -> str:
        """The host of a step."""
        host = self.moments[number - 1].host
        return "" if host is None else self.names[host]


def where_read(case: Case, holding: Holding) -> tuple[int, int]:
    """Device and sector from which a wrong sector was read."""
    if holding.place == "volume":
        return VOLUME_DEVICE, holding.sector
    slot = int(holding.place.removeprefix("slot "))
    within = holding.sector % case.geometry.extent_sectors
    return case.geometry.area_device, case.geometry.slot_sector(slot) + within


def has_effect(moment: Moment) -> bool:
    """Whether an operation took effect with a step."""
    return moment.effect is not None and not moment.waits


def changes_of(case: Case, device: int, first: int, end: int) -> Iterator[int]:
    """The steps that changed some of the sectors from ``first`` up to ``end`` of a device."""
    for number, moment in case.numbered():
        operation = moment.operation
        if (
            operation is not None
            and has_effect(moment)
            and operation.access is Access.WRITE
            and operation.device == device
            and operation.sector < end
            and first < operation.sector + operation.sector_count
        ):
            yield number


def last_change(case: Case, device: int, sector: int, before: int) -> int | None:
    """The last step before another one that changed a sector."""
    return max(
        (number for number in changes_of(case, device, sector, sector + 1) if number < before), default=None
    )


def changes_of_extent(case: Case, extent: int) -> list[int]:
    """The steps that changed an extent of the volume."""
    first, sector_count = case.geometry.extent_span(extent)
    return list(changes_of(case, VOLUME_DEVICE, first, first + sector_count))


def records(case: Case) -> Iterator[tuple[int, Record]]:
    """What the journal says: first what it said before, with number 0, then what each step wrote, with its number."""
    yield from ((0, record) for record in case.initial)
    for number, moment in case.numbered():
        operation = moment.operation
        if (
            isinstance(operation, Write)
            and has_effect(moment)
            and operation.device == case.geometry.area_device
            and operation.sector in case.geometry.journal_sectors
        ):
            block = decode_block(case.geometry, operation.sector, operation.data)
            for record in block.records if isinstance(block, Block) else ():
                yield number, record


def initial_records(geometry: Geometry, world: SteppedWorld) -> Iterator[Record]:
    """What the journal on the disks says, block by block."""
    sectors = world.disks[geometry.area_device].sectors
    for sector in geometry.journal_sectors:
        block = decode_block(geometry, sector, sectors[sector])
        yield from block.records if isinstance(block, Block) else ()


def copies_of(case: Case, extent: int, shadow_copy: ShadowCopyId, slot: int | None = None) -> list[int]:
    """The steps at which the journal came to say that an extent was copied, for a shadow copy or a later one.

    0 stands for before the first step. With a slot: copied to that one.
    """
    return [
        number
        for number, record in records(case)
        if isinstance(record, Copied)
        and record.shadow_copy >= shadow_copy
        and 0 <= extent - record.extent < record.extent_count
        and slot in (None, record.slot + extent - record.extent)
    ]


def deletion_of(case: Case, shadow_copy: ShadowCopyId, before: int) -> int | None:
    """The step before another one at which the journal came to say that a shadow copy is no more."""
    return next(
        (
            number
            for number, record in records(case)
            if number < before and isinstance(record, Deleted) and record.shadow_copy == shadow_copy
        ),
        None,
    )


def creation_of(case: Case) -> int | None:
    """The step at which the shadow copy that was read came to be; None if it was there before."""
    shadow_copy = None if case.evidence is None else case.evidence.shadow_copy
    return next(
        (
            number
            for number, record in records(case)
            if number and isinstance(record, Created) and record.shadow_copy == shadow_copy
        ),
        None,
    )


def written_by(case: Case, number: int, sector: int) -> bytes:
    """What a step wrote into a sector; zeroes if it wrote no data."""
    operation, size = case.moments[number - 1].operation, case.geometry.sector_bytes
    if not isinstance(operation, Write):
        return bytes(size)
    start = (sector - operation.sector) * size
    return bytes(operation.data[start : start + size])


def looks_of(case: Case, reader: str, until: int) -> list[int]:
    """The steps up to one at which a host read the journal."""
    return [
        number
        for number, moment in case.numbered()
        if number <= until
        and case.who(number) == reader
        and isinstance(moment.operation, Read)
        and has_effect(moment)
        and moment.operation.device == case.geometry.area_device
        and moment.operation.sector in case.geometry.journal_sectors
    ]


def end_of_block(case: Case, number: int, before: int) -> tuple[int, str] | None:
    """How a journal block that a step wrote went away again before another step: at which one, and why."""
    operation = case.moments[number - 1].operation
    assert operation is not None
    place = (operation.device, operation.sector)
    for later in changes_of(case, *place, operation.sector + 1):
        if number < later < before:
            return later, "was overwritten"
    for later, moment in case.numbered():
        survivor = moment.survivor
        if (
            number < later <= before
            and survivor is not None
            and survivor[:2] == place
            and not survivor.number
        ):
            return later, "was lost in the power loss"
    return None
