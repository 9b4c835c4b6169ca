"""``simulate``: what sharing costs, and how often races happen, on hardware of certain speed."""

from __future__ import annotations

import csv
import math
import os
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import ExitStack
from itertools import product
from pathlib import Path

import click

from shadowshare.cli.live_progress import status
from shadowshare.cli.output import json_option, print_json, print_table
from shadowshare.models.experiment.histogram import Histogram
from shadowshare.models.experiment.replications import Precision, Replications, replicate
from shadowshare.models.simulation.comparison import ComparedRun, RunFigures
from shadowshare.reports.simulation import (
    Point,
    Value,
    draw,
    shown,
    simulation_json,
    simulation_rows,
    simulation_table,
)
from shadowshare.scenarios.simulation.catalogue import (
    built_in_simulation,
    load_simulation,
    simulation_names,
)
from shadowshare.scenarios.simulation.document import SimulationScenario
from shadowshare.scenarios.simulation.errors import SimulationError

_WORD = re.compile(r"[A-Za-z./~][\w./~-]*", re.ASCII)
"""A value that is no number: a name, or a path."""

FIGURE_FORMATS = (".svg", ".png", ".pdf")
POINT_COUNT_MAXIMUM = 1000
Values = Mapping[str, list[Value]]


@click.command("simulate")
@click.argument("name", metavar="[SIMULATION]", required=False)
@click.option("--file", "path", type=click.Path(path_type=Path), help="A simulation file of your own.")
@click.option(
    "--set",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="Give a parameter, or a field by its place (device.servers), a value.",
)
@click.option(
    "--sweep",
    multiple=True,
    metavar="NAME=VALUES",
    help="Several values: 1,2,5; or 1..64, which doubles from 1 to 64.",
)
@click.option(
    "--replications", type=click.IntRange(2, 10_000), metavar="N", help="Runs for each point.  [default: 5]"
)
@click.option(
    "--precision",
    type=click.FloatRange(0, 1, min_open=True),
    metavar="SHARE",
    help="Instead: as many runs as it takes (5 to 100) until mean latencies are this precise, such as 0.02.",
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of everything random.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 256),
    default=lambda: os.cpu_count() or 1,
    metavar="N",
    help="Processes that share the runs. The result is the same.  [default: all processors]",
)
@click.option("--without-baseline", is_flag=True, help="Do not run each point without shadow copies, too.")
@click.option("--csv", "csv_path", type=click.Path(path_type=Path), help="Write every figure to a file.")
@click.option("--figure", "figure_path", type=click.Path(path_type=Path), help="Draw: .svg, .png or .pdf.")
@json_option
def simulate(
    name: str | None,
    path: Path | None,
    given: Sequence[str],
    sweep: Sequence[str],
    replications: int | None,
    precision: float | None,
    seed: int,
    jobs: int,
    without_baseline: bool,
    csv_path: Path | None,
    figure_path: Path | None,
    as_json: bool,
) -> None:
    """Simulate the protocol on devices and paths that take time, and say what sharing costs.

    Without SIMULATION: the names of the built-in ones, with their stories and parameters.

    Each figure is a mean over runs with its 95 % confidence interval. Each run is made twice with the same requests:
    as it is, and with the active alone and no shadow copies.
    """
    if name is None and path is None:
        _list(as_json)
        return
    scenario = _scenario(name, path)
    _check_figure(figure_path)
    swept = dict(_parse(one, "--sweep") for one in sweep)
    fixed = {key: values[0] for key, values in (_parse(one, "--set") for one in given)}
    if precision is not None and replications is not None:
        raise SimulationError("--precision and --replications say the same in two ways: give one of them")
    count = replications or 5
    wanted = Precision(share=1e9, run_count_minimum=count, run_count_maximum=count)
    if precision is not None:
        wanted = Precision(share=precision)
    choices = _choices(scenario, fixed, swept)
    runs = [ComparedRun(scenario.plan(choice), seed, not without_baseline) for choice in choices]
    with ExitStack() as stack:
        executor = stack.enter_context(ProcessPoolExecutor(jobs)) if jobs > 1 else None
        points = _measure(scenario, choices, runs, wanted, executor, jobs)
    if csv_path is not None:
        _write_csv(csv_path, points)
    if figure_path is not None:
        _draw(figure_path, points, next(iter(swept), None))
    if as_json:
        print_json(simulation_json(scenario.name, points))
        return
    print_table(*simulation_table(points, list(swept)))
    if not all(point.is_precise for point in points):
        click.echo(f"not as precise as asked after {wanted.run_count_maximum} runs: see ±", err=True)


