"""Hosts that serve the requests of workloads, with the protocol's own code: an active, and passives.

Each task takes one request after the other from a source and carries it out. An error of the protocol ends a request,
not the task: it is handed back with the next call for a request.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from shadowshare.protocol.active import Active
from shadowshare.protocol.errors import ShadowCopyNotFound, ShadowshareError
from shadowshare.protocol.passive import Passive
from shadowshare.sim.host import Computer, Host
from shadowshare.sim.timed.source import NextRequest, Source
from shadowshare.sim.timed.workload import HostRequest

CarryOut = Callable[[HostRequest], Coroutine[Any, Any, None]]
_WRITTEN = memoryview(bytes(range(256)) * 16)


def active_host(active: Active, sources: Sequence[Source]) -> Host:
    """A host that carries out the requests of an active's users; one task for each of ``sources``."""

    async def carry_out(request: HostRequest) -> None:
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

    return _host(carry_out, sources)


def passive_host(passive: Passive, sources: Sequence[Source]) -> Host:
    """A host that carries out the requests of a passive's users; one task for each of ``sources``."""

    async def carry_out(request: HostRequest) -> None:
        if request.verb == "catch-up":
            await passive.catch_up()
            return
        assert request.verb == "read", f"no request of a passive: {request.verb!r}"
        copies = passive.view.shadow_copies
        if request.age >= len(copies):
            await passive.catch_up()
            copies = passive.view.shadow_copies
        if request.age >= len(copies):
            raise ShadowCopyNotFound(f"there are only {len(copies)} shadow copies")
        await passive.read(copies[-1 - request.age].id, request.offset, request.length)

    return _host(carry_out, sources)


def _data(length: int) -> memoryview:
    """What is written: nobody looks at it."""
    global _WRITTEN  # noqa: PLW0603 - the longest one so far, kept to be used again
    while len(_WRITTEN) < length:
        _WRITTEN = memoryview(bytes(_WRITTEN) * 2)
    return _WRITTEN[:length]


def _host(carry_out: CarryOut, sources: Sequence[Source]) -> Host:
    def task_of(source: Source) -> Callable[[], Coroutine[Any, Any, None]]:
        async def serve() -> None:
            error: ShadowshareError | None = None
            while (request := await NextRequest(source, error)) is not None:
                error = None
                try:
                    await carry_out(request)
                except ShadowshareError as failure:
                    error = failure

        return serve

    return Host(Computer([task_of(source) for source in sources], [], lambda: None))
