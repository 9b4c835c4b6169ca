"""What the hosts of a stepped world share: the disks, what was left in flight, the faults left, and who looks on.

What one host can do next, and what that leads to, depends on its own state and on this alone; explorers rely on it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

from shadowshare.protocol.operations import Access, Operation
from shadowshare.sim.disks.sector_store import SectorStore
from shadowshare.sim.faults.fault import Fault, Injected
from shadowshare.sim.stepped.flight import Flight, Strike
from shadowshare.sim.stepped.ports import Watcher
from shadowshare.sim.stepped.rules import Rules

Answer = Any


class SharedState:
    """The part of a stepped world that is no host's own.

    Args:
        disks: by device number. Devices may be the same disk only if their numbers are.
        rules: what may happen.
        watcher: looks on.
    """

    def __init__(self, disks: Sequence[SectorStore], rules: Rules, watcher: Watcher | None) -> None:
        self.disks: list[Any] = list(disks)
        self.watcher = watcher
        self.late: list[Flight] = []
        """Writes that may still land: of hosts that crashed, or were told of an error."""
        self.crashed: frozenset[int] = frozenset()
        self.deciding = ""
        """Label of the choice that was made, and waits until it is decided what survived of the sectors it reads."""
        self.ledger: tuple[Injected, ...] = ()
        """The faults of the devices that happened, in no order."""
        self._flush_issues: dict[tuple[int, int, int], tuple[int, int]] = {}
        self.permit(rules)

    def permit(self, rules: Rules) -> None:
        """Let ``rules`` hold from now on."""
        self.rules = rules
        self.crashes_left = rules.crash_count
        self.power_losses_left = rules.power_loss_count
        self.faults_left = tuple([budget.strike_count for budget in rules.faults])

    # -- operations ----------------------------------------------------------------------------------------------

    def issued(self, flight: Flight) -> None:
        """Note when a flush was issued: it covers no later write."""
        operation = flight.operation
        if operation.access is Access.FLUSH and self.disks[operation.device].has_volatile_cache:
            issued_at = self.disks[operation.device].write_count
            self._flush_issues[flight.host, flight.task, flight.piece] = (operation.device, issued_at)

    def perform(self, flight: Flight) -> Answer:
        """Let a flight's operation take effect."""
        operation = flight.operation
        disk = self.disks[operation.device]
        access = operation.access
        issued_at = disk.write_count if access is not Access.FLUSH else self._flush_issued_at(flight)
        answer = disk.perform(operation, flight.host, issued_at)
        if access is Access.WRITE:
            if self.watcher is not None and not isinstance(answer, Exception):
                self.watcher.wrote(self, flight.host, operation)
        elif access is Access.RESERVE and self.late:
            self.late = [
                late
                for late in self.late
                if late.operation.device != operation.device or not disk.is_fenced(late.host)
            ]
        return answer

    def _flush_issued_at(self, flight: Flight) -> int:
        known = self._flush_issues.pop((flight.host, flight.task, flight.piece), None)
        count: int = self.disks[flight.operation.device].write_count if known is None else known[1]
        return count

    def failed(self, flight: Flight) -> None:
        """A flight's operation ended with an error and without an effect."""
        self._flush_issues.pop((flight.host, flight.task, flight.piece), None)

    @property
    def reads_change_nothing(self) -> bool:
        """Whether what a read leads to depends on what it gets alone, and so does whether it can happen."""
        return (
            not self.deciding
            and not self._may_strike_reads()
            and not any(disk.undecided or disk.reads_are_remembered for disk in self.disks)
        )

    # -- faults of the devices -----------------------------------------------------------------------------------

    def strikes(self, flight: Flight) -> list[Strike]:
        """The ways in which faults may strike a flight now."""
        found: list[Strike] = []
        operation, reach = flight.operation, self.rules.fault_reach
        if reach.hosts is not None and flight.host not in reach.hosts:
            return found
        sectors = reach.touched_by(operation)
        if operation.sector_count and not sectors:
            return found
        disk = self.disks[operation.device]
        for number, (fault, _) in enumerate(self.rules.faults):
            if self.faults_left[number] and operation.access in fault.accesses:
                found += [
                    Strike(number, mark)
                    for mark in fault.marks(operation, sectors, disk)
                    if self._leaves_a_copy(fault, operation, mark)
                ]
        return found

    def _leaves_a_copy(self, fault: Fault, operation: Operation, mark: str) -> bool:
        if not fault.lasts or not self.rules.fault_reach.copies:
            return True
        struck = operation.device, fault.sector(operation, mark)
        return self.rules.fault_reach.leaves_a_copy(struck, self.ledger)

    def strike(self, flight: Flight, how: Strike) -> Answer:
        """Let a fault strike a flight, and write it down."""
        fault, operation = self.rules.faults[how.budget].fault, flight.operation
        left = list(self.faults_left)
        left[how.budget] -= 1
        self.faults_left = tuple(left)
        sector = (operation.device, fault.sector(operation, how.mark)) if fault.lasts else None
        entry = Injected(fault.name, flight.host, sector)
        self.ledger = tuple(sorted([*self.ledger, entry], key=repr))
        return fault.strike(self, flight, how.mark)

    def effect_of(self, flight: Flight, how: Strike) -> Operation | None:
        """The operation that takes effect when a fault strikes a flight; None if none does."""
        return self.rules.faults[how.budget].fault.effect(flight.operation, how.mark)

    def _may_strike_reads(self) -> bool:
        return any(
            left and Access.READ in budget.fault.accesses
            for left, budget in zip(self.faults_left, self.rules.faults, strict=True)
        )

    # -- crashes -------------------------------------------------------------------------------------------------

    def crash(self, host: int, flights: Sequence[Flight]) -> None:
        """A host stopped; the writes among its ``flights`` may still land."""
        self.crashed |= {host}
        self.outlive([flight for flight in flights if flight.operation.access is Access.WRITE])
        self._flush_issues = {key: issue for key, issue in self._flush_issues.items() if key[0] != host}

    def outlive(self, writes: Sequence[Flight]) -> None:
        """Nobody waits for these writes any more; they may still land, if the rules say so."""
        if self.rules.late_writes:
            self.late += writes

    @property
    def power_loss_is_silent(self) -> bool:
        """Whether nobody is told when the disks lose power."""
        return any(disk.power_loss_is_silent for disk in self.disks)

    def lose_power(self) -> None:
        """The disks lose power; what survived is decided where somebody looks."""
        self.power_losses_left -= 1
        for disk in self.disks:
            disk.lose_power()
        if self.watcher is not None:
            self.watcher.lost_power(self)

    def undecided_for(self, operation: Operation) -> tuple[int, int] | None:
        """Device and number of the first undecided sector that an operation, or the watcher of it, looks at."""
        if any(disk.undecided for disk in self.disks):
            for device, sectors in self._looked_at(operation):
                sector = self.disks[device].first_undecided(sectors)
                if sector is not None:
                    return device, sector
        return None

    def _looked_at(self, operation: Operation) -> Iterator[tuple[int, Sequence[int]]]:
        if operation.access is Access.READ or operation.verb == "compare-and-write":
            yield operation.device, range(operation.sector, operation.sector + operation.sector_count)
        elif self.watcher is not None:
            yield from self.watcher.inspects(operation)

    # -- states --------------------------------------------------------------------------------------------------

    def fork(self) -> SharedState:
        """An independent copy in the same state."""
        copy = object.__new__(SharedState)
        copy.__dict__.update(self.__dict__)
        copy.disks = [disk.fork() for disk in self.disks]
        copy.watcher = None if self.watcher is None else self.watcher.fork()
        copy.late = list(self.late)
        copy._flush_issues = dict(self._flush_issues)
        return copy

    def key(self) -> Hashable:
        """Equal for two shared states exactly if nothing that can happen tells them apart."""
        flushes = sorted(self._flush_issues.items())
        return (
            tuple(
                [
                    disk.key([issued_at for _, (on, issued_at) in flushes if on == device])
                    for device, disk in enumerate(self.disks)
                ]
            ),
            self.crashed,
            self.deciding,
            tuple([flight.identity() for flight in self.late]),
            tuple([(flush, device) for flush, (device, _) in flushes]),
            (self.crashes_left, self.power_losses_left),
            (self.faults_left, self.ledger),
            None if self.watcher is None else self.watcher.key(),
        )