def _list(as_json: bool) -> None:
    scenarios = [built_in_simulation(name) for name in simulation_names()]
    if as_json:
        print_json(
            [{"name": one.name, "story": one.story, "parameters": dict(one.parameters)} for one in scenarios]
        )
        return
    for one in scenarios:
        told = ", ".join(f"{name}={shown(value)}" for name, value in one.parameters.items())
        click.echo(f"{one.name} ({told})\n  {one.story}\n")


def _scenario(name: str | None, path: Path | None) -> SimulationScenario:
    if path is None:
        return built_in_simulation(name or "")
    if name is not None:
        raise SimulationError("give either the name of a simulation or --file, not both")
    return load_simulation(path)


def _check_figure(path: Path | None) -> None:
    if path is not None and path.suffix.lower() not in FIGURE_FORMATS:
        raise SimulationError(f"{path}: a figure's name must end in {', '.join(FIGURE_FORMATS)}")


def _parse(text: str, option: str) -> tuple[str, list[Value]]:
    """A parameter's name, or a field's place, and its values; integers stay integers."""
    name, equals, values = text.partition("=")
    try:
        if not (name and equals):
            raise ValueError
        first, dots, last = values.partition("..")
        if not dots or option == "--set":
            found = [_value(one.strip()) for one in values.split(",")]
            if option == "--set" and len(found) > 1:
                raise ValueError
            return name, found
        return name, _doubled(_number(first), _number(last))
    except ValueError:
        example = "readers=4" if option == "--set" else "readers=1,2,5 or readers=1..64"
        raise SimulationError(f"{option} {text!r} cannot be read: write it as in {example}") from None


def _doubled(first: float, last: float) -> list[Value]:
    """From the first to the last, each twice the one before."""
    if first <= 0 or last < first:
        raise ValueError
    found: list[Value] = []
    while first < last:
        found.append(first)
        first *= 2
    return [*found, last]


def _value(text: str) -> Value:
    """A number; true or false; or a word."""
    if text in ("true", "false"):
        return text == "true"
    try:
        return _number(text)
    except ValueError:
        if not _WORD.fullmatch(text) or text in ("nan", "inf"):
            raise
    return text


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError
    return int(text) if text.strip().lstrip("-").isdigit() else value


def _choices(
    scenario: SimulationScenario, fixed: Mapping[str, Value], swept: Values
) -> list[dict[str, Value]]:
    """All combinations of the swept values, each with the other parameters."""
    combinations = [dict(zip(swept, values, strict=True)) for values in product(*swept.values())]
    if len(combinations) > POINT_COUNT_MAXIMUM:
        raise SimulationError(
            f"--sweep asks for {len(combinations)} points; at most {POINT_COUNT_MAXIMUM} will do"
        )
    return [{**scenario.parameters, **fixed, **combination} for combination in combinations]


def _measure(
    scenario: SimulationScenario,
    choices: Sequence[Mapping[str, Value]],
    runs: Sequence[ComparedRun],
    precision: Precision,
    executor: Executor | None,
    jobs: int,
) -> list[Point]:
    points = []
    with status() as tell:
        for number, (choice, run) in enumerate(zip(choices, runs, strict=True), start=1):

            def told(found: Replications, number: int = number) -> None:
                tell(f"{scenario.name}: point {number} of {len(runs)}, {len(found.figures)} runs")

            found = replicate(run, run.wanted(), precision, executor, jobs, told)
            points.append(_point(choice, found))
    return points


def _point(choice: Mapping[str, Value], found: Replications) -> Point:
    """What all replications have in common: means with their intervals, and latencies of all together."""
    names = [name for name in found.figures[0] if all(name in figures for figures in found.figures)]
    latencies: dict[str, Histogram] = {}
    for figures in found.figures:
        assert isinstance(figures, RunFigures)
        for kind, histogram in figures.latencies.items():
            latencies.setdefault(kind, Histogram()).add(histogram)
    intervals = {name: found.interval(name) for name in names}
    return Point(
        dict(choice),
        {name: (interval.mean, interval.half_width) for name, interval in intervals.items()},
        {kind: list(histogram.points()) for kind, histogram in latencies.items()},
        len(found.figures),
        not found.imprecise,
    )


def _write_csv(path: Path, points: Sequence[Point]) -> None:
    rows = simulation_rows(points)
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        raise SimulationError(f"{path}: cannot be written: {error.strerror}") from None


def _draw(path: Path, points: Sequence[Point], swept: str | None) -> None:
    try:
        draw(path, points, swept)
    except OSError as error:
        raise SimulationError(f"{path}: cannot be written: {error.strerror}") from None


commands = [simulate]
