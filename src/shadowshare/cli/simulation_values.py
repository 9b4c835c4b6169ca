"""How values of parameters and fields, and shares, are written in commands that simulate."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import click

from shadowshare.cli.output import ParameterType
from shadowshare.scenarios.simulation.document import SimulationScenario, Value
from shadowshare.scenarios.simulation.errors import SimulationError

_WORD = re.compile(r"[A-Za-z./~][\w./~-]*", re.ASCII)
"""A value that is no number: a name, or a path."""

POINT_COUNT_MAXIMUM = 1000
Values = Mapping[str, list[Value]]


class ShareType(ParameterType[float, Any]):
    """A share above 0 and below 1: ``0.05`` or ``5%``."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The share that ``value`` means."""
        text = str(value).strip()
        try:
            share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            share = math.nan
        if not 0 < share < 1:
            self.fail(f"{value!r} is no share: write it as in 0.05 or 5%", param, ctx)
        return share


SHARE = ShareType()


def fixed_values(given: Sequence[str]) -> dict[str, Value]:
    """What ``--set`` says.

    Raises:
        SimulationError: it cannot be read.
    """
    return {name: values[0] for name, values in (_parse(one, "--set") for one in given)}


def swept_values(given: Sequence[str]) -> dict[str, list[Value]]:
    """What ``--sweep`` says; of several for one parameter the last one counts.

    Raises:
        SimulationError: it cannot be read.
    """
    return dict(_parse(one, "--sweep") for one in given)


def choices(
    scenario: SimulationScenario, fixed: Mapping[str, Value], swept: Values
) -> list[dict[str, Value]]:
    """All combinations of the swept values, each with the other parameters.

    Raises:
        SimulationError: they are too many.
    """
    combinations = [dict(zip(swept, values, strict=True)) for values in product(*swept.values())]
    if len(combinations) > POINT_COUNT_MAXIMUM:
        raise SimulationError(
            f"--sweep asks for {len(combinations)} points; at most {POINT_COUNT_MAXIMUM} will do"
        )
    return [{**scenario.parameters, **fixed, **combination} for combination in combinations]


def _parse(text: str, option: str) -> tuple[str, list[Value]]:
    """A parameter's name, or a field's place, and its values; integers stay integers."""
    name, equals, values = text.partition("=")
    try:
        if not (name and equals):
            raise ValueError
        first, dots, last = values.partition("..")
        if not dots or option == "--set":
            found = [_value(one.strip()) for one in values.split(",")]
            if option == "--set" and len(found) > 1:
                raise ValueError
            return name, found
        return name, _doubled(_number(first), _number(last))
    except ValueError:
        example = "readers=4" if option == "--set" else "readers=1,2,5 or readers=1..64"
        raise SimulationError(f"{option} {text!r} cannot be read: write it as in {example}") from None


def _doubled(first: float, last: float) -> list[Value]:
    """From the first to the last, each twice the one before."""
    if first <= 0 or last < first:
        raise ValueError
    found: list[Value] = []
    while first < last:
        found.append(first)
        first *= 2
    return [*found, last]


def _value(text: str) -> Value:
    """A number; true or false; or a word."""
    if text in ("true", "false"):
        return text == "true"
    try:
        return _number(text)
    except ValueError:
        if not _WORD.fullmatch(text) or text in ("nan", "inf"):
            raise
    return text


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError
    return int(text) if text.strip().lstrip("-").isdigit() else value
