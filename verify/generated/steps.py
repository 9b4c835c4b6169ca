"""Steps of scripts as Hypothesis draws them: wishes, of which a workload makes steps that can be done."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st

from shadowshare.scenarios.definition import StoreShape

CHANGES = ("write", "zero", "discard")

_ACTIVE_VERBS = (
    "write",
    "create",
    "delete",
    "write",
    "flush",
    "create",
    "write",
    "zero",
    "discard",
    "verify",
)
_NUMBERS = st.integers(0, 5)


class Place(NamedTuple):
    """Sectors of a volume side by side, as a script names them.

    Attributes:
        text: in a script.
        extents: that they touch.
    """

    text: str
    extents: range


class Wish(NamedTuple):
    """A step of the active, if it can be done.

    Attributes:
        verb: of the step.
        number: which shadow copy, of those that there are by then; the numbers beyond begin again with the first.
        place: where.
        task: number of the task that wishes it.
    """

    verb: str
    number: int
    place: Place
    task: int


CREATE = Wish("create", 0, Place("", range(0)), 0)


class ReadWish(NamedTuple):
    """A step of a passive.

    Attributes:
        is_catch_up: whether it catches up, and reads nothing.
        number: as in `Wish`.
        places: where.
        task: number of the task that wishes it.
    """

    is_catch_up: bool
    number: int
    places: tuple[Place, ...]
    task: int


def places(shape: StoreShape) -> st.SearchStrategy[Place]:
    """Extents and sectors of a volume: mostly an extent, else several, or from any sector to any other one."""
    extent = st.integers(0, shape.extents - 1)
    sector = st.integers(0, shape.extents * shape.extent_sectors - 1)
    several = st.tuples(extent, extent).map(lambda pair: _extents(min(pair), max(pair)))
    kinds = [extent.map(lambda number: _extents(number, number)), several]
    if shape.extent_sectors > 1:
        kinds.append(st.tuples(sector, sector).map(lambda pair: _sectors(shape, min(pair), max(pair))))
    return st.one_of(kinds)


def _extents(first: int, last: int) -> Place:
    return Place(f"{first}" if first == last else f"{first}-{last}", range(first, last + 1))


def _sectors(shape: StoreShape, first: int, last: int) -> Place:
    ends = [divmod(sector, shape.extent_sectors) for sector in (first, last)]
    names = dict.fromkeys(f"{extent}:{within}" for extent, within in ends)
    return Place("-".join(names), range(ends[0][0], ends[1][0] + 1))


def wishes(shape: StoreShape, task_count: int = 1) -> st.SearchStrategy[Wish]:
    """Steps of the active."""
    return st.builds(
        Wish, st.sampled_from(_ACTIVE_VERBS), _NUMBERS, places(shape), st.integers(0, task_count - 1)
    )


def read_wishes(shape: StoreShape, task_count: int) -> st.SearchStrategy[ReadWish]:
    """Steps of a passive."""
    where = st.lists(places(shape), min_size=1, max_size=2).map(tuple)
    is_catch_up = st.integers(0, 7).map(lambda number: number == 7)
    return st.builds(ReadWish, is_catch_up, _NUMBERS, where, st.integers(0, task_count - 1))
