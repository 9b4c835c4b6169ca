"""What an object remembers is all that it holds, and nothing of where it lies in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadowshare.models.computers import Implementation
from shadowshare.models.remembered import remembered
from shadowshare.protocol.active import Active
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.protocol.operations import Buffer
from shadowshare.protocol.passive import ByteRange, Passive
from shadowshare.verify.explorer import explore
from tests.verify.programs import small, with_active


class Colour(Enum):
    RED = 1
    BLUE = 2


class Pair(NamedTuple):
    one: object
    other: object


class Slotted:
    __slots__ = ("inner", "never_set")

    def __init__(self, inner: object) -> None:
        self.inner = inner


class Open(Slotted):
    def __init__(self, inner: object, **more: object) -> None:
        super().__init__(inner)
        self.__dict__.update(more)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(values, values)
def test_it_is_equal_exactly_for_equal_contents(one: object, other: object) -> None:
    assert (remembered(Open(one)) == remembered(Open(other))) == (
        repr(one) == repr(other) or _same(one, other)
    )


def _same(one: object, other: object) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Slotted(1), Slotted(2)),
        (Open(1, more=1), Open(1)),
        (Open(1, more=[1]), Open(1, more=[2])),
        (Open(1), Slotted(1)),
        (Pair(1, 2), Pair(2, 1)),
        (Colour.RED, Colour.BLUE),
        ({1, 2}, {1, 3}),
        (deque([1]), deque([2])),
        (bytearray(b"1"), bytearray(b"2")),
        ((1, [2]), (1, [3])),
        (len, print),
        (True, 1),
    ],
)
def test_each_part_counts(one: object, other: object) -> None:
    assert remembered(one) != remembered(other)


def test_neither_identity_nor_order_counts_where_there_is_none() -> None:
    assert remembered({"a": 1, "b": 2}) == remembered({"b": 2, "a": 1})
    assert remembered({3, 1, 2}) == remembered({1, 2, 3})
    assert remembered(Open([1], more=object())) == remembered(Open([1], more=object()))


def test_a_circle_ends() -> None:
    one, other = Open(1), Open(1)
    one.inner, other.inner = one, other
    assert remembered(one) == remembered(other)


class _Sticky(Passive):
    """Forgets to look again when it has looked once; its digest does not tell."""

    _has_read = False

    async def read_many(self, shadow_copy: ShadowCopyId, ranges: Sequence[ByteRange]) -> list[Buffer]:
        if self._has_read:
            raise KeyError("again")
        self._has_read = True
        return await super().read_many(shadow_copy, ranges)


class _Counting(Active):
    """Loses the third write; its digest does not tell."""

    count = 0

    async def write(self, offset: int, data: Buffer) -> None:
        self.count += 1
        if self.count < 3:
            await super().write(offset, data)


@pytest.mark.parametrize(
    ("implementation", "race"),
    [
        (Implementation(passive=_Sticky), 'W = ["flush"]\nR = ["read s 0", "read s 0"]'),
        (with_active(_Counting), 'W = ["write 0", "write 0", "write 0", "verify all"]\nR = ["catch-up"]'),
    ],
)
def test_what_a_digest_does_not_tell_is_not_lost(implementation: Implementation, race: str) -> None:
    scenario = small(race)
    assert explore(scenario).verdict == "verified"
    assert explore(scenario, implementation).verdict == "violated"
