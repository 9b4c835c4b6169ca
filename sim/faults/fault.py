"""What a fault of a device is, and the ledger of those that happened.

A fault strikes one operation that is in flight, and is a choice of the schedule like any other: the label of the
operation with a *mark* behind it. How many faults of each kind may happen, to which sectors and which hosts, is a
budget. What the content of the disks *is* stays what the operations made it; a fault that lasts is kept beside it
(`shadowshare.sim.disks.overlaid_disk`). What struck whom stands in a ledger, so that whoever judges a run excuses what
the ledger explains, and nothing else. (After TigerBeetle's storage, pristine memory with faults laid over it, and
FoundationDB's non-durable files, whose corruptions are written down so that only those are excused.)

A fault that lasts happens where somebody looks: that it was there before changes nothing for anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from shadowshare.protocol.operations import Access, Operation

if TYPE_CHECKING:
    from shadowshare.sim.stepped.flight import Flight
    from shadowshare.sim.stepped.shared import SharedState

Answer = Any
"""What the device gives back."""


class Injected(NamedTuple):
    """An entry of the ledger: a fault that happened.

    Attributes:
        fault: its name.
        host: whom it struck first.
        sector: device and sector, if it lasts; else None.
    """

    fault: str
    host: int
    sector: tuple[int, int] | None


class Fault:
    """One kind of fault. The docstring of each class is its fault model.

    Attributes:
        name: of its budget, as a field of ``[faults]`` in a scenario.
        mark: how its marks begin: ``~`` and letters, or ``!``; a number may follow, behind a point.
        accesses: the kinds of operation that it strikes.
        errors: names of the error classes to which it may lead, on the host that it struck or, if it lasts, on any.
        lasts: whether later operations meet it, too.
        words: what happened, for a person who reads a schedule; empty if the answer says it.
    """

    name: ClassVar[str]
    mark: ClassVar[str]
    accesses: ClassVar[tuple[Access, ...]]
    errors: ClassVar[frozenset[str]] = frozenset()
    lasts: ClassVar[bool] = False
    words: ClassVar[str] = ""

    def marks(self, operation: Operation, sectors: Sequence[int], disk: Any) -> Sequence[str]:
        """The marks of the ways in which it can strike an operation; by default there is one.

        Args:
            operation: what is in flight.
            sectors: those of the operation's sectors that faults may touch; at least one, if it has any.
            disk: the device.
        """
        return (self.mark,)

    def effect(self, operation: Operation, mark: str) -> Operation | None:
        """The operation that takes effect instead of the one that was asked for; None, as by default, if none does."""
        return None

    def strike(self, shared: SharedState, flight: Flight, mark: str) -> Answer:
        """Let it happen, and return what the device answers."""
        raise NotImplementedError

    def sector(self, operation: Operation, mark: str) -> int:
        """The sector of the device from which on it lasts."""
        return operation.sector + number_of(mark)


def number_of(mark: str) -> int:
    """The number at the end of a mark; 0 if it has none."""
    return int(mark.partition(".")[2] or 0)


class Budget(NamedTuple):
    """How often a fault may happen."""

    fault: Fault
    strike_count: int


class Reach(NamedTuple):
    """What faults may touch.

    Attributes:
        sectors: pairs of device and sector; None for all.
        hosts: whose operations; None for everybody's.
        copies: groups of sectors that hold the same; of each group one stays without a fault that lasts.
    """

    sectors: frozenset[tuple[int, int]] | None = None
    hosts: frozenset[int] | None = None
    copies: tuple[frozenset[tuple[int, int]], ...] = ()

    def touched_by(self, operation: Operation) -> list[int]:
        """The sectors of an operation that faults may touch."""
        sectors = range(operation.sector, operation.sector + operation.sector_count)
        if self.sectors is None:
            return list(sectors)
        return [sector for sector in sectors if (operation.device, sector) in self.sectors]

    def leaves_a_copy(self, struck: tuple[int, int], ledger: Sequence[Injected]) -> bool:
        """Whether of everything that there are copies of one is left if ``struck`` is struck by a fault that lasts."""
        lost = {entry.sector for entry in ledger} | {struck}
        return all(group - lost for group in self.copies)


EVERYTHING = Reach()
