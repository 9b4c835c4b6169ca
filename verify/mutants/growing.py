"""Bugs of growing the differential area: what is written first, and who knows of the new slots."""

from __future__ import annotations

from collections.abc import Iterator

from shadowshare.protocol.active import Active
from shadowshare.protocol.allocator import Allocator
from shadowshare.protocol.geometry import Geometry
from shadowshare.protocol.growing import Grower
from shadowshare.protocol.journal import JournalFollower
from shadowshare.protocol.journal_appender import JournalAppender
from shadowshare.protocol.layout import Grown
from shadowshare.protocol.passive import Passive
from shadowshare.protocol.turnover import Part, Turnover
from shadowshare.protocol.view import View


class SaysItFirst(Grower):
    """The journal has new slots before the superblocks have room for them."""

    async def grow(self, geometry: Geometry) -> None:
        if geometry.slot_count_maximum > self._active.view.slot_count:
            await self._say(geometry.slot_count_maximum)
            self._use(geometry.slot_count_maximum)
        await super().grow(geometry)


class SaysItBeforeItIsDurable(Grower):
    """The superblocks of the larger area are not flushed before the journal has new slots."""

    async def _settle(self) -> None:
        return


class UsesSlotsTooEarly(Grower):
    """New slots are used before the journal has them."""

    async def grow(self, geometry: Geometry) -> None:
        slot_count = geometry.slot_count_maximum
        if slot_count > self._active.view.slot_count:
            super()._use(slot_count)
        await super().grow(geometry)

    def _use(self, slot_count: int) -> None:
        return


class SaysNothing(Grower):
    """New slots are used, and the journal never has them."""

    async def _say(self, slot_count: int) -> None:
        self._active.view.apply(Grown(slot_count))


class ForgetsNewSlots(Active):
    """A new active knows of the slots only that formatting made."""

    def __init__(self, journal: JournalAppender) -> None:
        super().__init__(journal)
        used = [slot for slot in self.view.used_slots() if slot < self.geometry.slot_count]
        self._allocator = Allocator(self.geometry.slot_count, used)


class NeverGrows(View):
    """Does not take in that there are more slots."""

    def _apply_grown(self, record: Grown) -> None:
        return


class FollowerThatNeverGrows(JournalFollower):
    """Knows only of the slots that formatting made."""

    view_class = NeverGrows


class PassiveThatNeverGrows(Passive):
    """A passive takes copies in new slots for damage."""

    follower_class = FollowerThatNeverGrows


class CheckpointWithoutNewSlots(Turnover):
    """A checkpoint does not say that the differential area has grown."""

    def _parts(self, generation: int, part_count: int) -> Iterator[Part]:
        view = self._appender.follower.view
        is_grown, view.is_grown = view.is_grown, False
        try:
            yield from super()._parts(generation, part_count)
        finally:
            view.is_grown = is_grown
