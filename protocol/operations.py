"""Disk operations as values that protocol code awaits.

A protocol coroutine yields one `Operation`, or a tuple of them (`together`) that may take effect in any order; whoever
drives it, a *world*, sends back the answer or throws the `DiskError`. Nothing here performs anything.

Every operation declares its *footprint*: the device, the sectors and whether it changes them. Two operations of
different hosts conflict exactly if their footprints do.

Of the tasks of one host, one runs at a time, from one operation to the next. They wait for each other by `Event`, the
only other thing that a protocol coroutine yields.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from enum import Enum
from types import coroutine
from typing import Any, ClassVar, NamedTuple

Buffer = bytes | memoryview


class Access(Enum):
    """What an operation does to the sectors in its footprint."""

    READ = "reads"
    WRITE = "writes"
    FLUSH = "flushes"
    RESERVE = "reserves"


class Footprint(NamedTuple):
    """The sectors ``[sector, sector + sector_count)`` of a device, and the kind of access.

    A flush and a reservation concern the whole device: ``sector_count`` is 0.
    """

    device: int
    sector: int
    sector_count: int
    access: Access


class Operation:
    """One request to a device. ``device`` is an index that the store's `Devices` gives; sectors count from 0."""

    __slots__ = ("device", "sector", "sector_count")
    access: ClassVar[Access]
    verb: ClassVar[str]

    def __init__(self, device: int, sector: int = 0, sector_count: int = 0) -> None:
        self.device = device
        self.sector = sector
        self.sector_count = sector_count

    @property
    def footprint(self) -> Footprint:
        """The sectors that this operation can touch."""
        return Footprint(self.device, self.sector, self.sector_count, self.access)

    def identity(self) -> tuple[object, ...]:
        """Equal for two operations exactly if a device could not tell them apart."""
        return (self.verb, self.device, self.sector, self.sector_count)

    def __repr__(self) -> str:
        return f"{self.verb}(device {self.device}, sector {self.sector}, {self.sector_count})"


class Read(Operation):
    """Read sectors. The answer is a buffer of ``sector_count`` sectors; several sectors are not read atomically."""

    __slots__ = ()
    access = Access.READ
    verb = "read"

    def __await__(self) -> Generator[Operation, Buffer, Buffer]:
        return (yield self)


class Change(Operation):
    """An operation whose answer is None."""

    __slots__ = ()

    def __await__(self) -> Generator[Operation, None, None]:
        yield self


class Write(Change):
    """Write ``data``, a whole number of sectors. Several sectors are not written atomically."""

    __slots__ = ("data",)
    access = Access.WRITE
    verb = "write"

    def __init__(self, device: int, sector: int, sector_count: int, data: Buffer) -> None:
        self.device = device
        self.sector = sector
        self.sector_count = sector_count
        self.data = data

    def identity(self) -> tuple[object, ...]:
        """Equal for two operations exactly if a device could not tell them apart."""
        return (self.verb, self.device, self.sector, self.sector_count, bytes(self.data))


class WriteZeroes(Change):
    """Make the sectors read as zeroes."""

    __slots__ = ()
    access = Access.WRITE
    verb = "zero"


class Discard(Change):
    """Tell the device that the content of the sectors is no longer needed. They read as zeroes afterwards."""

    __slots__ = ()
    access = Access.WRITE
    verb = "discard"


class Flush(Change):
    """Make every write durable that completed before this operation was issued."""

    __slots__ = ()
    access = Access.FLUSH
    verb = "flush"


class Reserve(Change):
    """Take the device's reservation: from now on writes of every other host, also those in flight, are refused."""

    __slots__ = ()
    access = Access.RESERVE
    verb = "reserve"


@coroutine
def together(operations: Sequence[Operation]) -> Generator[Any, Any, list[Any]]:
    """Await several operations that may take effect in any order; the answers come in the order of the request.

    Raises:
        DiskError: the first error in the order of the request, after all of them have ended.
    """
    if len(operations) == 1:
        return [(yield operations[0])]
    if not operations:
        return []
    answers = yield tuple(operations)
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return list(answers)


class Event:
    """Something that tasks of one host wait for. Once set it stays set."""

    __slots__ = ("is_set",)

    def __init__(self) -> None:
        self.is_set = False

    def set(self) -> None:
        """Let every task that waits for this event go on."""
        self.is_set = True

    def __await__(self) -> Generator[Event, None, None]:
        if not self.is_set:
            yield self
