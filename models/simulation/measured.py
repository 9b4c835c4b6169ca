"""What one run measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from shadowshare.models.experiment.histogram import Histogram
from shadowshare.protocol.marks import Mark
from shadowshare.sim.timed.source import Served
from shadowshare.sim.timed.traffic import JOURNAL, SLOTS, SUPERBLOCK, VOLUME, Flow

ACTIVE, PASSIVES = "active", "passives"
SAVED = "passives.recheck_saved_per_read"
Kind = tuple[str, str]
"""Role of the host, and verb of the request."""


_SCANS = ("scan", "scan-changes")
"""Their length is that of the reads that follow."""


class LatencyLog:
    """Latencies of requests by kind; a recorder of a source.

    Args:
        active_hosts: numbers of the hosts that are the active, one after the other; others are passives.
    """

    def __init__(self, active_hosts: frozenset[int]) -> None:
        self._active_hosts = active_hosts
        self.reset()

    def reset(self) -> None:
        """Begin anew: who has what was noted so far may keep it."""
        self.latencies: dict[Kind, Histogram] = {}
        self.failures: Counter[tuple[str, str, str]] = Counter()
        self.moved_bytes: Counter[Kind] = Counter()

    def __call__(self, served: Served) -> None:
        """Note a request that was done."""
        request = served.request
        kind = (ACTIVE if served.host in self._active_hosts else PASSIVES, request.verb)
        if served.error is not None:
            self.failures[(*kind, type(served.error).__name__)] += 1
            return
        histogram = self.latencies.get(kind)
        if histogram is None:
            histogram = self.latencies[kind] = Histogram()
        histogram.record(served.done_ns - served.arrived_ns)
        self.moved_bytes[kind] += 0 if request.verb in _SCANS else request.length


@dataclass(frozen=True, slots=True)
class DeviceUse:
    """How busy a device was.

    Attributes:
        served_count: operations that it served.
        busy_ns: how long its servers served, together.
        server_count: how many they are.
    """

    served_count: int
    busy_ns: int
    server_count: int


@dataclass(frozen=True, slots=True)
class Measured:
    """One run, in the time in which it was measured.

    Attributes:
        measured_ns: that time.
        latencies: from the arrival of a request until it was done, in nanoseconds.
        failures: requests that ended with an error, by role, verb and the error's name.
        moved_bytes: of the requests that were done.
        operations: operations on the devices.
        operation_bytes: what they moved.
        marks: how often each rare path of the protocol was taken.
        devices: how busy each was.
        journal_blocks: journal blocks that were written.
        slots_used: slots that hold copies at the end.
        slot_count: slots that there are.
        backlog_count: requests that arrived and were not begun at the end.
        active_hosts: numbers of the hosts that were the active; all others are passives.
    """

    measured_ns: int
    latencies: dict[Kind, Histogram]
    failures: Counter[tuple[str, str, str]]
    moved_bytes: Counter[Kind]
    operations: Counter[Flow]
    operation_bytes: Counter[Flow]
    marks: Counter[Mark]
    devices: tuple[DeviceUse, ...]
    journal_blocks: int
    slots_used: int
    slot_count: int
    backlog_count: int
    active_hosts: frozenset[int]

    def figures(self) -> dict[str, float]:
        """Every figure by name; times in seconds."""
        return dict(self._figures())

    def _figures(self) -> Iterator[tuple[str, float]]:
        seconds = self.measured_ns / 1e9
        for (role, verb), histogram in sorted(self.latencies.items()):
            name = f"{role}.{verb}"
            yield f"{name}.per_second", histogram.count / seconds
            if self.moved_bytes[role, verb]:
                yield f"{name}.bytes_per_second", self.moved_bytes[role, verb] / seconds
            yield f"{name}.latency_mean", histogram.mean / 1e9
            for label, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999)):
                yield f"{name}.latency_{label}", histogram.quantile(share) / 1e9
        for role, verb in sorted(self.latencies):
            failed = sum(count for key, count in self.failures.items() if key[:2] == (role, verb))
            yield f"{role}.{verb}.failed_per_second", failed / seconds
        yield from self._shared_figures(seconds)
        for number, device in enumerate(self.devices):
            yield f"device.{number}.per_second", device.served_count / seconds
            capacity_ns = self.measured_ns * device.server_count
            yield f"device.{number}.utilisation", device.busy_ns / capacity_ns

    def rare(self) -> dict[str, tuple[int, int]]:
        """Figures that are a share of few among many: how many, and of how many."""
        reads = self.latencies.get((PASSIVES, "read"))
        return {SAVED: (self.marks[Mark.COPIED_DURING_READ], reads.count)} if reads is not None else {}

    def _shared_figures(self, seconds: float) -> Iterator[tuple[str, float]]:
        """What copying on write, and reading without a lock, cost."""
        asked = sum(
            count for kind, count in self.moved_bytes.items() if kind[0] == ACTIVE and kind[1] == "write"
        )
        written = sum(count for flow, count in self.operation_bytes.items() if flow.verb == "write")
        if asked:
            yield "active.write_amplification", written / asked
        yield "active.copies_per_second", self._count(True, "write", SLOTS) / seconds
        yield "active.journal_blocks_per_second", self.journal_blocks / seconds
        yield "active.slots_used_share", self.slots_used / self.slot_count
        reads = self.latencies.get((PASSIVES, "read"))
        if reads is not None and reads.count:
            data = self._count(False, "read", VOLUME) + self._count(False, "read", SLOTS)
            journal = self._count(False, "read", JOURNAL) + self._count(False, "read", SUPERBLOCK)
            yield "passives.data_operations_per_read", data / reads.count
            yield "passives.journal_operations_per_read", journal / reads.count
            yield SAVED, self.marks[Mark.COPIED_DURING_READ] / reads.count
            from_slots = self._count(False, "read", SLOTS)
            yield "passives.slot_share", from_slots / data if data else 0.0

    def _count(self, is_active: bool, verb: str, place: str) -> int:
        return sum(
            count
            for flow, count in self.operations.items()
            if (flow.host in self.active_hosts) == is_active and flow.verb == verb and flow.place == place
        )


def joined(parts: Sequence[Measured]) -> Measured:
    """Successive parts of one run, one or more, as one."""
    last = parts[-1]
    latencies: dict[Kind, Histogram] = {}
    for part in parts:
        for kind, histogram in part.latencies.items():
            latencies.setdefault(kind, Histogram()).add(histogram)
    return replace(
        last,
        measured_ns=sum(part.measured_ns for part in parts),
        latencies=latencies,
        failures=sum((part.failures for part in parts), Counter()),
        moved_bytes=sum((part.moved_bytes for part in parts), Counter()),
        operations=sum((part.operations for part in parts), Counter()),
        operation_bytes=sum((part.operation_bytes for part in parts), Counter()),
        marks=sum((part.marks for part in parts), Counter()),
        devices=tuple(
            DeviceUse(
                sum(use.served_count for use in uses), sum(use.busy_ns for use in uses), uses[0].server_count
            )
            for uses in zip(*(part.devices for part in parts), strict=True)
        ),
        journal_blocks=sum(part.journal_blocks for part in parts),
    )
