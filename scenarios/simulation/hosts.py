"""``[active]`` and ``[passives]`` of a simulation file: what users of hosts ask for, and how the hosts reach the disk.

A table says with ``workload`` which kind it is; each kind has its own fields. A field that would mean nothing beside
the others is refused, so that nobody believes that it did.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path

import msgspec

from shadowshare.models.bounds import check_bounds
from shadowshare.models.latency.episodes import Episode
from shadowshare.models.simulation.plan import HostsPlan
from shadowshare.models.workloads.gaps import AnyGaps, Bursty, Even, Poisson
from shadowshare.models.workloads.places import AnyPlaces, Anywhere, HotSpot, Sequential, Zipf
from shadowshare.models.workloads.readers import Backup
from shadowshare.models.workloads.replay import Replay, read_trace
from shadowshare.models.workloads.synthetic import Synthetic
from shadowshare.scenarios.simulation.errors import SimulationError
from shadowshare.sim.timed.workload import Workload

KIB = 1024
REQUEST_KIB_MAXIMUM = 16 * KIB
HOST_COUNT_MAXIMUM = 10_000
Number = int | float
Find = Callable[[str], Path]
"""Where a file is that a simulation file names."""

_PLACES = ("anywhere", "sequential", "hot", "zipf")


class HostsTable(msgspec.Struct, frozen=True, kw_only=True, tag_field="workload"):
    """What all tables of hosts have: clients, and the path to the devices."""

    clients: int = 1
    path_request_us: Number = 0
    path_answer_us: Number = 0
    path_depth: int | None = None
    path_episodes: tuple[Episode, ...] = ()

    def __post_init__(self) -> None:
        bounds = {
            "clients": (1, 4096),
            "path_request_us": (0, 1e12),
            "path_answer_us": (0, 1e12),
            "path_depth": (1, 65536),
        }
        check_bounds(self, bounds, SimulationError)

    def workload_of(self, find: Find) -> Workload:
        """What the users of each host ask for."""
        raise NotImplementedError

    def plan(self, find: Find, count: int = 1) -> HostsPlan:
        """So many hosts.

        Raises:
            SimulationError, WorkloadError: a file that is named cannot be read.
        """
        ways = round(self.path_request_us * 1000), round(self.path_answer_us * 1000)
        return HostsPlan(self.workload_of(find), count, *ways, self.path_depth, self.path_episodes)


class _DrawnTable(HostsTable, frozen=True, kw_only=True):
    """Requests that are drawn: how far apart, how large, and where."""

    requests_per_second: Number | None = None
    burst_requests: Number | None = None
    burst_speed_up: Number | None = None
    pause_us: Number = 0
    request_kib: int | None = None
    sizes_kib: dict[str, Number] | None = None
    places: str = "anywhere"
    hot_space_share: Number | None = None
    hot_request_share: Number | None = None
    zipf_exponent: Number | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        bounds = {
            "requests_per_second": (0.001, 1e8),
            "burst_requests": (1, 1e6),
            "burst_speed_up": (1, 1e6),
            "pause_us": (0, 1e11),
            "request_kib": (4, REQUEST_KIB_MAXIMUM),
            "hot_space_share": (0, 1),
            "hot_request_share": (0, 1),
            "zipf_exponent": (0, 10),
        }
        check_bounds(self, bounds, SimulationError)
        if self.places not in _PLACES:
            raise SimulationError(f"places must be one of {', '.join(_PLACES)}, not {self.places!r:.40}")
        self._check_what_belongs_together()
        self._sizes()

    def _check_what_belongs_together(self) -> None:
        rate, bursts = self.requests_per_second, (self.burst_requests, self.burst_speed_up)
        if bursts != (None, None) and (rate is None or None in bursts):
            raise SimulationError(
                "bursts need requests_per_second, burst_requests and burst_speed_up: give all three, or no burst"
            )
        if rate is not None and self.pause_us:
            raise SimulationError("requests_per_second and pause_us are two kinds of loops: give one of them")
        if self.request_kib is not None and self.sizes_kib is not None:
            raise SimulationError("request_kib and sizes_kib say the same in two ways: give one of them")
        for name in ("hot_space_share", "hot_request_share", "zipf_exponent"):
            place = name.partition("_")[0]
            if getattr(self, name) is not None and self.places != place:
                raise SimulationError(
                    f'{name} says something with places = "{place}" only: add that, or remove it'
                )

    def _sizes(self) -> dict[int, float]:
        """Bytes of a request, with weights."""
        if self.sizes_kib is None:
            return {(self.request_kib or 4) * KIB: 1.0}
        sizes = {}
        for text, weight in self.sizes_kib.items():
            if not (text.isascii() and text.isdecimal() and 4 <= int(text[:9]) <= REQUEST_KIB_MAXIMUM):
                raise SimulationError(
                    f"sizes_kib: a size must be a whole number from 4 to {REQUEST_KIB_MAXIMUM}, not {text!r:.40}: "
                    "write it as in {4 = 0.9, 64 = 0.1}"
                )
            sizes[int(text) * KIB] = float(weight)
        return sizes

    def _gaps(self) -> AnyGaps:
        rate = self.requests_per_second
        if rate is None:
            return Poisson(1e6 / self.pause_us) if self.pause_us else Even(0.0)
        if self.burst_requests is None or self.burst_speed_up is None:
            return Poisson(float(rate))
        return Bursty(float(rate), float(self.burst_requests), float(self.burst_speed_up))

    def _places(self) -> AnyPlaces:
        match self.places:
            case "sequential":
                return Sequential()
            case "hot":
                return HotSpot(_given(self.hot_space_share, 0.1), _given(self.hot_request_share, 0.9))
            case "zipf":
                return Zipf(_given(self.zipf_exponent, 0.99))
        return Anywhere()

    def _drawn(self, verbs: dict[str, float]) -> Synthetic:
        """Requests with these verbs; open if it is said how many arrive in a second."""
        sizes = self._sizes()
        is_open = self.requests_per_second is not None
        return Synthetic(
            verbs, sizes, self._places(), min(sizes, default=4096), self._gaps(), is_open, self.clients
        )


class MixTable(_DrawnTable, frozen=True, kw_only=True, tag="mix"):
    """Reads and writes of the live volume, and whatever else an active can be asked for."""

    clients: int = 16
    read_share: Number | None = None
    verbs: dict[str, Number] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_bounds(self, {"read_share": (0, 1)}, SimulationError)
        if self.read_share is not None and self.verbs is not None:
            raise SimulationError("read_share and verbs say the same in two ways: give one of them")
        self._drawn(self._verbs())  # which refuses what nobody can ask for

    def _verbs(self) -> dict[str, float]:
        if self.verbs is not None:
            return {verb: float(weight) for verb, weight in self.verbs.items()}
        share = _given(self.read_share, 0.0)
        return {"read": share, "write": 1.0 - share}

    def workload_of(self, find: Find) -> Workload:
        """See `HostsTable`."""
        return self._drawn(self._verbs())


class ReadsTable(_DrawnTable, frozen=True, kw_only=True, tag="reads"):
    """Reads of the newest shadow copy, as restores of single files make them."""

    count: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_bounds(self, {"count": (0, HOST_COUNT_MAXIMUM)}, SimulationError)
        self._drawn({"read": 1.0})

    def workload_of(self, find: Find) -> Workload:
        """See `HostsTable`."""
        return self._drawn({"read": 1.0})


class _BackupTable(HostsTable, frozen=True, kw_only=True):
    """Backups one after the other."""

    count: int = 1
    request_kib: int = KIB
    rest_ms: Number = 0
    pause_us: Number = 0
    age: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        bounds = {
            "count": (0, HOST_COUNT_MAXIMUM),
            "request_kib": (4, REQUEST_KIB_MAXIMUM),
            "rest_ms": (0, 1e9),
            "pause_us": (0, 1e12),
            "age": (0, 31),
        }
        check_bounds(self, bounds, SimulationError)

    def workload_of(self, find: Find) -> Workload:
        """See `HostsTable`."""
        is_incremental = isinstance(self, IncrementalBackupTable)
        rest_us, pause_us = self.rest_ms * 1e3, float(self.pause_us)
        return Backup(is_incremental, self.request_kib * KIB, rest_us, pause_us, 0, self.age, self.clients)


class FullBackupTable(_BackupTable, frozen=True, kw_only=True, tag="full-backup"):
    """Scans of all of a shadow copy."""


class IncrementalBackupTable(_BackupTable, frozen=True, kw_only=True, tag="incremental-backup"):
    """Scans of what changed between two shadow copies."""

    rest_ms: Number = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.rest_ms:
            raise SimulationError("rest_ms must be above 0: else it asks for changes all the time")


class ReplayTable(HostsTable, frozen=True, kw_only=True, tag="replay"):
    """What a trace recorded, of the active; of passives, the reads in it."""

    clients: int = 32
    trace: str
    trace_device: str = ""
    speed: Number = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_bounds(self, {"speed": (0, 1e9)}, SimulationError)

    def _replay(self, find: Find, verbs: tuple[str, ...]) -> Workload:
        path = find(self.trace)
        if not any(True for _ in islice(read_trace(path, self.trace_device or None), 1)):
            raise SimulationError(
                f"{path}: there is no request in the trace, or none of the device that is named"
            )
        return Replay(str(path), self.trace_device, float(self.speed), self.clients, 0, verbs)

    def workload_of(self, find: Find) -> Workload:
        """See `HostsTable`."""
        return self._replay(find, ())


class PassiveReplayTable(ReplayTable, frozen=True, kw_only=True, tag="replay"):
    """The same, of passives."""

    count: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_bounds(self, {"count": (0, HOST_COUNT_MAXIMUM)}, SimulationError)

    def workload_of(self, find: Find) -> Workload:
        """See `HostsTable`."""
        return self._replay(find, ("read",))


ActiveTable = MixTable | ReplayTable
PassivesTable = ReadsTable | FullBackupTable | IncrementalBackupTable | PassiveReplayTable


def _given(value: Number | None, default: float) -> float:
    return default if value is None else float(value)
