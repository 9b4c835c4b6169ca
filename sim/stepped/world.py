"""The stepped world: one operation takes effect at a time, and a schedule chooses whose.

The world knows hosts (`Host`, or anything that answers like one), what they share, what is in flight, and the events
that the rules allow. `SteppedWorld.choices` lists what may happen next, `SteppedWorld.take` lets one of it happen. It
runs the protocol and looks at nothing in it; a `Watcher` may look on.

An operation takes effect at one moment between its issue and its completion, and completes then: no other host can
tell a later completion apart. A crashed host's writes stay in flight, and so may a write that reported an error; they
may land until a reservation shuts them out.

What survived a power loss is decided where somebody looks: an operation that is chosen, and reads sectors of which it
is not decided, waits for the choices that decide it, and takes effect with the last of them.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

from shadowshare.protocol.operations import Access, Operation
from shadowshare.sim.disks.sector_store import SectorStore
from shadowshare.sim.host import Outcome, Request
from shadowshare.sim.schedule import ScheduleError
from shadowshare.sim.stepped.flight import Answer, Choice, Flight, Gathering, Happening, Step
from shadowshare.sim.stepped.ports import HostPort, Watcher
from shadowshare.sim.stepped.rules import Rules
from shadowshare.sim.stepped.shared import SharedState

EVERY_HOST = -1
"""Stands for all hosts that have begun, where a power loss stops them."""


class Client(NamedTuple):
    """What is a host's own: the host, what it has in flight, and requests of which pieces were answered."""

    host: HostPort
    flights: tuple[Flight, ...]
    gatherings: tuple[tuple[int, Gathering], ...]

    def key(self) -> Hashable:
        """Equal for two clients exactly if they will do the same; what is in flight follows from the rest."""
        return self.host.key(), tuple([(task, gathering.key()) for task, gathering in self.gatherings])


