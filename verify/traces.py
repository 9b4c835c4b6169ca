"""Schedules as traces: what happened before what, which steps race, and what would come first without one of them.

Two schedules are *equivalent* if one becomes the other by swapping neighbours that do not depend on each other
(`shadowshare.verify.dependence`). The classes of this equivalence are Mazurkiewicz traces: in all schedules of one
class the same steps happen, with the same answers, and lead to the same state.

For orders of events, whatever has a label of its own is a *lane*: a task, each piece of a request, each error of one,
a crash, a late write. In any state a lane has at most one event that can happen next.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from shadowshare.sim.schedule import kind_of
from shadowshare.verify.dependence import Touched, touched, touched_when_ready
from shadowshare.verify.product import Move, Product

JUNCTION_COUNT_MAXIMUM = 1 << 17
"""States of which is remembered at most what can happen there; then all are forgotten, and found again."""


class Event:
    """Something that can happen, as far as its order with others matters.

    Attributes:
        label: in a schedule.
        lane: number of its label; in any state at most one event of a lane can happen.
        flight: label of what takes effect: the label, without the mark of an error.
        host: the host that takes the step; None for a late write.
        is_plain: whether an operation takes effect, and nothing else happens.
        waits: whether it can happen only while a cell holds what it expects.
        changes: numbers of the things that it changes.
        reads: numbers of the things that it reads, and does not change.
    """

    __slots__ = (
        "_change_bits", "_touch_bits", "changes", "flight", "host", "is_plain", "label", "lane", "reads", "waits"
    )  # fmt: skip

    def __init__(
        self,
        label: str,
        lane: int,
        host: int | None,
        waits: bool,
        changes: tuple[int, ...],
        reads: tuple[int, ...],
    ) -> None:
        kind = kind_of(label)
        self.label = label
        self.lane = lane
        self.flight = label.rstrip("!~")
        self.host = None if kind == "late" else host
        self.is_plain = kind in ("operation", "piece")
        self.waits = waits
        self.changes = changes
        self.reads = reads
        self._change_bits = sum(1 << thing for thing in changes)
        self._touch_bits = self._change_bits | sum(1 << thing for thing in reads)

    def depends_on(self, other: Event) -> bool:
        """Whether the two must not be swapped."""
        return bool(self._change_bits & other._touch_bits or self._touch_bits & other._change_bits)


class Junction:
    """What can happen in a state.

    Attributes:
        state: of the product.
        enabled: the lanes that can go on, as bits.
        plain: those of them with which an operation takes effect, and nothing else happens.
        events: by lane: what happens.
        next: by lane, as far as it was gone on: what it leads to, and the lanes here that depend on it, as bits.
        violation: what is violated here, if anything is.
        is_end: whether no operation can take effect.
    """

    __slots__ = ("_deltas", "enabled", "events", "is_end", "next", "plain", "state", "violation")

    def __init__(self, state: int, events: dict[int, Event], deltas: dict[int, int]) -> None:
        self.state = state
        self.events = events
        self.enabled = sum(1 << lane for lane in events)
        self.plain = sum(1 << lane for lane, event in events.items() if event.is_plain)
        self.next: dict[int, tuple[Junction, int]] = {}
        self.violation: object = None
        self.is_end = False
        self._deltas = deltas

    def state_after(self, lane: int) -> int:
        """Of the product, when that lane went on."""
        return self.state + self._deltas[lane]

    def dependent(self, lane: int) -> int:
        """The lanes whose events here depend on that of ``lane``, as bits."""
        event = self.events[lane]
        return sum(1 << other for other, its in self.events.items() if its.depends_on(event))


class Junctions:
    """The states of a product as junctions, found as far as they are asked for.

    Args:
        product: whose states they are. Hosts that are alike are not taken for one another here.
    """

    def __init__(self, product: Product) -> None:
        self.product = product
        self._junctions: dict[int, Junction] = {}
        self._lanes: dict[str, int] = {}
        self._things: dict[Hashable, int] = {}
        self._events: dict[tuple[str, int | None, bool, Touched], Event] = {}
        self.first = self.at(product.initial)

    def at(self, state: int) -> Junction:
        """The junction of a state; judged, if nothing more can take effect there."""
        junction = self._junctions.get(state)
        if junction is None:
            junction = self._junctions[state] = self._found(state)
        return junction

    def after(self, junction: Junction, lane: int) -> tuple[Junction, int]:
        """Where a lane leads to, and the lanes at the junction that depend on its event, as bits."""
        known = junction.next.get(lane)
        if known is None:
            known = self.at(junction.state_after(lane)), junction.dependent(lane)
            junction.next[lane] = known
        return known

    def pending(self, junction: Junction) -> Iterator[Event]:
        """The operations that cannot take effect now: they wait for a content that is not there."""
        product, state = self.product, junction.state
        shared = product.shared(state)
        for host in range(product.host_count if any(disk.may_wait for disk in shared.disks) else 0):
            client = product.client(state, host)
            for flight in () if client is None else client.flights:
                if not shared.disks[flight.operation.device].is_ready(flight.operation):
                    yield self._event(flight.label, host, True, touched_when_ready(flight, shared))

    @property
    def is_full(self) -> bool:
        """Whether it is time to `forget`."""
        return len(self._junctions) >= JUNCTION_COUNT_MAXIMUM

    def forget(self) -> None:
        """Forget all states but the first; what was remembered where they led to is forgotten by itself."""
        for junction in self._junctions.values():
            junction.next = {}
        self._junctions = {self.first.state: self.first}

    def _found(self, state: int) -> Junction:
        product = self.product
        shared = product.shared(state)
        events, deltas = dict[int, Event](), dict[int, int]()
        for move in product.moves(state):
            event = self._event_of(move, touched(move, shared))
            events[event.lane], deltas[event.lane] = event, move.delta
        junction = Junction(state, events, deltas)
        junction.violation = product.violation(state)
        if product.is_end(state):
            junction.is_end = True
            junction.violation = junction.violation or product.judge_end(state)
        return junction

    def _event_of(self, move: Move, its: Touched) -> Event:
        return self._event(move.label, move.step.host, getattr(move.step.operation, "waits", False), its)

    def _event(self, label: str, host: int | None, waits: bool, its: Touched) -> Event:
        key = (label, host, waits, its)
        event = self._events.get(key)
        if event is None:
            lane = self._lanes.setdefault(label, len(self._lanes))
            numbers = self._things
            changes, reads = (
                tuple([numbers.setdefault(thing, len(numbers)) for thing in things])
                for things in (its.changes, its.reads)
            )
            event = self._events[key] = Event(label, lane, host, waits, changes, reads)
        return event


class Trace:
    """The events of a schedule, and which of them happened before which.

    Sets of events are integers: bit *i* stands for the event at position *i*.

    Attributes:
        events: in the order of the schedule.
        before: by position: the events that happened before it, by a chain of those that depend on one another.
        direct: by position: the earlier events on which it depends.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.before: list[int] = []
        self.direct: list[int] = []
        self._touching: dict[int, int] = {}
        self._changing: dict[int, int] = {}

    def earlier(self, event: Event) -> int:
        """The events on which one depends that would happen now."""
        touching, changing = self._touching, self._changing
        direct = 0
        for thing in event.changes:
            direct |= touching.get(thing, 0)
        for thing in event.reads:
            direct |= changing.get(thing, 0)
        return direct

    def append(self, event: Event) -> int:
        """Let an event happen; those immediately before it: with no other one in between that depends on both."""
        direct = self.earlier(event)
        before, rest, immediate = 0, direct, 0
        known = self.before
        while rest:
            last = rest.bit_length() - 1
            immediate |= 1 << last
            before |= known[last] | 1 << last
            rest &= ~before
        touching, changing = self._touching, self._changing
        bit = 1 << len(known)
        for thing in event.changes:
            touching[thing] = touching.get(thing, 0) | bit
            changing[thing] = changing.get(thing, 0) | bit
        for thing in event.reads:
            touching[thing] = touching.get(thing, 0) | bit
        self.events.append(event)
        known.append(before)
        self.direct.append(direct)
        return immediate

    def pop(self) -> None:
        """Take the last event back."""
        event = self.events.pop()
        self.before.pop()
        self.direct.pop()
        bit = 1 << len(self.events)
        for thing in event.changes:
            self._touching[thing] ^= bit
            self._changing[thing] ^= bit
        for thing in event.reads:
            self._touching[thing] ^= bit

    def without(self, position: int, end: int) -> Iterator[int]:
        """The positions from behind ``position`` up to ``end`` of what did not happen after the event there."""
        before = self.before
        for later in range(position + 1, end):
            if not before[later] >> position & 1:
                yield later

    def initials(self, position: int, end: int, event: Event, direct: int, wanted: int) -> int:
        """The lanes that can come first where an event happens instead of the one at ``position``, as bits.

        Which are those of the events up to ``end`` that did not happen after that one, and of ``event``, behind them,
        that depend on none of those before them.

        Args:
            position: of what is to come later, or not at all.
            end: position of ``event``, or behind the last one.
            event: what happens, behind all those.
            direct: the earlier events on which it depends.
            wanted: lanes, as bits.

        Returns:
            0 if one of ``wanted`` is among them.
        """
        events, before = self.events, self.before
        inside = found = 0
        for later in range(position + 1, end):
            happened_before = before[later]
            if not happened_before >> position & 1:
                if not happened_before & inside:
                    lane = 1 << events[later].lane
                    if lane & wanted:
                        return 0
                    found |= lane
                inside |= 1 << later
        if not direct & inside:
            found |= 1 << event.lane
        return 0 if found & wanted else found
