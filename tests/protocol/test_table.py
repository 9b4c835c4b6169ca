"""The table of copies behaves like a dictionary, sparse or dense."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadowshare.protocol import table as table_module
from shadowshare.protocol.table import DENSE_COUNT_MINIMUM, DENSE_SHARE, Table

EXTENT_COUNT = 60


@given(st.lists(st.tuples(st.integers(0, EXTENT_COUNT - 1), st.integers(0, 2**40))), st.integers(1, 80))
def test_it_is_a_dictionary_whenever_it_becomes_dense(
    pairs: list[tuple[int, int]], dense_from_count: int
) -> None:
    with patch.object(table_module, "DENSE_COUNT_MINIMUM", dense_from_count):
        table = Table(EXTENT_COUNT)
    model: dict[int, int] = {}
    for extent, slot in pairs:
        table[extent] = slot
        model[extent] = slot
        assert len(table) == len(model)
    assert sorted(table.items()) == sorted(model.items())
    assert sorted(table.keys()) == sorted(model)
    assert sorted(table.values()) == sorted(model.values())
    for extent in range(EXTENT_COUNT):
        assert table.get(extent) == model.get(extent)
        assert (extent in table) == (extent in model)


def test_an_absent_extent_has_no_slot() -> None:
    with pytest.raises(KeyError):
        Table(4)[2]


def test_it_becomes_dense_when_that_is_smaller() -> None:
    table = Table(DENSE_SHARE * DENSE_COUNT_MINIMUM * 2)
    for extent in range(2 * DENSE_COUNT_MINIMUM):
        assert table._array is None
        table[extent] = extent
    assert table._array is not None
    assert len(table) == 2 * DENSE_COUNT_MINIMUM


def test_a_small_table_stays_sparse() -> None:
    table = Table(DENSE_COUNT_MINIMUM - 1)
    for extent in range(DENSE_COUNT_MINIMUM - 1):
        table[extent] = extent
    assert table._array is None
