"""Figures of simulations: each panel answers one question, which is its title."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from shadowshare.reports.simulation import Curve, Point, Value, shown
from shadowshare.reports.simulation_questions import IN_FIGURE, QUESTIONS, Figure
from shadowshare.reports.style import FIGURE_METADATA, MARKERS, SERIES, figure_style

SWEPT_MAXIMUM = 2
_WITHOUT = "without shadow copies"
_ROLES = {"active": "the active", "passives": "a passive"}
_STYLES = ("-", "--", ":", "-.")
_SHARE_SEEN = 1 / 250
_PANEL_INCHES = (4.2, 3.4)
_COLUMN_COUNT = 3


def draw(path: Path, points: Sequence[Point], swept: Sequence[str], asked: Sequence[str] = ()) -> None:
    """Draw a figure into a file whose ending says the format.

    A question has a panel: its figures against the first swept parameter, with a curve for each value of the second
    one. Distributions have a panel for each kind of request, with a curve for each point.

    Args:
        path: of the file.
        points: what was measured.
        swept: names of the swept parameters, at most `SWEPT_MAXIMUM`.
        asked: questions; if there are none, the usual ones.

    Raises:
        ValueError: no figure can have this ending.
        OSError: the file cannot be written.
    """
    with figure_style():
        canvas = _canvas(points, swept, asked or (IN_FIGURE if swept else ("distribution",)))
        is_svg = path.suffix.lower() == ".svg"
        canvas.savefig(path, metadata=dict(FIGURE_METADATA) if is_svg else None)


def svg_of(points: Sequence[Point], swept: Sequence[str], question: str) -> str:
    """The figure for one question, as an SVG document; the same points give the same text."""
    text = StringIO()
    with figure_style():
        _canvas(points, swept, [question]).savefig(text, format="svg", metadata=dict(FIGURE_METADATA))
    return text.getvalue()


def _canvas(points: Sequence[Point], swept: Sequence[str], asked: Sequence[str]) -> Any:
    from matplotlib.figure import Figure as Canvas  # noqa: PLC0415 - takes half a second, and only a figure needs it

    panels = [panel for name in asked for panel in _panels(name, points, swept)]
    column_count = min(len(panels), _COLUMN_COUNT)
    row_count = -(-len(panels) // column_count)
    width, height = _PANEL_INCHES
    canvas = Canvas(figsize=(width * column_count, height * row_count), layout="constrained")
    places = list(canvas.subplots(row_count, column_count, squeeze=False).flat)
    for axes, panel in zip(places, panels, strict=False):
        panel(axes)
    for axes in places[len(panels) :]:
        axes.set_visible(False)
    return canvas


def _panels(name: str, points: Sequence[Point], swept: Sequence[str]) -> Iterator[Any]:
    """Functions that draw into axes."""
    question = QUESTIONS[name]
    if not question.figures:
        kinds = sorted({kind.removesuffix(f" {_WITHOUT}") for point in points for kind in point.curves})
        for kind in kinds:
            if kind.split()[-1] in ("read", "write"):
                yield lambda axes, kind=kind: _draw_curves(axes, points, swept, kind)
    elif swept:
        yield lambda axes: _draw_question(axes, points, swept, name)
    else:
        yield lambda axes: _draw_bars(axes, points[0], name)


def _draw_question(axes: Any, points: Sequence[Point], swept: Sequence[str], name: str) -> None:
    """Each figure of a question against the first swept parameter; colours are the second one's values."""
    question = QUESTIONS[name]
    groups: dict[tuple[Value, ...], list[Point]] = {}
    for point in points:
        groups.setdefault(tuple(point.parameters[other] for other in swept[1:]), []).append(point)
    values = list(dict.fromkeys(point.parameters[swept[0]] for point in points))
    places = _places(values)
    for number, (others, group) in enumerate(groups.items()):
        for style, (figure_name, figure) in enumerate(question.figures.items()):
            colour = number if others else style
            words = [figure.curve] * (len(question.figures) > 1 or not others)
            words += [f"{_words(swept[1])} {shown(others[0])}"] if others else []
            _draw_line(axes, group, swept[0], places, figure_name, figure, colour, style, ", ".join(words))
    _label_values(axes, values, places)
    axes.set_title(question.words, fontsize="medium")
    axes.set_xlabel(_words(swept[0]))
    axes.set_ylabel(question.unit)
    axes.set_ylim(bottom=0)
    axes.grid(visible=True)
    _add_legend(axes)


