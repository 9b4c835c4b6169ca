"""The steps of a schedule as they happen in a live world, with what each of them touches."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import NamedTuple

from shadowshare.protocol.operations import Access, Operation
from shadowshare.sim.schedule import ScheduleError, kind_of
from shadowshare.sim.stepped.flight import Choice, Flight, Step
from shadowshare.sim.stepped.world import SteppedWorld
from shadowshare.verify.counterexamples.subject import Place, Subject
from shadowshare.verify.exploration.dependence import Touched, touched
from shadowshare.verify.exploration.product import Move

_NOT_FOR_HOSTS = ("faults left", "watcher")
"""What steps touch, too, but by which no host can tell what happened: only who explores and judges them can."""


class Survivor(NamedTuple):
    """What was decided of a sector that a power loss had left undecided: the content of that number survived."""

    device: int
    sector: int
    number: int


class Touch(NamedTuple):
    """An access to a place."""

    place: Place
    is_change: bool


class Moment(NamedTuple):
    """A step as it happened.

    Attributes:
        step: as in a trace.
        host: number of the host that takes the step, that crashes, or whose write lands; None if it is nobody's.
        operation: what takes effect, or reports an error, or waits; None for an event.
        effect: the operation that takes effect: ``operation``, or what a fault makes of it; None if none does.
        waits: whether it waits until it is decided what survived of the sectors that it looks at.
        is_late: whether it is the write of a host that is dead, or believes that it failed.
        survivor: what was decided with this step; None if nothing was.
        stopped: numbers of the hosts that crashed with it.
        touched: what the step touched by which others can tell that it happened before them.
        cause: label of what takes effect: the step's own, or of what waited until it was decided what survived.
    """

    step: Step
    host: int | None
    operation: Operation | None
    effect: Operation | None
    waits: bool
    is_late: bool
    survivor: Survivor | None
    stopped: tuple[int, ...]
    touched: Touched
    cause: str

    @property
    def label(self) -> str:
        """In the schedule."""
        return self.step.label

    def touches(self, subject: Subject) -> Iterator[Touch]:
        """The places that it reads or changes, each once."""
        operation = self.effect
        if operation is None or self.waits:
            return
        sectors = range(operation.sector, operation.sector + operation.sector_count)
        for place in dict.fromkeys(subject.place(operation.device, sector) for sector in sectors):
            yield Touch(place, operation.access is Access.WRITE)


def let_happen(world: SteppedWorld, label: str) -> Moment:
    """Let the choice of this label happen in a live world.

    Raises:
        ScheduleError: there is none.
    """
    choices = world.choices()
    choice = next((choice for choice in choices if choice.label == label), None)
    if choice is None:
        possible = ", ".join(choice.label for choice in choices) or "nothing"
        raise ScheduleError(f"{label!r} cannot happen here; what can: {possible}")
    cause, survivor = _cause_of(choice)
    effect = world.operation_of(cause)
    before = world.shared.fork()
    before.deciding = ""
    hosts = list(world.hosts)
    if survivor is not None:
        before.disks[survivor.device].survive(survivor.sector, survivor.number)
    trace = world.trace = list[Step]()
    world.take(choice)
    step, waits = trace[-1], bool(world.shared.deciding)
    flight = cause if isinstance(cause, Flight) else cause.subject
    operation = flight.operation if isinstance(flight, Flight) else None
    host = flight.host if isinstance(flight, Flight) else step.host
    done = Step(cause.label, host, operation, step.answer, step.reports)
    what = _touched_in_waiting(done) if waits else _by_hosts(touched(Move(cause.label, 0, done), before))
    stopped = tuple(number for number in hosts if number not in world.hosts)
    return Moment(
        step,
        host,
        operation,
        effect,
        waits,
        kind_of(cause.label) == "late",
        survivor,
        stopped,
        what,
        cause.label,
    )


def _cause_of(choice: Choice) -> tuple[Choice, Survivor | None]:
    """What happens with a choice (itself, or what waits for it if it is a decision), and what it decides."""
    if isinstance(choice, Flight) or choice.kind != "keep":
        return choice, None
    device, sector, number, cause = choice.subject
    return cause, Survivor(device, sector, number)


def _touched_in_waiting(step: Step) -> Touched:
    """What a step touches that has no effect yet: its host, or the list of late writes."""
    thing: Hashable = "late writes" if kind_of(step.label) == "late" else ("host", step.host)
    return Touched(frozenset(), frozenset([thing]))


def _by_hosts(what: Touched) -> Touched:
    """What hosts can tell of what was touched; without that a host's next step *may* depend on the cache."""
    return Touched(
        frozenset(thing for thing in what.reads if not isinstance(thing, tuple) or thing[0] != "cache"),
        frozenset(thing for thing in what.changes if thing not in _NOT_FOR_HOSTS),
    )
