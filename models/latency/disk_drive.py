"""A disk drive: an arm that seeks, platters that turn, and a cache that reads ahead."""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec
from numpy.random import Generator

from shadowshare.models.bounds import Bounds, check_bounds
from shadowshare.models.latency.distributions import LONGEST_US
from shadowshare.models.latency.errors import ModelError
from shadowshare.protocol.operations import Access, Operation
from shadowshare.sim.timed.latency import ServiceTime


class DiskDrive(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="disk-drive", tag_field="model"):
    """A drive as in Ruemmler and Wilkes, "An introduction to disk drive modeling", IEEE Computer 27(3), 1994.

    A seek over d cylinders takes ``short_seek_ms[0] + short_seek_ms[1] * sqrt(d)`` below ``long_seek_cylinders``, and
    ``long_seek_ms[0] + long_seek_ms[1] * d`` from there on. The platters turn all the time, so that where the head is
    follows from the time; tracks and cylinders are skewed, so that a switch just fits in between. After a read the
    drive reads on into its cache until the next request comes or ``read_ahead_bytes`` are ahead, and sequential
    reads are answered from there. Writes are on the medium when they are answered, so a flush has nothing to do.

    Sectors are laid out track by track, cylinder by cylinder; a device smaller than the drive is its outer part.
    Nothing is random, except how the platters stand at the beginning. Use it with one server.

    Attributes:
        cylinder_count: and so on: the geometry; a sector of the medium has ``sector_bytes``.
        rotations_per_minute: speed of the platters.
        controller_ms: overhead of each request.
        bus_bytes_per_second: how fast data goes between cache and host.
        track_switch_ms: to use another head of the same cylinder.
        track_skew_sectors: by which a track begins later than the one before it.
        cylinder_skew_sectors: by which a cylinder begins later than the last track of the one before it.
        read_ahead_bytes: 0 for a drive that does not read ahead.
    """

    cylinder_count: int
    track_count: int
    track_sector_count: int
    sector_bytes: int
    rotations_per_minute: float
    short_seek_ms: tuple[float, float]
    long_seek_ms: tuple[float, float]
    long_seek_cylinders: int
    controller_ms: float
    bus_bytes_per_second: float
    track_switch_ms: float
    track_skew_sectors: int
    cylinder_skew_sectors: int
    read_ahead_bytes: int

    def __post_init__(self) -> None:
        check_bounds(self, _BOUNDS, ModelError)

    @property
    def capacity_bytes(self) -> int:
        """What fits on the drive."""
        return self.cylinder_count * self.track_count * self.track_sector_count * self.sector_bytes

    @property
    def rotation_ns(self) -> float:
        """How long the platters take to turn once."""
        return 60e9 / self.rotations_per_minute

    def seek_ns(self, cylinder_count: int) -> float:
        """How long the arm takes over so many cylinders."""
        if cylinder_count == 0:
            return 0.0
        if cylinder_count < self.long_seek_cylinders:
            return (self.short_seek_ms[0] + self.short_seek_ms[1] * math.sqrt(cylinder_count)) * 1e6
        return (self.long_seek_ms[0] + self.long_seek_ms[1] * cylinder_count) * 1e6

    def start(self, random: Generator, sector_bytes: int, sector_count: int) -> ServiceTime:
        """See `shadowshare.sim.timed.latency.LatencyModel`.

        Raises:
            ModelError: the device is larger than the drive, or its sectors are no whole number of the drive's.
        """
        size_bytes = sector_bytes * sector_count
        if size_bytes > self.capacity_bytes:
            raise ModelError(
                f"a device of {size_bytes} bytes does not fit on this drive, which has {self.capacity_bytes}: "
                "give the drive more cylinders, or make the device smaller"
            )
        if sector_bytes % self.sector_bytes:
            raise ModelError(
                f"sectors of {sector_bytes} bytes are no whole number of the drive's, which have {self.sector_bytes}"
            )
        return _Mechanics(self, sector_bytes // self.sector_bytes, float(random.random())).serve


_COUNTS, _MILLISECONDS = (1, 10_000_000), (0, LONGEST_US / 1e3)
_BOUNDS: Bounds = {
    **dict.fromkeys(("cylinder_count", "track_count", "track_sector_count", "sector_bytes"), _COUNTS),
    **dict.fromkeys(("rotations_per_minute", "bus_bytes_per_second"), (1, 1e12)),
    **dict.fromkeys(("short_seek_ms", "long_seek_ms", "controller_ms", "track_switch_ms"), _MILLISECONDS),
    **dict.fromkeys(("long_seek_cylinders", "track_skew_sectors", "cylinder_skew_sectors"), (0, 10_000_000)),
    "read_ahead_bytes": (0, 1 << 40),
}


class _Place(NamedTuple):
    cylinder: int
    track: int
    angle: float
    """Where the sector begins, as a share of a rotation."""


class _ReadAhead(NamedTuple):
    """What the drive reads by itself: from ``sector`` at ``begins_ns`` up to ``end``; cached is from ``first`` on."""

    first: int
    sector: int
    end: int
    begins_ns: float


class _Mechanics:
    """One drive at work: where the arm is, and what the cache holds."""

    def __init__(self, drive: DiskDrive, scale: int, first_angle: float) -> None:
        self._drive = drive
        self._scale = scale
        self._first_angle = first_angle
        self._cylinder = 0
        self._track = 0
        self._ahead = _ReadAhead(0, 0, 0, 0.0)
        self._sector_ns = drive.rotation_ns / drive.track_sector_count
        self._sector_total = drive.capacity_bytes // drive.sector_bytes

    def serve(self, operation: Operation, begins_ns: int) -> int:
        """How long a request occupies the drive."""
        drive = self._drive
        ready_ns = begins_ns + drive.controller_ms * 1e6
        count = operation.sector_count * self._scale
        if not count:
            return round(ready_ns - begins_ns)
        first = operation.sector * self._scale
        bus_ns = count * drive.sector_bytes / drive.bus_bytes_per_second * 1e9
        if operation.access is not Access.READ:
            ends_ns = self._transfer(first, count, ready_ns)
            self._ahead = _ReadAhead(0, 0, 0, 0.0)
            return round(max(ends_ns, ready_ns + bus_ns) - begins_ns)
        ends_ns = self._read(first, count, begins_ns, ready_ns)
        # The bus is used while the medium is read; after the last sector came, only that one is left to send.
        last_ns = drive.sector_bytes / drive.bus_bytes_per_second * 1e9
        return round(max(ends_ns + last_ns, ready_ns + bus_ns) - begins_ns)

    def _read(self, first: int, count: int, begins_ns: float, ready_ns: float) -> float:
        """When the last sector of a read is in the cache; from there on the drive reads ahead."""
        ahead, end = self._ahead, first + count
        reached = self._reached(ahead, begins_ns)
        if ahead.first <= first <= reached and ahead.end > ahead.first:
            if end <= reached:
                arrived_ns = ready_ns
                self._go_on(ahead.first, reached, end, begins_ns)
                return arrived_ns
            arrived_ns = max(ready_ns, begins_ns + self._media_ns(reached, end))
        else:
            arrived_ns = self._transfer(first, count, ready_ns)
        self._go_on(first, end, end, arrived_ns)
        return arrived_ns

    def _go_on(self, first: int, sector: int, asked_end: int, begins_ns: float) -> None:
        """Read ahead from ``sector`` on, up to so many bytes behind what was asked for."""
        ahead_count = self._drive.read_ahead_bytes // self._drive.sector_bytes
        end = min(asked_end + ahead_count, self._sector_total)
        self._ahead = _ReadAhead(max(first, sector - ahead_count), sector, max(end, sector), begins_ns)
        place = self._place(max(sector - 1, 0))
        self._cylinder, self._track = place.cylinder, place.track

    def _reached(self, ahead: _ReadAhead, now_ns: float) -> int:
        """Up to which sector the drive has read ahead by now. Switches are paid for at the pace of whole tracks."""
        if now_ns <= ahead.begins_ns or ahead.sector >= ahead.end:
            return ahead.sector
        return min(ahead.end, ahead.sector + int((now_ns - ahead.begins_ns) / self._pace_ns()))

    def _pace_ns(self) -> float:
        """Mean time for a sector in a long sequential run: a rotation a track, and the skews."""
        drive = self._drive
        skews = drive.track_skew_sectors * (drive.track_count - 1) + drive.cylinder_skew_sectors
        sectors = drive.track_count * drive.track_sector_count
        return self._sector_ns * (sectors + skews) / sectors

    def _media_ns(self, sector: int, end: int) -> float:
        return (end - sector) * self._pace_ns()

    def _transfer(self, first: int, count: int, ready_ns: float) -> float:
        """Seek, wait for the sector, and read or write track by track; returns when the last sector is done."""
        now_ns, sector, end = ready_ns, first, first + count
        while sector < end:
            place = self._place(sector)
            now_ns += self._positioning_ns(place)
            now_ns += self._wait_ns(place, now_ns)
            track_end = (sector // self._drive.track_sector_count + 1) * self._drive.track_sector_count
            part = min(end, track_end) - sector
            now_ns += part * self._sector_ns
            sector += part
            self._cylinder, self._track = place.cylinder, place.track
        return now_ns

    def _positioning_ns(self, place: _Place) -> float:
        """Seek and switch of heads happen at the same time."""
        seek_ns = self._drive.seek_ns(abs(place.cylinder - self._cylinder))
        switch_ns = self._drive.track_switch_ms * 1e6 if place.track != self._track else 0.0
        return max(seek_ns, switch_ns)

    def _wait_ns(self, place: _Place, now_ns: float) -> float:
        """Until the sector comes under the head."""
        under_head = (now_ns / self._drive.rotation_ns + self._first_angle) % 1.0
        wait = (place.angle - under_head) % 1.0
        # What rounding made a little negative is no whole rotation.
        return 0.0 if wait > 1.0 - 1e-6 else wait * self._drive.rotation_ns

    def _place(self, sector: int) -> _Place:
        drive = self._drive
        whole_track, position = divmod(sector, drive.track_sector_count)
        cylinder, track = divmod(whole_track, drive.track_count)
        skew = cylinder * (drive.track_skew_sectors * (drive.track_count - 1) + drive.cylinder_skew_sectors)
        skew += track * drive.track_skew_sectors
        angle = (position + skew) % drive.track_sector_count / drive.track_sector_count
        return _Place(cylinder, track, angle)


HP_97560 = DiskDrive(
    cylinder_count=1962,
    track_count=19,
    track_sector_count=72,
    sector_bytes=512,
    rotations_per_minute=4002,
    short_seek_ms=(3.24, 0.400),
    long_seek_ms=(8.00, 0.008),
    long_seek_cylinders=383,
    controller_ms=2.2,
    bus_bytes_per_second=10e6,
    track_switch_ms=1.6,
    track_skew_sectors=8,
    cylinder_skew_sectors=18,
    read_ahead_bytes=64 * 1024,
)
"""The HP 97560 of 1.3 GB, of which all these figures were published.

Source: C. Ruemmler and J. Wilkes, "An introduction to disk drive modeling", IEEE Computer 27(3), pp. 17-28, March 1994:
seek 3.24 + 0.400 sqrt(d) ms below 383 cylinders, 8.00 + 0.008 d ms from there on; controller 2.2 ms; track switch
1.6 ms; skews of 8 and 18 sectors; 64 KiB read ahead (of 128 KiB of cache); SCSI-II bus at 10 MB/s.
Left out: sparing, and writes that are answered before they are on the medium ("immediate reporting").
"""
