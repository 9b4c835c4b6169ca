"""What is wished in generated races: stores, scripts and faults as Hypothesis draws them.

They are wishes because not all of them can be had together; `shadowshare.verify.generated.races` makes a scenario of
those that can.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeVar

import msgspec
from hypothesis import strategies as st

from shadowshare.protocol.policy import DEFAULT_POLICY, POLICIES, Policy
from shadowshare.scenarios.definition import Faults, StoreShape
from shadowshare.verify.generated.steps import (
    CREATE,
    REPERTOIRES,
    ReadWish,
    Wish,
    keep_to,
    read_wishes,
    wishes,
    write_to,
)

_T = TypeVar("_T")

EXTENT_COUNT_MAXIMUM = 3
EXTENT_SECTORS_MAXIMUM = 3
TASK_COUNT_MAXIMUM = 3
"""Of the first active, in the race."""
RACE_STEP_COUNT_MAXIMUM = 5
"""Of all actives together."""
READ_STEP_COUNT_MAXIMUM = 3
"""Of a passive."""
PASSIVE_TASK_COUNT_MAXIMUM = 2
TORN_BLOCK_COUNT_MAXIMUM = 3
"""Journal blocks of one catch-up read that tears: each more doubles the states in which it may be."""

OTHER_COUNT_MAXIMUM = 2
"""Hosts that take over: each has one task."""


class Opening(NamedTuple):
    """How a passive gets its view.

    Attributes:
        age: how many steps of the active before the race its view does not know of.
        is_in_race: whether it opens the store in the race, as its first step there.
    """

    age: int
    is_in_race: bool


_OPENINGS = (*(Opening(age, False) for age in range(5)), Opening(0, False), Opening(0, True))


class Reader(NamedTuple):
    """A passive: how it opens the store, and what it wishes then."""

    opening: Opening
    wishes: tuple[ReadWish, ...]


class Cast(NamedTuple):
    """Which actives there are besides the first one.

    Attributes:
        crash_count: hosts that crash: as many recover, one after the other.
        power_loss_count: how many of the crashes may be power losses.
        relief_count: hosts that take over from the first active while that one lives.
    """

    crash_count: int = 0
    power_loss_count: int = 0
    relief_count: int = 0

    @property
    def other_count(self) -> int:
        """How many there are."""
        return self.crash_count + self.relief_count


class Workload(NamedTuple):
    """All that a race is made of.

    Attributes:
        shape: of the store.
        cast: the actives.
        faults: what may happen; not yet with the errors that are allowed then.
        before: wishes of the active before the race.
        race: wishes of the actives in the race. The last `OTHER_COUNT_MAXIMUM` tasks are those of hosts that take over,
            first of those that recover; where there are fewer, the wishes of the others are the last one's.
        readers: the passives.
        catch_up_blocks: journal blocks of one catch-up read.
        state_count: how many states there may be, by a rough estimate; wishes that would make them more are not had.
    """

    shape: StoreShape
    cast: Cast
    faults: Faults
    before: tuple[Wish, ...]
    race: tuple[Wish, ...]
    readers: tuple[Reader, ...]
    catch_up_blocks: int
    state_count: int


def geometries() -> st.SearchStrategy[StoreShape]:
    """Small stores, some of them with few slots or a short journal."""
    return st.builds(
        _shape,
        extents=st.integers(1, EXTENT_COUNT_MAXIMUM),
        extent_sectors=st.sampled_from((1, 1, *range(2, EXTENT_SECTORS_MAXIMUM + 1))),
        slots=st.sampled_from((1, 1, 2, 2, 3, 4, 6)),
        half_blocks=st.sampled_from((16, 16, 8, 6, 5, 4)),
        own_device=st.booleans(),
        end=st.sampled_from(_ENDS),
        policy=st.sampled_from((*[DEFAULT_POLICY] * 4, *POLICIES)),
    )


_ENDS = ((0, 512), (0, 512), (0, 512), (1, 512), (2, 512), (0, 4096), (1, 4096))
"""How long the last extent is, where that is shorter than the others, and the size of a sector: one draw for both."""


def _shape(
    extents: int,
    extent_sectors: int,
    slots: int,
    half_blocks: int,
    own_device: bool,
    end: tuple[int, int],
    policy: Policy,
) -> StoreShape:
    last, sector_bytes = end
    last = last if last < extent_sectors else 0
    shape = StoreShape(extents, extent_sectors, slots, half_blocks, own_device, policy.value)
    return msgspec.structs.replace(shape, last_extent_sectors=last, sector_bytes=sector_bytes)


def workloads(shape: StoreShape) -> st.SearchStrategy[Workload]:
    """What computers with a store may want to do in a race: a few steps each, with few faults."""
    return st.builds(
        _workload,
        st.just(shape),
        st.sampled_from(_CASTS),
        st.sampled_from(_ERRORS),
        st.sampled_from(_CIRCUMSTANCES),
        st.sampled_from(_PASTS),
        st.sampled_from(REPERTOIRES),
        _several(wishes(shape), 0, 4),
        _several(wishes(shape, TASK_COUNT_MAXIMUM + OTHER_COUNT_MAXIMUM), 1, RACE_STEP_COUNT_MAXIMUM),
        _readers(shape),
        st.integers(2, 4),
        st.sampled_from(_STATE_COUNTS),
    )


_CASTS = (
    *[Cast()] * 9,
    *[Cast(1, lost) for lost in (0, 1)] * 2,
    *[Cast(2, lost) for lost in range(3)],
    *[Cast(relief_count=1)] * 3,
    *[Cast(relief_count=2)] * 2,
    Cast(1, relief_count=1),
)

_ONE_SUPERBLOCK = {"places": ("superblock",), "spares_a_copy": True}
_ERRORS: tuple[dict[str, Any], ...] = (
    *[{}] * 10,
    *[{"write_errors": 1}, {"read_errors": 1}, {"flush_errors": 1}] * 2,
    {"write_errors": 1, "read_errors": 1},
    {"write_errors": 2},
    {"flush_errors": 1, "write_errors": 1},
    {"lasting_read_errors": 1},
    {"lasting_read_errors": 1, **_ONE_SUPERBLOCK},
    {"full_devices": 1},
    {"shrunk_devices": 1},
    {"bit_rot": 1, **_ONE_SUPERBLOCK},
    {"bit_rot": 1, "places": ("journal",)},
)
"""Faults of the devices, those only that a store must survive without a wrong byte."""

_CIRCUMSTANCES = ((True, False), (True, False), (False, False), (True, True))
"""Whether there are late writes, and tears."""

_PASTS = (*[(0, True)] * 5, *[(0, False)] * 2, (1, True), (2, True), (2, True), (4, True), (8, True))
"""How many shadow copies there were at first, and whether another one comes then: one draw for both."""

_STATE_COUNTS = (*[3_000] * 5, 50_000)


def _workload(
    shape: StoreShape,
    cast: Cast,
    errors: dict[str, Any],
    circumstances: tuple[bool, bool],
    past: tuple[int, bool],
    repertoire: tuple[str, ...],
    before: tuple[Wish, ...],
    race: tuple[Wish, ...],
    readers: tuple[Reader, ...],
    catch_up_blocks: int,
    state_count: int,
) -> Workload:
    faults = Faults(cast.crash_count, cast.power_loss_count, *circumstances, **errors)
    earlier = (*_past(shape, past[0]), *[CREATE] * past[1], *before)
    race = tuple(keep_to(repertoire, wish) for wish in race)
    if faults.tears:
        catch_up_blocks = min(catch_up_blocks, TORN_BLOCK_COUNT_MAXIMUM)
    return Workload(shape, cast, faults, earlier, race, readers, catch_up_blocks, state_count)


def _past(shape: StoreShape, age: int) -> Iterator[Wish]:
    """Shadow copies one after the other, each with one extent written: for scattered slots, and a long journal."""
    for number in range(age):
        yield CREATE
        yield write_to(number % shape.extents)


def _readers(shape: StoreShape) -> st.SearchStrategy[tuple[Reader, ...]]:
    """One passive, or two."""
    wished = read_wishes(shape, PASSIVE_TASK_COUNT_MAXIMUM)
    first = st.builds(Reader, st.sampled_from(_OPENINGS), _several(wished, 1, READ_STEP_COUNT_MAXIMUM))
    others = _several(wished, 0, READ_STEP_COUNT_MAXIMUM)
    return st.builds(_there, first, st.sampled_from((None, None, *_OPENINGS)), others)


def _there(first: Reader, opening: Opening | None, wished: tuple[ReadWish, ...]) -> tuple[Reader, ...]:
    return (first,) if opening is None else (first, Reader(opening, wished))


def _several(elements: st.SearchStrategy[_T], least: int, most: int) -> st.SearchStrategy[tuple[_T, ...]]:
    return st.lists(elements, min_size=least, max_size=most).map(tuple)
