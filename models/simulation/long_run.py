"""One long run in place of several: what is left out at its start, and intervals out of it.

The run is cut into up to `SLICE_COUNT` parts of equal time; if shadow copies are created again and again, of whole
periods of that, since all that is measured goes up and down with them. MSER-5 says how many parts belong to the warm-up
(`shadowshare.models.experiment.warm_up`), by the mean latencies of each. What is left is joined to `BATCH_COUNT`
batches, whose figures are nearly independent of each other if they are long enough, which is tested
(`shadowshare.models.experiment.batch_means`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shadowshare.models.experiment.batch_means import BatchMeans, batch_means
from shadowshare.models.experiment.interval import Interval
from shadowshare.models.experiment.replications import Figures
from shadowshare.models.experiment.warm_up import WarmUp, warm_up_of
from shadowshare.models.simulation.comparison import ComparedRun, NothingMeasured, RunFigures, compared
from shadowshare.models.simulation.measured import Measured, joined
from shadowshare.models.simulation.plan import SECOND_NS, SimulationPlan
from shadowshare.models.simulation.run import Simulation

SLICE_COUNT = 200
SLICE_COUNT_MINIMUM = 40
"""Of which MSER-5 may leave out a half; the other one makes all batches."""

BATCH_COUNT = 20


@dataclass(frozen=True, slots=True)
class LongRun:
    """What one long run measured.

    Attributes:
        whole: figures and latencies of all that was kept.
        intervals: of the mean of each figure over the batches.
        warm_up_ns: what MSER-5 left out, behind the warm-up of the plan.
        is_settled: whether the run went on long enough to tell.
        batch_ns: simulated time of a batch.
        dependent: the wanted figures whose batches depend on each other: their intervals are too narrow.
    """

    whole: RunFigures
    intervals: dict[str, Interval]
    warm_up_ns: int
    is_settled: bool
    batch_ns: int
    dependent: tuple[str, ...]


def measure_long(run: ComparedRun) -> LongRun:
    """Make the run with number 0 as one long run.

    Raises:
        NothingMeasured: it is too short, or it has a fail-over, after which nothing is as it was before.
    """
    if run.plan.fail_over is not None:
        raise NothingMeasured(
            "a fail-over happens once: one long run has no mean of it; make several replications"
        )
    slice_ns = _slice_ns(run.plan)
    slices = _slices(run.plan, run.seed, slice_ns)
    warm_up = _warm_up([part.figures() for part in slices], run.wanted())
    kept, per_batch = _kept(slices, warm_up)
    parts: list[Measured | None] = [None] * len(kept)
    if run.compares:
        parts = [*_kept(_slices(run.plan.without_shadow_copies(), run.seed, slice_ns), warm_up)[0]]
    batches = [compared(part, without) for part, without in zip(kept, parts, strict=True)]
    names = [name for name in batches[0] if all(name in figures for figures in batches)]
    found = {name: _interval(batches, name) for name in names}
    without = joined([part for part in parts if part is not None]) if run.compares else None
    return LongRun(
        compared(joined(kept), without),
        {name: result.interval for name, result in found.items()},
        warm_up.value_count * slice_ns,
        warm_up.is_over,
        per_batch * slice_ns,
        tuple(name for name in run.wanted() if not found[name].are_independent),
    )


def _slices(plan: SimulationPlan, seed: int, slice_ns: int) -> list[Measured]:
    simulation = Simulation(plan, (seed, 0))
    simulation.measure(plan.warm_up_ns)
    return [simulation.measure(slice_ns) for _ in range(plan.measured_ns // slice_ns)]


def _slice_ns(plan: SimulationPlan) -> int:
    """How long a part is."""
    slice_ns, period_ns = max(plan.measured_ns // SLICE_COUNT, 1), plan.shadow_copies.every_ns
    if not period_ns:
        return slice_ns
    whole_ns = -(-slice_ns // period_ns) * period_ns
    if plan.measured_ns < SLICE_COUNT_MINIMUM * whole_ns:
        raise NothingMeasured(
            f"one long run must be {SLICE_COUNT_MINIMUM} times as long as it is from one shadow copy to the next: "
            f"make time.measured_seconds {SLICE_COUNT_MINIMUM * period_ns / SECOND_NS:g} or more"
        )
    return whole_ns


def _warm_up(figures: Sequence[Figures], wanted: Sequence[str]) -> WarmUp:
    """The longest of those that the wanted figures need."""
    longest = WarmUp(0, is_over=True)
    for name in wanted:
        if not all(name in part for part in figures):
            role, verb, _ = name.split(".")
            raise NothingMeasured(
                f"no {verb} of the {role} was done in some of the {len(figures)} parts into which one long run is cut: "
                "simulate longer, or make several replications"
            )
        found = warm_up_of([part[name] for part in figures])
        longest = WarmUp(max(longest.value_count, found.value_count), longest.is_over and found.is_over)
    return longest


def _kept(slices: Sequence[Measured], warm_up: WarmUp) -> tuple[list[Measured], int]:
    """The batches behind the warm-up, and of how many slices each is; what fills no batch is left out, too."""
    per_batch = (len(slices) - warm_up.value_count) // BATCH_COUNT
    kept = slices[len(slices) - per_batch * BATCH_COUNT :]
    starts = range(0, len(kept), per_batch)
    return [joined(kept[start : start + per_batch]) for start in starts], per_batch


def _interval(batches: Sequence[Figures], name: str) -> BatchMeans:
    return batch_means([figures[name] for figures in batches], batch_count=len(batches))
