"""Schedules as traces: what happened before what, which steps race, and what would come first without one of them.

Two schedules are *equivalent* if one becomes the other by swapping neighbours that do not depend on each other
(`shadowshare.verify.exploration.dependence`). The classes of this equivalence are Mazurkiewicz traces: in all schedules
of one class the same steps happen, with the same answers, and lead to the same state.

For orders of events, whatever has a label of its own is a *lane*: a task, each piece of a request, each error of one,
a crash, a late write. In any state a lane has at most one event that can happen next.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterator

from shadowshare.sim.schedule import kind_of, split_mark
from shadowshare.verify.exploration.dependence import Touched, touched, touched_when_ready
from shadowshare.verify.exploration.product import Move, Product

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
        self.flight = split_mark(label)[0]
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
        events: by lane: what can happen.
        enabled: the lanes that can go on, as bits.
        plain: those of them with which an operation takes effect, and nothing else happens.
        waiting: the hosts of which some operation cannot take effect now.
        next: by lane, as far as it was gone on: what it leads to, and the lanes here that depend on it, as bits.
        violation: what is violated here, if anything is.
        is_end: whether no operation can take effect.
    """

    __slots__ = ("enabled", "events", "is_end", "next", "plain", "state", "violation", "waiting")

    def __init__(self, state: int, events: dict[int, Event], waiting: frozenset[int]) -> None:
        self.state = state
        self.events = events
        self.enabled = sum([1 << lane for lane in events])
        self.plain = sum([1 << lane for lane, event in events.items() if event.is_plain])
        self.waiting = waiting
        self.next: dict[int, tuple[Junction, int]] = {}
        self.violation: object = None
        self.is_end = False

    def dependent(self, lane: int) -> int:
        """The lanes whose events here depend on that of ``lane``, which is one of them, as bits."""
        event = self.events[lane]
        return sum([1 << other for other, its in self.events.items() if its.depends_on(event)])


class Junctions:
    """The states of a product as junctions, found as far as they are asked for.

    What is known of one is used for the next: an event that does not depend on what happened is still there.

    Args:
        product: whose states they are. Hosts that are alike are not taken for one another here.
    """

    def __init__(self, product: Product) -> None:
        self.product = product
        shared = product.shared(product.initial)
        self.has_happenings = shared.rules.has_happenings
        self._may_wait = any(disk.may_wait for disk in shared.disks)
        self._junctions: dict[int, Junction] = {}
        self._lanes: dict[str, int] = {}
        self._things: dict[Hashable, int] = {}
        self._events: dict[tuple[str, int | None, bool, Touched], Event] = {}
        self._hosts = range(product.host_count)
        self.first = self._found(product.initial, {}, self._hosts)

    def after(self, junction: Junction, lane: int) -> tuple[Junction, int]:
        """Where a lane leads to, and the lanes at the junction that depend on its event, as bits."""
        known = junction.next.get(lane)
        if known is None:
            event, dependent = junction.events[lane], junction.dependent(lane)
            state = junction.state + self._move(junction.state, event).delta
            after = self._junctions.get(state)
            if after is None:
                stale = {its.host for at, its in junction.events.items() if dependent >> at & 1}
                stale |= junction.waiting
                events = {at: its for at, its in junction.events.items() if its.host not in stale}
                after = self._found(state, events, sorted(host for host in stale if host is not None))
            known = junction.next[lane] = after, dependent
        return known

    def pending(self, junction: Junction) -> Iterator[Event]:
        """The operations that cannot take effect now: they wait for a content that is not there."""
        product, state = self.product, junction.state
        shared = product.shared(state)
        for host in sorted(junction.waiting):
            client = product.client(state, host)
            for flight in () if client is None else client.flights:
                if not shared.disks[flight.operation.device].is_ready(flight.operation):
                    yield self._event(flight.label, host, True, touched_when_ready(flight, shared))

    @property
    def is_full(self) -> bool:
        """Whether it is time to `forget`."""
        return len(self._junctions) >= JUNCTION_COUNT_MAXIMUM

    def forget(self) -> None:
        """Forget all that is known of where junctions lead to; those that are in use stay as they are."""
        for junction in self._junctions.values():
            junction.next = {}
        self._junctions = {}

    # -- finding out ---------------------------------------------------------------------------------------------

    def _found(self, state: int, events: dict[int, Event], stale: Collection[int]) -> Junction:
        """The junction of a state, of which is known what can happen to all hosts but the ``stale`` ones."""
        product = self.product
        if self.has_happenings:
            events, stale = {}, self._hosts
        shared = product.shared(state)
        for move in self._moves_of(stale, state):
            waits = getattr(move.step.operation, "waits", False)
            event = self._event(move.label, move.step.host, waits, touched(move, shared))
            events[event.lane] = event
        waiting = [host for host in stale if self._may_wait and self._is_waiting(host, state)]
        junction = self._junctions[state] = Junction(state, events, frozenset(waiting))
        junction.violation = product.violation(state)
        if not junction.plain and product.is_end(state):
            junction.is_end = True
            junction.violation = junction.violation or product.judge_end(state)
        return junction

    def _moves_of(self, hosts: Collection[int], state: int) -> Iterator[Move]:
        product = self.product
        if self.has_happenings:
            yield from product.moves(state)
            return
        for host in hosts:
            lane = product.operation_lanes[host]
            moves = lane.moves.get(state & lane.mask)
            yield from product.learn(lane, state) if moves is None else moves

    def _move(self, state: int, event: Event) -> Move:
        hosts = () if event.host is None else (event.host,)
        return next(move for move in self._moves_of(hosts, state) if move.label == event.label)

    def _is_waiting(self, host: int, state: int) -> bool:
        client, shared = self.product.client(state, host), self.product.shared(state)
        return client is not None and not all(
            shared.disks[flight.operation.device].is_ready(flight.operation) for flight in client.flights
        )

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
        self._touching: defaultdict[int, int] = defaultdict(int)
        self._changing: defaultdict[int, int] = defaultdict(int)

    def earlier(self, event: Event) -> int:
        """The events on which one depends that would happen now."""
        direct = 0
        for thing in event.changes:
            direct |= self._touching[thing]
        for thing in event.reads:
            direct |= self._changing[thing]
        return direct

    def append(self, event: Event) -> int:
        """Let an event happen; those immediately before it: with no other one in between that depends on both."""
        known, touching, changing = self.before, self._touching, self._changing
        bit = 1 << len(known)
        before = immediate = direct = 0
        for thing in event.reads:
            direct |= changing[thing]
            touching[thing] |= bit
        for thing in event.changes:
            direct |= touching[thing]
            touching[thing] |= bit
            changing[thing] |= bit
        rest = direct
        while rest:
            last = rest.bit_length() - 1
            immediate |= 1 << last
            before |= known[last] | 1 << last
            rest &= ~before
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

    def initials(self, position: int, end: int, lane: int, direct: int, wanted: int) -> int:
        """The lanes that can come first where one goes on without the event at a position, as bits.

        Which are those of the events up to ``end`` that did not happen after that one, and ``lane``, behind them, if
        they depend on none of those before them.

        Args:
            position: of what is to come later, or not at all.
            end: up to where.
            lane: goes on behind all those; as a bit.
            direct: the events on which it depends.
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
                    first = 1 << events[later].lane
                    if first & wanted:
                        return 0
                    found |= first
                inside |= 1 << later
        if not direct & inside:
            found |= lane
        return 0 if found & wanted else found
