"""Which mutants were found, by what, and how soon: as a table, as JSON, and as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from shadowshare.reports.style import FIGURE_METADATA, MARKERS, SERIES, figure_style
from shadowshare.reports.tables import Table
from shadowshare.verify.detection import Detection, Executions

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_KILLED = {"violated": "yes", "verified": "NO", "unknown": "unknown"}

ROW_INCHES = 0.26
WIDTH_INCHES = 9.0


# -- text --------------------------------------------------------------------------------------------------------


def detection_table(detections: Sequence[Detection]) -> Table:
    """One row a mutant; a column for each strategy that draws schedules."""
    strategies = list(detections[0].executions) if detections else []
    columns = ["mutant", "killed", "scenario", "caught by", "states", "steps", "seconds", *strategies]
    rows = [
        [
            one.name,
            _KILLED[one.verdict],
            one.scenario,
            one.caught_by or "-",
            f"{one.state_count:,}",
            str(one.shortest_steps or "-"),
            f"{one.seconds:.2f}",
            *(executions_text(one.executions[strategy]) for strategy in strategies),
        ]
        for one in detections
    ]
    return columns, rows


def executions_text(executions: Executions) -> str:
    """The median, and from where to where the middle half of the runs lies; and how many runs found it, if not all."""
    median, low, high = (
        f">{executions.limit:,}" if count is None else f"{count:,}"
        for count in (executions.median, executions.low, executions.high)
    )
    words = median if low == high else f"{median} ({low} to {high})"
    if executions.found_count == len(executions.counts):
        return words
    return f"{words}, {executions.found_count} of {len(executions.counts)} runs"


def detection_json(detection: Detection) -> dict[str, Any]:
    """A detection for programs; a count that is null is beyond the limit."""
    return {
        "name": detection.name,
        "killed": detection.is_killed,
        "verdict": detection.verdict,
        "reason": detection.reason,
        "caught_by": detection.caught_by,
        "scenario": detection.scenario,
        "schedule": detection.schedule,
        "states": detection.state_count,
        "shortest_steps": detection.shortest_steps,
        "executions": {
            strategy: {
                "median": found.median,
                "low": found.low,
                "high": found.high,
                "found": found.found_count,
                "runs": len(found.counts),
                "limit": found.limit,
                "seconds": round(found.seconds, 6),
            }
            for strategy, found in detection.executions.items()
        },
        "seconds": round(detection.seconds, 6),
    }


# -- figure ------------------------------------------------------------------------------------------------------


def draw_detections(detections: Sequence[Detection], target: Path | TextIO) -> None:
    """Write a figure as SVG: for each mutant and strategy the median and the middle half, on a logarithmic axis.

    The same figures give the same bytes, with the same matplotlib.

    Raises:
        OSError: the file cannot be written.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - takes half a second, and only a figure needs it

    with figure_style(8):
        figure = Figure(figsize=(WIDTH_INCHES, 1.2 + ROW_INCHES * len(detections)), layout="constrained")
        axes = figure.add_subplot()
        for index, strategy in enumerate(detections[0].executions):
            _draw_strategy(axes, detections, index, strategy)
        axes.set_yticks(range(len(detections)), [one.name for one in detections])
        axes.set_ylim(len(detections) - 0.5, -0.5)
        axes.set_xscale("log")
        for limit in {found.limit for one in detections for found in one.executions.values()}:
            axes.axvline(limit, color="grey", linewidth=0.8, linestyle="dotted")
        axes.set_xlabel("schedules until the mutant is found: median, and the middle half of the runs")
        axes.grid(axis="x", linewidth=0.3)
        figure.legend(loc="outside upper center", ncols=len(detections[0].executions), frameon=False)
        figure.savefig(target, format="svg", metadata=FIGURE_METADATA)


def _draw_strategy(axes: Axes, detections: Sequence[Detection], index: int, strategy: str) -> None:
    """One strategy's dots and lines, a little apart from those of the others."""
    strategy_count = len(detections[0].executions)
    offset = (index - (strategy_count - 1) / 2) * 0.8 / strategy_count
    colour = SERIES[index % len(SERIES)]
    known, censored = [], []
    for row, one in enumerate(detections):
        found = one.executions[strategy]
        low, high = (found.limit if count is None else count for count in (found.low, found.high))
        axes.plot([low, high], [row + offset] * 2, color=colour, linewidth=1)
        if found.median is None:
            censored.append((found.limit, row + offset))
        else:
            known.append((found.median, row + offset))
    _scatter(axes, known, color=colour, marker=MARKERS[index % len(MARKERS)], s=10, label=strategy)
    _scatter(axes, censored, facecolors="none", edgecolors=colour, marker=">", s=18)


def _scatter(axes: Axes, places: Sequence[tuple[float, float]], **style: Any) -> None:
    axes.scatter([x for x, _ in places], [y for _, y in places], **style)
