"""Cells: a shared device whose sectors hold any hashable value, for tasks that are not about disks.

Besides flushes and reservations, which every device has, there are reads and writes of one cell or several, and
compare-and-write of one. All take effect as a whole, unless a world tears them.
"""

from __future__ import annotations

from collections.abc import Generator, Hashable, Sequence
from typing import Any

from shadowshare.protocol.errors import Fenced
from shadowshare.protocol.operations import Access, Flush, Operation, Reserve
from shadowshare.sim.disks.sector_store import SectorStore


class ReadCells(Operation):
    """Read cells; the answer is a tuple of their values."""

    __slots__ = ()
    access = Access.READ
    verb = "read"

    def __await__(self) -> Generator[Operation, tuple[Any, ...], tuple[Any, ...]]:
        return (yield self)


class WriteCells(Operation):
    """Write one value into each of some cells."""

    __slots__ = ("values",)
    access = Access.WRITE
    verb = "write"

    def __init__(self, device: int, sector: int, values: Sequence[Hashable]) -> None:
        super().__init__(device, sector, len(values))
        self.values = tuple(values)

    def identity(self) -> tuple[object, ...]:
        """Equal for two operations exactly if a device could not tell them apart."""
        return (self.verb, self.device, self.sector, self.values)

    def __await__(self) -> Generator[Operation, None, None]:
        yield self


class CompareAndWrite(Operation):
    """Write a cell if it holds what is expected; the answer is whether it did.

    Attributes:
        expected: what it must hold.
        value: what is written then.
        waits: whether the operation stays in flight until the cell holds what is expected, so that it never fails.
    """

    __slots__ = ("expected", "value", "waits")
    access = Access.WRITE
    verb = "compare-and-write"

    def __init__(
        self, device: int, sector: int, expected: Hashable, value: Hashable, waits: bool = False
    ) -> None:
        super().__init__(device, sector, 1)
        self.expected = expected
        self.value = value
        self.waits = waits

    def identity(self) -> tuple[object, ...]:
        """Equal for two operations exactly if a device could not tell them apart."""
        return (self.verb, self.device, self.sector, self.expected, self.value, self.waits)

    def __await__(self) -> Generator[Operation, bool, bool]:
        return (yield self)


class Cells(SectorStore):
    """A device of cells."""

    power_loss_is_silent = False
    may_wait = True

    def is_ready(self, operation: Operation) -> bool:
        """Whether an operation can take effect now: one that waits can once its cell holds what it expects."""
        if not isinstance(operation, CompareAndWrite) or not operation.waits:
            return True
        cell = operation.sector
        return cell in self.undecided or bool(self.sectors[cell] == operation.expected)

    def perform(self, operation: Operation, host: int, issued_at: int) -> Any:
        """Let an operation take effect now.

        Args:
            operation: what to do; its ``device`` is not looked at.
            host: number of the host that asks.
            issued_at: `write_count` when the operation was issued; a flush covers no later write.

        Raises:
            Undecided: it depends on a cell of which it is not decided what survived a power loss.
            TypeError: it is no operation of cells, flush or reservation.
        """
        cell, cell_count = operation.sector, operation.sector_count
        if isinstance(operation, ReadCells):
            self.check_decided(range(cell, cell + cell_count))
            return tuple(self.sectors[cell : cell + cell_count])
        if isinstance(operation, Flush):
            return self.flush(issued_at)
        if isinstance(operation, Reserve):
            self.reservation_holder = host
            return None
        if self.is_fenced(host):
            return Fenced("another host holds the reservation: this host's writes are refused")
        if isinstance(operation, WriteCells):
            return self.put(cell, operation.values)
        if isinstance(operation, CompareAndWrite):
            self.check_decided((cell,))
            if self.sectors[cell] != operation.expected:
                return False
            self.put(cell, (operation.value,))
            return True
        raise TypeError(f"cells know no {operation!r}")

    def pieces(self, operation: Operation) -> list[Operation]:
        """The operations on one cell each that ``operation`` may tear into."""
        if isinstance(operation, WriteCells):
            return [
                WriteCells(operation.device, cell, (value,))
                for cell, value in enumerate(operation.values, start=operation.sector)
            ]
        if isinstance(operation, ReadCells):
            cells = range(operation.sector, operation.sector + operation.sector_count)
            return [ReadCells(operation.device, cell, 1) for cell in cells]
        return [operation]

    def _blank(self) -> Cells:
        return Cells(())
