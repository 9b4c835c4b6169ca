"""Hosts that serve the requests of workloads, with the protocol's own code: an active, and passives.

Each task takes one request after the other from a source and carries it out. An error of the protocol ends a request,
not the task: it is handed back with the next call for a request, as are the requests that follow from an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from typing import Any

from shadowshare.protocol.active import Active
from shadowshare.protocol.changes import ExtentRun
from shadowshare.protocol.errors import ShadowCopyNotFound, ShadowshareError
from shadowshare.protocol.geometry import Geometry
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.protocol.passive import ByteRange, Passive
from shadowshare.sim.host import Computer, Host
from shadowshare.sim.timed.source import NextRequest, Source
from shadowshare.sim.timed.workload import HostRequest

Following = Iterator[HostRequest] | None
CarryOut = Callable[[HostRequest], Coroutine[Any, Any, Following]]
"""Carries out a request; returns those that follow from its answer, if any do."""

_WRITTEN = memoryview(bytes(range(256)) * 16)


def active_host(active: Active, sources: Sequence[Source]) -> Host:
    """A host that carries out the requests of an active's users; one task for each of ``sources``."""

    async def carry_out(request: HostRequest) -> Following:
        verb, offset, length = request.verb, request.offset, request.length
        if verb == "write":
            await active.write(offset, _data(length))
        elif verb == "read":
            await active.read(offset, length)
        elif verb == "flush":
            await active.flush()
        elif verb == "create":
            await active.create()
        elif verb == "delete":
            copies = active.view.shadow_copies
            if not copies:
                raise ShadowCopyNotFound("there is no shadow copy to delete")
            await active.delete(copies[0].id)
        elif verb == "zero":
            await active.write_zeroes(offset, length)
        else:
            assert verb == "discard", f"no request of an active: {verb!r}"
            await active.discard(offset, length)
        return None

    return _host(lambda: carry_out, sources)


def passive_host(passive: Passive, sources: Sequence[Source]) -> Host:
    """A host that carries out the requests of a passive's users; one task for each of ``sources``."""
    return _host(lambda: _Reader(passive).carry_out, sources)


class _Reader:
    """One client of a passive, who remembers which shadow copy it scanned."""

    def __init__(self, passive: Passive) -> None:
        self._passive = passive
        copies = passive.view.shadow_copies
        self._scanned = copies[-1].id if copies else None

    async def carry_out(self, request: HostRequest) -> Following:
        """See `CarryOut`."""
        passive, verb = self._passive, request.verb
        if verb == "catch-up":
            await passive.catch_up()
        elif verb == "read":
            shadow_copy = request.shadow_copy or await self._shadow_copy(request.age)
            await passive.read(shadow_copy, request.offset, request.length)
        else:
            assert verb in ("scan", "scan-changes"), f"no request of a passive: {verb!r}"
            await passive.catch_up()
            target = await self._shadow_copy(request.age)
            ranges = await self._to_scan(verb, target)
            return _pieces(request, target, ranges)
        return None

    async def _shadow_copy(self, age: int) -> ShadowCopyId:
        """The newest one, or an older one; what the cached view does not know is looked for."""
        if age >= len(self._passive.view.shadow_copies):
            await self._passive.catch_up()
        copies = self._passive.view.shadow_copies
        if age >= len(copies):
            raise ShadowCopyNotFound(f"there are only {len(copies)} shadow copies")
        return copies[-1 - age].id

    async def _to_scan(self, verb: str, target: ShadowCopyId) -> list[ByteRange]:
        geometry = self._passive.geometry
        base, self._scanned = self._scanned, target
        if verb == "scan-changes" and base is not None:
            with suppress(
                ShadowCopyNotFound
            ):  # who is too late for the one before begins with all of it again
                runs = await self._passive.changed(base, target)
                return [_bytes_of(run, geometry) for run in runs]
        return [ByteRange(0, geometry.volume_bytes)]


def _bytes_of(run: ExtentRun, geometry: Geometry) -> ByteRange:
    start, _ = geometry.extent_span(run.extent)
    last, sector_count = geometry.extent_span(run.extent + run.extent_count - 1)
    return ByteRange(start * geometry.sector_bytes, (last + sector_count - start) * geometry.sector_bytes)


def _pieces(
    scan: HostRequest, shadow_copy: ShadowCopyId, ranges: Sequence[ByteRange]
) -> Iterator[HostRequest]:
    """The reads of a scan."""
    for start, length in ranges:
        end = start + length
        for offset in range(start, end, scan.length):
            size = min(scan.length, end - offset)
            yield HostRequest(scan.pause_ns, "read", offset, size, scan.age, 0, shadow_copy)


def _data(length: int) -> memoryview:
    """What is written: nobody looks at it."""
    global _WRITTEN  # noqa: PLW0603 - the longest one so far, kept to be used again
    while len(_WRITTEN) < length:
        _WRITTEN = memoryview(bytes(_WRITTEN) * 2)
    return _WRITTEN[:length]


def _host(client: Callable[[], CarryOut], sources: Sequence[Source]) -> Host:
    def task_of(source: Source) -> Callable[[], Coroutine[Any, Any, None]]:
        carry_out = client()

        async def serve() -> None:
            error: ShadowshareError | None = None
            following: Following = None
            while (request := await NextRequest(source, error, following)) is not None:
                error = following = None
                try:
                    following = await carry_out(request)
                except ShadowshareError as failure:
                    error = failure

        return serve

    return Host(Computer([task_of(source) for source in sources], [], lambda: None))
