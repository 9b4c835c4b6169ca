"""What happened before what in a schedule, and the accesses that conflict.

The steps of a schedule are numbered, but most of that order is an accident. What is not is the order of the steps of
one host, and that of steps which touch the same sectors, or the same of the other things by which a host can tell what
happened (`shadowshare.verify.exploration.dependence`). That is *happened before*, as Lamport has it (Time, clocks, and
the ordering of events in a distributed system, Communications of the ACM, 1978), with shared sectors in place of
messages. Two steps that it does not order could have happened the other way round.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from shadowshare.verify.counterexamples.moments import Moment
from shadowshare.verify.counterexamples.subject import Concern, Place, Subject
from shadowshare.verify.exploration.dependence import EVERYTHING

if TYPE_CHECKING:
    import networkx as nx

PROGRAM_ORDER = "program order"
_KINDS = {"fence": "reservation", "cache": "cache", "host": PROGRAM_ORDER, "note": "take-over"}


class Reason(NamedTuple):
    """Why a step happened before another one.

    Attributes:
        kind: ``program order``; ``write-read``, ``read-write`` or ``write-write`` of sectors; ``reservation``,
            ``cache``, ``take-over``, ``late writes``, or ``power loss``.
        place: what the sectors are called; None if it is not about sectors.
    """

    kind: str
    place: Place | None

    def __str__(self) -> str:
        return self.kind if self.place is None else f"{self.kind} of {self.place.name}"


class Conflict(NamedTuple):
    """Two steps of different hosts that touch the same place, with no other write of it between them.

    Attributes:
        first: number of the earlier step.
        second: number of the later step.
        place: what both touch.
        first_writes: whether the earlier one changes it.
        second_writes: whether the later one changes it.
        is_direct: whether nothing else orders the two: no step happened after the first one and before the second.
    """

    first: int
    second: int
    place: Place
    first_writes: bool
    second_writes: bool
    is_direct: bool


class Order:
    """Happened before, for the steps of one schedule, which are numbered from 1.

    Args:
        moments: the steps.
        subject: has words for the sectors.
    """

    def __init__(self, moments: Sequence[Moment], subject: Subject) -> None:
        self.moments = moments
        self.subject = subject
        self.reasons: dict[tuple[int, int], dict[Reason, None]] = {}
        """By the numbers of two steps, the earlier one first: why they are in this order."""
        self._last_changes: dict[Hashable, int] = {}
        self._reads_since: dict[Hashable, list[int]] = {}
        self._barrier = 0
        self._followed: list[list[int]] = [[]]
        """By the number of a step: those that it was ordered after, not only directly."""
        for number, moment in enumerate(moments, start=1):
            self._followed.append([])
            self._add(number, moment)
        self._earlier_bits = self._reachable()

    def _add(self, number: int, moment: Moment) -> None:
        """Order a step after those before it that touch the same."""
        if EVERYTHING in moment.touched.changes:
            for earlier in range(max(1, self._barrier), number):
                self._note(earlier, number, Reason("power loss", None))
            self._barrier = number
            return
        if self._barrier:
            self._note(self._barrier, number, Reason("power loss", None))
        for thing in sorted(moment.touched.changes, key=str):
            self._after_change(thing, number, "write")
            for earlier in self._reads_since.pop(thing, ()):
                self._note(earlier, number, self._reason(thing, "read-write"))
            self._last_changes[thing] = number
        for thing in sorted(moment.touched.reads, key=str):
            self._after_change(thing, number, "read")
            self._reads_since.setdefault(thing, []).append(number)

    def _after_change(self, thing: Hashable, number: int, access: str) -> None:
        if thing in self._last_changes:
            self._note(self._last_changes[thing], number, self._reason(thing, f"write-{access}"))

    def _note(self, earlier: int, later: int, reason: Reason) -> None:
        if (earlier, later) not in self.reasons:
            self.reasons[earlier, later] = {}
            self._followed[later].append(earlier)
        self.reasons[earlier, later][reason] = None

    def _reason(self, thing: Hashable, kind: str) -> Reason:
        if not isinstance(thing, tuple):
            return Reason(str(thing), None)
        if thing[0] == "sector":
            return Reason(kind, self.subject.place(thing[1], thing[2]))
        return Reason(_KINDS[thing[0]], None)

    def _reachable(self) -> list[int]:
        """By number: a bit for each step that happened before."""
        earlier_bits = [0]
        for followed in self._followed[1:]:
            bits = 0
            for earlier in followed:
                bits |= earlier_bits[earlier] | 1 << earlier
            earlier_bits.append(bits)
        return earlier_bits

    # -- questions -----------------------------------------------------------------------------------------------

    def happened_before(self, earlier: int, later: int) -> bool:
        """Whether the step of one number happened before that of another; not only came before it."""
        return bool(self._earlier_bits[later] >> earlier & 1)

    def is_direct(self, earlier: int, later: int) -> bool:
        """Whether a step happened before another one, and none happened between them."""
        return self.happened_before(earlier, later) and not any(
            self.happened_before(earlier, other) for other in self._followed[later]
        )

    def conflicts(self, concern: Concern) -> Iterator[Conflict]:
        """The conflicting accesses of different hosts, by the numbers of their steps.

        Args:
            concern: says of which places they are wanted.
        """
        for (first, second), reasons in sorted(self.reasons.items()):
            if self.moments[first - 1].host == self.moments[second - 1].host:
                continue
            for kind, place in reasons:
                if place is not None and concern(place):
                    is_direct = self.is_direct(first, second)
                    yield Conflict(
                        first, second, place, kind.startswith("write"), kind.endswith("write"), is_direct
                    )

    def graph(self) -> nx.DiGraph[int]:
        """The steps that happened directly before others, as a graph (the transitive reduction).

        Nodes are the numbers of the steps, with ``label``, ``host`` (the number of it, or None), ``action`` in words,
        and ``places``, their names; edges have ``reasons`` in words.
        """
        import networkx as nx  # noqa: PLC0415 - it takes long to import, and few want it

        graph: nx.DiGraph[int] = nx.DiGraph()
        for number, moment in enumerate(self.moments, start=1):
            graph.add_node(
                number,
                label=moment.label,
                host=moment.host,
                action="" if moment.operation is None else self.subject.action(moment.operation),
                places=tuple(dict.fromkeys(touch.place.name for touch in moment.touches(self.subject))),
            )
        for (earlier, later), reasons in sorted(self.reasons.items()):
            if self.is_direct(earlier, later):
                graph.add_edge(earlier, later, reasons=tuple(map(str, reasons)))
        return graph
