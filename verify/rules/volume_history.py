"""What each sector of the live volume may hold, from the writes that were requested and acknowledged.

A write is *superseded* once another write of the same sector, begun after the first was acknowledged, is acknowledged
itself. A sector holds one of the writes that are not superseded; after a power loss, one of those that were not
superseded by a write acknowledged before a completed flush was requested. Which one it is nobody knows then, so none of
these supersedes another one later on; nor does a write that was never acknowledged, because its host crashed.

A revert is a write of many sectors of which a crash leaves all or nothing, for whoever looks at the volume afterwards.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from shadowshare.models.observations import Piece
from shadowshare.verify.rules.evidence import Evidence


class Entry(NamedTuple):
    """One write of one sector."""

    key: str
    content: bytes
    has_ended: bool
    supersedes: frozenset[str]
    """Writes of the sector that were acknowledged before this one began."""


class VolumeHistory:
    """Candidates for the content of each sector.

    Args:
        initial: the content of every sector of the volume before anything was written.
        can_lose_power: whether to keep, too, what a power loss may bring back.
    """

    __slots__ = ("_can_lose_power", "_durable", "_flushing", "_initial", "_reverts", "_sectors", "_visible")

    def __init__(self, initial: Sequence[bytes], can_lose_power: bool = True) -> None:
        self._initial = initial
        self._can_lose_power = can_lose_power
        self._visible: dict[int, tuple[Entry, ...]] = {}
        self._durable: dict[int, tuple[Entry, ...]] = {}
        self._flushing: dict[str, frozenset[str]] = {}
        self._sectors: dict[str, list[int]] = {}
        """Of each write that was requested and not acknowledged."""
        self._reverts: dict[str, bool] = {}
        """Of each revert that was requested and not acknowledged: whether its host can go on with it no more."""

    def change_began(self, key: str, sectors: tuple[tuple[int, bytes], ...]) -> None:
        """A write of ``sectors`` was requested."""
        self._sectors[key] = [sector for sector, _ in sectors]
        for sector, content in sectors:
            for history in (self._visible, self._durable) if self._can_lose_power else (self._visible,):
                earlier = history.get(sector) or (Entry("", self._initial[sector], True, frozenset()),)
                ended = frozenset([entry.key for entry in earlier if entry.has_ended])
                history[sector] = (*earlier, Entry(key, content, False, ended))

    def revert_began(self, key: str, sectors: tuple[tuple[int, bytes], ...]) -> None:
        """A revert was requested, which writes ``sectors``: all of them, or none."""
        self.change_began(key, sectors)
        self._reverts = {**self._reverts, key: False}

    def revert_ended(self, key: str) -> None:
        """It was acknowledged, and is durable with all that was acknowledged before it was requested."""
        self._reverts = {other: is_over for other, is_over in self._reverts.items() if other != key}
        self.change_ended(key)
        self.flush_began(key)
        self.flush_ended(key)

    def change_ended(self, key: str) -> None:
        """It was acknowledged."""
        for sector in self._sectors.pop(key):
            self._visible[sector] = _acknowledged(self._visible[sector], key)
            if self._can_lose_power:
                self._durable[sector] = _ended(self._durable[sector], {key})

    def failed(self, key: str) -> None:
        """A write or a revert was given up, and nothing of it is in flight.

        A write that was refused is not there. A revert may be, whole: what begins from now on supersedes it.
        """
        is_revert = key in self._reverts
        for sector in self._sectors.pop(key, ()):
            for history in (self._visible, self._durable):
                kept = [entry for entry in history.get(sector, ()) if is_revert or entry.key != key]
                history[sector] = tuple([_in_doubt(entry) if entry.key == key else entry for entry in kept])

    def flush_began(self, key: str) -> None:
        """A flush was requested: it covers what is acknowledged by now."""
        ended = (entry.key for entries in self._durable.values() for entry in entries if entry.has_ended)
        self._flushing = {**self._flushing, key: frozenset(ended)}

    def flush_ended(self, key: str) -> None:
        """It was acknowledged."""
        flushing = dict(self._flushing)
        covered = flushing.pop(key)
        self._flushing = flushing
        for sector, entries in self._durable.items():
            superseded = frozenset[str]().union(
                *(entry.supersedes for entry in entries if entry.key in covered)
            )
            self._durable[sector] = tuple([entry for entry in entries if entry.key not in superseded])

    def settle_unacknowledged(self) -> None:
        """The hosts that wrote before are fenced: nothing of theirs that is in flight will land any more."""
        for history in (self._visible, self._durable):
            for sector, entries in history.items():
                history[sector] = tuple([entry if entry.has_ended else _in_doubt(entry) for entry in entries])
        self._reverts = dict.fromkeys(self._reverts, True)

    def lost_power(self) -> None:
        """What was not flushed may be gone."""
        for sector, entries in self._durable.items():
            self._durable[sector] = tuple(
                [_in_doubt(entry) if entry.has_ended else entry for entry in entries]
            )
        self._visible = dict(self._durable)

    def find_wrong(self, pieces: Sequence[Piece], at_once: bool = False) -> Evidence | None:
        """The first piece that is nowhere in what its sector may hold, and this; None if all are right.

        Args:
            pieces: what was read.
            at_once: whether all of it was so at one instant, so that no revert under way may be there in part.
        """
        for sector, content, start in pieces:
            end = start + len(content)
            if sector >= len(self._initial):
                return Evidence(sector, content, (), None)
            entries = self._visible.get(sector)
            if entries is None:
                if content != self._initial[sector][start:end]:
                    return Evidence(sector, content, (self._initial[sector],), None)
            elif all(entry.content[start:end] != content for entry in entries):
                return Evidence(sector, content, tuple([entry.content for entry in entries]), None)
        for key, is_over in self._reverts.items():
            if (is_over or at_once) and (wrong := self._in_part(key, pieces)) is not None:
                return wrong
        return None

    def _in_part(self, key: str, pieces: Sequence[Piece]) -> Evidence | None:
        """A piece that a revert put back, where another one is what was before it; None if there are no two such."""
        is_before, back = False, None
        for sector, content, start in pieces:
            entries = self._visible.get(sector, ())
            position = next((index for index, entry in enumerate(entries) if entry.key == key), None)
            if position is not None:
                contents = [entry.content for entry in entries]
                others = contents[:position] + contents[position + 1 :]
                span = slice(start, start + len(content))
                if content not in [other[span] for other in others]:
                    back = Evidence(sector, content, tuple(others), None)
                is_before = is_before or content not in [other[span] for other in contents[position:]]
        return back if is_before else None

    def fork(self) -> VolumeHistory:
        """An independent copy."""
        copy = VolumeHistory(self._initial, self._can_lose_power)
        copy._visible = dict(self._visible)
        copy._durable = dict(self._durable)
        copy._flushing = self._flushing
        copy._sectors = dict(self._sectors)
        copy._reverts = self._reverts
        return copy

    def key(self) -> Hashable:
        """Equal for two histories exactly if they will judge alike."""
        return (
            tuple(sorted(self._visible.items())),
            tuple(sorted(self._durable.items())),
            tuple(sorted(self._flushing.items(), key=lambda item: item[0])),
            tuple(self._reverts.items()),
        )


def _acknowledged(entries: tuple[Entry, ...], key: str) -> tuple[Entry, ...]:
    """The entries after one was acknowledged: without those that it supersedes.

    It may be gone itself: a host that was relieved can hear late that its revert has ended, when others have written.
    """
    superseded = next((entry.supersedes for entry in entries if entry.key == key), frozenset[str]())
    return tuple(
        [
            Entry(key, entry.content, True, entry.supersedes) if entry.key == key else entry
            for entry in entries
            if entry.key not in superseded
        ]
    )


def _in_doubt(entry: Entry) -> Entry:
    """A write that is over, and of which nobody knows whether it is there: it supersedes nothing."""
    return entry._replace(has_ended=True, supersedes=frozenset())


def _ended(entries: tuple[Entry, ...], keys: set[str]) -> tuple[Entry, ...]:
    return tuple([entry._replace(has_ended=True) if entry.key in keys else entry for entry in entries])
