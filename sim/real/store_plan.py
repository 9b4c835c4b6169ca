"""How large everything in a new store is to be, where its user did not say."""

from __future__ import annotations

from dataclasses import dataclass

from shadowshare.protocol.errors import GeometryMismatch
from shadowshare.protocol.geometry import (
    HALF_BLOCK_COUNT_MINIMUM,
    SECTOR_BYTES,
    VOLUME_DEVICE,
    Geometry,
    plan_geometry,
)
from shadowshare.protocol.layout import Settings
from shadowshare.protocol.view import DEFAULT_SETTINGS

DEFAULT_EXTENT_BYTES = 64 * 1024
DEFAULT_SECTOR_BYTES = 4096

HALF_BLOCK_COUNT_CAP = 65536
SPARE_BLOCK_COUNT = 1024
"""Blocks of a journal half for anything but copies: creations, deletions, takeovers."""

SLOT_COUNT_WISHED = 64
"""What a differential area of a default size has room for at least."""


@dataclass(frozen=True, slots=True)
class FormatOptions:
    """What the user asks of a new store; None leaves it to the defaults.

    Attributes:
        volume_bytes: size of the volume; by default all that the image holds.
        area_bytes: size of the differential area; by default a quarter of the volume, or more if that is too little.
        journal_bytes: size of both journal halves together; by default enough that every slot can be filled by a write
            of its own.
        extent_bytes: the unit of copy-on-write.
        sector_bytes: what the device reads and writes atomically.
        settings: what gives way when an extent cannot be copied, and when to warn of that.
    """

    volume_bytes: int | None = None
    area_bytes: int | None = None
    journal_bytes: int | None = None
    extent_bytes: int = DEFAULT_EXTENT_BYTES
    sector_bytes: int = DEFAULT_SECTOR_BYTES
    settings: Settings = DEFAULT_SETTINGS

    def __post_init__(self) -> None:
        """Refuse sizes that are no whole number of sectors.

        Raises:
            GeometryMismatch: says which size, and what it must be.
        """
        if self.sector_bytes not in SECTOR_BYTES:
            raise GeometryMismatch(f"sectors of {self.sector_bytes} bytes; they must have 512 or 4096")
        for name in ("volume_bytes", "area_bytes", "journal_bytes", "extent_bytes"):
            size_bytes = getattr(self, name)
            if size_bytes is not None and (size_bytes <= 0 or size_bytes % self.sector_bytes):
                raise GeometryMismatch(
                    f"{name} is {size_bytes}; it must be a whole number of sectors of {self.sector_bytes} bytes, "
                    "and not zero"
                )

    @property
    def extent_sectors(self) -> int:
        """Sectors in an extent."""
        return self.extent_bytes // self.sector_bytes


def default_area_bytes(volume_bytes: int, options: FormatOptions) -> int:
    """A quarter of the volume, or as much as the journal and some slots need."""
    if options.journal_bytes is None:
        journal_sectors = 2 * (SPARE_BLOCK_COUNT + SLOT_COUNT_WISHED)
    else:
        journal_sectors = options.journal_bytes // options.sector_bytes
    least = 2 + journal_sectors + SLOT_COUNT_WISHED * options.extent_sectors
    quarter = -(-volume_bytes // 4 // options.sector_bytes)
    return max(least, quarter) * options.sector_bytes


def plan_store(
    store_id: bytes, volume_bytes: int, area_bytes: int, area_device: int, options: FormatOptions
) -> Geometry:
    """The geometry of a store whose differential area lies behind the volume, or fills a device of its own.

    Raises:
        GeometryMismatch: the sizes do not fit together; the message says which to change.
    """
    volume_sector_count = volume_bytes // options.sector_bytes
    area_sector_count = area_bytes // options.sector_bytes
    return plan_geometry(
        store_id,
        options.sector_bytes,
        options.extent_sectors,
        volume_sector_count,
        area_device,
        volume_sector_count if area_device == VOLUME_DEVICE else 0,
        area_sector_count,
        _half_block_count(area_sector_count, options),
    )


def _half_block_count(area_sector_count: int, options: FormatOptions) -> int:
    """As the user said, or one block a slot and some to spare; in a small area less to spare."""
    if options.journal_bytes is not None:
        return options.journal_bytes // options.sector_bytes // 2
    spare = min(SPARE_BLOCK_COUNT, area_sector_count // 3)
    slot_count = max(1, (area_sector_count - 2 - 2 * spare) // (options.extent_sectors + 2))
    return min(HALF_BLOCK_COUNT_CAP, max(HALF_BLOCK_COUNT_MINIMUM, slot_count + spare))
