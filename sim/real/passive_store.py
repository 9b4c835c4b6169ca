"""The passive's side of a store on real devices: list, read and describe; nothing is ever written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from shadowshare.protocol.errors import Refusal, ShadowCopyNotFound
from shadowshare.protocol.geometry import VOLUME_DEVICE, Geometry
from shadowshare.protocol.layout import Settings, ShadowCopyId
from shadowshare.protocol.operations import Buffer, Read
from shadowshare.protocol.passive import ByteRange, Passive, ShadowCopyInfo
from shadowshare.sim.real.world import RealWorld

CHUNK_BYTES = 4 * 1024 * 1024
"""How much `PassiveStore.chunks` reads at once, with one catch-up each."""


class MalformedId(Refusal):
    """What should name a shadow copy does not."""


class Usage(NamedTuple):
    """How full a store is, and where its shadow copies have their copies.

    Attributes:
        used_block_count: journal blocks of the current half that are in use.
        used_slot_count: slots that hold a copy.
        slot_count: slots that there are.
        settings: what gives way when an extent cannot be copied.
        is_area_low: whether as many slots are used as users want to be warned of.
        reverting: the shadow copy to which the volume is being reverted; None if it is not.
        inherited_copy_counts: per shadow copy, oldest first, how many extents it has no copy of its own of but finds
            in a later shadow copy.
    """

    epoch: int
    generation: int
    sequence: int
    used_block_count: int
    used_slot_count: int
    slot_count: int
    settings: Settings
    is_area_low: bool
    reverting: ShadowCopyId | None
    inherited_copy_counts: Sequence[int]


class PassiveStore:
    """A store open for reading. Make one with `shadowshare.sim.real.store.Store.open_passive`."""

    def __init__(self, world: RealWorld, passive: Passive) -> None:
        self._world = world
        self.passive = passive

    @property
    def geometry(self) -> Geometry:
        """Sizes and positions."""
        return self.passive.geometry

    def shadow_copies(self) -> list[ShadowCopyInfo]:
        """The shadow copies that exist now, oldest first."""
        return self._world.run(self.passive.shadow_copies())

    def find(self, name: str) -> ShadowCopyId:
        """The shadow copy that ``name`` means: an id such as ``1.2``, ``newest`` or ``oldest``.

        Raises:
            MalformedId: it is none of these.
            ShadowCopyNotFound: there is none.
        """
        return find_shadow_copy(name, [info.id for info in self.shadow_copies()])

    def changed(self, base: ShadowCopyId, target: ShadowCopyId | None = None) -> list[ByteRange]:
        """Which bytes may differ between two shadow copies, or between one and the volume; see `Passive.changed`."""
        geometry = self.geometry
        ranges = []
        for extent, extent_count in self._world.run(self.passive.changed(base, target)):
            offset = extent * geometry.extent_sectors * geometry.sector_bytes
            end = offset + extent_count * geometry.extent_sectors * geometry.sector_bytes
            ranges.append(ByteRange(offset, min(end, geometry.volume_bytes) - offset))
        return ranges

    def read(self, shadow_copy: ShadowCopyId, offset: int, length: int) -> Buffer:
        """Bytes of a shadow copy; raises as `Passive.read_many` does."""
        return self._world.run(self.passive.read(shadow_copy, offset, length))

    def read_many(self, shadow_copy: ShadowCopyId, ranges: Sequence[ByteRange]) -> list[Buffer]:
        """Several byte ranges of a shadow copy, with one catch-up; see `Passive.read_many`."""
        return self._world.run(self.passive.read_many(shadow_copy, ranges))

    def read_live(self, offset: int, length: int) -> Buffer:
        """Bytes of the volume as it is now: whatever the active has written of it so far, nothing is promised.

        While the volume is being reverted, they are those of the shadow copy that it is reverted to.

        Raises:
            OutOfRange: they are not all in the volume.
            ReadError: the disk failed.
            StoreError: the journal is damaged.
        """
        self._world.run(self.passive.catch_up())
        source = self.passive.view.reverting
        if source is not None:
            return self.read(source, offset, length)
        first, sector_end = self.geometry.covering_sectors(offset, length)
        data = self._world.run(_read(first, sector_end - first)) if length else b""
        start = offset - first * self.geometry.sector_bytes
        return data[start : start + length]

    def chunks(
        self, shadow_copy: ShadowCopyId | None, offset: int = 0, length: int | None = None
    ) -> Iterator[Buffer]:
        """A byte range piece by piece, of a shadow copy, or of the live volume if that is None.

        The range is checked before the first piece is read. Raises as `read` and `read_live` do.
        """
        end = self.geometry.volume_bytes if length is None else offset + length
        self.geometry.covering_sectors(offset, end - offset)
        while offset < end:
            size = min(end, (offset // CHUNK_BYTES + 1) * CHUNK_BYTES) - offset
            yield (
                self.read_live(offset, size) if shadow_copy is None else self.read(shadow_copy, offset, size)
            )
            offset += size

    def usage(self) -> Usage:
        """How full the store is now."""
        self._world.run(self.passive.catch_up())
        cursor, view = self.passive.cursor, self.passive.view
        inherited = []
        is_in_later = bytearray(self.geometry.extent_count)
        later_count = 0
        for shadow_copy in reversed(view.shadow_copies):
            fresh = [extent for extent in shadow_copy.table.keys() if not is_in_later[extent]]  # noqa: SIM118 - no dict
            shared_count = len(shadow_copy.table) - len(fresh)
            inherited.append(later_count - shared_count if shadow_copy.is_valid else 0)
            later_count += len(fresh)
            for extent in fresh:
                is_in_later[extent] = 1
        return Usage(
            cursor.epoch,
            cursor.generation,
            cursor.sequence,
            cursor.position + 1,
            view.copied_extent_count(),
            view.slot_count,
            view.settings,
            view.is_area_low,
            view.reverting,
            tuple(reversed(inherited)),
        )


async def _read(sector: int, sector_count: int) -> Buffer:
    return await Read(VOLUME_DEVICE, sector, sector_count)


def find_shadow_copy(name: str, ids: Sequence[ShadowCopyId]) -> ShadowCopyId:
    """The id among ``ids``, oldest first, that ``name`` means.

    Raises:
        MalformedId: it is neither an id nor ``newest`` or ``oldest``.
        ShadowCopyNotFound: there is none.
    """
    known = ", ".join(str(shadow_copy) for shadow_copy in ids) or "none"
    if name in ("newest", "oldest"):
        if not ids:
            raise ShadowCopyNotFound(f"there is no {name} shadow copy: the store has none")
        return ids[-1] if name == "newest" else ids[0]
    match = re.fullmatch(r"([0-9]{1,20})\.([0-9]{1,20})", name, flags=re.ASCII)
    if match is None:
        raise MalformedId(f"{name!r} names no shadow copy: give an id such as 1.2, or newest, or oldest")
    shadow_copy = ShadowCopyId(int(match[1]), int(match[2]))
    if shadow_copy not in ids:
        raise ShadowCopyNotFound(
            f"there is no shadow copy {name}: it was deleted, or never created (there are: {known})"
        )
    return shadow_copy
