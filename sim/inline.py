"""The simplest world: one coroutine, every operation takes effect at once."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from shadowshare.protocol.operations import Operation
from shadowshare.sim.disks.memory_disk import Answer, MemoryDisk

_T = TypeVar("_T")


def run_to_result(coroutine: Coroutine[Any, Any, _T], answer_to: Callable[[Any], Any]) -> _T:
    """Run a protocol coroutine to its result, by what ``answer_to`` answers to each of its requests.

    An answer that is an exception is thrown into the coroutine.
    """
    answer: Any = None
    try:
        while True:
            request = coroutine.throw(answer) if isinstance(answer, Exception) else coroutine.send(answer)
            answer = answer_to(request)
    except StopIteration as end:
        result: _T = end.value
        return result


def perform_inline(coroutine: Coroutine[Any, Any, _T], disks: Sequence[MemoryDisk], host: int = 0) -> _T:
    """Run a protocol coroutine to its result against memory disks, by device number."""

    def perform(operation: Operation) -> Answer:
        disk = disks[operation.device]
        return disk.perform(operation, host, disk.write_count)

    def answer_to(request: Any) -> Any:
        return perform(request) if isinstance(request, Operation) else [perform(one) for one in request]

    return run_to_result(coroutine, answer_to)
