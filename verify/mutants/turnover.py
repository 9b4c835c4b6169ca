"""Bugs of turning the journal over: what is written, in which order, and what recovery and readers make of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shadowshare.protocol.checkpoint import JournalBudget
from shadowshare.protocol.journal import JournalFollower, _Look
from shadowshare.protocol.journal_appender import JournalAppender
from shadowshare.protocol.layout import Block, Checkpoint, Created, Deleted, Record, decode_block
from shadowshare.protocol.operations import Buffer, Flush, Read, WriteZeroes
from shadowshare.protocol.passive import Passive
from shadowshare.protocol.turnover import Part, Turnover
from shadowshare.protocol.view import DEFAULT_SETTINGS, View


class SealBeforeCheckpoint(Turnover):
    """The SEAL does not wait until the checkpoint is durable."""

    async def _write_checkpoint(self, parts: Iterator[Part], part_count: int) -> Part:
        every = list(parts)
        await self._write_parts(iter(every))
        return every[-1]


class NoFlushAfterSeal(Turnover):
    """The journal goes on in the other half before its SEAL is durable."""

    async def _seal(self, last: Part, part_count: int) -> None:
        flush, self._appender._flush = self._appender._flush, self._do_not_flush  # type: ignore[method-assign]
        await super()._seal(last, part_count)
        self._appender._flush = flush  # type: ignore[method-assign]

    async def _do_not_flush(self) -> None:
        return


class NoSeal(Turnover):
    """The journal goes on in the other half, and nothing leads there."""

    async def _seal(self, last: Part, part_count: int) -> None:
        follower, epoch = self._appender.follower, self._appender.epoch
        follower.cursor = follower.cursor._replace(epoch=epoch)
        follower.go_on_behind(last.block, last.raw, part_count - 1)


class ErasesTheHalf(Turnover):
    """The half is erased before it is used again."""

    async def _write_checkpoint(self, parts: Iterator[Part], part_count: int) -> Part:
        every = list(parts)
        block_count = self._geometry.half_block_count
        await WriteZeroes(self._geometry.area_device, every[0].sector, block_count)
        await Flush(self._geometry.area_device)
        return await super()._write_checkpoint(iter(every), part_count)


class UsesHalfInDoubt(Turnover):
    """A half is used again while a failed write may still land in it."""

    def _refuse_in_doubt(self, generation: int) -> None:
        return


class LeavesTheSealOut(Turnover):
    """Recovery goes on behind a checkpoint whose SEAL is missing."""

    async def finish(self) -> None:
        return


class CheckpointOfTheNewest(Turnover):
    """A checkpoint has the copies of the newest shadow copy only."""

    async def run(self) -> None:
        copies = self._appender.follower.view.shadow_copies
        tables = [copy.table for copy in copies]
        for copy in copies[:-1]:
            copy.table = type(copy.table)(self._geometry.extent_count)
        try:
            await super().run()
        finally:
            for copy, table in zip(copies, tables, strict=True):
                copy.table = table


class BudgetForDeletions(JournalBudget):
    """Counts a deletion as if it added something."""

    def has_room(self, view: View, records: Iterable[Record]) -> bool:
        return super().has_room(view, [_as_addition(record) for record in records])


def _as_addition(record: Record) -> Record:
    return Created(record.shadow_copy, 0) if isinstance(record, Deleted) else record


class DeletionNeedsRoom(JournalAppender):
    """A deletion is refused when the journal is full, as if it added something."""

    budget_class = BudgetForDeletions


class BudgetOfCopies(JournalBudget):
    """Takes every copy for a record of its own."""

    def has_room(self, view: View, records: Iterable[Record]) -> bool:
        additions = [record for record in records if not isinstance(record, Deleted)]
        most = view.copied_extent_count() + len(view.shadow_copies) + len(additions)
        return not additions or most <= self.record_count_maximum


class CountsCopiesOneByOne(JournalAppender):
    """A write is refused for want of room in the journal, since copies side by side are not counted as one record."""

    budget_class = BudgetOfCopies


class CheckpointWithoutPolicy(Turnover):
    """A checkpoint does not say what the policy is."""

    async def run(self) -> None:
        view = self._appender.follower.view
        settings, view.settings = view.settings, DEFAULT_SETTINGS
        try:
            await super().run()
        finally:
            view.settings = settings


class NoReservedBlocks(JournalAppender):
    """The last blocks of a half are used like the others."""

    async def append(self, records: Iterable[Record]) -> list[int]:
        if self.blocks_left:
            return await self.put(tuple(records))
        return await super().append(records)


class TakesHigherForTheEnd(JournalFollower):
    """Takes a block of a higher generation for the end, too."""

    def _examine(self, first: int, block_count: int, data: Buffer) -> _Look:
        was_there = self._is_last_applied(data[: self.geometry.sector_bytes])
        look = super()._examine(first, block_count, data)
        return _Look.END if was_there and look is _Look.RELOAD else look


class HigherGenerationIsTheEnd(Passive):
    """A block of another generation is the end of the journal, also if the generation is higher."""

    follower_class = TakesHigherForTheEnd


class FollowsBlindly(JournalFollower):
    """Goes on behind whatever stands where a SEAL leads."""

    async def _follow_seal(self) -> _Look:
        seal = self._seal
        assert seal is not None
        sector = self.geometry.block_sector(seal.generation, seal.part_count - 1)
        raw = bytes(await Read(self.geometry.area_device, sector, 1))
        block = decode_block(self.geometry, sector, raw)
        if not isinstance(block, Block):
            return _Look.RELOAD
        self.go_on_behind(block, raw, seal.part_count - 1)
        return _Look.MORE


class SealFollowedBlindly(Passive):
    """What a SEAL leads to is not compared with what it names."""

    follower_class = FollowsBlindly


class StopsAtTheSeal(JournalFollower):
    """Does not follow a SEAL."""

    def _examine(self, first: int, block_count: int, data: Buffer) -> _Look:
        look = super()._examine(first, block_count, data)
        return _Look.END if look is _Look.SEALED else look


class SealIsTheEnd(Passive):
    """A passive stays in the half that it is in."""

    follower_class = StopsAtTheSeal


class TakesAnyPart(JournalFollower):
    """Takes a part of any checkpoint that has the right number."""

    def _is_part(self, block: Block, head: Block, position: int, previous: bytes) -> bool:
        first = block.records[0]
        return isinstance(first, Checkpoint) and first.part == position + 1


class PartsNotChained(Passive):
    """Parts of a checkpoint count as one that do not belong together."""

    follower_class = TakesAnyPart
