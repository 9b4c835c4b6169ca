"""Writes a journal straight onto a memory disk, as any active might have, and keeps the view that it means."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from typing import Any, NamedTuple, TypeVar

from shadowshare.protocol.geometry import Geometry
from shadowshare.protocol.layout import (
    Block,
    Checkpoint,
    Copied,
    Created,
    Invalidated,
    Record,
    Seal,
    Takeover,
    checksum_of,
    decode_block,
    encode_block,
)
from shadowshare.protocol.operations import Operation
from shadowshare.protocol.view import View
from shadowshare.sim.disks.memory_disk import MemoryDisk
from shadowshare.sim.inline import perform_inline

_T = TypeVar("_T")


class Place(NamedTuple):
    """The last block: what the next one has to follow."""

    epoch: int
    generation: int
    sequence: int
    position: int
    checksum: bytes


class JournalWriter:
    """The writing side, which can also do what no active should.

    Args:
        geometry: of the store on ``disk``, which was just formatted.
        disk: gets the blocks, each in one write of a sector.
    """

    def __init__(self, geometry: Geometry, disk: MemoryDisk) -> None:
        self.geometry = geometry
        self.disk = disk
        self.view = View(geometry.extent_count, geometry.slot_count)
        head = decode_block(geometry, geometry.block_sector(1, 0), disk.sectors[geometry.block_sector(1, 0)])
        assert isinstance(head, Block)
        self.last = Place(head.epoch, 1, head.sequence, 0, head.checksum)

    def sector(self, position: int) -> int:
        """Where a block of the current generation lies."""
        return self.geometry.block_sector(self.last.generation, position)

    def put(self, position: int, *records: Record, **changes: Any) -> Place:
        """Write a block that follows the last one, but for ``changes``, at a position of its half."""
        last = self.last
        place = last._replace(sequence=last.sequence + 1, position=position)._replace(
            **{name: value for name, value in changes.items() if name in Place._fields}
        )
        sector = self.geometry.block_sector(place.generation, position)
        previous = changes.get("previous", last.checksum)
        fields = (place.epoch, place.generation, place.sequence, previous, records)
        raw = encode_block(self.geometry, sector, *fields)
        self.write(sector, raw)
        return place._replace(checksum=checksum_of(raw[:-8]))

    def write(self, sector: int, raw: bytes) -> None:
        """Every block comes through here; the view is already what the journal means with it."""
        self.disk.sectors[sector] = raw

    def append(self, *records: Record, **changes: Any) -> int:
        """Append a block and take it in; returns its sector."""
        for record in records:
            self.view.apply(record)
        self.last = self.put(self.last.position + 1, *records, **changes)
        return self.sector(self.last.position)

    def take_over(self) -> int:
        """Append TAKEOVER with the next epoch."""
        return self.append(Takeover(), epoch=self.last.epoch + 1)

    def checkpoint(self, records_per_part: int = 3) -> list[Place]:
        """Write the checkpoint of the next generation; nothing leads to it yet."""
        groups = list(in_groups(list(records_of(self.view)), records_per_part))
        before, parts = self.last, []
        for number, group in enumerate(groups, 1):
            head = Checkpoint(number, len(groups))
            self.last = self.put(number - 1, head, *group, generation=before.generation + 1)
            parts.append(self.last)
        self.last = before
        return parts

    def seal(self, parts: list[Place], **changes: Any) -> Place:
        """Append the SEAL that leads to a checkpoint, and go on behind it; returns the place of the SEAL."""
        record = Seal(parts[-1].generation, len(parts), parts[-1].checksum)
        self.append(record, **changes)
        seal = self.last
        self.last = parts[-1]._replace(epoch=max(seal.epoch, parts[-1].epoch))
        return seal

    def turn_over(self, records_per_part: int = 3) -> Place:
        """Checkpoint and SEAL."""
        return self.seal(self.checkpoint(records_per_part))

    @property
    def blocks_left(self) -> int:
        """Room behind the last block."""
        return self.geometry.half_block_count - self.last.position - 1


def records_of(view: View) -> Iterable[Record]:
    """Records that rebuild a view."""
    valid = [copy for copy in view.shadow_copies if copy.is_valid]
    invalid = [copy for copy in view.shadow_copies if not copy.is_valid]
    for copy in invalid:
        yield Created(copy.id, copy.created_ns)
    if invalid:
        yield Invalidated()
    for copy in valid:
        yield Created(copy.id, copy.created_ns)
        for extent, slot in sorted(copy.table.items()):
            yield Copied(copy.id, extent, slot, 1)


def in_groups(records: list[Record], size: int) -> Iterable[list[Record]]:
    """At least one group."""
    for start in range(0, max(1, len(records)), size):
        yield records[start : start + size]


def perform_with(
    coroutine: Coroutine[Any, Any, _T], disk: MemoryDisk, happen: dict[int, Any], limit: int = 200
) -> _T:
    """Run a coroutine; before its n-th operation (from 0) ``happen[n]()`` is called. It must end within ``limit``."""
    counting = _Counting(disk, happen, limit)
    return perform_inline(coroutine, [counting])


class _Counting(MemoryDisk):
    """The same sectors as another disk, with something happening between operations."""

    def __init__(self, disk: MemoryDisk, happen: dict[int, Any], limit: int) -> None:
        super().__init__(disk.sector_bytes, [])
        self.sectors = disk.sectors
        self._happen = happen
        self._limit = limit
        self._count = 0

    def perform(self, operation: Operation, host: int, issued_at: int) -> Any:
        assert self._count < self._limit, "it does not end"
        if self._count in self._happen:
            self._happen[self._count]()
        self._count += 1
        return super().perform(operation, host, issued_at)
