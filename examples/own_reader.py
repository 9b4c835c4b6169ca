"""A passive reader of one's own, put through the gate: first as one would naively write it, then mended.

    shadowshare gate --implementation own_reader:naive      # violated, with a schedule that shows it
    shadowshare gate --implementation own_reader:careful    # verified

The gate asks little of a passive: `open`, `catch_up`, `shadow_copies`, `read_many`, `changed`, and a `digest` of all
that it remembers between two requests. What it does on the disk, it does by awaiting operations.
"""

from __future__ import annotations

from collections.abc import Sequence

from shadowshare.models.computers import Implementation
from shadowshare.protocol.changes import ExtentRun, changed_extents
from shadowshare.protocol.geometry import VOLUME_DEVICE, Location
from shadowshare.protocol.journal import JournalFollower, Progress
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.protocol.operations import Buffer, Read
from shadowshare.protocol.passive import ByteRange
from shadowshare.protocol.superblock import read_geometry
from shadowshare.protocol.view import ShadowCopy, look_up


class NaiveReader:
    """Looks an extent up, and reads it where it is. By then it may be elsewhere."""

    def __init__(self, journal: JournalFollower) -> None:
        self.journal = journal
        self.geometry = journal.geometry

    @classmethod
    async def open(cls, location: Location, window_block_count: int) -> NaiveReader:
        """Open the store at ``location``; a catch-up reads so many blocks of the journal at a time."""
        journal = JournalFollower(await read_geometry(location), window_block_count)
        await journal.load()
        return cls(journal)

    def digest(self) -> tuple[object, ...]:
        """All that is remembered between two requests: what was applied, and the last block."""
        return (self.journal.digest, self.journal.cursor.checksum)

    async def catch_up(self) -> Progress:
        """Take in what was appended to the journal."""
        return await self.journal.catch_up()

    async def shadow_copies(self) -> Sequence[ShadowCopy]:
        """The shadow copies that exist now, oldest first."""
        await self.catch_up()
        return self.journal.view.shadow_copies

    async def read_many(self, shadow_copy: ShadowCopyId, ranges: Sequence[ByteRange]) -> list[Buffer]:
        """Ranges of a shadow copy, any bytes of it."""
        wanted = [range(*self.geometry.covering_sectors(*one)) for one in ranges]
        contents = await self.read_sectors(shadow_copy, sorted({sector for one in wanted for sector in one}))
        found: list[Buffer] = []
        for (offset, length), sectors in zip(ranges, wanted, strict=True):
            start = offset - sectors.start * self.geometry.sector_bytes
            found.append(b"".join([contents[sector] for sector in sectors])[start : start + length])
        return found

    async def changed(self, base: ShadowCopyId, target: ShadowCopyId | None = None) -> list[ExtentRun]:
        """The extents that may differ between two shadow copies, or one and the volume, as of now."""
        await self.catch_up()
        return changed_extents(self.journal.view, base, target)

    def place_of(self, shadow_copy: ShadowCopyId, sector: int) -> tuple[int, int]:
        """Device and sector where a sector of a shadow copy is, as far as the journal was read."""
        extent, within = divmod(sector, self.geometry.extent_sectors)
        slot = look_up(self.journal.view.tables(shadow_copy), extent)
        if slot is None:
            return VOLUME_DEVICE, sector
        return self.geometry.area_device, self.geometry.slot_sector(slot) + within

    async def read_sectors(self, shadow_copy: ShadowCopyId, sectors: Sequence[int]) -> dict[int, Buffer]:
        """Sectors of a shadow copy."""
        await self.catch_up()
        self.journal.view.tables(shadow_copy)  # it must be there, also if nothing of it is wanted
        return {sector: await Read(*self.place_of(shadow_copy, sector), 1) for sector in sectors}


class CarefulReader(NaiveReader):
    """Afterwards determines again, once for all, and reads again what has moved."""

    async def read_sectors(self, shadow_copy: ShadowCopyId, sectors: Sequence[int]) -> dict[int, Buffer]:
        """Sectors of a shadow copy."""
        await self.catch_up()
        self.journal.view.tables(shadow_copy)
        found: dict[int, Buffer] = {}
        while missing := [sector for sector in sectors if sector not in found]:
            bookmark = self.journal.bookmark()
            places = {sector: self.place_of(shadow_copy, sector) for sector in missing}
            contents = {sector: await Read(*place, 1) for sector, place in places.items()}
            await self.catch_up()
            # After a reload the same slot may have come back, after a power loss, with other bytes.
            is_reloaded = self.journal.since(bookmark) is Progress.RELOADED
            for sector, place in places.items():
                is_slot = place != (VOLUME_DEVICE, sector)
                if self.place_of(shadow_copy, sector) == place and not (is_slot and is_reloaded):
                    found[sector] = contents[sector]
        return found


naive = Implementation(passive=NaiveReader)  # type: ignore[arg-type]
careful = Implementation(passive=CarefulReader)  # type: ignore[arg-type]
