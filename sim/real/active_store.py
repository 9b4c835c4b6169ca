"""The active's side of a store on real devices: every call blocks until what it did is durable."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Protocol

from shadowshare.protocol.active import Active
from shadowshare.protocol.errors import OutOfRange
from shadowshare.protocol.geometry import Geometry
from shadowshare.protocol.layout import Settings, ShadowCopyId
from shadowshare.protocol.operations import Buffer
from shadowshare.protocol.reverting import Advance, tell_nobody
from shadowshare.sim.real.passive_store import find_shadow_copy
from shadowshare.sim.real.world import RealWorld

CHUNK_BYTES = 1024 * 1024
"""How much of a longer write is given to the protocol at once: its extents share a journal block and two flushes."""


class Source(Protocol):
    """Something to read bytes from, such as a binary file."""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes; none at the end."""


class ActiveStore:
    """A store open for writing. Make one with `shadowshare.sim.real.store.Store.open_active`."""

    def __init__(self, world: RealWorld, active: Active) -> None:
        self.world = world
        self.active = active

    @property
    def geometry(self) -> Geometry:
        """Sizes and positions."""
        return self.active.geometry

    def create(self) -> ShadowCopyId:
        """Create a shadow copy, recording the present time; see `Active.create`."""
        return self.world.run(self.active.create(time.time_ns()))

    @property
    def settings(self) -> Settings:
        """What gives way when an extent cannot be copied."""
        return self.active.view.settings

    def set_policy(self, settings: Settings) -> None:
        """Change it, durably; see `Active.set_policy`."""
        self.world.run(self.active.set_policy(settings))

    def intact_shadow_copies(self) -> list[ShadowCopyId]:
        """Those that have their image, oldest first."""
        return [copy.id for copy in self.active.view.shadow_copies if copy.is_valid]

    def find(self, name: str) -> ShadowCopyId:
        """The shadow copy that ``name`` means: an id such as ``1.2``, ``newest`` or ``oldest``."""
        return find_shadow_copy(name, [shadow_copy.id for shadow_copy in self.active.view.shadow_copies])

    def delete(self, shadow_copy: ShadowCopyId) -> None:
        """Delete a shadow copy; see `Active.delete`."""
        self.world.run(self.active.delete(shadow_copy))

    def revert(self, shadow_copy: ShadowCopyId, advance: Advance = tell_nobody) -> None:
        """Make the volume the image of a shadow copy again, durably; see `Active.revert`."""
        self.world.run(self.active.revert(shadow_copy, advance))

    def read(self, offset: int, length: int) -> Buffer:
        """Bytes of the live volume; see `Active.read`."""
        return self.world.run(self.active.read(offset, length))

    def write(self, offset: int, data: Buffer) -> None:
        """Write any bytes to the live volume. Sectors that they only partly cover are read first.

        Raises:
            OutOfRange: they reach beyond the volume; nothing was written.
            AreaFull, JournalFull: an extent could not be preserved; what stands before it was written.
            DiskError: the disk failed.
        """
        self.geometry.covering_sectors(offset, len(data))
        for start, end in _pieces(offset, offset + len(data)):
            self._write_piece(start, memoryview(data)[start - offset : end - offset])
        self.world.run(self.active.flush())

    def write_from(self, offset: int, source: Source) -> int:
        """Write everything that ``source`` holds, piece by piece; returns how many bytes that were.

        Raises:
            OutOfRange: it holds more than fits into the volume; what fits was written.
            AreaFull, JournalFull, DiskError: as for `write`.
        """
        self.geometry.covering_sectors(offset, 0)
        place = offset
        while piece := _filled(source, CHUNK_BYTES - place % CHUNK_BYTES):
            self.geometry.covering_sectors(place, len(piece))
            self._write_piece(place, memoryview(piece))
            place += len(piece)
        self.world.run(self.active.flush())
        return place - offset

    def discard(self, offset: int, length: int) -> None:
        """Discard whole sectors, which read as zeroes then; see `Active.discard`."""
        self.geometry.covering_sectors(offset, length)
        size = self.geometry.sector_bytes
        if offset % size or length % size:
            raise OutOfRange(f"a discard of {length} bytes at {offset} is not whole sectors of {size} bytes")
        for start, end in _pieces(offset, offset + length):
            self.world.run(self.active.discard(start, end - start))
        self.world.run(self.active.flush())

    def _write_piece(self, offset: int, data: memoryview) -> None:
        size = self.geometry.sector_bytes
        before, after = offset % size, -(offset + len(data)) % size
        if before or after:
            first = offset - before
            whole = bytearray(self.world.run(self.active.read(first, before + len(data) + after)))
            whole[before : before + len(data)] = data
            offset, data = first, memoryview(whole)
        self.world.run(self.active.write(offset, data))


def _pieces(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The range cut at multiples of `CHUNK_BYTES`."""
    while start < end:
        stop = min(end, (start // CHUNK_BYTES + 1) * CHUNK_BYTES)
        yield start, stop
        start = stop


def _filled(source: Source, size: int) -> bytes:
    """As many bytes as asked for, unless the source ends: a pipe gives them in small portions."""
    portions = []
    while size > 0 and (portion := source.read(size)):
        portions.append(portion)
        size -= len(portion)
    return b"".join(portions)
