"""Asking a disk, and saying what is wrong with the answer: the vocabulary of the conformance checks."""

from __future__ import annotations

from shadowshare.protocol.errors import DiskError
from shadowshare.protocol.operations import Operation, Read
from shadowshare.sim.disks.disk import Disk
from shadowshare.sim.disks.memory_disk import Answer


class NotConforming(AssertionError):
    """A disk did what no disk may do."""


_PERIOD = bytes(index * 7 % 251 + 1 for index in range(251))


def expect(condition: bool, message: str) -> None:
    """Complain with ``message`` unless ``condition`` holds. Unlike ``assert``, also when Python optimises."""
    if not condition:
        raise NotConforming(message)


def pattern(size_bytes: int, seed: int) -> bytes:
    """Bytes without zeroes, different for every seed from 1 to 250, whose period divides no sector size."""
    seed %= len(_PERIOD)
    return (_PERIOD * (size_bytes // len(_PERIOD) + 2))[seed : seed + size_bytes]


def perform(disk: Disk, operation: Operation) -> Answer:
    """The answer to an operation that host 0 issues now.

    Raises:
        DiskError: if that is the answer.
    """
    answer = disk.perform(operation, 0, disk.write_count)
    if isinstance(answer, Exception):
        raise answer
    return answer


def error_of(disk: Disk, operation: Operation) -> DiskError | None:
    """The error that an operation is refused with; None if it is not refused."""
    try:
        perform(disk, operation)
    except DiskError as error:
        return error
    return None


def change(disk: Disk, operation: Operation) -> None:
    """Perform an operation whose answer must be None."""
    expect(perform(disk, operation) is None, f"the answer to {operation!r} is not None")


def answer_to_read(disk: Disk, sector: int, sector_count: int) -> bytes | memoryview:
    """The very buffer that a read is answered with."""
    answer = perform(disk, Read(0, sector, sector_count))
    if not isinstance(answer, bytes | memoryview):
        raise NotConforming(
            f"a read was answered with a {type(answer).__name__}, not with bytes or a memoryview"
        )
    size = sector_count * disk.sector_bytes
    expect(len(answer) == size, f"a read of {size} bytes was answered with {len(answer)}")
    return answer


def contents(disk: Disk, sector: int, sector_count: int) -> bytes:
    """A copy of what is in the sectors."""
    return bytes(answer_to_read(disk, sector, sector_count))
