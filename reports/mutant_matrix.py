"""Which mutants were found, by what, and how soon: as a table, as JSON, and as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from shadowshare.reports.style import FIGURE_METADATA, MARKERS, SERIES, figure_style
from shadowshare.reports.tables import Table
from shadowshare.verify.detection import Detection, Executions, Spread

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
    """The median, and the middle half of the runs; how many runs found it, if not all; and the median of the time."""
    spread, seconds = executions.spread, executions.seconds_spread.median
    median, low, high = (
        f">{executions.limit:,}" if count is None else f"{count:,}"
        for count in (spread.median, spread.low, spread.high)
    )
    words = [median if low == high else f"{median} ({low} to {high})"]
    if executions.found_count < len(executions.counts):
        words.append(f"{executions.found_count} of {len(executions.counts)} runs")
    if seconds is not None:
        words.append(f"{seconds:.2g} s")
    return ", ".join(words)


def detection_json(detection: Detection) -> dict[str, Any]:
    """A detection for programs; a count or time that is null is beyond what any run came to."""
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
        "executions": {strategy: _executions_json(found) for strategy, found in detection.executions.items()},
        "seconds": round(detection.seconds, 6),
    }


def _executions_json(found: Executions) -> dict[str, Any]:
    """One strategy's runs; ``counts`` and ``run_seconds`` are by seed, and a null count is a run that found nothing."""
    seconds = found.seconds_spread
    return {
        **found.spread._asdict(),
        "found": found.found_count,
        "runs": len(found.counts),
        "limit": found.limit,
        "counts": list(found.counts),
        "seconds_to_detection": {
            name: value and round(value, 6) for name, value in seconds._asdict().items()
        },
        "run_seconds": [round(seconds, 6) for seconds in found.run_seconds],
        "seconds": round(sum(found.run_seconds), 6),
    }


# -- figure ------------------------------------------------------------------------------------------------------


def draw_detections(detections: Sequence[Detection], target: Path | TextIO) -> None:
    """Write a figure as SVG: of each mutant and strategy the median and the middle half, on logarithmic axes.

    At the left the schedules until the mutant is found, at the right the time. The same figures give the same bytes,
    with the same matplotlib.

    Raises:
        OSError: the file cannot be written.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - takes half a second, and only a figure needs it

    with figure_style(8):
        figure = Figure(figsize=(WIDTH_INCHES, 1.2 + ROW_INCHES * len(detections)), layout="constrained")
        of_counts, of_seconds = figure.subplots(1, 2, sharey=True)
        strategies = list(detections[0].executions)
        for index, strategy in enumerate(strategies):
            found = [one.executions[strategy] for one in detections]
            counts = [(one.spread, float(one.limit)) for one in found]
            _draw_strategy(of_counts, counts, index, strategy, len(strategies))
            longest = [(one.seconds_spread, max(one.run_seconds, default=0.0)) for one in found]
            _draw_strategy(of_seconds, longest, index, strategy, len(strategies))
        of_counts.set_yticks(range(len(detections)), [one.name for one in detections])
        of_counts.set_ylim(len(detections) - 0.5, -0.5)
        for limit in {found.limit for one in detections for found in one.executions.values()}:
            of_counts.axvline(limit, color="grey", linewidth=0.8, linestyle="dotted")
        for axes, label in (
            (of_counts, "schedules until it is found"),
            (of_seconds, "seconds until it is found"),
        ):
            axes.set_xscale("log")
            axes.set_xlabel(f"{label}: median, and middle half")
            axes.grid(axis="x", linewidth=0.3)
        handles, labels = of_counts.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
        figure.savefig(target, format="svg", metadata=FIGURE_METADATA)


def _draw_strategy(
    axes: Axes, found: Sequence[tuple[Spread, float]], index: int, strategy: str, strategy_count: int
) -> None:
    """One strategy's dots and lines, a little apart from those of the others.

    Args:
        axes: where to draw.
        found: by mutant: the spread, and the value that is drawn for what is beyond all runs.
        index: of the strategy.
        strategy: its name.
        strategy_count: how many strategies there are.
    """
    offset = (index - (strategy_count - 1) / 2) * 0.8 / strategy_count
    colour = SERIES[index % len(SERIES)]
    known, censored = [], []
    for row, (spread, beyond) in enumerate(found):
        low, high = (beyond if value is None else value for value in (spread.low, spread.high))
        axes.plot([low, high], [row + offset] * 2, color=colour, linewidth=1)
        if spread.median is None:
            censored.append((beyond, row + offset))
        else:
            known.append((spread.median, row + offset))
    _scatter(axes, known, color=colour, marker=MARKERS[index % len(MARKERS)], s=10, label=strategy)
    _scatter(axes, censored, facecolors="none", edgecolors=colour, marker=">", s=18)


def _scatter(axes: Axes, places: Sequence[tuple[float, float]], **style: Any) -> None:
    axes.scatter([x for x, _ in places], [y for _, y in places], **style)
