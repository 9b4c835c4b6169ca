"""The stepped world: one operation takes effect at a time, and a schedule chooses whose.

The world knows hosts (`Host`, or anything that answers like one), disks, what is in flight, and the events that the
rules allow. `SteppedWorld.choices` lists what may happen next, `SteppedWorld.take` lets one of it happen. It runs the
protocol and looks at nothing in it; a `Watcher` may look on.

An operation takes effect at one moment between its issue and its completion, and completes then: no other host can
tell a later completion apart. A crashed host's writes stay in flight, and so may a write that reported an error; they
may land until a reservation shuts them out.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from shadowshare.protocol.errors import DiskError, FlushError, ReadError, WriteError
from shadowshare.protocol.operations import Access, Operation
from shadowshare.sim.disks.memory_disk import Answer, MemoryDisk, split_by_sector
from shadowshare.sim.host import Outcome, Request
from shadowshare.sim.schedule import ScheduleError
from shadowshare.sim.stepped.flight import Choice, Flight, Gathering, Happening, Step
from shadowshare.sim.stepped.ports import HostPort, Watcher
from shadowshare.sim.stepped.rules import Rules

NOBODY = -1
"""Stands for the host that crashed in a power loss that nobody was told of."""


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
        disks: Sequence[MemoryDisk],
        hosts: Sequence[HostPort],
        rules: Rules,
        watcher: Watcher | None = None,
    ) -> None:
        self.disks = list(disks)
        self.hosts = list(hosts)
        self.watcher = watcher
        self.flights: list[Flight] = []
        self.late: list[Flight] = []
        """Writes that may still land: of hosts that crashed, or were told of an error."""
        self.crashed: frozenset[int] = frozenset()
        self.trace: list[Step] | None = None
        self._gatherings: dict[tuple[int, int], Gathering] = {}
        self._powering: int | None = None
        self.permit(rules)

    def permit(self, rules: Rules) -> None:
        """Let ``rules`` hold from now on."""
        self.rules = rules
        self._tears, self._readers, self._actors = rules.tears, rules.readers, rules.actors
        self.crashes_left = rules.crash_count
        self.power_losses_left = rules.power_loss_count
        self.write_errors_left = rules.write_error_count
        self.read_errors_left = rules.read_error_count
        self.flush_errors_left = rules.flush_error_count
        errors_left = rules.write_error_count + rules.read_error_count + rules.flush_error_count
        self._has_happenings = bool(rules.crash_count + errors_left)

    # -- what may happen -----------------------------------------------------------------------------------------

    @property
    def is_over(self) -> bool:
        """Nothing is in flight any more: what may still happen are crashes and late writes."""
        return not self.flights and self._powering is None

    @property
    def is_stuck(self) -> bool:
        """Nothing is in flight, but a task waits."""
        return self.is_over and any(
            host.unfinished_count for number, host in enumerate(self.hosts) if number not in self.crashed
        )

    def choices(self) -> Sequence[Choice]:
        """Everything that may happen next, in a fixed order. Not to be kept across `take`."""
        if not self._has_happenings:
            return self.flights
        if self._powering is not None:
            return self._survivals()
        return [*self.flights, *self._errors(), *self._late_writes(), *self._crashes()]

    def _survivals(self) -> list[Happening]:
        device, sector = self._undecided()
        survivors = range(len(self.disks[device].survivors(sector)))
        return [Happening(f"keep.{index}", "keep", (device, sector, index)) for index in survivors]

    def _undecided(self) -> tuple[int, int]:
        for device, disk in enumerate(self.disks):
            sector = disk.undecided()
            if sector is not None:
                return device, sector
        raise AssertionError("a power loss without an undecided sector is over")

    def _errors(self) -> list[Happening]:
        errors = []
        for flight in self.flights:
            access = flight.operation.access
            if access is Access.WRITE and self.write_errors_left:
                errors.append(Happening(f"{flight.label}!", "error-after", flight))
                errors.append(Happening(f"{flight.label}~", "error-instead", flight))
            elif (access is Access.READ and self.read_errors_left) or (
                access is Access.FLUSH and self.flush_errors_left
            ):
                errors.append(Happening(f"{flight.label}~", "error-instead", flight))
        return errors

    def _late_writes(self) -> list[Happening]:
        return [Happening(f"late.{index}", "late", flight) for index, flight in enumerate(self.late)]

    def _crashes(self) -> list[Happening]:
        happenings: list[Happening] = []
        if not self.crashes_left:
            return happenings
        for host, _ in self.rules.successors:
            if host not in self.crashed and self._is_running(host):
                happenings.append(Happening(f"crash.{self.rules.names[host]}", "crash", host))
                if self.power_losses_left:
                    happenings.append(Happening("power", "power", host))
        return happenings

    def _is_running(self, host: int) -> bool:
        """Whether a host that may crash has begun: it is not the waiting successor of one that has not crashed."""
        return all(
            successor.host != host or other in self.crashed for other, successor in self.rules.successors
        )

    # -- let it happen -------------------------------------------------------------------------------------------

    def start(self, host: int, task: int) -> None:
        """Start a task of a host; what it requests is in flight then."""
        self._take_outcome(host, self.hosts[host].deliver(task, None))

    def take(self, choice: Choice) -> None:
        """Let one of `choices` happen; what it leads to is in flight then."""
        if type(choice) is not Flight:
            assert isinstance(choice, Happening)
            self._happen(choice)
            return
        self.flights.remove(choice)
        answer = self._perform(choice)
        if self._gatherings or self.trace is not None:
            self._answer(choice, answer, choice.label)
        else:
            self._take_outcome(choice.host, self.hosts[choice.host].deliver(choice.task, answer))

    def _happen(self, choice: Happening) -> None:
        """Let an event happen."""
        if choice.kind == "error-after":
            self.write_errors_left -= 1
            self.flights.remove(choice.subject)
            answer = self._perform(choice.subject)
            self._answer(choice.subject, answer or WriteError("the device reported an error"), choice.label)
        elif choice.kind == "error-instead":
            self._fail(choice)
        elif choice.kind == "late":
            flight = choice.subject
            self.late.remove(flight)
            self._perform(flight)
            self._record(choice.label, flight.host, flight.operation, None, ())
        elif choice.kind == "crash":
            self._record(choice.label, choice.subject, None, None, ())
            self._crash(choice.subject)
            self._succeed(choice.subject)
        elif choice.kind == "power":
            self._record(choice.label, None, None, None, ())
            self._lose_power(choice.subject)
        else:
            device, sector, version = choice.subject
            self._record(choice.label, None, None, None, ())
            self.disks[device].survive(sector, version)
            self._end_power_loss()

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

    def _fail(self, choice: Happening) -> None:
        flight = choice.subject
        self.flights.remove(flight)
        error: DiskError
        if flight.operation.access is Access.READ:
            self.read_errors_left -= 1
            error = ReadError("the device reported an error")
        elif flight.operation.access is Access.FLUSH:
            self.flush_errors_left -= 1
            error = FlushError("the device reported an error")
        else:
            self.write_errors_left -= 1
            self.late.append(flight)
            error = WriteError("the device reported an error")
        self._answer(flight, error, choice.label)

    def _perform(self, flight: Flight) -> Answer:
        operation = flight.operation
        answer = self.disks[operation.device].perform(operation, flight.host, flight.issued_at)
        access = operation.access
        if access is Access.WRITE:
            if self.watcher is not None and answer is None:
                self.watcher.wrote(self, flight.host, operation)
        elif access is Access.RESERVE and self.late:
            disk = self.disks[operation.device]
            self.late = [
                late
                for late in self.late
                if late.operation.device != operation.device or not disk.is_fenced(late.host)
            ]
        return answer

    def _answer(self, flight: Flight, answer: Answer, label: str) -> None:
        host, task = flight.host, flight.task
        delivered: Any = answer
        if self._gatherings and (gathering := self._gatherings.get((host, task))) is not None:
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
                continue
            if request.access is not Access.READ and host in self._readers:
                self._tell_submitted(host, request)
            issued_at = self.disks[request.device].write_count
            self.flights.append(Flight(host, task, 0, request, issued_at, self._actors[host][task]))
        if reports and self.watcher is not None:
            for report in reports:
                self.watcher.reported(self, host, report)

    def _tell_submitted(self, host: int, operation: Operation) -> None:
        if self.watcher is not None:
            self.watcher.submitted(self, host, operation)

    def _submit_pieces(self, host: int, task: int, request: Request) -> None:
        actor = self._actors[host][task]
        is_single = isinstance(request, Operation)
        operations = (request,) if isinstance(request, Operation) else request
        gathering = Gathering([], is_single)
        piece = 0
        for operation in operations:
            disk = self.disks[operation.device]
            if operation.access is not Access.READ and host in self._readers:
                self._tell_submitted(host, operation)
            pieces = split_by_sector(operation, disk.sector_bytes) if self._tears else [operation]
            gathering.piece_counts.append(len(pieces))
            for part in pieces:
                label = f"{actor}.{piece}" if piece else actor
                self.flights.append(Flight(host, task, piece, part, disk.write_count, label))
                piece += 1
        self._gatherings[host, task] = gathering

    # -- crashes -------------------------------------------------------------------------------------------------

    def _crash(self, host: int) -> None:
        """The host stops; its writes in flight may still land, each sector of them for itself if operations tear."""
        self.crashes_left -= 1
        self.crashed |= {host}
        mine = [flight for flight in self.flights if flight.host == host]
        self.flights = [flight for flight in self.flights if flight.host != host]
        self.late += [flight for flight in mine if flight.operation.access is Access.WRITE]
        self._gatherings = {key: value for key, value in self._gatherings.items() if key[0] != host}
        self.hosts[host].close()

    def _lose_power(self, host: int) -> None:
        """The disks lose power, and the active host counts as crashed; unless they keep it to themselves."""
        self.power_losses_left -= 1
        if any(disk.misbehaviour.power_loss_is_silent for disk in self.disks):
            self.crashes_left -= 1
            self._powering = NOBODY
        else:
            self._crash(host)
            self._powering = host
        self._end_power_loss()

    def _end_power_loss(self) -> None:
        """Go on once it is decided of every sector what survived."""
        if self._powering is None or any(disk.undecided() is not None for disk in self.disks):
            return
        host, self._powering = self._powering, None
        if self.watcher is not None:
            self.watcher.lost_power(self)
        if host != NOBODY:
            self._succeed(host)

    def _succeed(self, host: int) -> None:
        successor = dict(self.rules.successors)[host]
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

    def fork(self) -> SteppedWorld:
        """An independent copy in the same state; the hosts must be able to fork."""
        watcher = None if self.watcher is None else self.watcher.fork()
        copy = SteppedWorld([], [host.fork() for host in self.hosts], self.rules, watcher)
        copy.disks = [disk.fork() for disk in self.disks]
        copy.flights = list(self.flights)
        copy.late = list(self.late)
        copy.crashed = self.crashed
        copy.crashes_left = self.crashes_left
        copy.power_losses_left = self.power_losses_left
        copy.write_errors_left = self.write_errors_left
        copy.read_errors_left = self.read_errors_left
        copy.flush_errors_left = self.flush_errors_left
        copy._gatherings = {key: gathering.fork() for key, gathering in self._gatherings.items()}
        copy._powering = self._powering
        return copy

    def key(self) -> Hashable:
        """Equal for two worlds of the same scenario exactly if nothing that can happen tells them apart.

        What is in flight follows from the hosts' states and from the pieces that were answered; of a flush, also when
        it was issued matters.
        """
        gathered = tuple(
            [
                (task, tuple(sorted(gathering.answers.items())))
                for task, gathering in sorted(self._gatherings.items())
            ]
        )
        flushes = tuple(
            [
                (flight.host, flight.task, flight.issued_at)
                for flight in self.flights
                if flight.operation.access is Access.FLUSH and self.disks[flight.operation.device].versions
            ]
        )
        return (
            tuple([None if number in self.crashed else host.key() for number, host in enumerate(self.hosts)]),
            tuple([disk.key() for disk in self.disks]),
            gathered,
            flushes,
            tuple([flight.identity() for flight in self.late]),
            (self.crashes_left, self.power_losses_left),
            (self.write_errors_left, self.read_errors_left, self.flush_errors_left),
            self._powering,
            None if self.watcher is None else self.watcher.key(),
        )
