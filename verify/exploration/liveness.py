"""That what was begun ends: a host that is left alone finishes soon, and no schedule goes on for ever.

Two things are looked at in the states that a search has met:

- *alone*: from each of them on only one host goes on, and no device reports an error any more. Within a stated number
  of steps it must have finished what it is doing. (Obstruction freedom with a bound: Herlihy, Luchangco, Moir, ICDCS
  2003.)
- *for ever*: no schedule in which each task that always could take a step takes one may come back to where it was, and
  so go round for ever. Schedules that leave somebody waiting who could go on do not count: no protocol ends if it is
  not let. (Weak fairness: a strongly connected component of the graph of states is such a round if each task that can
  go on in all of its states takes a step within it. Lichtenstein and Pnueli, POPL 1985.)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from shadowshare.sim.schedule import kind_of
from shadowshare.verify.exploration.product import Eventual, Lane, Move, Patience, Product
from shadowshare.verify.result import Violation

if TYPE_CHECKING:
    from shadowshare.verify.exploration.search import Search

RULE = "liveness"
EVENTUALLY = "eventually"
ENDLESS_RULES = (RULE, EVENTUALLY)
"""Rules that are judged by where a schedule leads, and not by a state."""


class _Spent(Exception):
    """No more may be found out now."""


class _Way(NamedTuple):
    """The longest way that a host alone goes from a state: how many steps, and the first of them."""

    step_count: int
    move: Move | None


class _Place:
    """A state on the way that is being followed, and what is known of those behind it."""

    __slots__ = ("key", "longest", "moves", "step_count_before", "taken")

    def __init__(self, key: int, moves: Iterator[Move], step_count_before: int) -> None:
        self.key = key
        self.moves = moves
        self.step_count_before = step_count_before
        self.taken: Move | None = None
        self.longest = _Way(0, None)

    def note(self, move: Move, step_count: int) -> None:
        """The way by a move has so many steps in all."""
        if step_count > self.longest.step_count:
            self.longest = _Way(step_count, move)


class LeftAlone:
    """Looks how long a host takes when it is left alone, from one state after the other.

    Args:
        product: the world.
        patience: with the host.
    """

    def __init__(self, product: Product, patience: Patience) -> None:
        self.patience = patience
        self.step_count = 0
        """The most steps that it took, from any of the states that were looked at."""
        self._product = product
        self._lane: Lane = product.operation_lanes[patience.host]
        self._ways: dict[int, _Way] = {}
        """By the bits of the lane."""
        self._looked_at_count = 0
        self._learnt_count = 0

    def look(self, states: Sequence[int], learnt_count_maximum: float) -> tuple[int, tuple[str, ...]] | None:
        """From which state, by its number, the host takes too long, and what it does then.

        Args:
            states: those met up to now, of which some may have been looked at before.
            learnt_count_maximum: how often, in all, it may be found out what the host can do in a state of which the
                search does not know it yet. When that is spent, it goes on the next time.
        """
        mask, known = self._lane.mask, self._ways
        for number in range(self._looked_at_count, len(states)):
            key = states[number] & mask
            if key not in known:
                try:
                    endless = self._follow(key, learnt_count_maximum)
                except _Spent:
                    return None
                if endless is not None:
                    return number, endless
                self.step_count = max(self.step_count, known[key].step_count)
            self._looked_at_count = number + 1
        return None

    def _follow(self, start: int, learnt_count_maximum: float) -> tuple[str, ...] | None:
        """Find the longest way from a state; the labels of one that is too long, if there is one.

        A way that goes round is followed until it is too long.
        """
        way = [_Place(start, self._moves(start, learnt_count_maximum), 0)]
        while way:
            place = way[-1]
            if place.step_count_before + place.longest.step_count > self.patience.step_count_maximum:
                return self._labels(way)
            move = place.taken = next(place.moves, None)
            if move is None:
                self._ways[place.key] = place.longest
                way.pop()
                if way and way[-1].taken is not None:
                    way[-1].note(way[-1].taken, _cost(way[-1].taken) + place.longest.step_count)
                continue
            after = place.key + move.delta
            is_violated = (
                self._product.violation(after) is not None
            )  # which the search says; nothing counts behind it
            if is_violated or self.patience.is_finished(move):
                place.note(move, _cost(move))
            elif after in self._ways:
                place.note(move, _cost(move) + self._ways[after].step_count)
            else:
                moves = self._moves(after, learnt_count_maximum)
                way.append(_Place(after, moves, place.step_count_before + _cost(move)))
        return None

    def _labels(self, way: Sequence[_Place]) -> tuple[str, ...]:
        """The way from its start on, and the longest one known behind its end."""
        moves = [place.taken for place in way[:-1] if place.taken is not None]
        key, behind = way[-1].key, way[-1].longest
        while behind.move is not None:
            moves.append(behind.move)
            key += behind.move.delta
            if self.patience.is_finished(behind.move) or self._product.violation(key) is not None:
                break
            behind = self._ways[key]
        return tuple([move.label for move in moves])

    def _moves(self, key: int, learnt_count_maximum: float) -> Iterator[Move]:
        """What the host can do in a state without an error of a device; what it does in silence may still happen.

        Raises:
            _Spent: nobody knows, and it must not be found out.
        """
        moves = self._lane.moves.get(key)
        if moves is None:
            if self._learnt_count >= learnt_count_maximum:
                raise _Spent
            self._learnt_count += 1
            moves = self._product.learn(self._lane, key)
        return iter([move for move in moves if kind_of(move.label) != "error"])


def _cost(move: Move) -> int:
    """Steps of a move: none if it only decides what a power loss left."""
    return 0 if kind_of(move.label) == "keep" else 1


def too_long(patience: Patience) -> Violation:
    """What is said of a host that takes too long."""
    return Violation(
        RULE,
        f"{patience.name} is left alone, and finishes nothing within {patience.step_count_maximum} steps",
        patience.name,
    )


# -- for ever ----------------------------------------------------------------------------------------------------


def round_for_ever(search: Search) -> tuple[int, tuple[str, ...]] | None:
    """A way round that a fair schedule can go for ever: the number of the state where it begins, and its labels.

    Args:
        search: everything must have been met.
    """
    return _round_in(_Graph(search.product, search.states))


def avoids(search: Search, eventual: Eventual) -> tuple[str, ...] | None:
    """A fair schedule in which something never comes to hold: to an end, or once round a way that it can go for ever.

    Args:
        search: everything must have been met.
        eventual: what ought to come to hold.
    """
    product, initial = search.product, search.product.initial
    ways: dict[int, tuple[str, ...]] = {} if eventual.holds(initial) else {initial: ()}
    waiting = deque(ways)
    while waiting:
        state = waiting.popleft()
        if product.is_end(state):
            return ways[state]
        for move in product.moves(state):
            after = product.canonical(state + move.delta)
            if after not in ways and not eventual.holds(after):
                ways[after] = (*ways[state], move.label)
                waiting.append(after)
    states = list(ways)
    found = _round_in(_Graph(product, states)) if states else None
    return None if found is None else (*ways[states[found[0]]], *found[1])


def never(eventual: Eventual) -> Violation:
    """What is said of something that never comes to hold."""
    return Violation(EVENTUALLY, f"{eventual.name}: it never comes to that", "")


def _round_in(graph: _Graph) -> tuple[int, tuple[str, ...]] | None:
    for members in graph.components():
        always = frozenset[str].intersection(*(graph.actors_in(number) for number in members))
        within = {
            actor: (number, after, label)
            for number in members
            for after, label in graph.edges(number)
            if after in members and (actor := _actor(label))
        }
        if within and always <= within.keys():
            start = min(members)
            stops = [within[actor] for actor in sorted(always or within)]
            return start, graph.way_round(start, stops, members)
    return None


def round_and_round(actors: Sequence[str]) -> Violation:
    """What is said of a way that can be gone for ever."""
    return Violation(RULE, f"it can go on for ever: {', '.join(actors)} come back to where they were", "")


def actors_of(labels: Sequence[str]) -> list[str]:
    """The tasks that take a step."""
    return sorted({actor for label in labels if (actor := _actor(label))})


def _actor(label: str) -> str:
    """The task whose operation takes effect; empty if it is something else that happens."""
    return label.partition(".")[0] if label[0].isupper() and label[-1] not in "!~" else ""


class _Graph:
    """States of a product, as a graph; of what can happen, only what leads from one of them to another one.

    Args:
        product: the world.
        states: the states; those to which something else leads are not in the graph.
    """

    def __init__(self, product: Product, states: Sequence[int]) -> None:
        self._states = states
        self._product = product
        self._numbers: Mapping[int, int] = {state: number for number, state in enumerate(states)}

    def edges(self, number: int) -> Iterator[tuple[int, str]]:
        """What can happen in a state, and to which it leads."""
        state = self._states[number]
        for move in self._product.moves(state):
            after = self._numbers.get(self._product.canonical(state + move.delta))
            if after is not None:
                yield after, move.label

    def actors_in(self, number: int) -> frozenset[str]:
        """The tasks that can take a step in a state."""
        moves = self._product.moves(self._states[number])
        return frozenset(actor for move in moves if (actor := _actor(move.label)))

    def components(self) -> Iterator[frozenset[int]]:
        """The strongly connected components in which something can happen, in the order of their nearest states."""
        from scipy.sparse import csr_array  # noqa: PLC0415 - takes a while, and hardly any search needs it
        from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

        pairs = [(number, after) for number in range(len(self._states)) for after, _ in self.edges(number)]
        rows, columns = [number for number, _ in pairs], [after for _, after in pairs]
        size = len(self._states)
        graph = csr_array(([1.0] * len(pairs), (rows, columns)), shape=(size, size))
        _, component_of = connected_components(graph, directed=True, connection="strong")
        members: dict[int, list[int]] = {}
        for number, component in enumerate(component_of.tolist()):
            members.setdefault(component, []).append(number)
        loops = {number for number, after in pairs if number == after}
        for numbers in members.values():
            if len(numbers) > 1 or numbers[0] in loops:
                yield frozenset(numbers)

    def way_round(
        self, start: int, stops: Sequence[tuple[int, int, str]], members: frozenset[int]
    ) -> tuple[str, ...]:
        """The labels of a way from a state back to it, by way of some edges, without leaving ``members``."""
        labels: list[str] = []
        here = start
        for number, after, label in stops:
            labels += [*self._shortest(here, number, members), label]
            here = after
        return (*labels, *self._shortest(here, start, members))

    def _shortest(self, start: int, end: int, members: frozenset[int]) -> list[str]:
        came: dict[int, tuple[int, str]] = {start: (start, "")}
        waiting = deque([start])
        while end not in came:
            here = waiting.popleft()
            for after, label in self.edges(here):
                if after in members and after not in came:
                    came[after] = (here, label)
                    waiting.append(after)
        labels: list[str] = []
        while end != start:
            end, label = came[end]
            labels.append(label)
        return labels[::-1]


# -- schedules ---------------------------------------------------------------------------------------------------


def violation_of_way(product: Product, labels: Sequence[str]) -> Violation | None:
    """What a schedule shows of this: it comes back to where it was, or a host alone takes too long at its end.

    Args:
        product: the world.
        labels: the schedule.
    """
    moves, states = [], [product.initial]
    for label in labels:
        move = next((move for move in product.moves(states[-1]) if move.label == label), None)
        if move is None:
            return None
        moves.append(move)
        states.append(states[-1] + move.delta)
    for patience in product.patiences:
        if _steps_alone_at_end(product, patience, moves, states) > patience.step_count_maximum:
            return too_long(patience)
    is_endless = _goes_fairly_round(product, states, labels)
    for eventual in product.eventual:
        if (is_endless or product.is_end(states[-1])) and not any(map(eventual.holds, states)):
            return never(eventual)
    begin = states.index(states[-1])
    return round_and_round(actors_of(labels[begin:])) if is_endless else None


def _goes_fairly_round(product: Product, states: Sequence[int], labels: Sequence[str]) -> bool:
    """Whether the end of a schedule is once round a way that a fair schedule can go for ever."""
    begin = states.index(states[-1])
    actors = set(actors_of(labels[begin:]))
    graph = _Graph(product, states[begin:-1])
    always = [graph.actors_in(number) for number in range(len(states) - 1 - begin)]
    return bool(actors) and frozenset[str].intersection(*always) <= actors


def _steps_alone_at_end(
    product: Product, patience: Patience, moves: Sequence[Move], states: Sequence[int]
) -> int:
    """How many steps at the end are this host's alone, with nothing finished before the last, and no error."""
    lane, count = product.operation_lanes[patience.host], 0
    for behind, (move, state) in enumerate(zip(reversed(moves), reversed(states[:-1]), strict=True)):
        is_own = move.label in {own.label for own in lane.moves.get(state & lane.mask, ())}
        if not is_own or (behind and patience.is_finished(move)) or kind_of(move.label) == "error":
            break
        count += _cost(move)
    return count
