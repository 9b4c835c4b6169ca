"""A stepped world as a product of automata: its states are integers, and a step adds a difference.

A state says in which state each host is, and in which state what they share is; the states of each of these *parts*
are numbered as they are met, and a state of the world is those numbers side by side in one integer. What a host can
do next, and what that leads to, depends on its own part and on the shared one alone (`SteppedWorld.of`). So it is
found out once for each such pair, by letting it happen in a world of that one host, and remembered as *moves*: a label
and the difference between the states after and before. From then on a step of the whole world is a look-up and an
addition, whatever the other hosts are doing.

The parts of hosts of the same code may be numbered together; then states that differ only in which of them is where can
be taken for one (`Product.canonical`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from shadowshare.protocol.operations import Access
from shadowshare.sim.stepped.flight import Choice, Flight, Step
from shadowshare.sim.stepped.shared import SharedState
from shadowshare.sim.stepped.world import EVERY_HOST, Client, SteppedWorld

SHARED_BITS = 30
CLIENT_BITS = 24
SHARED_MASK = (1 << SHARED_BITS) - 1
CLIENT_MASK = (1 << CLIENT_BITS) - 1


class TooManyStates(Exception):
    """A part of the world has more states than a state's integer has room for."""


class Move(NamedTuple):
    """Something that can happen.

    Attributes:
        label: in a schedule.
        delta: what it adds to the state.
        step: what happened, as in a trace.
    """

    label: str
    delta: int
    step: Step


class Lane:
    """Choices that depend on the same parts.

    Attributes:
        mask: of the bits of a state that those parts have.
        hosts: the hosts among those parts.
        moves: by those bits: what can happen.
    """

    __slots__ = ("_kind", "hosts", "is_of_operations", "mask", "moves")

    def __init__(self, kind: str, hosts: tuple[int, ...]) -> None:
        self._kind = kind
        self.is_of_operations = kind == "operations"
        self.hosts = hosts
        self.mask = SHARED_MASK
        for host in hosts:
            self.mask |= CLIENT_MASK << shift_of(host)
        self.moves: dict[int, tuple[Move, ...]] = {}

    def has(self, choice: Choice) -> bool:
        """Whether a choice belongs here."""
        if isinstance(choice, Flight):
            return self._kind == "operations"
        if choice.kind == "keep":
            return self.has(choice.subject[3])
        if choice.kind == "power" and choice.subject == EVERY_HOST:
            return self._kind == "power"
        if choice.kind in ("crash", "power"):
            return self._kind == "crash" and choice.subject == self.hosts[0]
        return self._kind == ("late" if choice.kind == "late" else "operations")


def shift_of(host: int) -> int:
    """Where the number of a host's part begins in a state."""
    return SHARED_BITS + host * CLIENT_BITS


