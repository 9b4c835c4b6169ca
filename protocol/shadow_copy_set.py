"""Shadow copies of several volumes at one instant.

1. Hold the writes of all volumes, one after the other, and flush each.
2. Append CREATED to each journal; flush.
3. Let the writes of all go on.

From the last hold to the first release nothing is written to any of the volumes, so the images are those of one moment:
if one of them has a write, then the others have every write that was acknowledged before that one began.

Each store knows its own shadow copy and nothing of the others. What names a set is the time of creation, which is the
same in all of them. A crash in step 2 can leave some of a set: each of these is a right image, and they lack the rest.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator, Sequence
from contextlib import suppress
from copy import copy
from types import coroutine
from typing import Any, NamedTuple, TypeVar

from shadowshare.protocol.active import Active
from shadowshare.protocol.errors import ShadowshareError
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.protocol.operations import Event, Operation

_T = TypeVar("_T")


class Member(NamedTuple):
    """A store among several that one host is the active of.

    Attributes:
        active: of the store.
        first_device: what this host adds to the store's device numbers to have numbers of its own for each store.
    """

    active: Active
    first_device: int


async def create_set(members: Sequence[Member], created_ns: int) -> list[ShadowCopyId]:
    """Create a shadow copy in each store, all at one instant; the ids come in the order of ``members``.

    Args:
        members: different stores.
        created_ns: wall-clock time to record, nanoseconds since 1970; it is the name of the set, so it must be new.

    Raises:
        TooManyShadowCopies, JournalFull, DiskError, ActiveStopped: as for `Active.create`, for one of the stores. What
            was created in others is deleted again, except in those that have stopped since.
    """
    held: list[Member] = []
    created: dict[Member, ShadowCopyId] = {}
    try:
        # In an order that all sets share: two that are created at the same time do not wait for each other for ever.
        for member in sorted(members, key=lambda member: member.active.geometry.store_id):
            await at_devices(member.active.hold_writes(), member.first_device)
            held.append(member)
        for member in members:
            created[member] = await at_devices(member.active.create_held(created_ns), member.first_device)
    except ShadowshareError:
        await _delete_again(created)
        raise
    finally:
        for member in held:
            await at_devices(member.active.let_writes_go_on(), member.first_device)
    return [created[member] for member in members]


async def _delete_again(created: dict[Member, ShadowCopyId]) -> None:
    for member, shadow_copy in created.items():
        with suppress(ShadowshareError):
            await at_devices(member.active.delete(shadow_copy), member.first_device)


@coroutine
def at_devices(task: Coroutine[Any, Any, _T], first_device: int) -> Generator[Any, Any, _T]:
    """Await ``task`` with every device number of its operations raised by ``first_device``."""
    answer: Any = None
    try:
        while True:
            request = task.throw(answer) if isinstance(answer, Exception) else task.send(answer)
            try:
                answer = yield _moved(request, first_device)
            except Exception as error:  # noqa: BLE001 - it is the task's to take
                answer = error
    except StopIteration as end:
        result: _T = end.value
        return result
    finally:
        task.close()


def _moved(request: Any, first_device: int) -> Any:
    if isinstance(request, Event):
        return request
    if isinstance(request, Operation):
        moved = copy(request)
        moved.device += first_device
        return moved
    return tuple(_moved(operation, first_device) for operation in request)
