"""Strategies by name, and those of others by import path."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

from shadowshare.protocol.errors import ShadowshareError
from shadowshare.verify.strategies.exhaustive import Exhaustive
from shadowshare.verify.strategies.partial_order import PartialOrder
from shadowshare.verify.strategies.pct import PriorityWalk
from shadowshare.verify.strategies.pos import PartialOrderSampling
from shadowshare.verify.strategies.preemption_bounded import PreemptionBounded
from shadowshare.verify.strategies.random_walk import RandomWalk
from shadowshare.verify.strategies.strategy import Strategy
from shadowshare.verify.strategies.timed import Timed
from shadowshare.verify.strategies.urw import UniformInterleavings

REQUIRED = ("name", "is_sampling", "run")
"""What every strategy has."""


class StrategyError(ShadowshareError):
    """There is no such strategy, or it cannot be had with these options."""


class _Entry(NamedTuple):
    make: Callable[..., Strategy]
    options: tuple[str, ...]


_ENTRIES = {
    "exhaustive": _Entry(Exhaustive, ()),
    "random": _Entry(RandomWalk, ("seed",)),
    "pct": _Entry(PriorityWalk, ("seed", "depth")),
    "pos": _Entry(PartialOrderSampling, ("seed",)),
    "urw": _Entry(UniformInterleavings, ("seed",)),
    "timed": _Entry(Timed, ("seed",)),
    "preemption-bounded": _Entry(PreemptionBounded, ("preemptions",)),
    "source-dpor": _Entry(PartialOrder, ()),
    "optimal-dpor": _Entry(partial(PartialOrder, optimal=True), ()),
}


def strategy_names() -> list[str]:
    """The names that `make_strategy` knows."""
    return list(_ENTRIES)


def make_strategy(name: str, **options: int | None) -> Strategy:
    """Make a strategy.

    Args:
        name: one of `strategy_names`, or ``module:Class`` for a class of your own, which is called with the options.
        options: ``seed``, ``depth``, ``preemptions``; None for the strategy's own default.

    Raises:
        StrategyError: there is none of that name, it cannot be imported, or an option does not fit it.
    """
    given = {option: value for option, value in options.items() if value is not None}
    if ":" in name:
        return _imported(name, given)
    entry = _ENTRIES.get(name)
    if entry is None:
        raise StrategyError(
            f"there is no strategy {name!r}: take one of {', '.join(_ENTRIES)}, or your own as module:Class"
        )
    strange = [option for option in given if option not in entry.options]
    if strange:
        takes = f"it takes {' and '.join(entry.options)}" if entry.options else "it takes none"
        raise StrategyError(f"strategy {name!r} has no option {strange[0]!r}: {takes}")
    try:
        return entry.make(**given)
    except ValueError as error:
        raise StrategyError(f"strategy {name!r}: {error}") from None


def _imported(path: str, options: dict[str, int]) -> Strategy:
    """An instance of the class at an import path."""
    module_name, _, class_name = path.partition(":")
    try:
        module = import_module(module_name)
    except Exception as error:  # importing runs code of others, which may raise anything
        raise StrategyError(
            f"strategy {path!r}: module {module_name!r} cannot be imported ({type(error).__name__}: {error}); "
            "is its folder in PYTHONPATH?"
        ) from error
    kind: Any = getattr(module, class_name, None)
    if not callable(kind):
        raise StrategyError(f"strategy {path!r}: module {module_name!r} has no class {class_name!r}")
    try:
        strategy: Strategy = kind(**options)
    except (TypeError, ValueError) as error:
        given = ", ".join(f"{option}={value}" for option, value in options.items()) or "no options"
        raise StrategyError(f"strategy {path!r} cannot be made with {given}: {error}") from error
    missing = [part for part in REQUIRED if not hasattr(strategy, part)]
    if missing:
        raise StrategyError(
            f"strategy {path!r} is none: it has no {missing[0]!r} (see shadowshare.verify.strategies.strategy.Strategy)"
        )
    return strategy