def _add_legend(axes: Any) -> None:
    """Name the curves; where there is none, nothing happened that would answer the question."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize="small")
    else:
        axes.text(0.5, 0.5, "nothing of the kind happened", transform=axes.transAxes, ha="center")


def _draw_line(
    axes: Any,
    points: Sequence[Point],
    swept: str,
    places: Mapping[Value, float],
    name: str,
    figure: Figure,
    colour: int,
    style: int,
    label: str,
) -> None:
    found = [
        (places[point.parameters[swept]], point.estimates[name])
        for point in points
        if name in point.estimates
    ]
    if not found:
        return
    means = [estimate.mean * figure.factor for _, estimate in found]
    below = [(estimate.mean - estimate.low) * figure.factor for _, estimate in found]
    above = [(estimate.high - estimate.mean) * figure.factor for _, estimate in found]
    axes.errorbar(
        [place for place, _ in found],
        means,
        [below, above],
        marker=MARKERS[colour % len(MARKERS)],
        markersize=4,
        linestyle=_STYLES[style % len(_STYLES)],
        color=SERIES[colour % len(SERIES)],
        capsize=3,
        label=label,
    )


def _places(values: Sequence[Value]) -> dict[Value, float]:
    """Where the values of a parameter are on the axis: words side by side, numbers where they belong."""
    numbers = [value for value in values if not isinstance(value, str)]
    if len(numbers) < len(values):
        return {value: float(place) for place, value in enumerate(values)}
    return {value: float(value) for value in numbers}


def _label_values(axes: Any, values: Sequence[Value], places: Mapping[Value, float]) -> None:
    """Name the values that were simulated; along a logarithmic axis if they span more than a factor of 8."""
    lowest, highest = min(places.values()), max(places.values())
    if lowest > 0 and highest >= 8 * lowest:
        axes.set_xscale("log")
    axes.set_xticks(list(places.values()), [shown(value) for value in values])
    axes.set_xticks([], minor=True)


def _draw_bars(axes: Any, point: Point, name: str) -> None:
    """The figures of a question at a single point."""
    question = QUESTIONS[name]
    found = [
        (figure, point.estimates[key]) for key, figure in question.figures.items() if key in point.estimates
    ]
    for place, (figure, estimate) in enumerate(found):
        ends = [
            [(estimate.mean - estimate.low) * figure.factor],
            [(estimate.high - estimate.mean) * figure.factor],
        ]
        axes.bar(place, estimate.mean * figure.factor, 0.6, yerr=ends, capsize=3, color=SERIES[place])
    axes.set_xticks(range(len(found)), [figure.curve for figure, _ in found])
    axes.set_title(question.words, fontsize="medium")
    axes.set_ylabel(question.unit)


def _draw_curves(axes: Any, points: Sequence[Point], swept: Sequence[str], kind: str) -> None:
    """The distribution of one kind of latency: a colour for each point, dashed without shadow copies."""
    from matplotlib.ticker import LogLocator  # noqa: PLC0415 - as for `_canvas`

    for number, point in enumerate(points):
        colour = SERIES[number % len(SERIES)]
        values = ", ".join(f"{_words(name)} {shown(point.parameters[name])}" for name in swept)
        _draw_curve(axes, point.curves.get(kind, ()), values or "with shadow copies", color=colour)
        without = point.curves.get(f"{kind} {_WITHOUT}", ())
        _draw_curve(axes, without, "" if number else _WITHOUT, color=colour, linestyle="--")
    role, verb = kind.split()
    axes.set_xscale("log", subs=())
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_title(f"How long does a {verb} of {_ROLES[role]} take?", fontsize="medium")
    axes.set_xlabel("latency, us")
    axes.set_ylabel("share of requests that take no longer")
    axes.grid(visible=True)
    _add_legend(axes)


def _draw_curve(axes: Any, curve: Curve, label: str, **style: str) -> None:
    if curve:
        times_us, shares = zip(*thinned(curve), strict=True)
        axes.plot(times_us, shares, drawstyle="steps-post", label=label or None, **style)


def thinned(curve: Curve) -> Iterator[tuple[float, float]]:
    """The points of a curve that can be seen, in microseconds."""
    before = -1.0
    for latency_ns, share in curve:
        if share - before >= _SHARE_SEEN or share == curve[-1][1]:
            yield latency_ns / 1e3, share
            before = share


def _words(name: str) -> str:
    """A parameter's name, or a field's place, in words."""
    return name.rpartition(".")[2].replace("_", " ")
