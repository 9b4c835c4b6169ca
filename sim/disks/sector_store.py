"""What every memory device has in common: sectors of any content, a volatile cache, a reservation.

Fault model. What a read returns is the *visible* content of each sector: that of the last write that took effect. The
device has a volatile cache: a sector that was written since the last flush has, besides its visible content, older
*versions* that a power loss may bring back, each sector for itself. A flush makes durable what was visible when it was
issued. A reservation refuses the writes of every host but its holder.

A power loss leaves the sectors that had versions *undecided*: any of its versions may be what survived of such a
sector, and which one is decided when somebody looks (`SectorStore.survive`), not before. A sector that nobody reads,
or that is written before anybody reads it, need never be decided.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, TypeVar

from shadowshare.protocol.operations import Operation

Version = tuple[int, Any]
"""When a content was written (the device's count of writes, 0 for what was there before), and the content."""

_Self = TypeVar("_Self", bound="SectorStore")


class Undecided(Exception):
    """A sector was read of which it is not decided what survived a power loss."""

    def __init__(self, store: SectorStore, sector: int) -> None:
        super().__init__(f"it is not decided what a power loss left in sector {sector}")
        self.store = store
        self.sector = sector


class SectorStore:
    """Sectors of any content, with a volatile cache.

    Args:
        sectors: the durable contents at the start.
        has_volatile_cache: whether unflushed writes are tracked, so that a power loss is possible.
    """

    reads_are_remembered = False
    """Whether reads change the device."""
    may_wait = False
    """Whether there are operations that wait, see `is_ready`."""

    def __init__(self, sectors: Sequence[Any], has_volatile_cache: bool = True) -> None:
        self.sectors = list(sectors)
        self.has_volatile_cache = has_volatile_cache
        self.versions: dict[int, list[Version]] = {}
        """Per sector written since its last flush: its older contents, oldest first, then the visible one.

        Those of count 0 are what may have been there before: one, or several if a power loss left it undecided."""
        self.undecided: dict[int, tuple[Any, ...]] = {}
        """Per sector that a power loss left undecided: what may have survived, oldest first."""
        self.write_count = 0
        self.reservation_holder: int | None = None

    @property
    def sector_count(self) -> int:
        """Size of the device in sectors."""
        return len(self.sectors)

    def is_fenced(self, host: int) -> bool:
        """Whether writes of ``host`` are refused."""
        return self.reservation_holder is not None and self.reservation_holder != host

    def is_ready(self, operation: Operation) -> bool:
        """Whether an operation can take effect now; one that waits for a content can not before it is there."""
        return True

    # -- writing -------------------------------------------------------------------------------------------------

    def put(self, first: int, contents: Sequence[Any]) -> None:
        """Let a write of ``contents`` from sector ``first`` on take effect."""
        self.write_count += 1
        if self.has_volatile_cache:
            for sector, content in enumerate(contents, start=first):
                if sector not in self.versions:
                    before = self.undecided.pop(sector, None) or (self.sectors[sector],)
                    self.versions[sector] = [(0, old) for old in before]
                self.versions[sector].append((self.write_count, content))
        self.sectors[first : first + len(contents)] = contents

    def flush(self, issued_at: int) -> None:
        """Make durable what was visible when `write_count` was ``issued_at``."""
        if issued_at == self.write_count:
            self.versions.clear()
            return
        for sector, versions in list(self.versions.items()):
            if versions[-1][0] <= issued_at:
                del self.versions[sector]
                continue
            # The last one covered is durable now; without one, nothing of this sector is covered.
            covered = [stamp for stamp, _ in versions if 0 < stamp <= issued_at]
            if covered:
                self.versions[sector] = [version for version in versions if version[0] >= covered[-1]]

    # -- power loss ----------------------------------------------------------------------------------------------

    def survivors(self, sector: int) -> list[Any]:
        """What a power loss now could leave in a sector that was written since the last flush, the oldest first."""
        return [content for _, content in self.versions[sector]]

    def lose_power(self) -> None:
        """Every sector written since the last flush is undecided from now on, among its `survivors`."""
        for sector in self.versions:
            contents = tuple(dict.fromkeys(self.survivors(sector)))
            if len(contents) > 1:
                self.undecided[sector] = contents
            else:
                self.sectors[sector] = contents[0]
        self.versions.clear()

    def check_decided(self, sectors: Iterable[int]) -> None:
        """See to it that none of some sectors is undecided.

        Raises:
            Undecided: one is.
        """
        sector = self.first_undecided(sectors)
        if sector is not None:
            raise Undecided(self, sector)

    def first_undecided(self, sectors: Iterable[int]) -> int | None:
        """The first of some sectors that a power loss left undecided; None if there is none."""
        if not self.undecided:
            return None
        return next((sector for sector in sectors if sector in self.undecided), None)

    def survive(self, sector: int, survivor: int) -> None:
        """Decide what a power loss left in a sector: the content of that number among those undecided."""
        self.sectors[sector] = self.undecided.pop(sector)[survivor]

    # -- states --------------------------------------------------------------------------------------------------

    def _blank(self: _Self) -> _Self:
        """A device of the same kind; what it holds is copied by `fork`."""
        raise NotImplementedError

    def fork(self: _Self) -> _Self:
        """An independent copy in the same state."""
        copy = self._blank()
        copy.sectors = list(self.sectors)
        copy.has_volatile_cache = self.has_volatile_cache
        copy.versions = {sector: list(versions) for sector, versions in self.versions.items()}
        copy.undecided = dict(self.undecided)
        copy.write_count = self.write_count
        copy.reservation_holder = self.reservation_holder
        return copy

    def key(self, flushes: Sequence[int] = ()) -> Hashable:
        """Equal for two devices only if no future operation can tell them apart.

        When a content was written matters only for which of the flushes in flight will cover it.

        Args:
            flushes: of each flush in flight: what `write_count` was when it was issued.
        """
        ends = [self._end_of(issued_at) for issued_at in flushes]
        order = sorted(set(ends))
        versions = sorted([(sector, _told_apart(found, order)) for sector, found in self.versions.items()])
        undecided = tuple(sorted(self.undecided.items()))
        visible: Any = tuple(self.sectors)
        if undecided:  # what such a sector holds is not known, whatever is left there
            visible = tuple([None if at in self.undecided else held for at, held in enumerate(self.sectors)])
        covered = tuple([order.index(end) for end in ends])
        return visible, tuple(versions), undecided, covered, self.reservation_holder

    def _end_of(self, issued_at: int) -> int:
        """The last write that a flush covers which was issued then; 0 if all that it covers is durable already."""
        stamps = [stamp for versions in self.versions.values() for stamp, _ in versions[1:]]
        return max((stamp for stamp in stamps if stamp <= issued_at), default=0)


def _told_apart(versions: Sequence[Version], ends: Sequence[int]) -> tuple[Version, ...]:
    """The contents that a sector had, each with how many of the flushes' ends were before it was written.

    The first one is durable, and so is what may have been there before: no flush makes any difference to them. Nor
    does it make one that the same content was written twice.
    """
    found: list[Version] = []
    for number, (stamp, content) in enumerate(versions):
        version = (1 + bisect_left(ends, stamp) if number and stamp else 0, content)
        if version not in found[-1:]:
            found.append(version)
    return tuple(found)


def under_every_survival(stores: Sequence[_Self], look: Callable[[Sequence[_Self]], object]) -> int:
    """Look at stores in every way in which the sectors that ``look`` reads may have survived a power loss.

    Returns:
        How many ways there are.
    """
    way_count = 0
    waiting = [list(stores)]
    while waiting:
        seen = waiting.pop()
        try:
            look(seen)
        except Undecided as undecided:
            device = next(number for number, store in enumerate(seen) if store is undecided.store)
            for survivor in range(len(seen[device].undecided[undecided.sector])):
                decided = list(seen)
                decided[device] = seen[device].fork()
                decided[device].survive(undecided.sector, survivor)
                waiting.append(decided)
        else:
            way_count += 1
    return way_count
