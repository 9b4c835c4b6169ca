"""What is wished in generated races: stores, scripts and faults as Hypothesis draws them.

They are wishes because not all of them can be had together; `shadowshare.verify.generated.races` makes a scenario of
those that can.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import msgspec
from hypothesis import strategies as st

from shadowshare.protocol.policy import DEFAULT_POLICY, POLICIES, Policy
from shadowshare.scenarios.definition import Faults, StoreShape
from shadowshare.verify.generated.steps import CREATE, ReadWish, Wish, read_wishes, wishes

_T = TypeVar("_T")

EXTENT_COUNT_MAXIMUM = 3
EXTENT_SECTORS_MAXIMUM = 3
SLOT_COUNT_MAXIMUM = 6
TASK_COUNT_MAXIMUM = 3
"""Of the first active, in the race."""
RACE_STEP_COUNT_MAXIMUM = 5
"""Of all actives together."""
PASSIVE_TASK_COUNT_MAXIMUM = 2
CRASH_COUNT_MAXIMUM = 2


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


class Workload(NamedTuple):
    """All that a race is made of.

    Attributes:
        shape: of the store.
        faults: what may happen; not yet with the errors that are allowed then.
        before: wishes of the active before the race, the first of them its creation of a shadow copy or not.
        race: wishes of the actives in the race. The last `CRASH_COUNT_MAXIMUM` tasks are those of hosts that recover,
            one after the other, of which there are as many as crashes; the wishes of the others are the last one's.
        readers: the passives.
        catch_up_blocks: journal blocks of one catch-up read.
    """

    shape: StoreShape
    faults: Faults
    before: tuple[Wish, ...]
    race: tuple[Wish, ...]
    readers: tuple[Reader, ...]
    catch_up_blocks: int


def geometries() -> st.SearchStrategy[StoreShape]:
    """Small stores, some of them with few slots or a short journal."""
    return st.builds(
        _shape,
        extents=st.integers(1, EXTENT_COUNT_MAXIMUM),
        extent_sectors=st.sampled_from((1, 1, *range(2, EXTENT_SECTORS_MAXIMUM + 1))),
        slots=st.integers(1, SLOT_COUNT_MAXIMUM),
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
    first = st.sampled_from((True, True, True, False)).map(lambda is_there: (CREATE,) if is_there else ())
    before = st.tuples(first, _several(wishes(shape), 0, 4)).map(lambda pair: (*pair[0], *pair[1]))
    return st.builds(
        Workload,
        st.just(shape),
        faults(),
        before,
        _several(wishes(shape, TASK_COUNT_MAXIMUM + CRASH_COUNT_MAXIMUM), 1, RACE_STEP_COUNT_MAXIMUM),
        _readers(shape),
        st.integers(2, 4),
    )


def faults() -> st.SearchStrategy[Faults]:
    """None, or a few: a crash or two with power losses among them, an error of one kind, tears."""
    return st.builds(
        _faults, st.sampled_from(_CRASHES), st.sampled_from(_ERRORS), st.sampled_from(_CIRCUMSTANCES)
    )


_CRASHES = (*[(0, 0)] * 4, *((count, lost) for count in (1, 2) for lost in range(count + 1)))
"""How many of them, and how many of these are power losses."""

_ERRORS = ("", "", "", "write_errors", "read_errors", "flush_errors")

_CIRCUMSTANCES = ((True, False), (True, False), (False, False), (True, True))
"""Whether there are late writes, and tears."""


def _faults(crashes: tuple[int, int], error: str, circumstances: tuple[bool, bool]) -> Faults:
    errors: dict[str, int] = {error: 1} if error else {}
    return Faults(*crashes, *circumstances, **errors)  # type: ignore[arg-type]


def _readers(shape: StoreShape) -> st.SearchStrategy[tuple[Reader, ...]]:
    """One passive, or two."""
    wished = read_wishes(shape, PASSIVE_TASK_COUNT_MAXIMUM)
    first = st.builds(Reader, st.sampled_from(_OPENINGS), _several(wished, 1, 3))
    return st.builds(_there, first, st.sampled_from((None, None, *_OPENINGS)), _several(wished, 0, 3))


def _there(first: Reader, opening: Opening | None, wished: tuple[ReadWish, ...]) -> tuple[Reader, ...]:
    return (first,) if opening is None else (first, Reader(opening, wished))


def _several(elements: st.SearchStrategy[_T], least: int, most: int) -> st.SearchStrategy[tuple[_T, ...]]:
    return st.lists(elements, min_size=least, max_size=most).map(tuple)
