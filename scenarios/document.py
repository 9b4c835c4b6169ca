"""A scenario file as it is written: which fields there are, of which types, and what they are by default.

`read_document` refuses what is not such a file, and names everything that is wrong with it at once. What the fields
mean together is not looked at here; see `shadowshare.scenarios.meaning`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from shadowshare.models.toml_tables import parse_toml, read_table
from shadowshare.protocol.errors import ShadowshareError

ACTIVE = "active"
PASSIVE = "passive"
PLACES = ("superblock", "journal", "slots", "volume")
"""The parts of the disks."""


class ScenarioError(ShadowshareError):
    """A scenario file cannot be used."""


class StoreShape(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The store, kept as small as the race allows.

    Attributes:
        extents: extents in the volume.
        extent_sectors: sectors in an extent.
        slots: slots in the differential area.
        half_blocks: journal blocks in one half.
        own_device: whether the differential area is on a device of its own.
        policy: what gives way when an extent cannot be copied.
        keeps: names of shadow copies for which there is room: they must not give way.
        last_extent_sectors: sectors in the last extent, if it is shorter than the others; 0 if it is not.
        sector_bytes: size of a sector: 512 or 4096.
    """

    extents: int = 2
    extent_sectors: int = 1
    slots: int = 4
    half_blocks: int = 16
    own_device: bool = False
    policy: Literal["fail-write", "invalidate", "delete-oldest"] = "fail-write"
    keeps: tuple[str, ...] = ()
    last_extent_sectors: int = 0
    sector_bytes: int = 512

    @property
    def volume_sectors(self) -> int:
        """Sectors in the volume."""
        missing = self.extent_sectors - self.last_extent_sectors if self.last_extent_sectors else 0
        return self.extents * self.extent_sectors - missing


class Faults(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What may happen besides the operations taking effect, at any step.

    Attributes:
        crashes: how many times the active host may crash, power losses included.
        power_losses: how many of these are power losses of the disks, which crash the active host too.
        late_writes: whether a write that is in flight when its host crashes, or reports an error, may still land.
        tears: whether operations on several sectors take effect sector by sector, in any order.
        write_errors: how many writes may report an error, whether they landed or not, or still will.
        read_errors: how many reads may report an error.
        flush_errors: how many flushes may report an error, and do nothing.
        allowed_errors: names of error classes with which a step may end, or the opening of the store at the end. An
            error of the disk or of the store must besides be explained by a fault that happened.
        lasting_read_errors: how many sectors may become unreadable, until they are written again.
        full_devices: how many devices may run out of room for sectors that hold zeroes.
        shrunk_devices: how often a device may become shorter.
        lost_writes: how many writes may be acknowledged and never take effect.
        lying_flushes: how many flushes may be acknowledged and make nothing durable.
        misdirected_reads: how many reads may return the content of a neighbouring place.
        misdirected_writes: how many writes may land in a neighbouring place.
        bit_rot: in how many sectors a bit may change on the medium.
        stale_reads: how many reads may return what was there before the last write.
        places: which parts of the disks faults may touch, of `PLACES`; all if there are none.
        victims: names of the hosts that faults may strike; all if there are none.
        spares_a_copy: whether of the two copies of the superblock one stays without a fault that lasts.
    """

    crashes: int = 0
    power_losses: int = 0
    late_writes: bool = True
    tears: bool = False
    write_errors: int = 0
    read_errors: int = 0
    flush_errors: int = 0
    allowed_errors: tuple[str, ...] = ()
    lasting_read_errors: int = 0
    full_devices: int = 0
    shrunk_devices: int = 0
    lost_writes: int = 0
    lying_flushes: int = 0
    misdirected_reads: int = 0
    misdirected_writes: int = 0
    bit_rot: int = 0
    stale_reads: int = 0
    places: tuple[str, ...] = ()
    victims: tuple[str, ...] = ()
    spares_a_copy: bool = False


class DiskSwitches(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Assumptions of the disk contract to break, for negative tests; see `Misbehaviour`."""

    flush_does_nothing: bool = False
    fence_is_ignored: bool = False
    reads_are_cached: bool = False
    sectors_tear: bool = False
    power_loss_is_silent: bool = False


class Document(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A scenario file; `Scenario` is what it means."""

    name: str
    story: str
    race: dict[str, list[str | list[str]]]
    expected: Literal["verified", "violated"] = "verified"
    hosts: dict[str, str] = msgspec.field(default_factory=lambda: {"W": ACTIVE, "R": PASSIVE})
    before: list[str] = []
    store: StoreShape = StoreShape()
    faults: Faults = Faults()
    disk: DiskSwitches = DiskSwitches()
    catch_up_blocks: int = 2
    sometimes: tuple[str, ...] = ()


def read_document(text: str) -> Document:
    """The fields of a TOML text.

    Raises:
        ScenarioError: it is not TOML, or has fields that are missing, unknown, or of the wrong type.
    """
    try:
        fields = parse_toml(text)
    except ValueError as error:
        raise ScenarioError(str(error)) from None
    problems: list[str] = []
    document = read_table(fields, Document, "", problems)
    if problems or document is None:
        raise ScenarioError("; ".join(problems))
    return document