class _Clients:
    """The states of one host's part, or of the parts of hosts of the same code, by number."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {None: 0}
        self._clients: list[Client | None] = [None]

    def number(self, client: Client | None) -> int:
        """Of a state of the part; None for a host that crashed."""
        key = None if client is None else client.key()
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._clients)
            self._clients.append(client)
            if number > CLIENT_MASK:
                raise TooManyStates(f"one host has more than {CLIENT_MASK} different states")
        return number

    def client(self, number: int, host: int, actors: Sequence[str]) -> Client | None:
        """The state of that number, as one of ``host``, whose tasks have the labels ``actors``."""
        client = self._clients[number]
        if client is None or not client.flights or client.flights[0].host == host:
            return client
        flights = tuple(
            Flight(host, at.task, at.piece, at.operation, _label(actors[at.task], at.piece))
            for at in client.flights
        )
        return client._replace(flights=flights)


def _label(actor: str, piece: int) -> str:
    return f"{actor}.{piece}" if piece else actor


class Patience(NamedTuple):
    """How long a host that is left alone may take; `shadowshare.verify.exploration.liveness` looks at that.

    Attributes:
        host: its number.
        name: its name.
        step_count_maximum: steps within which it must have finished something, or have ended.
        is_finished: whether a move finishes something.
    """

    host: int
    name: str
    step_count_maximum: int
    is_finished: Callable[[Move], bool]


class Eventual(NamedTuple):
    """Something that must come to hold in every fair schedule; `shadowshare.verify.exploration.liveness` looks at that.

    Attributes:
        name: in words.
        holds: whether it does in a state.
    """

    name: str
    holds: Callable[[int], bool]


EndJudge = Callable[[SharedState, Sequence[Client | None]], Any]
"""Judges a state in which no operation can take effect: the violation, or None."""


class Product:
    """Every state that a world can reach, found out as far as it is asked for.

    Args:
        world: at the start; its hosts must be memoised.
        judge_end: judges a state in which no operation can take effect.
        alike: groups of numbers of hosts of the same code, which are taken for one another.
        patiences: with the hosts that must finish soon when they are left alone.
        eventual: what must come to hold in every fair schedule.
    """

    def __init__(
        self,
        world: SteppedWorld,
        judge_end: EndJudge,
        alike: Sequence[tuple[int, ...]] = (),
        patiences: Sequence[Patience] = (),
        eventual: Sequence[Eventual] = (),
    ) -> None:
        self._judge_end = judge_end
        self._rules = world.rules
        self._shared_numbers: dict[Hashable, int] = {}
        self._shared: list[SharedState] = []
        self.host_count = len(world.hosts)
        self.violations: dict[int, Any] = {}
        """By the number of the shared part: what is violated in every state that has it."""
        group_of = {host: group[0] for group in alike for host in group}
        clients: dict[int, _Clients] = {}
        self._clients = [
            clients.setdefault(group_of.get(host, host), _Clients()) for host in range(self.host_count)
        ]
        self._reads: dict[tuple[int, str, Any], Move | None] = {}
        self._alike = [tuple(map(shift_of, group)) for group in alike if len(group) > 1]
        self.operation_lanes = [Lane("operations", (host,)) for host in range(self.host_count)]
        self.event_lanes = list(self._event_lanes())
        self.lanes = [*self.operation_lanes, *self.event_lanes]
        self.initial = self.canonical(self._state_of(world, range(self.host_count)))
        self.patiences: tuple[Patience, ...] = tuple(patiences)
        """With the hosts that must finish soon when they are left alone."""
        self.eventual = tuple(eventual)
        """What must come to hold in every fair schedule."""

    def _event_lanes(self) -> Iterator[Lane]:
        if not self._rules.has_happenings:
            return
        yield Lane("late", ())
        for host in self._rules.may_crash():
            successors = [successor.host for successor in self._rules.successors_of(host)]
            yield Lane("crash", (host, *successors))
        if self._rules.power_stops_all and self._rules.power_loss_count:
            yield Lane("power", tuple(range(self.host_count)))

    # -- parts ---------------------------------------------------------------------------------------------------

    def _state_of(self, world: SteppedWorld, hosts: Sequence[int]) -> int:
        """The bits of a state that say where the shared part and those of ``hosts`` are."""
        state = self._shared_number(world.shared)
        for host in hosts:
            client = world.client(host) if host in world.hosts else None
            state |= self._clients[host].number(client) << shift_of(host)
        return state

    def _shared_number(self, shared: SharedState) -> int:
        violation = None if shared.watcher is None else shared.watcher.violation
        key = (shared.key(), violation)
        number = self._shared_numbers.get(key)
        if number is None:
            number = self._shared_numbers[key] = len(self._shared)
            self._shared.append(shared)
            if violation is not None:
                self.violations[number] = violation
            if number > SHARED_MASK:
                raise TooManyStates(f"what the hosts share has more than {SHARED_MASK} different states")
        return number

    def shared_parts(self) -> Iterator[SharedState]:
        """Every state of what the hosts share that was met; not to be changed."""
        yield from self._shared

    def shared(self, state: int) -> SharedState:
        """The shared part of a state; not to be changed."""
        return self._shared[state & SHARED_MASK]

    def client(self, state: int, host: int) -> Client | None:
        """A host's part of a state; None if it crashed."""
        number = state >> shift_of(host) & CLIENT_MASK
        return self._clients[host].client(number, host, self._rules.actors[host])

    # -- steps ---------------------------------------------------------------------------------------------------

    def moves(self, state: int) -> list[Move]:
        """Everything that can happen in a state, in a fixed order; ``state + move.delta`` is what it leads to."""
        found: list[Move] = []
        for lane in self.lanes:
            moves = lane.moves.get(state & lane.mask)
            found += self.learn(lane, state) if moves is None else moves
        return found

    def is_end(self, state: int) -> bool:
        """Whether no operation can take effect: what may still happen are crashes and late writes."""
        for lane in self.operation_lanes:
            moves = lane.moves.get(state & lane.mask)
            if self.learn(lane, state) if moves is None else moves:
                return False
        return not self.shared(state).deciding

    def learn(self, lane: Lane, state: int) -> tuple[Move, ...]:
        """Find out what can happen in a lane, by letting it happen."""
        shared = self.shared(state)
        clients = {host: client for host in lane.hosts if (client := self.client(state, host)) is not None}
        moves = None
        if lane.is_of_operations and shared.reads_change_nothing:
            moves = self._reads_of(lane, state, shared, clients)
        if moves is None:
            choices = SteppedWorld.of(shared, clients).choices()
            moves = [self._let_happen(lane, state, clients, choice) for choice in choices if lane.has(choice)]
        lane.moves[state & lane.mask] = tuple(moves)
        return lane.moves[state & lane.mask]

    def _let_happen(self, lane: Lane, state: int, clients: Mapping[int, Client], choice: Choice) -> Move:
        world = SteppedWorld.of(self.shared(state).fork(), clients)
        world.trace = []
        world.take(choice)
        return Move(choice.label, self._state_of(world, lane.hosts) - (state & lane.mask), world.trace[0])

    def _reads_of(
        self, lane: Lane, state: int, shared: SharedState, clients: Mapping[int, Client]
    ) -> list[Move] | None:
        """What can happen to a host that has nothing but reads in flight.

        It depends on what they get, and not on anything else that the hosts share: so it is remembered by that.
        None if it cannot be said so, because the host does something else, or reports something.
        """
        moves = []
        local = state & (lane.mask ^ SHARED_MASK)
        for flight in chain.from_iterable(client.flights for client in clients.values()):
            if flight.operation.access is not Access.READ:
                return None
            known = (local, flight.label, shared.perform(flight))
            if known not in self._reads:
                move = self._let_happen(lane, state, clients, flight)
                is_private = not move.step.reports and not move.delta & SHARED_MASK
                self._reads[known] = move if is_private else None
            remembered = self._reads[known]
            if remembered is None:
                return None
            moves.append(remembered)
        return moves

    def canonical(self, state: int) -> int:
        """The same for all states that differ only in which of the hosts that are alike is where."""
        for shifts in self._alike:
            numbers = [state >> shift & CLIENT_MASK for shift in shifts]
            ordered = sorted(numbers)
            if numbers != ordered:
                for shift, before, after in zip(shifts, numbers, ordered, strict=True):
                    state += (after - before) << shift
        return state

    @property
    def has_alike(self) -> bool:
        """Whether `canonical` changes anything."""
        return bool(self._alike)

    # -- judging -------------------------------------------------------------------------------------------------

    def violation(self, state: int) -> Any:
        """What is violated in a state; None if nothing is."""
        return self.violations.get(state & SHARED_MASK)

    def judge_end(self, state: int) -> Any:
        """What is violated where no operation can take effect; None if nothing is."""
        clients = [self.client(state, host) for host in range(self.host_count)]
        return self._judge_end(self.shared(state), clients)
