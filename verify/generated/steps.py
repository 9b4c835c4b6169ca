"""Steps of scripts as Hypothesis draws them: wishes, of which a race makes steps that can be done.

Each wish takes as few draws as there can be, since Hypothesis leaves an element of a list out by leaving out the draws
of it, and does so with up to five draws in a row. What stands first in a list of alternatives is what is simplest.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

from hypothesis import strategies as st

from shadowshare.protocol.policy import POLICIES
from shadowshare.scenarios.definition import StoreShape

CHANGES = ("write", "zero", "discard")

NUMBER_COUNT = 4
"""Shadow copies that a wish can tell from each other."""

GROWTH_MAXIMUM = 2
"""By how many slots a differential area grows, at most."""

_WITHIN = 100
"""Bytes from the end of a sector, where what is read begins or ends within it."""

_EXTENT_WEIGHT = 4
"""How many times each extent is among the places."""


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
        number: which shadow copy, of those that there are by then; the numbers beyond begin again with the first. Or
            which policy; or how many slots more than one there are to be than at first.
        task: number of the task that wishes it.
        place: where.
    """

    verb: str
    number: int
    task: int
    place: Place


class ReadWish(NamedTuple):
    """A step of a passive.

    Attributes:
        verb: ``read``, ``catch-up``, ``changed`` up to now, or ``changed between`` a shadow copy and the next one.
        number: as in `Wish`.
        task: number of the task that wishes it.
        places: where.
    """

    verb: str
    number: int
    task: int
    places: tuple[Place, ...]


_NUMBERS = range(NUMBER_COUNT)
_ACTIVE_STEPS = (
    *[("write", 0), ("create", 0)] * 5,
    *[("flush", 0), ("zero", 0), ("discard", 0), ("verify", 0)] * 2,
    *[("delete", number) for number in _NUMBERS],
    *[("revert", number) for number in _NUMBERS],
    *[("policy", number) for number in range(len(POLICIES))],
    *[("grow", number) for number in range(GROWTH_MAXIMUM)] * 2,
)
_PASSIVE_STEPS = (
    *[("read", number) for number in _NUMBERS] * 3,
    ("catch-up", 0),
    *[("changed", number) for number in _NUMBERS],
    *[("changed between", number) for number in range(2)],
)


def wishes(shape: StoreShape, task_count: int = 1) -> st.SearchStrategy[Wish]:
    """Steps of the active."""
    steps = [(verb, number, task) for task in range(task_count) for verb, number in _ACTIVE_STEPS]

    def wish(step: tuple[str, int, int], place: Place) -> Wish:
        return Wish(*step, place)

    return st.builds(wish, st.sampled_from(steps), places(shape))


def read_wishes(shape: StoreShape, task_count: int) -> st.SearchStrategy[ReadWish]:
    """Steps of a passive; half of those that read, read two places. Most steps are of the first task."""
    tasks = [*[0] * 3, *range(1, task_count)]
    steps = [(verb, number, task) for task in tasks for verb, number in _PASSIVE_STEPS]
    firsts = [*all_places(shape), *_byte_places(shape)]
    seconds = [(), *[(place,) for place in firsts], *[()] * (len(firsts) - 1)]

    def wish(step: tuple[str, int, int], first: Place, second: tuple[Place, ...]) -> ReadWish:
        return ReadWish(*step, (first, *second))

    return st.builds(wish, st.sampled_from(steps), st.sampled_from(firsts), st.sampled_from(seconds))


def places(shape: StoreShape) -> st.SearchStrategy[Place]:
    """Extents and sectors of a volume."""
    return st.sampled_from(all_places(shape))


def all_places(shape: StoreShape) -> list[Place]:
    """Each extent, several times; any extents side by side; any sector; an extent's number of sectors, across two."""
    extents = range(shape.extents)
    single = [_extents(extent, extent) for extent in extents]
    found = [*single, *(_extents(first, last) for first, last in combinations(extents, 2))]
    if shape.extent_sectors > 1:
        sectors = range(shape.volume_sectors)
        found += [_sectors(shape, sector, sector) for sector in sectors]
        found += [
            _sectors(shape, first, first + shape.extent_sectors - 1)
            for first in sectors[1 : 1 - shape.extent_sectors]
        ]
    return found + single * (_EXTENT_WEIGHT - 1)


def _byte_places(shape: StoreShape) -> list[Place]:
    """Bytes that begin and end within sectors, those across two extents among them, and none at all."""
    size, extent_bytes = shape.sector_bytes, shape.sector_bytes * shape.extent_sectors
    end = shape.volume_sectors * size
    spans = [(_WITHIN, size - 2 * _WITHIN), (end - size + _WITHIN, size - _WITHIN), (0, 0), (end, 0)]
    spans += [(start - _WITHIN, 2 * _WITHIN + 1) for start in range(extent_bytes, end, extent_bytes)]
    return [
        Place(f"{offset}+{length}", range(offset // extent_bytes, -(-(offset + length) // extent_bytes)))
        for offset, length in spans
    ]


def _extents(first: int, last: int) -> Place:
    return Place(f"{first}" if first == last else f"{first}-{last}", range(first, last + 1))


def _sectors(shape: StoreShape, first: int, last: int) -> Place:
    ends = [divmod(sector, shape.extent_sectors) for sector in (first, last)]
    names = dict.fromkeys(f"{extent}:{within}" for extent, within in ends)
    return Place("-".join(names), range(ends[0][0], ends[1][0] + 1))


CREATE = Wish("create", 0, 0, _extents(0, 0))


def write_to(extent: int) -> Wish:
    """A write of an extent."""
    return Wish("write", 0, 0, _extents(extent, extent))
