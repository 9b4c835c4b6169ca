"""Independent runs, until the intervals are as narrow as was asked.

The sequential procedure is that of Law ("Simulation Modeling and Analysis", 5th edition, section 9.4.1): replicate
until the half width is below p / (1 + p) of the mean, so that the true mean is within p of the estimate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field

from shadowshare.models.experiment.interval import CONFIDENCE, Interval, mean_interval

Figures = Mapping[str, float]
"""What one run measured, by name."""

Run = Callable[[int], Figures]
"""Makes the run of a number: the same number, the same run; different ones, independent runs."""

Tell = Callable[["Replications"], None]


@dataclass(frozen=True, slots=True)
class Precision:
    """When to stop.

    Attributes:
        share: how far the true mean may be from the estimate, as a share of it.
        confidence: with which it is so, for each figure by itself.
        run_count_minimum: at least two.
        run_count_maximum: runs after which it ends in any case.
    """

    share: float = 0.05
    confidence: float = CONFIDENCE
    run_count_minimum: int = 5
    run_count_maximum: int = 100

    def __post_init__(self) -> None:
        if not 2 <= self.run_count_minimum <= self.run_count_maximum:
            raise ValueError(
                f"at least {self.run_count_minimum} and at most {self.run_count_maximum} runs: "
                "there must be at least 2, and the maximum not below the minimum"
            )
        if not self.share > 0:
            raise ValueError(
                f"a precision of {self.share} is never reached: give a share above 0, such as 0.05"
            )

    def is_reached_by(self, interval: Interval) -> bool:
        """Whether an interval is narrow enough."""
        return interval.relative_half_width <= self.share / (1.0 + self.share)


@dataclass(slots=True)
class Replications:
    """Runs that were made, in the order of their numbers.

    Attributes:
        precision: that was asked for.
        wanted: names of the figures that must be precise.
        figures: of each run.
    """

    precision: Precision
    wanted: tuple[str, ...]
    figures: list[Figures] = field(default_factory=list)

    def interval(self, name: str) -> Interval:
        """The interval of one figure."""
        return mean_interval([figures[name] for figures in self.figures], self.precision.confidence)

    @property
    def imprecise(self) -> list[str]:
        """Figures that are not as precise as was asked."""
        if len(self.figures) < self.precision.run_count_minimum:
            return list(self.wanted)
        return [name for name in self.wanted if not self.precision.is_reached_by(self.interval(name))]


def replicate(
    run: Run,
    wanted: Iterable[str],
    precision: Precision | None = None,
    executor: Executor | None = None,
    jobs: int = 1,
    tell: Tell | None = None,
) -> Replications:
    """Run until every wanted figure is precise, or the most runs were made.

    The result depends on the runs alone: with several jobs, runs that were begun but not needed are dropped.

    Args:
        run: makes one run; with an ``executor`` of processes it must be picklable.
        wanted: names of the figures that must be precise; those that are 0 in every run are.
        precision: when to stop.
        executor: makes the runs; without, they are made here, one after the other.
        jobs: runs that the executor makes at once.
        tell: called after each run.
    """
    result = Replications(precision or Precision(), tuple(wanted))
    for figures in _in_order(run, result.precision.run_count_maximum, executor, jobs):
        result.figures.append(figures)
        if tell is not None:
            tell(result)
        if not result.imprecise:
            break
    return result


def _in_order(run: Run, run_count: int, executor: Executor | None, jobs: int) -> Iterable[Figures]:
    """The runs' figures in the order of their numbers; a few runs ahead are under way."""
    if executor is None:
        yield from map(run, range(run_count))
        return
    ahead = [executor.submit(run, number) for number in range(min(jobs, run_count))]
    try:
        for number in range(run_count):
            figures = ahead.pop(0).result()
            if number + jobs < run_count:
                ahead.append(executor.submit(run, number + jobs))
            yield figures
    finally:
        for future in ahead:
            future.cancel()
