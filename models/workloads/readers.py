"""Who reads all of a shadow copy, or all that changed: full and incremental backups, any number of them.

Who reads some of it, as a restore of single files does, is a `shadowshare.models.workloads.synthetic.Synthetic`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat

import msgspec
from numpy.random import Generator

from shadowshare.models.bounds import Bounds, check_bounds
from shadowshare.models.workloads.errors import WorkloadError
from shadowshare.models.workloads.gaps import GAP_BOUNDS_US
from shadowshare.sim.timed.workload import HostRequest

_BOUNDS: Bounds = {
    **dict.fromkeys(("rest_us", "pause_us"), GAP_BOUNDS_US),
    "request_bytes": (1, 1 << 30),
    **dict.fromkeys(("pass_count", "age"), (0, 1 << 31)),
    "client_count": (1, 1 << 16),
}


class Backup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Backups one after the other: each of one shadow copy, in order, each read after the answer to the last.

    Attributes:
        is_incremental: whether only those extents are read that changed since this client's backup before; the first
            one is since the start. Else everything is.
        request_bytes: of a read, at most; rounded up to whole sectors.
        rest_us: before each backup.
        pause_us: before each read: a throttle.
        pass_count: backups of each client; 0: without end.
        age: which shadow copy: 0 the newest when the backup begins, 1 the one before it.
        client_count: backups at the same time.
    """

    is_incremental: bool = False
    request_bytes: int = 1 << 20
    rest_us: float = 0.0
    pause_us: float = 0.0
    pass_count: int = 0
    age: int = 0
    client_count: int = 1

    def __post_init__(self) -> None:
        check_bounds(self, _BOUNDS, WorkloadError)

    @property
    def is_open(self) -> bool:
        """A backup waits for its answers."""
        return False

    def requests(self, random: Generator, volume_bytes: int, sector_bytes: int) -> Iterator[HostRequest]:
        """See `shadowshare.sim.timed.workload.Workload`: scans, whose reads follow from their answers."""
        scan = HostRequest(
            round(self.rest_us * 1e3),
            "scan-changes" if self.is_incremental else "scan",
            0,
            -(-self.request_bytes // sector_bytes) * sector_bytes,
            self.age,
            round(self.pause_us * 1e3),
        )
        return repeat(scan) if self.pass_count == 0 else repeat(scan, self.pass_count)
