"""What each sector of the live volume may hold, from the writes that were requested and acknowledged.

A write is *superseded* once another write of the same sector, begun after the first was acknowledged, is acknowledged
itself. A sector holds one of the writes that are not superseded; after a power loss, one of those that were not
superseded by a write acknowledged before a completed flush was requested.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple


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
    """

    __slots__ = ("_durable", "_flushing", "_initial", "_visible")

    def __init__(self, initial: Sequence[bytes]) -> None:
        self._initial = initial
        self._visible: dict[int, tuple[Entry, ...]] = {}
        self._durable: dict[int, tuple[Entry, ...]] = {}
        self._flushing: dict[str, frozenset[str]] = {}

    def change_began(self, key: str, sectors: tuple[tuple[int, bytes], ...]) -> None:
        """A write of ``sectors`` was requested."""
        for sector, content in sectors:
            earlier = self._durable.get(sector) or (Entry("", self._initial[sector], True, frozenset()),)
            entry = Entry(key, content, False, frozenset(entry.key for entry in earlier if entry.has_ended))
            self._visible[sector] = (*self._visible.get(sector, earlier), entry)
            self._durable[sector] = (*earlier, entry)

    def change_ended(self, key: str) -> None:
        """It was acknowledged."""
        for sector, entries in self._visible.items():
            written = next((entry for entry in entries if entry.key == key), None)
            if written is not None:
                self._visible[sector] = _without(_ended(entries, {key}), written.supersedes)
        for sector, entries in self._durable.items():
            self._durable[sector] = _ended(entries, {key})

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
            superseded = frozenset[str]().union(*(entry.supersedes for entry in entries if entry.key in covered))
            self._durable[sector] = _without(entries, superseded)

    def settle_unacknowledged(self) -> None:
        """The hosts that wrote before are fenced: nothing of theirs that is in flight will land any more."""
        for history in (self._visible, self._durable):
            for sector, entries in history.items():
                history[sector] = _ended(entries, {entry.key for entry in entries})

    def lost_power(self) -> None:
        """What was not flushed may be gone."""
        self._visible = dict(self._durable)

    def find_wrong(self, sectors: Mapping[int, bytes]) -> tuple[int, list[bytes]] | None:
        """The first sector whose content it cannot hold, and what it must hold; None if all are right."""
        for sector, content in sectors.items():
            entries = self._visible.get(sector)
            if entries is None:
                if content != self._initial[sector]:
                    return sector, [self._initial[sector]]
            elif all(entry.content != content for entry in entries):
                return sector, [entry.content for entry in entries]
        return None

    def fork(self) -> VolumeHistory:
        """An independent copy."""
        copy = VolumeHistory(self._initial)
        copy._visible = dict(self._visible)
        copy._durable = dict(self._durable)
        copy._flushing = self._flushing
        return copy

    def key(self) -> Hashable:
        """Equal for two histories exactly if they will judge alike."""
        return (
            tuple(sorted(self._visible.items())),
            tuple(sorted(self._durable.items())),
            tuple(sorted(self._flushing.items(), key=lambda item: item[0])),
        )


def _ended(entries: tuple[Entry, ...], keys: set[str]) -> tuple[Entry, ...]:
    return tuple([entry._replace(has_ended=True) if entry.key in keys else entry for entry in entries])


def _without(entries: tuple[Entry, ...], keys: frozenset[str]) -> tuple[Entry, ...]:
    return tuple([entry for entry in entries if entry.key not in keys])
