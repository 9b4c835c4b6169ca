"""Faults that the device reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from shadowshare.protocol.errors import FlushError, ReadError, WriteError
from shadowshare.protocol.operations import Access, Operation, Write
from shadowshare.sim.faults.fault import Answer, Fault

if TYPE_CHECKING:
    from shadowshare.sim.stepped.flight import Flight
    from shadowshare.sim.stepped.shared import SharedState

REPORTED = "the device reported an error"
_WRITE_ERRORS = frozenset({"WriteError", "ActiveStopped", "FlushError"})


class WriteErrors(Fault):
    """A write reports an error: it landed (``!``), or did not, but may still land later (``~``)."""

    name = "write_errors"
    mark = "~"
    accesses = (Access.WRITE,)
    errors = frozenset({"WriteError", "ActiveStopped"})

    def marks(self, operation: Operation, sectors: Sequence[int], disk: Any) -> Sequence[str]:
        """With and without an effect."""
        return ("!", "~")

    def effect(self, operation: Operation, mark: str) -> Operation | None:
        """The write, if it landed."""
        return operation if mark == "!" else None

    def strike(self, shared: SharedState, flight: Flight, mark: str) -> Answer:
        """An error; of a fence, if that refuses the write."""
        if mark == "!":
            answer = shared.perform(flight)
            return answer if isinstance(answer, Exception) else WriteError(REPORTED)
        shared.outlive([flight])
        return WriteError(REPORTED)


class ReadErrors(Fault):
    """A read reports an error, once."""

    name = "read_errors"
    mark = "~"
    accesses = (Access.READ,)
    errors = frozenset({"ReadError"})

    def strike(self, shared: SharedState, flight: Flight, mark: str) -> Answer:
        """An error."""
        return ReadError(REPORTED)


class FlushErrors(Fault):
    """A flush reports an error, and makes nothing durable."""

    name = "flush_errors"
    mark = "~"
    accesses = (Access.FLUSH,)
    errors = frozenset({"FlushError", "ActiveStopped"})

    def strike(self, shared: SharedState, flight: Flight, mark: str) -> Answer:
        """An error."""
        shared.failed(flight)
        return FlushError(REPORTED)


class LastingReadErrors(Fault):
    """A sector cannot be read any more, until it is written again (as in Linux dm-dust)."""

    name = "lasting_read_errors"
    mark = "~bad"
    accesses = (Access.READ,)
    errors = frozenset({"ReadError"})
    lasts = True
    words = "a sector cannot be read any more"

    def marks(self, operation: Operation, sectors: Sequence[int], disk: Any) -> Sequence[str]:
        """One for each sector that can still be read."""
        return [
            f"{self.mark}.{sector - operation.sector}"
            for sector in sectors
            if sector not in disk.overlay.unreadable
        ]

    def strike(self, shared: SharedState, flight: Flight, mark: str) -> Answer:
        """An error."""
        disk = shared.disks[flight.operation.device]
        sector = self.sector(flight.operation, mark)
        disk.overlay = disk.overlay._replace(unreadable=disk.overlay.unreadable | {sector})
        return ReadError(REPORTED)


class FullDevice(Fault):
    """A thinly provisioned device has no room left: sectors that hold zeroes cannot be given another content any more.

    Such a write is refused with an error and does not land, not even later. What was written before can be overwritten.
    """

    name = "full_devices"
    mark = "~full"
    accesses = (Access.WRITE,)
    errors = _WRITE_ERRORS
    lasts = True
    words = "the device is full"

    def marks(self, operation: Operation, sectors: Sequence[int], disk: Any) -> Sequence[str]:
        """One way, if the operation needs room."""
        needs_room = isinstance(operation, Write) and disk.needs_room(operation)
        return (self.mark,) if needs_room and not disk.overlay.is_full else ()

    def strike(self, shared: SharedState, flight: Flight, mark: str) -> Answer:
        """An error, from now on for whoever needs room."""
        disk = shared.disks[flight.operation.device]
        disk.overlay = disk.overlay._replace(is_full=True)
        return shared.perform(flight)


class ShrunkDevice(Fault):
    """The device becomes shorter: it ends before the first sector of the operation, and what was behind is gone."""

    name = "shrunk_devices"
    mark = "~short"
    accesses = (Access.READ, Access.WRITE)
    errors = _WRITE_ERRORS | {"ReadError"}
    lasts = True
    words = "the device has become shorter"

    def marks(self, operation: Operation, sectors: Sequence[int], disk: Any) -> Sequence[str]:
        """One way, if the operation's first sector is among those that faults may touch."""
        return (self.mark,) if operation.sector in sectors and operation.sector < disk.overlay.end else ()

    def strike(self, shared: SharedState, flight: Flight, mark: str) -> Answer:
        """An error, from now on for whatever is behind the new end."""
        disk = shared.disks[flight.operation.device]
        disk.overlay = disk.overlay._replace(end=flight.operation.sector)
        return shared.perform(flight)
