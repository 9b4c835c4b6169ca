"""Bounds of fields that people fill in, written as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shadowshare.protocol.errors import ShadowshareError

Bounds = Mapping[str, tuple[float, float]]
"""By field: the smallest and the largest value that it can have."""


def check_bounds(fields: Any, bounds: Bounds, error: type[ShadowshareError]) -> None:
    """Refuse a field that is out of its bounds. None is no value; of several numbers each one counts.

    Args:
        fields: an object that has them.
        bounds: of some of them, or of all.
        error: what is raised.

    Raises:
        ShadowshareError: of the class ``error``, for the first field that is, or that is no number.
    """
    for name, (lowest, highest) in bounds.items():
        found = getattr(fields, name)
        for value in found if isinstance(found, tuple) else (found,):
            if value is not None and not lowest <= value <= highest:
                raise error(f"{name} must be from {_plain(lowest)} to {_plain(highest)}, not {_plain(value)}")


def _plain(value: float) -> str:
    """A number as people would write it: without an exponent, unless it is very small or large."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else f"{value:g}"
