"""Steps of scripts as Hypothesis draws them: wishes, of which a race makes steps that can be done.

Each wish takes as few draws as there can be, since Hypothesis leaves an element of a list out by leaving out the draws
of it, and does so with up to five draws in a row. What stands first in a list of alternatives is what is simplest.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from hypothesis import strategies as st

from shadowshare.protocol.policy import POLICIES, Policy
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
            which policy, or which growth.
        task: number of the task that wishes it.
        place: where.
    """

    verb: str
    number: int
    task: int
    place: Place

    @property
    def policy(self) -> Policy:
        """Which policy."""
        return POLICIES[self.number % len(POLICIES)]

    @property
    def growth(self) -> int:
        """How many slots more than at first there are to be."""
        return 1 + self.number % GROWTH_MAXIMUM


class ReadWish(NamedTuple):
    """A step of a passive.

    Attributes:
        verb: ``read``, ``catch-up``, ``list``, ``changed`` up to now, or ``changed between`` a shadow copy and the next
            one.
        number: as in `Wish`.
        task: number of the task that wishes it.
        places: where.
    """

    verb: str
    number: int
    task: int
    places: tuple[Place, ...]


_NUMBERS = (0, *range(NUMBER_COUNT))
_READ_NUMBERS = (0, 0, *_NUMBERS)
"""The oldest shadow copy comes up most often, so that what is read is also what is deleted, or reverted to."""

_ACTIVE_STEPS = (
    *[("write", 0), ("create", 0)] * 5,
    *[("flush", 0), ("zero", 0), ("discard", 0), ("verify", 0)] * 2,
    *[("delete", number) for number in _NUMBERS],
    *[("revert", number) for number in _NUMBERS],
    *[("policy", number) for number in range(len(POLICIES))],
    *[("grow", number) for number in range(GROWTH_MAXIMUM)] * 2,
)
_PASSIVE_STEPS = (
    *[("read", number) for number in _READ_NUMBERS] * 3,
    *[("catch-up", 0)] * 2,
    ("list", 0),
    *[("changed", number) for number in _READ_NUMBERS],
    *[("changed between", number) for number in range(2)],
)


def wishes(shape: StoreShape, task_count: int = 1) -> st.SearchStrategy[Wish]:
    """Steps of the active."""
    steps = [(verb, number, task) for task in range(task_count) for verb, number in _ACTIVE_STEPS]

    def wish(step: tuple[str, int, int], place: Place) -> Wish:
        return Wish(*step, place)

    return st.builds(wish, st.sampled_from(steps), places(shape))


REPERTOIRES: tuple[tuple[str, ...], ...] = (
    *[()] * 7,
    *[("write", "create"), ("write", "delete"), ("write", "revert")] * 2,
    ("write",),
    ("write", "create", "delete"),
    ("write", "create", "revert"),
    ("write", "revert", "verify"),
    ("zero", "create", "discard"),
    ("write", "grow"),
    ("grow",),
    ("write", "policy", "delete"),
)
"""To what actives keep in a race: a few verbs, of which races then have more; or to none of these, but all.

That tests each of which leaves something out find more than tests that all may have everything is the observation of
swarm testing (Groce, Zhang, Eide, Chen and Regehr, ISSTA 2012).
"""

_VERBS = tuple(dict.fromkeys(verb for verb, _ in _ACTIVE_STEPS))


def keep_to(repertoire: Sequence[str], wish: Wish) -> Wish:
    """The wish with a verb of a repertoire in place of one that is not in it."""
    if not repertoire or wish.verb in repertoire:
        return wish
    return wish._replace(verb=repertoire[_VERBS.index(wish.verb) % len(repertoire)])


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