class SteppedWorld:
    """Hosts on shared disks, at one moment.

    Args:
        disks: by device number. Devices may be the same disk only if their numbers are.
        hosts: by number.
        rules: what may happen.
        watcher: looks on.
    """

    def __init__(
        self,
        disks: Sequence[SectorStore],
        hosts: Sequence[HostPort],
        rules: Rules,
        watcher: Watcher | None = None,
    ) -> None:
        self.shared = SharedState(disks, rules, watcher)
        self.hosts: dict[int, HostPort] = dict(enumerate(hosts))
        """By number; those that crashed are gone."""
        self.flights: list[Flight] = []
        self.trace: list[Step] | None = None
        self._gatherings: dict[tuple[int, int], Gathering] = {}
        self._heed(rules)

    def _heed(self, rules: Rules) -> None:
        self.rules = rules
        self._tears, self._readers, self._actors = rules.tears, rules.readers, rules.actors
        self._is_plain = not rules.has_happenings and not any(disk.may_wait for disk in self.disks)

    def permit(self, rules: Rules) -> None:
        """Let ``rules`` hold from now on."""
        self.shared.permit(rules)
        self._heed(rules)

    @property
    def disks(self) -> list[Any]:
        """By device number."""
        return self.shared.disks

    @property
    def watcher(self) -> Any:
        """Who looks on."""
        return self.shared.watcher

    @watcher.setter
    def watcher(self, watcher: Watcher | None) -> None:
        self.shared.watcher = watcher

    # -- what may happen -----------------------------------------------------------------------------------------

    @property
    def is_over(self) -> bool:
        """No operation can take effect any more: what may still happen are crashes and late writes."""
        return not self._ready() and not self.shared.deciding

    @property
    def is_stuck(self) -> bool:
        """No operation can take effect, but a task waits."""
        return self.is_over and any(host.unfinished_count for host in self.hosts.values())

    def _ready(self) -> list[Flight]:
        """The flights that can take effect now."""
        if self._is_plain:
            return self.flights
        disks = self.shared.disks
        return [
            flight for flight in self.flights if disks[flight.operation.device].is_ready(flight.operation)
        ]

    def choices(self) -> Sequence[Choice]:
        """Everything that may happen next, in a fixed order. Not to be kept across `take`."""
        if self._is_plain:
            return self.flights
        return self._decisions() if self.shared.deciding else self._undecided_choices()

    def _undecided_choices(self) -> list[Choice]:
        ready = self._ready()
        if not self.rules.has_happenings:
            return list(ready)
        return [*ready, *self._faults(ready), *self._late_writes(), *self._crashes()]

    def _decisions(self) -> list[Choice]:
        """What may have survived of the next sector that the choice which waits looks at."""
        waiting = next(
            (choice for choice in self._undecided_choices() if choice.label == self.shared.deciding), None
        )
        if waiting is None:
            return []
        undecided = self.shared.undecided_for(self.operation_of(waiting))
        assert undecided is not None, "a choice waits until the last sector is decided"
        device, sector = undecided
        survivors = range(len(self.disks[device].undecided[sector]))
        return [Happening(f"keep.{index}", "keep", (device, sector, index, waiting)) for index in survivors]

    def _faults(self, ready: Sequence[Flight]) -> list[Happening]:
        return [
            Happening(flight.label + how.mark, "fault", flight, how)
            for flight in ready
            for how in self.shared.strikes(flight)
        ]

    def _late_writes(self) -> list[Happening]:
        return [Happening(f"late.{index}", "late", flight) for index, flight in enumerate(self.shared.late)]

    def _crashes(self) -> list[Happening]:
        happenings: list[Happening] = []
        if not self.shared.crashes_left:
            return happenings
        for host in self.rules.may_crash():
            if host in self.hosts and not self.rules.is_waiting(host, self.shared.crashed):
                if self.rules.plain_crashes:
                    happenings.append(Happening(f"crash.{self.rules.names[host]}", "crash", host))
                if self.shared.power_losses_left and not self.rules.power_stops_all:
                    happenings.append(Happening("power", "power", host))
        if self.shared.power_losses_left and self.rules.power_stops_all:
            happenings.append(Happening("power", "power", EVERY_HOST))
        return happenings

    # -- let it happen -------------------------------------------------------------------------------------------

    def start(self, host: int, task: int) -> None:
        """Start a task of a host; what it requests is in flight then."""
        self._take_outcome(host, self.hosts[host].deliver(task, None))

    def take(self, choice: Choice) -> None:
        """Let one of `choices` happen; what it leads to is in flight then."""
        if type(choice) is Flight and self._is_plain and not self._gatherings and self.trace is None:
            self.flights.remove(choice)
            answer = self.shared.perform(choice)
            self._take_outcome(choice.host, self.hosts[choice.host].deliver(choice.task, answer))
        elif isinstance(choice, Happening) and choice.kind == "keep":
            self._decide(choice)
        elif not self._must_wait(choice):
            self._happen(choice, choice.label)

    def _must_wait(self, choice: Choice) -> bool:
        """Whether a choice waits until it is decided what survived of the sectors it looks at."""
        operation = self.operation_of(choice)
        if operation is None or self.shared.undecided_for(operation) is None:
            return False
        self.shared.deciding = choice.label
        subject = choice if isinstance(choice, Flight) else choice.subject
        self._record(choice.label, subject.host, operation, None, ())
        return True

    def operation_of(self, choice: Choice) -> Any:
        """The operation that takes effect with a choice; None if none does."""
        if isinstance(choice, Flight):
            return choice.operation
        if choice.fault is not None:
            return self.shared.effect_of(choice.subject, choice.fault)
        return choice.subject.operation if choice.kind == "late" else None

    def _decide(self, choice: Happening) -> None:
        device, sector, survivor, waiting = choice.subject
        self.disks[device].survive(sector, survivor)
        if self.shared.undecided_for(self.operation_of(waiting)) is not None:
            self._record(choice.label, None, None, None, ())
            return
        self.shared.deciding = ""
        if isinstance(waiting, Flight) and waiting not in self._ready():
            self._record(choice.label, None, None, None, ())  # the operation waits on, for another content
        else:
            self._happen(waiting, choice.label)

    def _happen(self, choice: Choice, label: str) -> None:
        if isinstance(choice, Flight):
            self.flights.remove(choice)
            self._answer(choice, self.shared.perform(choice), label)
        elif choice.fault is not None:
            self.flights.remove(choice.subject)
            self._answer(choice.subject, self.shared.strike(choice.subject, choice.fault), label)
        elif choice.kind == "late":
            flight = choice.subject
            self.shared.late.remove(flight)
            self.shared.perform(flight)
            self._record(label, flight.host, flight.operation, None, ())
        elif choice.kind == "crash":
            self._record(label, choice.subject, None, None, ())
            self.shared.crashes_left -= 1
            self._crash(choice.subject)
            self._succeed(choice.subject)
        else:
            self._record(label, None, None, None, ())
            self._lose_power(choice.subject)

    def take_label(self, label: str) -> None:
        """Let the choice with this label happen.

        Raises:
            ScheduleError: there is none.
        """
        choices = self.choices()
        for choice in choices:
            if choice.label == label:
                self.take(choice)
                return
        possible = ", ".join(choice.label for choice in choices) or "nothing"
        raise ScheduleError(f"{label!r} cannot happen here; what can: {possible}")

    def _answer(self, flight: Flight, answer: Answer, label: str) -> None:
        host, task = flight.host, flight.task
        delivered: Any = answer
        gathering = self._gatherings.get((host, task))
        if gathering is not None:
            gathering.answers[flight.piece] = answer
            if len(gathering.answers) < sum(gathering.piece_counts):
                self._record(label, host, flight.operation, answer, ())
                return
            del self._gatherings[host, task]
            delivered = gathering.joined()
        outcome = self.hosts[host].deliver(task, delivered)
        self._record(label, host, flight.operation, answer, outcome[1])
        self._take_outcome(host, outcome)

    def _take_outcome(self, host: int, outcome: Outcome) -> None:
        requests, reports = outcome
        for task, request in requests:
            if isinstance(request, tuple) or (self._tears and request.sector_count > 1):
                self._submit_pieces(host, task, request)
            else:
                self._submit(Flight(host, task, 0, request, self._actors[host][task]))
        if reports and self.watcher is not None:
            for report in reports:
                self.watcher.reported(self.shared, host, report)

    def _submit(self, flight: Flight) -> None:
        access = flight.operation.access
        if access is not Access.READ:
            if flight.host in self._readers and self.watcher is not None:
                self.watcher.submitted(self.shared, flight.host, flight.operation)
            if access is Access.FLUSH:
                self.shared.issued(flight)
        self.flights.append(flight)

    def _submit_pieces(self, host: int, task: int, request: Request) -> None:
        actor = self._actors[host][task]
        is_single = isinstance(request, Operation)
        operations = (request,) if isinstance(request, Operation) else request
        gathering = Gathering([], is_single)
        piece = 0
        for operation in operations:
            pieces = self.disks[operation.device].pieces(operation) if self._tears else [operation]
            gathering.piece_counts.append(len(pieces))
            for part in pieces:
                self._submit(Flight(host, task, piece, part, f"{actor}.{piece}" if piece else actor))
                piece += 1
        self._gatherings[host, task] = gathering

    # -- crashes -------------------------------------------------------------------------------------------------

    def _crash(self, host: int) -> None:
        """The host stops; its writes in flight may still land, each sector of them for itself if operations tear."""
        self.shared.crash(host, [flight for flight in self.flights if flight.host == host])
        self.flights = [flight for flight in self.flights if flight.host != host]
        self._gatherings = {key: value for key, value in self._gatherings.items() if key[0] != host}
        self.hosts.pop(host).close()

    def _lose_power(self, host: int) -> None:
        """The disks lose power, and hosts count as crashed with them; unless the disks keep it to themselves."""
        self.shared.crashes_left -= 1
        stopped = [host]
        if self.shared.power_loss_is_silent:
            stopped = []
        elif host == EVERY_HOST:
            stopped = [
                number for number in self.hosts if not self.rules.is_waiting(number, self.shared.crashed)
            ]
        for number in stopped:
            self._crash(number)
        self.shared.lose_power()
        for number in stopped:
            self._succeed(number)

    def _succeed(self, host: int) -> None:
        for successor in self.rules.successors_of(host):
            for task in successor.tasks:
                self.start(successor.host, task)

    def _record(
        self,
        label: str,
        host: int | None,
        operation: Operation | None,
        answer: Answer,
        reports: tuple[Any, ...],
    ) -> None:
        if self.trace is not None:
            self.trace.append(Step(label, host, operation, answer, reports))

    # -- states --------------------------------------------------------------------------------------------------

    def client(self, number: int) -> Client:
        """A copy of what is a host's own; the host must be able to fork."""
        gatherings = [
            (task, gathering.fork()) for (host, task), gathering in self._gatherings.items() if host == number
        ]
        return Client(
            self.hosts[number].fork(),
            tuple([flight for flight in self.flights if flight.host == number]),
            tuple(sorted(gatherings, key=lambda entry: entry[0])),
        )

    @classmethod
    def of(cls, shared: SharedState, clients: Mapping[int, Client]) -> SteppedWorld:
        """A world of ``shared`` and some clients, which are copied; other hosts are as if they did nothing."""
        world = object.__new__(cls)
        world.shared = shared
        world.hosts, world.flights, world.trace, world._gatherings = {}, [], None, {}
        for number, client in clients.items():
            world.hosts[number] = client.host.fork()
            world.flights += client.flights
            for task, gathering in client.gatherings:
                world._gatherings[number, task] = gathering.fork()
        world._heed(shared.rules)
        return world

    def fork(self) -> SteppedWorld:
        """An independent copy in the same state; the hosts must be able to fork."""
        copy = SteppedWorld.of(self.shared.fork(), {number: self.client(number) for number in self.hosts})
        copy.flights = list(self.flights)
        return copy

    def key(self) -> Hashable:
        """Equal for two worlds of the same scenario exactly if nothing that can happen tells them apart."""
        return self.shared.key(), tuple([self.client(number).key() for number in self.hosts])
