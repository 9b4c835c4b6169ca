"""The page of a simulation: an answer to each question, as a figure with its data, and what it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from shadowshare.reports.page.document import Facts, Figure, Page, Section, TableSection, Words, render
from shadowshare.reports.page.kinds import svg_element
from shadowshare.reports.simulation import Basis, Curve, Estimate, Point, basis_lines, shown, simulation_table
from shadowshare.reports.simulation_figures import SWEPT_MAXIMUM, svg_of, thinned
from shadowshare.reports.simulation_questions import QUESTIONS
from shadowshare.reports.style import SERIES
from shadowshare.reports.tables import Table

ON_PAGE = ("throughput", "latency", "tail", "copying", "recheck", "amplification", "devices")
"""What is drawn of a sweep if nothing particular is asked; besides distributions."""

DISTRIBUTION = "distribution"
_LATENCY, _RATIO = "active.write.latency_mean", "active.write.latency_mean_ratio"


def simulation_page(
    name: str,
    story: str,
    points: Sequence[Point],
    swept: Sequence[str],
    asked: Sequence[str] = (),
    facts: Mapping[str, str] | None = None,
) -> str:
    """A page without a verdict: nothing is judged in a simulation.

    Args:
        name: of the simulation.
        story: what it is about.
        points: what was measured.
        swept: names of the swept parameters.
        asked: questions; if there are none, the usual ones.
        facts: how it was run, besides.
    """
    sections: list[Section] = [Words("", [story])]
    sections += _figures(points, swept, asked)
    sections.append(TableSection("In numbers", simulation_table(points, swept, asked), "figures"))
    fixed = {key: shown(value) for key, value in points[0].parameters.items() if key not in swept}
    rests_on = "; ".join(basis_lines(points, swept))
    sections.append(Facts("What was run", {**fixed, "rests on": rests_on, **(facts or {})}))
    return render(Page(f"simulation {name}", None, _headline(points, swept), sections))


def simulated_run_page(figures: Mapping[str, float], curves: Mapping[str, Curve]) -> str:
    """One run of a simulation: how latencies are distributed, and every figure.

    Args:
        figures: by name, times in seconds.
        curves: latencies, by role and verb in words.
    """
    estimates = {name: Estimate(value, 0.0, value, value) for name, value in figures.items()}
    points = [Point({}, estimates, curves, Basis(1, 0.0, 0.0))]
    table = (["figure", "value"], [[name, f"{value:.6g}"] for name, value in figures.items()])
    sections: list[Section] = [
        *_figures(points, [], [DISTRIBUTION]),
        TableSection("In numbers", table, "figures"),
    ]
    return render(Page("one run of a simulation", None, _headline(points, []), sections))


def _headline(points: Sequence[Point], swept: Sequence[str]) -> str:
    first, last = points[0], points[-1]
    if _LATENCY not in first.estimates or _LATENCY not in last.estimates:
        return "What sharing costs."
    before, after = (f"{one.estimates[_LATENCY].mean * 1e6:,.4g}" for one in (first, last))
    if swept and len(points) > 1:
        places = [f"{swept[0]} {shown(one.parameters[swept[0]])}" for one in (first, last)]
        return f"A write takes {before} us on average at {places[0]}, and {after} us at {places[1]}."
    ratio = first.estimates.get(_RATIO)
    times = "" if ratio is None else f", {ratio.mean:.2g} times what it takes without shadow copies"
    return f"A write takes {before} us on average{times}."


def _figures(points: Sequence[Point], swept: Sequence[str], asked: Sequence[str]) -> Iterator[Figure]:
    """An answer to each question that can be answered with a figure."""
    for one, data in _answers(points, swept, asked):
        yield Figure(
            QUESTIONS[one].words if one == DISTRIBUTION else "",
            svg_element(svg_of(points, swept, one)),
            _caption(one),
            data,
            one,
            is_wide=one == DISTRIBUTION,
        )


def _caption(question: str) -> str:
    if question == DISTRIBUTION:
        return "The share of requests that take no longer than so many microseconds; dashed: without shadow copies."
    return "Means, with their 95 % intervals."


def _answers(
    points: Sequence[Point], swept: Sequence[str], asked: Sequence[str]
) -> Iterator[tuple[str, Table]]:
    """The questions that can be answered with a figure, and the data of each."""
    can_draw = len(swept) <= SWEPT_MAXIMUM
    for one in asked or (*(ON_PAGE if swept else ()), DISTRIBUTION):
        if one == DISTRIBUTION and (asked or len(points) <= len(SERIES)):
            yield one, _curves(points, swept)
        elif can_draw and any(
            figure in point.estimates for figure in QUESTIONS[one].figures for point in points
        ):
            yield one, _estimates(points, swept, one)


def _estimates(points: Sequence[Point], swept: Sequence[str], question: str) -> Table:
    columns, rows = [*swept, "figure", "unit", "mean", "low", "high"], []
    unit = QUESTIONS[question].unit
    for point in points:
        values = [shown(point.parameters[key]) for key in swept]
        for name, figure in QUESTIONS[question].figures.items():
            if name in point.estimates:
                found = point.estimates[name]
                numbers = [f"{value * figure.factor:.6g}" for value in (found.mean, found.low, found.high)]
                rows.append([*values, name, unit, *numbers])
    return columns, rows


def _curves(points: Sequence[Point], swept: Sequence[str]) -> Table:
    rows = [
        [*(shown(point.parameters[key]) for key in swept), kind, f"{time_us:.6g}", f"{share:.6g}"]
        for point in points
        for kind, curve in point.curves.items()
        for time_us, share in thinned(curve)
    ]
    return [*swept, "requests", "latency_us", "share"], rows
