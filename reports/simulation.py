"""What simulations measured: a table for people, rows for other programs, and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from shadowshare.reports.style import MARKERS, SERIES, figure_style

Value = int | float | str
"""Of a parameter."""

Estimate = tuple[float, float]
"""A mean, and half the width of its confidence interval."""

Curve = Sequence[tuple[float, float]]
"""A cumulative distribution: latencies in nanoseconds, and the share that does not exceed each."""


class Point(NamedTuple):
    """One choice of the parameters.

    Attributes:
        parameters: their values, and those of the fields that were changed.
        estimates: of each figure, by name.
        curves: latencies, by role and verb in words.
        run_count: replications.
        is_precise: whether the intervals are as narrow as was asked.
    """

    parameters: Mapping[str, Value]
    estimates: Mapping[str, Estimate]
    curves: Mapping[str, Curve]
    run_count: int
    is_precise: bool


SHOWN = {
    "active.write.per_second": ("writes/s", 1.0),
    "active.write.latency_mean": ("write us", 1e6),
    "active.write.latency_mean_ratio": ("times no copy", 1.0),
    "active.write.latency_p99": ("p99 us", 1e6),
    "active.write_amplification": ("amplification", 1.0),
    "passives.read.per_second": ("reads/s", 1.0),
    "passives.read.latency_mean": ("read us", 1e6),
    "passives.read.latency_p99": ("p99 us", 1e6),
    "passives.recheck_saved_per_read": ("saved/1000 reads", 1e3),
    "device.0.utilisation": ("busy %", 100.0),
}
"""The figures of the table: heading, and what the figure is multiplied by."""


def simulation_table(points: Sequence[Point], swept: Sequence[str]) -> tuple[list[str], list[list[str]]]:
    """Columns and rows: the swept parameters, and the figures that there are, each with its interval."""
    names = [name for name in SHOWN if any(name in point.estimates for point in points)]
    rows = []
    for point in points:
        cells = [shown(point.parameters[name]) for name in swept]
        rows.append(cells + [_cell(point.estimates.get(name), SHOWN[name][1]) for name in names])
    return [*swept, *(SHOWN[name][0] for name in names)], rows


def shown(value: Value) -> str:
    """A parameter's value for people."""
    return value if isinstance(value, str) else f"{value:g}"


def _cell(estimate: Estimate | None, factor: float) -> str:
    if estimate is None:
        return "-"
    mean, half_width = estimate[0] * factor, estimate[1] * factor
    return f"{mean:,.4g} ±{half_width:.2g}"


def simulation_rows(points: Sequence[Point]) -> list[dict[str, Value]]:
    """One row for each figure of each point, as for a file of comma-separated values."""
    return [
        {**point.parameters, "figure": name, "mean": mean, "half_width": half_width, "runs": point.run_count}
        for point in points
        for name, (mean, half_width) in point.estimates.items()
    ]


def simulation_json(name: str, points: Sequence[Point]) -> dict[str, Any]:
    """Everything, for programs."""
    return {
        "simulation": name,
        "points": [
            {
                "parameters": dict(point.parameters),
                "runs": point.run_count,
                "is_precise": point.is_precise,
                "figures": {
                    figure: {"mean": mean, "half_width": half_width}
                    for figure, (mean, half_width) in point.estimates.items()
                },
            }
            for point in points
        ],
    }


# -- figures -------------------------------------------------------------------------------------------------------

_PANELS = (
    (
        "throughput per second",
        {"active.write.per_second": "writes", "passives.read.per_second": "reads"},
        1.0,
    ),
    (
        "mean latency, us",
        {"active.write.latency_mean": "writes", "passives.read.latency_mean": "reads"},
        1e6,
    ),
    ("reads saved by the re-check, %", {"passives.recheck_saved_per_read": "of all reads"}, 100.0),
)


def draw(path: Path, points: Sequence[Point], swept: str | None) -> None:
    """Draw a figure into a file whose ending says the format.

    Without a swept parameter it shows the distributions of latency; with one, throughput, latency and how often the
    re-check saved a read against its value.

    Raises:
        ValueError: no figure can have this ending.
        OSError: the file cannot be written.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - takes half a second, and only a figure needs it

    with figure_style():
        figure = Figure(figsize=(12 if swept else 6, 3.6), layout="constrained")
        if swept is None:
            _draw_curves(figure.add_subplot(), points[0].curves)
        else:
            for axes, panel in zip(figure.subplots(1, len(_PANELS)), _PANELS, strict=True):
                _draw_panel(axes, points, swept, *panel)
        is_svg = path.suffix.lower() == ".svg"
        figure.savefig(path, metadata={"Date": None} if is_svg else None)


def _draw_curves(axes: Any, curves: Mapping[str, Curve]) -> None:
    for number, (name, curve) in enumerate(sorted(curves.items())):
        if name.split()[1] in ("read", "write") and curve:
            times_us = [latency_ns / 1e3 for latency_ns, _ in curve]
            shares = [share for _, share in curve]
            style = "--" if "without" in name else "-"
            colour = SERIES[number % len(SERIES)]
            axes.plot(times_us, shares, style, color=colour, drawstyle="steps-post", label=name)
    axes.set_xscale("log")
    axes.set_xlabel("latency, us")
    axes.set_ylabel("share of requests that take no longer")
    axes.grid(visible=True)
    axes.legend(frameon=False)


def _draw_panel(
    axes: Any, points: Sequence[Point], swept: str, label: str, figures: Mapping[str, str], factor: float
) -> None:
    for number, (name, words) in enumerate(figures.items()):
        found = [
            (point.parameters[swept], *point.estimates[name]) for point in points if name in point.estimates
        ]
        if found:
            values, means, half_widths = zip(*found, strict=True)
            axes.errorbar(
                values,
                [mean * factor for mean in means],
                [half_width * factor for half_width in half_widths],
                marker=MARKERS[number],
                color=SERIES[number],
                capsize=3,
                label=words,
            )
    axes.set_xlabel(swept.replace("_", " "))
    axes.set_ylabel(label)
    axes.set_ylim(bottom=0)
    axes.grid(visible=True)
    axes.legend(frameon=False)
