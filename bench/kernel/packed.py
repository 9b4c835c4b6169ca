"""A product's moves in arrays of integers, and a search and a count over them by a kernel."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from math import log2, prod
from typing import Any, NamedTuple

from bench.kernel.core import (
    CONTROL_COUNT,
    END_COUNT,
    FINISHED,
    MOVE_COUNT_MAXIMUM,
    OPERATION_LANE_COUNT,
    POSITION,
    STATE_COUNT,
    STEP_COUNT,
    STOPPED_AT_FULL,
    UNKNOWN_LANE,
    entry_of,
)

from shadowshare.verify.exploration.product import (
    CLIENT_BITS,
    CLIENT_MASK,
    SHARED_BITS,
    SHARED_MASK,
    Lane,
    Product,
)

STATE_BITS = 62
MOVE_COUNT_EXPECTED = 16
"""Moves of one lane in one state; more are an error."""
FIRST_SLOT_COUNT = 1 << 12
PRIMES = tuple((1 << 62) - below for below in (57, 87, 117, 143, 153, 167, 171, 195))


class Kernel(NamedTuple):
    """The functions of `bench.kernel.core`, compiled or not.

    Attributes:
        name: of the compiler; "python" without one.
        version: of the compiler.
        compile_seconds: how long compiling took.
        search: see `core.search`.
        number_all: see `core.number_all`.
        link: see `core.link`.
        sort: see `core.sort`.
        count: see `core.count`.
        buffer: what the functions take instead of an ``array``.
    """

    name: str
    version: str
    compile_seconds: float
    search: Callable[..., int]
    number_all: Callable[..., int]
    link: Callable[..., int]
    sort: Callable[..., int]
    count: Callable[..., int]
    buffer: Callable[[array[int]], Any]


class DoesNotFit(Exception):
    """States have more than 62 bits, or a state has more moves than was thought."""


def zeroes(kind: str, length: int) -> array[int]:
    """An array of that many zeroes, of 4 ("i") or 8 ("q") bytes each."""
    return array(kind, bytes(length * array(kind).itemsize))


class PackedSearch:
    """A breadth-first search by a kernel over the moves of a product.

    The states' numbers and order, and the parents, are those of `shadowshare.verify.exploration.search.Search`.

    Args:
        product: what is searched. What it has learnt is taken over; the rest it learns when the kernel gets there.
        kernel: searches.
    """

    def __init__(self, product: Product, kernel: Kernel) -> None:
        if product.has_alike:
            raise DoesNotFit("hosts that are taken for one another are not packed")
        self.product = product
        self.kernel = kernel
        self.call_count = 0
        """How often the kernel was called."""
        self._shifts = self._layout()
        self._masks = array("q", [self.pack(lane.mask) for lane in product.lanes])
        self._entries = zeroes("q", 4 * 1024)
        self._entry_count = 0
        self._deltas = array("q", [0])
        self._widest = [0] * len(product.lanes)
        """By lane: the most moves that it has anywhere."""
        self._control = zeroes("q", CONTROL_COUNT)
        self._control[OPERATION_LANE_COUNT] = len(product.operation_lanes)
        self._control[MOVE_COUNT_MAXIMUM] = MOVE_COUNT_EXPECTED
        self._control[STATE_COUNT] = 1
        self._tables: Any = None
        self.states, self.parents, self.ends = zeroes("q", 1), zeroes("i", 1), zeroes("i", 1)
        self._resize(FIRST_SLOT_COUNT)
        self.states[0] = self.pack(product.initial)
        self._visit_again()
        for number, lane in enumerate(product.lanes):
            for bits, moves in lane.moves.items():
                self._enter(number, bits, [move.delta for move in moves])

    # -- packing -------------------------------------------------------------------------------------------------

    def _layout(self) -> list[tuple[int, int, int]]:
        """Of each part: where it is in a product's state, its mask there, and where it is in a packed one.

        A part gets an equal share of the bits, the shared one what is left over.
        """
        share = STATE_BITS // (self.product.host_count + 1)
        rest = STATE_BITS - share * self.product.host_count
        parts = [(0, SHARED_MASK, 0)]
        self._sizes = [rest]
        for host in range(self.product.host_count):
            parts.append((SHARED_BITS + host * CLIENT_BITS, CLIENT_MASK, rest + host * share))
            self._sizes.append(share)
        return parts

    def pack(self, state: int) -> int:
        """A product's state in fewer bits; for its masks, the mask of those."""
        packed = 0
        for (at, mask, packed_at), size in zip(self._shifts, self._sizes, strict=True):
            part = state >> at & mask
            if part == mask:
                part = (1 << size) - 1
            elif part >= (1 << size) - 1:
                raise DoesNotFit(f"a part of the world has {part} states, more than {size} bits")
            packed |= part << packed_at
        return packed

    def unpack(self, packed: int) -> int:
        """The product's state."""
        state = 0
        for (at, _, packed_at), size in zip(self._shifts, self._sizes, strict=True):
            state |= (packed >> packed_at & ((1 << size) - 1)) << at
        return state

    # -- tables --------------------------------------------------------------------------------------------------

    def _arrays(self) -> tuple[array[int], array[int], array[int]]:
        return self._masks, self._entries, self._deltas

    def _enter(self, lane: int, bits: int, deltas: Sequence[int]) -> None:
        """Note what can happen in a lane where a state has these bits."""
        if len(deltas) > MOVE_COUNT_EXPECTED:
            raise DoesNotFit(f"a state has {len(deltas)} moves")
        if self._entry_count * 8 >= len(self._entries):
            self._spread_entries()
        self._entry_count += 1
        self._widest[lane] = max(self._widest[lane], len(deltas))
        key = self.pack(bits)
        self._place(lane + 1, key, len(self._deltas), len(deltas))
        self._deltas.extend([self.pack(bits + delta) - key for delta in deltas])
        self._tables = None

    def _place(self, lane: int, key: int, first: int, move_count: int) -> None:
        place = entry_of(self._entries, lane - 1, key)
        self._entries[place : place + 4] = array("q", (key, lane, first, move_count))

    def _spread_entries(self) -> None:
        before = self._entries
        self._tables = None
        self._entries = zeroes("q", 2 * len(before))
        for place in range(0, len(before), 4):
            key, lane, first, move_count = before[place : place + 4]
            if lane:
                self._place(lane, key, first, move_count)

    def _resize(self, slot_count: int) -> None:
        """Make room for half as many states as there are slots."""
        state_count = self._control[STATE_COUNT]
        more = slot_count // 2 - state_count
        self.states = self.states[:state_count] + zeroes("q", more)
        self.parents = self.parents[:state_count] + zeroes("i", more)
        self.ends = self.ends[:state_count] + zeroes("i", more)
        self._visited = zeroes("i", slot_count)
        self._buffers: Any = None

    def _visit_again(self) -> None:
        buffer = self.kernel.buffer
        self.kernel.number_all(buffer(self.states), self._control[STATE_COUNT], buffer(self._visited))

    # -- searching -----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Search until nothing is left, and judge every end.

        Raises:
            AssertionError: something is violated; the experiment is about searches that cover everything.
        """
        while True:
            reason = self._run_kernel()
            if reason == FINISHED:
                break
            if reason == STOPPED_AT_FULL:
                self._buffers = None
                self._resize(2 * len(self._visited))
                self._visit_again()
            else:
                self._learn()
        self._judge()

    def _run_kernel(self) -> int:
        buffer = self.kernel.buffer
        if self._buffers is None:
            self._buffers = [
                buffer(one) for one in (self._control, self.states, self.parents, self._visited, self.ends)
            ]
        if self._tables is None:
            self._tables = [buffer(one) for one in self._arrays()]
        self.call_count += 1
        return self.kernel.search(*self._buffers, *self._tables)

    def _learn(self) -> None:
        """Learn what the kernel did not know."""
        number = self._control[UNKNOWN_LANE]
        lane: Lane = self.product.lanes[number]
        state = self.unpack(self.states[self._control[POSITION]])
        self._tables = None
        self._enter(number, state & lane.mask, [move.delta for move in self.product.learn(lane, state)])

    def _judge(self) -> None:
        product = self.product
        assert not product.violations, product.violations
        for end in self.end_numbers():
            violation = product.judge_end(self.unpack(self.states[end]))
            assert violation is None, violation

    def end_numbers(self) -> Iterator[int]:
        """The numbers of the states in which no operation can take effect."""
        for end in self.ends[: self.end_count]:
            if not self.product.shared(self.unpack(self.states[end])).deciding:
                yield end

    @property
    def state_count(self) -> int:
        """States met."""
        return self._control[STATE_COUNT]

    @property
    def step_count(self) -> int:
        """Choices taken."""
        return self._control[STEP_COUNT]

    @property
    def end_count(self) -> int:
        """States in which no operation can take effect."""
        return self._control[END_COUNT]

    def size_bytes(self) -> int:
        """Of all that grows with the states."""
        return sum(len(one) * one.itemsize for one in (self.states, self.parents, self.ends, self._visited))

    # -- counting ------------------------------------------------------------------------------------------------

    def schedule_count(self) -> int | None:
        """As `Search.schedule_count`: modulo as many primes as it takes, and put together from that."""
        buffer, room = self.kernel.buffer, self.state_count
        firsts, reached = zeroes("i", room + 1), zeroes("i", self.step_count)
        incoming, order, lengths = zeroes("i", room), zeroes("i", room), zeroes("i", room)
        states, tables = map(buffer, (self.states, self._visited)), map(buffer, self._arrays())
        self.kernel.link(room, *states, *tables, *map(buffer, (firsts, reached, incoming)))
        links = [buffer(firsts), buffer(reached)]
        if self.kernel.sort(room, *links, *map(buffer, (incoming, order, lengths))) < room:
            return None
        primes = PRIMES[: int(max(lengths) * log2(sum(self._widest)) / 61) + 1]
        if len(primes) == len(PRIMES):
            raise DoesNotFit(f"there may be too many ways of {max(lengths)} steps")
        ends = list(self.end_numbers())
        whole, total = prod(primes), 0
        for prime in primes:
            ways = zeroes("q", room)
            self.kernel.count(room, *links, buffer(order), buffer(ways), prime)
            share = whole // prime
            total += sum([ways[end] for end in ends]) % prime * share * pow(share, -1, prime)
        return total % whole
