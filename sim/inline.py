"""The simplest world: one coroutine, every operation takes effect at once."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from shadowshare.protocol.operations import Operation
from shadowshare.sim.disks.memory_disk import Answer, MemoryDisk

_T = TypeVar("_T")


def perform_inline(coroutine: Coroutine[Any, Any, _T], disks: Sequence[MemoryDisk], host: int = 0) -> _T:
    """Run a protocol coroutine to its result against memory disks, by device number."""
    answer: Any = None
    try:
        while True:
            request = coroutine.throw(answer) if isinstance(answer, Exception) else coroutine.send(answer)
            if isinstance(request, Operation):
                answer = _perform(request, disks, host)
            else:
                answer = [_perform(operation, disks, host) for operation in request]
    except StopIteration as end:
        result: _T = end.value
        return result


def _perform(operation: Operation, disks: Sequence[MemoryDisk], host: int) -> Answer:
    disk = disks[operation.device]
    return disk.perform(operation, host, disk.write_count)
