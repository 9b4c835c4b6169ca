"""Which steps depend on each other: those that touch something in common, if one of them changes it.

Two steps that do not depend on each other can be swapped, and neither lets the other happen or keeps it from
happening. What a step touches is derived from the footprint that its operation declares, and from these rules:

- *host*: every step of a host changes the host: the order of its answers is part of its state. (A task that is alone
  on its host is its host.)
- *sector*: a read reads the sectors of its footprint, a write, discard, write-zeroes or compare-and-write changes
  them. A compare-and-write that fails counts as a change, since another order may let it succeed.
- *fence*: a reservation changes the device's fence, and every change of sectors reads it: it may be refused.
- *cache*: a flush changes the device's cache, and every change of sectors does, too, if a power loss is possible:
  which contents can come back depends on their order. A step of a host that may flush reads the cache: what it issues
  next may be a flush, which covers no later write. Without power losses a flush touches nothing.
- *faults left*: a crash, a power loss, or an error changes how many more there may be.
- *crash*: a crash changes its host, and the hosts that recover it: they begin, and may report something. What the
  host had in flight may still land, which is a step of its own.
- *late writes*: every landing of a dead host's write changes the list of those, which the labels of schedules number;
  and so do a crash, an error without an effect, and a reservation.
- *power*: a power loss changes everything, and so does a decision about what survived, and a step that has to wait
  for one; so does a fault of a device, but for an error that it reports once.
- *watcher*: what a host reports changes what the watcher knows, in the order of the reports; so does an operation at
  whose effect the watcher looks at sectors, which it then reads.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import NamedTuple

from shadowshare.protocol.operations import Access, Operation
from shadowshare.sim.schedule import kind_of
from shadowshare.sim.stepped.flight import Flight
from shadowshare.sim.stepped.shared import SharedState
from shadowshare.verify.exploration.product import Move

EVERYTHING = "everything"
"""What a step changes that depends on every other one."""


class Touched(NamedTuple):
    """What a step reads, and what it changes (which is not among what it reads)."""

    reads: frozenset[Hashable]
    changes: frozenset[Hashable]

    def depends_on(self, other: Touched) -> bool:
        """Whether the two steps must not be swapped."""
        if EVERYTHING in self.changes or EVERYTHING in other.changes:
            return True
        return not (
            self.changes.isdisjoint(other.changes)
            and self.changes.isdisjoint(other.reads)
            and self.reads.isdisjoint(other.changes)
        )


def touched(move: Move, shared: SharedState) -> Touched:
    """What a move touches that is taken where the hosts share ``shared``."""
    return _collected(_touches(move, shared))


def touched_when_ready(flight: Flight, shared: SharedState) -> Touched:
    """What a flight will touch that cannot take effect where the hosts share ``shared``: it waits for a content."""
    return _collected([(("host", flight.host), True), *_touches_of_operation(flight.operation, shared)])


def _collected(touches: Iterable[tuple[Hashable, bool]]) -> Touched:
    reads, changes = set[Hashable](), set[Hashable]()
    for thing, is_changed in touches:
        (changes if is_changed else reads).add(thing)
    return Touched(frozenset(reads - changes), frozenset(changes))


def _touches(move: Move, shared: SharedState) -> Iterator[tuple[Hashable, bool]]:
    step = move.step
    kind = kind_of(move.label)
    is_undecided = step.operation is not None and shared.undecided_for(step.operation) is not None
    if kind in ("power", "keep", "fault") or shared.deciding or is_undecided:
        yield EVERYTHING, True
        return
    if step.host is not None and kind != "late":
        yield ("host", step.host), True
        if step.host not in shared.rules.readers:
            yield from ((("cache", device), False) for device in _volatile(shared))
    if kind == "crash" and step.host is not None:
        yield from _touches_of_crash(step.host, shared)
    if kind == "late":
        yield "late writes", True
    if kind == "error":
        yield "faults left", True
        yield "late writes", True
    if step.reports:
        yield "watcher", True
    if step.operation is not None:
        yield from _touches_of_operation(step.operation, shared)


def _touches_of_crash(host: int, shared: SharedState) -> Iterator[tuple[Hashable, bool]]:
    yield "faults left", True
    yield "late writes", True
    for successor in shared.rules.successors_of(host):
        yield ("host", successor.host), True
        yield "watcher", True


def _touches_of_operation(operation: Operation, shared: SharedState) -> Iterator[tuple[Hashable, bool]]:
    device = operation.device
    is_change = operation.access is Access.WRITE
    for sector in range(operation.sector, operation.sector + operation.sector_count):
        yield ("sector", device, sector), is_change
    if operation.access is Access.RESERVE:
        yield ("fence", device), True
        yield "late writes", True
    if is_change:
        yield ("fence", device), False
    if shared.disks[device].has_volatile_cache and (is_change or operation.access is Access.FLUSH):
        yield ("cache", device), True
    if is_change and shared.watcher is not None:
        for inspected_device, sectors in shared.watcher.inspects(operation):
            yield "watcher", True
            for sector in sectors:
                yield ("sector", inspected_device, sector), False
        for note, is_changed in shared.watcher.notes(operation):
            yield ("note", note), is_changed


def _volatile(shared: SharedState) -> list[int]:
    return [device for device, disk in enumerate(shared.disks) if disk.has_volatile_cache]
