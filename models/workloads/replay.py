"""A recorded trace as a workload."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import msgspec
from numpy.random import Generator

from shadowshare.models.bounds import check_bounds
from shadowshare.models.workloads.blkparse import DEVICE, read_blkparse
from shadowshare.models.workloads.errors import TraceError, WorkloadError
from shadowshare.models.workloads.fio_iolog import FIRST_LINES, read_fio_iolog
from shadowshare.models.workloads.msr_cambridge import FIELD_COUNT, read_msr_cambridge
from shadowshare.models.workloads.trace import Lines, Reader, TraceRequest, numbered, open_bytes
from shadowshare.sim.timed.workload import HostRequest


def read_trace(path: Path, device: str | None = None) -> Iterator[TraceRequest]:
    """The requests of a trace file: of fio (version 2 or 3), blkparse or MSR Cambridge; also compressed (``.gz``).

    Args:
        path: the file; it is read as the requests are asked for.
        device: which device or file of the trace; None if it has only one.

    Raises:
        TraceError: it cannot be read; the message names the file and the line.
    """
    try:
        with open_bytes(path) as stream:
            yield from _read(numbered(stream), device)
    except TraceError as error:
        raise TraceError(f"{path}: {error}") from None
    except OSError as error:
        raise TraceError(f"{path}: the trace cannot be read: {error.strerror or error}") from None


def _read(lines: Lines, device: str | None) -> Iterator[TraceRequest]:
    first = next(lines, None)
    if first is None:
        raise TraceError("the file is empty")
    yield from _reader_of(first[1])(chain([first], lines), device)


def _reader_of(first_line: str) -> Reader:
    """The format, by its first line.

    Raises:
        TraceError: it is none that is known.
    """
    if first_line in FIRST_LINES:
        return read_fio_iolog
    if DEVICE.match(first_line.strip()) and not re.search(r",.*,", first_line):
        return read_blkparse
    if first_line.count(",") == FIELD_COUNT - 1:
        return read_msr_cambridge
    raise TraceError(
        "line 1: this is no trace of fio ('fio version 2 iolog' or 3), blkparse or MSR Cambridge (CSV): "
        f"it begins with {first_line!r:.60}"
    )


class Replay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Asks for what a trace recorded, when it was recorded, or as fast as the answers come.

    A request that reaches beyond the volume is moved into it (its offset modulo the size of the volume, and cut at its
    end); offsets and lengths are widened to whole sectors. So a trace of a large disk fits on a small volume.

    Attributes:
        path: of the trace file; see `read_trace`.
        device: which one of it; empty if it has only one.
        speed: 2 replays twice as fast as it was recorded; 0 as fast as the answers come (closed loop).
        client_count: requests at a time, at most. In a closed loop every client replays all of it.
        pass_count: how often it is replayed; 0: without end.
        verbs: only these are asked for, as if nothing else had been recorded; empty for all. Passives can only read.
    """

    path: str
    device: str = ""
    speed: float = 1.0
    client_count: int = 32
    pass_count: int = 1
    verbs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        bounds = {"speed": (0, 1e9), "client_count": (1, 1 << 16), "pass_count": (0, 1 << 31)}
        check_bounds(self, bounds, WorkloadError)

    @property
    def is_open(self) -> bool:
        """Whether the trace's own times count."""
        return self.speed > 0.0

    def requests(self, random: Generator, volume_bytes: int, sector_bytes: int) -> Iterator[HostRequest]:
        """See `shadowshare.sim.timed.workload.Workload`; raises as `read_trace`."""
        passes = 0
        while self.pass_count == 0 or passes < self.pass_count:
            passes += 1
            before_ns: int | None = None
            for request in read_trace(Path(self.path), self.device or None):
                if self.verbs and request.verb not in self.verbs:
                    continue
                before_ns = request.time_ns if before_ns is None else before_ns
                gap_ns = round(max(request.time_ns - before_ns, 0) / self.speed) if self.speed else 0
                before_ns = max(before_ns, request.time_ns)
                yield _placed(request, gap_ns, volume_bytes, sector_bytes)
            if before_ns is None:
                return  # nothing is in it, however often it is read


def _placed(request: TraceRequest, gap_ns: int, volume_bytes: int, sector_bytes: int) -> HostRequest:
    if request.verb == "flush" or not request.length:
        return HostRequest(gap_ns, "flush" if request.verb == "flush" else request.verb)
    offset = request.offset % volume_bytes
    start = offset // sector_bytes * sector_bytes
    end = min(-(-(offset + request.length) // sector_bytes) * sector_bytes, volume_bytes)
    return HostRequest(gap_ns, request.verb, start, end - start)
