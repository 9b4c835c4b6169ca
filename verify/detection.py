"""Whether mutants are found, by what, and how soon.

Each mutant is explored exhaustively in its scenario: that must find it. Strategies that draw schedules may find it too;
how many schedules that takes depends on luck, so it is measured with several seeds. A run that ends without a find
says only that it takes *more* than were allowed: it is censored. `Executions` neither drops such runs nor takes them
for finds.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from multiprocessing import get_context
from time import perf_counter
from typing import Any, NamedTuple

from shadowshare.scenarios.catalogue import built_in
from shadowshare.sim.schedule import parse_schedule
from shadowshare.verify.censored import HALF, QUARTER, THREE_QUARTERS, Run, censored_quantile
from shadowshare.verify.exploration.parallel import WorkerEnded, prepare_worker
from shadowshare.verify.exploration.search import STATE_COUNT_MAXIMUM, Budget, Progress
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.race import Race
from shadowshare.verify.result import Verdict
from shadowshare.verify.runner import Plan, run_scenario
from shadowshare.verify.strategies.catalogue import StrategyError, make_strategy, strategy_names
from shadowshare.verify.strategies.strategy import Sampler

SEED_COUNT = 9
EXECUTION_COUNT_MAXIMUM = 2000


class Spread(NamedTuple):
    """What half of all runs needed, and the middle half of them; None is more than any run came to.

    Attributes:
        low: a quarter of all runs needed no more.
        median: half of them.
        high: three quarters.
    """

    low: float | None
    median: float | None
    high: float | None


class Executions(NamedTuple):
    """How many schedules a strategy ran until it found a mutant, and how long that took, with different seeds.

    Attributes:
        counts: by seed from 0: the schedules that were run, the one that showed the mutant included; None if none did.
        limit: how many each run was allowed.
        run_seconds: by seed: how long the run took, from nothing; if it found nothing, finding it takes longer.
    """

    counts: tuple[int | None, ...]
    limit: int
    run_seconds: tuple[float, ...] = ()

    @property
    def found_count(self) -> int:
        """Runs that found the mutant."""
        return sum(count is not None for count in self.counts)

    @property
    def spread(self) -> Spread:
        """Of the schedules; None is more than `limit`."""
        return _spread([Run(count or self.limit, count is not None) for count in self.counts])

    @property
    def seconds_spread(self) -> Spread:
        """Of the time to detection."""
        return _spread(
            [
                Run(seconds, count is not None)
                for count, seconds in zip(self.counts, self.run_seconds, strict=True)
            ]
        )

    def quantile(self, share: Fraction) -> float | None:
        """The least count within which at least this share of all runs found the mutant; None: more than `limit`."""
        return censored_quantile(
            [Run(count or self.limit, count is not None) for count in self.counts], share
        )


def _spread(runs: Sequence[Run]) -> Spread:
    return Spread(*(censored_quantile(runs, share) for share in (QUARTER, HALF, THREE_QUARTERS)))


@dataclass(frozen=True, slots=True)
class Detection:
    """What is known about the detection of one mutant.

    Attributes:
        name: the mutant's.
        scenario: the one that must kill it.
        verdict: of the exhaustive exploration: ``violated`` if it is killed, ``verified`` if it survives.
        reason: what is violated, or why nobody knows.
        caught_by: the oracle's rule that is violated.
        schedule: a shortest one that shows it.
        state_count: states met up to then.
        shortest_steps: length of that schedule.
        seconds: that the exploration took.
        executions: by the name of a strategy that draws schedules.
    """

    name: str
    scenario: str
    verdict: Verdict
    reason: str
    caught_by: str | None = None
    schedule: str | None = None
    state_count: int = 0
    shortest_steps: int | None = None
    seconds: float = 0.0
    executions: Mapping[str, Executions] = field(default_factory=dict)

    @property
    def is_killed(self) -> bool:
        """Whether exhaustive exploration found it."""
        return self.verdict == "violated"


@dataclass(frozen=True, slots=True)
class DetectionPlan:
    """How to measure.

    Attributes:
        strategies: names of strategies that draw schedules; none, unless told otherwise.
        seed_count: runs of each.
        execution_count_maximum: schedules that a run may draw.
        state_count_maximum: states that the exhaustive exploration may meet.
    """

    strategies: tuple[str, ...] = ()
    seed_count: int = SEED_COUNT
    execution_count_maximum: int = EXECUTION_COUNT_MAXIMUM
    state_count_maximum: int = STATE_COUNT_MAXIMUM


def drawing_strategy_names() -> list[str]:
    """The strategies that draw schedules from a seed, of those that come with the package."""
    return [name for name in strategy_names() if isinstance(make_strategy(name), Sampler)]


def check_strategies(names: Sequence[str]) -> None:
    """Find out before a long measurement whether all strategies can be measured.

    Raises:
        StrategyError: one cannot be had with a seed, or does not draw schedules.
    """
    known = drawing_strategy_names()
    for name in names:
        if name in known or (":" in name and make_strategy(name, seed=0).is_sampling):
            continue
        if name in strategy_names() or ":" in name:
            raise StrategyError(
                f"strategy {name!r} draws no schedules from a seed, so that there is nothing to measure: "
                f"take one of {', '.join(known)}, or your own as module:Class"
            )
        make_strategy(name)  # which says that there is none


def detect(name: str, plan: DetectionPlan | None = None) -> Detection:
    """Explore one mutant's scenario exhaustively, and by drawn schedules.

    Raises:
        UnknownMutant: there is no such mutant.
        StrategyError: a strategy draws no schedules.
    """
    bug, plan = mutant(name), plan or DetectionPlan()
    check_strategies(plan.strategies)
    scenario = built_in(bug.scenario)
    how = Plan(bug.implementation, plan.state_count_maximum)
    budget = how.budget()
    result = run_scenario(scenario, how, _listener(budget), budget)
    race = partial(Race, scenario, bug.implementation)
    executions = {strategy: _measure(race, strategy, plan) for strategy in dict.fromkeys(plan.strategies)}
    return Detection(
        name,
        bug.scenario,
        result.verdict,
        result.reason,
        result.violation.rule if result.violation is not None else None,
        result.schedule,
        result.details["states"],
        len(parse_schedule(result.schedule).labels) if result.schedule is not None else None,
        result.seconds,
        executions,
    )


def _measure(race: Callable[[], Race], strategy: str, plan: DetectionPlan) -> Executions:
    """Run a strategy with each seed, each time from nothing: what one run learned would make the next one faster."""
    counts: list[int | None] = []
    run_seconds: list[float] = []
    for seed in range(plan.seed_count):
        start = perf_counter()
        budget = Budget(execution_count=plan.execution_count_maximum)
        found = make_strategy(strategy, seed=seed).run(race().product, budget, _listener(budget))
        counts.append(None if found.violation is None else found.execution_count)
        run_seconds.append(perf_counter() - start)
    return Executions(tuple(counts), plan.execution_count_maximum, tuple(run_seconds))


# -- several mutants, several processes --------------------------------------------------------------------------


def detect_all(
    names: Sequence[str], plan: DetectionPlan | None = None, jobs: int = 1
) -> Generator[Detection, None, None]:
    """Each mutant's detection, in order, as soon as it is known; figures but times are those of one process.

    Raises:
        UnknownMutant: there is no such mutant.
        StrategyError: a strategy draws no schedules.
        WorkerEnded: a process is gone.
    """
    plan = plan or DetectionPlan()
    wanted = [mutant(name).name for name in dict.fromkeys(names)]
    if jobs == 1 or len(wanted) < 2:
        yield from (detect(name, plan) for name in wanted)
        return
    context = get_context("spawn")
    stop = context.Event()
    pool = ProcessPoolExecutor(min(jobs, len(wanted)), context, _prepare, (stop,))
    try:
        yield from pool.map(partial(detect, plan=plan), wanted)
    except BrokenProcessPool:
        raise WorkerEnded(
            "a process ended without a result: was the memory used up? Take fewer jobs"
        ) from None
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


_stop: Any = None
"""In a worker: an event that is set when nobody wants results any more."""


def _prepare(stop: Any) -> None:
    """In a worker: remember what says that its results are not wanted any more."""
    global _stop  # noqa: PLW0603 - a worker is prepared once, before all that it does
    _stop = stop
    prepare_worker()


def _listener(budget: Budget) -> Progress | None:
    """What looks, now and then, whether a worker's result is still wanted."""
    if _stop is None:
        return None

    def listen(*_: int) -> None:
        if _stop.is_set():
            budget.interrupt()

    return listen
