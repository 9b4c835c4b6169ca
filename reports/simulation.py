"""What simulations measured: a table for people, and rows for other programs; figures are in `simulation_figures`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from shadowshare.reports.simulation_questions import FIGURES, IN_TABLE, QUESTIONS

Value = int | float | str
"""Of a parameter."""

Curve = Sequence[tuple[float, float]]
"""A cumulative distribution: latencies in nanoseconds, and the share that does not exceed each."""


class Estimate(NamedTuple):
    """A figure and its 95 % confidence interval.

    Attributes:
        mean: the figure.
        half_width: half the width of the interval.
        low: the lower end.
        high: the upper end.
        seen_count: of a rare event: how often it happened, in all runs together; the interval is exact then.
        of_count: how often it could have happened.
    """

    mean: float
    half_width: float
    low: float
    high: float
    seen_count: int | None = None
    of_count: int | None = None


class Basis(NamedTuple):
    """What the figures of a point rest on.

    Attributes:
        run_count: independent runs; 1 for a long one that was cut into batches.
        measured_seconds: simulated time of each that counts.
        warm_up_seconds: left out at the start of each, as the simulation says.
        found_warm_up_seconds: left out behind that of a long run, by MSER-5; None for replications.
        batch_count: of a long run.
        is_settled: whether a long run went on long enough to tell where its warm-up ends.
        dependent: figures of a long run whose batches depend on each other, so that their intervals are too narrow.
        precision: the share that was asked for; None if it was a number of runs.
        imprecise: figures that are not as precise as that.
    """

    run_count: int
    measured_seconds: float
    warm_up_seconds: float
    found_warm_up_seconds: float | None = None
    batch_count: int | None = None
    is_settled: bool = True
    dependent: tuple[str, ...] = ()
    precision: float | None = None
    imprecise: tuple[str, ...] = ()


class Point(NamedTuple):
    """One choice of the parameters.

    Attributes:
        parameters: their values, and those of the fields that were changed.
        estimates: of each figure, by name.
        curves: latencies, by role and verb in words.
        basis: what they rest on.
    """

    parameters: Mapping[str, Value]
    estimates: Mapping[str, Estimate]
    curves: Mapping[str, Curve]
    basis: Basis


def simulation_table(
    points: Sequence[Point], swept: Sequence[str], asked: Sequence[str] = ()
) -> tuple[list[str], list[list[str]]]:
    """Columns and rows: the swept parameters, and the figures that answer what is asked, each with its interval."""
    wanted: Iterable[str] = IN_TABLE
    if any(QUESTIONS[name].figures for name in asked):
        wanted = dict.fromkeys(figure for name in asked for figure in QUESTIONS[name].figures)
    names = [name for name in wanted if any(name in point.estimates for point in points)]
    rows = []
    for point in points:
        cells = [shown(point.parameters[name]) for name in swept]
        rows.append(cells + [_cell(point.estimates.get(name), FIGURES[name].factor) for name in names])
    return [*swept, *(FIGURES[name].heading for name in names)], rows


def shown(value: Value) -> str:
    """A parameter's value for people."""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else f"{value:g}"


def _cell(estimate: Estimate | None, factor: float) -> str:
    if estimate is None:
        return "-"
    mean = estimate.mean * factor
    if estimate.seen_count is not None:
        low, high = estimate.low * factor, estimate.high * factor
        return f"{mean:,.3g} ({low:.2g} to {high:.2g}; {estimate.seen_count:,} of {estimate.of_count:,})"
    return f"{mean:,.4g} ±{estimate.half_width * factor:.2g}"


def basis_lines(points: Sequence[Point], swept: Sequence[str]) -> list[str]:
    """What the figures rest on, in words: once if it is the same for all points."""
    lines = {tuple(shown(point.parameters[name]) for name in swept): _basis(point.basis) for point in points}
    if len(set(lines.values())) == 1:
        return [next(iter(lines.values()))]
    return [f"{', '.join(values)}: {line}" for values, line in lines.items()]


def _basis(basis: Basis) -> str:
    warm_up = f"left out at the start: {basis.warm_up_seconds:g} s, as the simulation says"
    if basis.batch_count is None:
        text = f"means of {basis.run_count} runs of {basis.measured_seconds:g} s, ± 95 % interval; {warm_up}"
        if basis.precision is not None:
            text += f"; asked for: ±{basis.precision:.3g} of each mean latency"
        if basis.imprecise:
            text += f", not reached: {', '.join(basis.imprecise)}"
        return text
    text = (
        f"one run of which {basis.measured_seconds:.4g} s count, in {basis.batch_count} batches, ± 95 % interval; "
        f"{warm_up}, and {basis.found_warm_up_seconds:.3g} s more, found by MSER-5"
    )
    if not basis.is_settled:
        text += "; it never settled: simulate longer"
    if basis.dependent:
        text += f"; intervals are too narrow, as batches depend on each other: {', '.join(basis.dependent)}"
    return text


def simulation_rows(points: Sequence[Point]) -> list[dict[str, Value]]:
    """One row for each figure of each point, as for a file of comma-separated values."""
    return [
        {
            **point.parameters,
            "figure": name,
            "mean": estimate.mean,
            "half_width": estimate.half_width,
            "low": estimate.low,
            "high": estimate.high,
            "runs": point.basis.run_count,
        }
        for point in points
        for name, estimate in point.estimates.items()
    ]


def simulation_json(name: str, points: Sequence[Point]) -> dict[str, Any]:
    """Everything, for programs."""
    return {
        "simulation": name,
        "points": [
            {
                "parameters": dict(point.parameters),
                "basis": point.basis._asdict(),
                "figures": {
                    figure: {key: value for key, value in estimate._asdict().items() if value is not None}
                    for figure, estimate in point.estimates.items()
                },
            }
            for point in points
        ],
    }
