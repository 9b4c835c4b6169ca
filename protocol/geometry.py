"""Where everything is: the one description of a store that all hosts share, and the arithmetic on it.

All positions and sizes are in sectors of ``sector_bytes``. The volume starts at sector 0 of device 0. The
differential area lies behind it on the same device, or on a device of its own (device 1)::

    superblock | journal half 0 | journal half 1 | slot 0 | slot 1 | ... | unused | superblock copy
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from shadowshare.protocol.errors import FormatTooOld, GeometryMismatch, OutOfRange

VOLUME_DEVICE = 0
SECTOR_BYTES = (512, 4096)
HALF_BLOCK_COUNT_MINIMUM = 4
EXTENT_BYTES_MAXIMUM = 16 * 1024 * 1024
COUNT_MAXIMUM = 2**48
"""Upper bound of every count in a geometry, so that no sum of them overflows a signed 64-bit byte offset."""


class Location(NamedTuple):
    """Where to look for the superblock.

    Attributes:
        area_device: the device that the differential area is on.
        superblock_sectors: sectors that may hold a copy, first choice first.
        sector_counts: real size of each device, by number. A superblock that says more is refused, before anything is
            allocated or read for the sizes that it claims. None if that is not known: then they are believed.
    """

    area_device: int
    superblock_sectors: tuple[int, ...]
    sector_counts: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Geometry:
    """Sizes and positions of a store.

    Attributes:
        store_id: 16 random bytes that tell one store from another.
        sector_bytes: size of a sector, the unit that a device reads and writes atomically: 512 or 4096.
        extent_sectors: sectors in an extent, the unit of copy-on-write.
        volume_sector_count: sectors in the volume. The last extent may be shorter than the others.
        area_device: device that holds the differential area: 0 (behind the volume) or 1 (of its own).
        area_sector: first sector of the differential area on its device.
        area_sector_count: sectors in the differential area, both superblocks included.
        half_block_count: journal blocks (of one sector each) in one half of the journal.
        slot_count: slots that formatting made in the area, each of one extent. There may be more by now, as the journal
            says.
        format_version: version of the format in which the store was made.
    """

    store_id: bytes
    sector_bytes: int
    extent_sectors: int
    volume_sector_count: int
    area_device: int
    area_sector: int
    area_sector_count: int
    half_block_count: int
    slot_count: int
    format_version: int = 2

    def __post_init__(self) -> None:
        """Refuse a geometry that contradicts itself.

        Raises:
            GeometryMismatch: says which field is wrong and what would be right.
        """
        if len(self.store_id) != 16:
            raise GeometryMismatch(f"the store id has {len(self.store_id)} bytes; it must have 16")
        if self.sector_bytes not in SECTOR_BYTES:
            raise GeometryMismatch(f"sectors of {self.sector_bytes} bytes; they must have 512 or 4096")
        if self.area_device not in (0, 1):
            raise GeometryMismatch(
                f"the differential area is on device {self.area_device}; it must be 0 or 1"
            )
        self._check_counts()
        self._check_area()

    def _check_counts(self) -> None:
        for name in ("extent_sectors", "volume_sector_count", "area_sector_count", "slot_count"):
            if not 1 <= getattr(self, name) <= COUNT_MAXIMUM:
                raise GeometryMismatch(
                    f"{name} is {getattr(self, name)}; it must be 1 or more (and below 2^48)"
                )
        if self.extent_sectors * self.sector_bytes > EXTENT_BYTES_MAXIMUM:
            raise GeometryMismatch(
                f"extents of {self.extent_sectors * self.sector_bytes} bytes; at most {EXTENT_BYTES_MAXIMUM} will do"
            )
        if not HALF_BLOCK_COUNT_MINIMUM <= self.half_block_count <= COUNT_MAXIMUM:
            raise GeometryMismatch(
                f"half_block_count is {self.half_block_count}; it must be {HALF_BLOCK_COUNT_MINIMUM} or more"
            )

    def _check_area(self) -> None:
        if not 0 <= self.area_sector <= COUNT_MAXIMUM:
            raise GeometryMismatch(
                f"area_sector is {self.area_sector}; it must be 0 or more (and below 2^48)"
            )
        if self.area_device == VOLUME_DEVICE and self.area_sector < self.volume_sector_count:
            raise GeometryMismatch(
                f"the differential area starts at sector {self.area_sector}, inside the volume of "
                f"{self.volume_sector_count} sectors on the same device"
            )
        needed = self.slot_sector(self.slot_count) - self.area_sector + 1
        if needed > self.area_sector_count:
            raise GeometryMismatch(
                f"two journal halves of {self.half_block_count} blocks and {self.slot_count} slots of "
                f"{self.extent_sectors} sectors need {needed} sectors; the area has {self.area_sector_count}"
            )

    @property
    def extent_count(self) -> int:
        """Extents in the volume; the last one may be shorter."""
        return -(-self.volume_sector_count // self.extent_sectors)

    @property
    def volume_bytes(self) -> int:
        """Size of the volume in bytes."""
        return self.volume_sector_count * self.sector_bytes

    @property
    def devices(self) -> tuple[int, ...]:
        """The devices that the store is on."""
        return (VOLUME_DEVICE,) if self.area_device == VOLUME_DEVICE else (VOLUME_DEVICE, self.area_device)

    @property
    def superblock_sectors(self) -> tuple[int, int]:
        """The first and the last sector of the differential area."""
        return (self.area_sector, self.area_sector + self.area_sector_count - 1)

    @property
    def journal_sectors(self) -> range:
        """The sectors of both halves of the journal."""
        return range(self.area_sector + 1, self.area_sector + 1 + 2 * self.half_block_count)

    def block_sector(self, generation: int, position: int) -> int:
        """Sector of a journal block: odd generations live in half 0, even ones in half 1."""
        half = (generation - 1) % 2
        return self.area_sector + 1 + half * self.half_block_count + position

    def slot_sector(self, slot: int) -> int:
        """First sector of a slot."""
        return self.area_sector + 1 + 2 * self.half_block_count + slot * self.extent_sectors

    def require_version(self, version: int, consequence: str) -> None:
        """Refuse what a store of an older format cannot say: other programs would take its journal for damaged.

        Args:
            version: the first version of the format that has the record.
            consequence: what is so in older stores, and what to do.

        Raises:
            FormatTooOld: this store is older.
        """
        if self.format_version < version:
            raise FormatTooOld(f"the store has format version {self.format_version}, in which {consequence}")

    @property
    def slot_count_maximum(self) -> int:
        """How many slots fit into the differential area, before its second superblock."""
        return (self.area_sector_count - 2 - 2 * self.half_block_count) // self.extent_sectors

    def with_slots(self, slot_count: int) -> Geometry:
        """This store in a differential area that is just large enough for so many slots, and has them.

        Raises:
            GeometryMismatch: there are too few.
        """
        area_sector_count = self.slot_sector(slot_count) - self.area_sector + 1
        return replace(self, area_sector_count=area_sector_count, slot_count=slot_count)

    def grown(self, area_sector_count: int) -> Geometry:
        """This store in a differential area of another size; where its slots are does not change.

        Raises:
            GeometryMismatch: the slots that formatting made do not fit.
        """
        return replace(self, area_sector_count=area_sector_count)

    def check_slots(self, slot_count: int) -> None:
        """Refuse more slots than there is room for.

        Raises:
            GeometryMismatch: says how many there are.
        """
        if slot_count > self.slot_count_maximum:
            raise GeometryMismatch(
                f"the journal says that there are {slot_count} slots, but the differential area has only room for "
                f"{self.slot_count_maximum}"
            )

    def extent_span(self, extent: int) -> tuple[int, int]:
        """First sector of an extent in the volume, and how many sectors it has."""
        sector = extent * self.extent_sectors
        return sector, min(self.extent_sectors, self.volume_sector_count - sector)

    def covering_sectors(self, offset: int, length: int) -> tuple[int, int]:
        """First and end of the sectors that hold bytes ``[offset, offset + length)`` of the volume.

        Raises:
            OutOfRange: the bytes are not all in the volume.
        """
        if offset < 0 or length < 0 or offset + length > self.volume_bytes:
            raise OutOfRange(
                f"bytes {offset} to {offset + length} are not all in the volume of {self.volume_bytes} bytes"
            )
        first = offset // self.sector_bytes
        return first, -(-(offset + length) // self.sector_bytes) if length else first

    def check_devices(self, sector_counts: dict[int, int]) -> None:
        """Refuse devices that are too small for this store.

        Raises:
            GeometryMismatch: says which device is too small.
        """
        needed = dict.fromkeys(self.devices, 0)
        needed[VOLUME_DEVICE] = self.volume_sector_count
        area_end = self.area_sector + self.area_sector_count
        needed[self.area_device] = max(needed[self.area_device], area_end)
        for device, sector_count in needed.items():
            if sector_counts[device] < sector_count:
                raise GeometryMismatch(
                    f"the store needs {sector_count * self.sector_bytes} bytes on device {device}, which has only "
                    f"{sector_counts[device] * self.sector_bytes}: it was truncated, or is not the device of this store"
                )


def plan_geometry(
    store_id: bytes,
    sector_bytes: int,
    extent_sectors: int,
    volume_sector_count: int,
    area_device: int,
    area_sector: int,
    area_sector_count: int,
    half_block_count: int,
) -> Geometry:
    """The geometry that fills a differential area with as many slots as fit.

    Raises:
        GeometryMismatch: not even one slot fits, or a size is out of bounds.
    """
    room = area_sector_count - 2 - 2 * half_block_count
    if extent_sectors < 1 or room < extent_sectors:
        raise GeometryMismatch(
            f"a differential area of {area_sector_count * sector_bytes} bytes has no room for one slot of "
            f"{extent_sectors * sector_bytes} bytes behind a journal of {2 * half_block_count * sector_bytes} bytes: "
            "make the area larger, or extents or journal smaller"
        )
    return Geometry(
        store_id,
        sector_bytes,
        extent_sectors,
        volume_sector_count,
        area_device,
        area_sector,
        area_sector_count,
        half_block_count,
        slot_count=room // extent_sectors,
    )
