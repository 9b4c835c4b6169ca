"""How many states a race has, by a rough estimate: tasks that go on at the same time multiply.

A task of n operations can be at n + 1 points; an operation that tears is at a point more for each set of its sectors.
What a host that takes over does comes after each point of the one before it, so it multiplies, too; so does what may
fail. That some states are equal is not taken into account.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod
from typing import NamedTuple

from shadowshare.scenarios.definition import StoreShape
from shadowshare.verify.generated.steps import ReadWish, Wish

_OPERATIONS = {"create": 4, "delete": 2, "policy": 2, "grow": 6, "flush": 1}
_CHANGE = 6
_REVERT = 4
_TAKE_OVER = 8
_FAULT_WEIGHT = 3
"""How many times as many states there are with a fault more."""


class Sizes(NamedTuple):
    """Points of what is done, about.

    Attributes:
        shape: of the store.
        catch_up_blocks: journal blocks of one catch-up read.
        tears: whether operations on several sectors tear.
    """

    shape: StoreShape
    catch_up_blocks: int
    tears: bool

    def state_count(
        self,
        actives: Mapping[int, Iterable[Wish]],
        take_over_count: int,
        passives: Iterable[Mapping[int, Iterable[ReadWish]]],
        fault_count: int,
    ) -> int:
        """About how many states a race has.

        Args:
            actives: what each task of an active does.
            take_over_count: hosts that become the active in the race.
            passives: of each, what each of its tasks does; they are explored one at a time.
            fault_count: how many faults of the devices there may be.
        """
        points = prod(1 + sum(map(self.of_active, wishes)) for wishes in actives.values())
        take_over = (_TAKE_OVER + self._catch_up) ** take_over_count
        most = max(
            prod(1 + sum(map(self.of_passive, wishes)) for wishes in tasks.values()) for tasks in passives
        )
        return int(points * take_over * most * _FAULT_WEIGHT**fault_count)

    def of_active(self, wish: Wish) -> int:
        """Points of a step of an active."""
        if wish.verb in _OPERATIONS:
            return _OPERATIONS[wish.verb]
        extent_count = self.shape.extents if wish.verb == "revert" else len(wish.place.extents)
        transfer = self._pieces(self.shape.extent_sectors * extent_count)
        if wish.verb == "verify":
            return transfer
        return (_REVERT if wish.verb == "revert" else 0) + _CHANGE + extent_count - 1 + 2 * (transfer - 1)

    def of_passive(self, wish: ReadWish) -> int:
        """Points of a step of a passive."""
        if wish.verb != "read":
            return 1 + self._catch_up
        extent_count = sum(len(place.extents) for place in wish.places)
        return 2 * self._catch_up + self._pieces(self.shape.extent_sectors * extent_count)

    @property
    def _catch_up(self) -> int:
        return self._pieces(self.catch_up_blocks)

    def _pieces(self, sector_count: int) -> int:
        return 2 ** min(sector_count, 6) - 1 if self.tears and sector_count else 1
