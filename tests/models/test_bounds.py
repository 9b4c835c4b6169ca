"""Bounds of fields: what is out of them is refused, with its name."""

from __future__ import annotations

from math import inf, nan
from types import SimpleNamespace

import pytest

from shadowshare.models.bounds import check_bounds
from shadowshare.models.latency.errors import ModelError


@pytest.mark.parametrize("value", [1, 2.5, 3, None, (1, 3), ()])
def test_what_is_within_is_taken(value: object) -> None:
    check_bounds(SimpleNamespace(field=value), {"field": (1, 3)}, ModelError)


@pytest.mark.parametrize("value", [0.999, 4, nan, inf, -inf, (2, 4)])
def test_what_is_not_is_refused(value: object) -> None:
    with pytest.raises(ModelError, match="field must be from 1 to 3, not "):
        check_bounds(SimpleNamespace(field=value), {"field": (1, 3)}, ModelError)


def test_numbers_are_written_as_people_do() -> None:
    with pytest.raises(ModelError, match=r"^field must be from 0\.5 to 1000000000000, not 1e\+20$"):
        check_bounds(SimpleNamespace(field=1e20), {"field": (0.5, 1e12)}, ModelError)
