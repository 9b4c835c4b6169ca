"""What ``run`` and ``explore`` are given alike: which interleavings to run, and how much to spend on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from typing import Any

import click

from shadowshare.models.computers import Implementation
from shadowshare.protocol.errors import ShadowshareError
from shadowshare.verify.exploration.search import STATE_COUNT_MAXIMUM
from shadowshare.verify.runner import Plan
from shadowshare.verify.strategies.catalogue import make_strategy, strategy_names
from shadowshare.verify.strategies.exhaustive import Exhaustive
from shadowshare.verify.strategies.preemption_bounded import PreemptionBounded
from shadowshare.verify.strategies.strategy import Sampler, Strategy

DRAWN_EXECUTION_COUNT = 10_000
"""Schedules that a strategy draws which would never end by itself, unless a budget is given."""

JOB_COUNT_MAXIMUM = 256


class UnfitOption(ShadowshareError):
    """Options that make no sense together."""


@dataclass(frozen=True, slots=True)
class ExplorationOptions:
    """The options, each None if it is not given."""

    strategy: str | None
    seed: int | None
    depth: int | None
    preemptions: int | None
    max_states: int | None
    max_executions: int | None
    max_steps: int | None
    max_seconds: float | None
    jobs: int

    def plan(self, implementation: Implementation, **more: Any) -> Plan:
        """How to run scenarios.

        Raises:
            UnfitOption: a budget does not fit the strategy.
            ShadowshareError: there is no such strategy, or it does not take these options.
        """
        strategy = self._made()
        self._check_budgets(strategy)
        execution_count_maximum = self.max_executions
        if isinstance(strategy, Sampler) and not (self.max_executions or self.max_steps or self.max_seconds):
            execution_count_maximum = DRAWN_EXECUTION_COUNT
        return Plan(
            implementation,
            self.max_states or STATE_COUNT_MAXIMUM,
            self.max_seconds,
            execution_count_maximum,
            self.max_steps,
            strategy,
            self.jobs,
            **more,
        )

    def _made(self) -> Strategy:
        wanted = {"seed": self.seed, "depth": self.depth, "preemptions": self.preemptions}
        given = {name: value for name, value in wanted.items() if value is not None}
        return make_strategy(Exhaustive.name if self.strategy is None else self.strategy, **given)

    def _check_budgets(self, strategy: Strategy) -> None:
        """A budget that is never spent would look like one that was kept."""
        is_own = strategy.name not in strategy_names()
        if self.max_executions and searches_states(strategy):
            raise UnfitOption(
                f"--max-executions does not fit strategy {strategy.name!r}, which searches states and runs no "
                "schedules: take --max-states, --max-steps or --max-seconds"
            )
        if self.max_states and not searches_states(strategy) and not is_own:
            raise UnfitOption(
                f"--max-states does not fit strategy {strategy.name!r}, which runs schedules and keeps no states: "
                "take --max-executions, --max-steps or --max-seconds"
            )


def searches_states(strategy: Strategy) -> bool:
    """Whether what a strategy covers is counted in states; else in schedules that it runs."""
    return isinstance(strategy, (Exhaustive, PreemptionBounded))


_COUNT = click.IntRange(1)

_OPTIONS = (
    click.option(
        "--strategy",
        metavar="NAME",
        help=f"Which interleavings: {', '.join(strategy_names())}, or module:Class of your own.  "
        f"[default: {Exhaustive.name}]",
    ),
    click.option("--seed", type=int, metavar="S", help="Of strategies that draw schedules.  [default: 0]"),
    click.option("--depth", type=_COUNT, metavar="D", help="Of strategy pct.  [default: 3]"),
    click.option(
        "--preemptions",
        type=click.IntRange(0),
        metavar="K",
        help="Of strategy preemption-bounded.  [default: 2]",
    ),
    click.option(
        "--max-states",
        type=_COUNT,
        metavar="N",
        help=f"States that a search meets at most.  [default: {STATE_COUNT_MAXIMUM:,}]",
    ),
    click.option(
        "--max-executions",
        type=_COUNT,
        metavar="N",
        help="Schedules to run at most, where one is run after the other.  "
        f"[default: {DRAWN_EXECUTION_COUNT:,} if they are drawn, and there is no other budget]",
    ),
    click.option("--max-steps", type=_COUNT, metavar="N", help="Steps to take at most."),
    click.option(
        "--max-seconds", type=click.FloatRange(0, min_open=True), metavar="N", help="Time to take at most."
    ),
    click.option(
        "--jobs",
        type=click.IntRange(1, JOB_COUNT_MAXIMUM),
        default=1,
        metavar="N",
        help="Processes that share what can be shared: schedules that are drawn, and passives that are explored one "
        "at a time. The result is the same.  [default: 1]",
    ),
)


def takes_exploration(command: Callable[..., None]) -> Callable[..., None]:
    """Adds these options, which a command takes as its first argument, `ExplorationOptions`."""
    names = [field.name for field in fields(ExplorationOptions)]

    @wraps(command)
    def taking_options(**options: Any) -> None:
        mine = ExplorationOptions(**{name: options.pop(name) for name in names})
        command(mine, **options)

    for option in reversed(_OPTIONS):
        taking_options = option(taking_options)
    return taking_options
