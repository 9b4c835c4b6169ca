"""``simulate``: what sharing costs, and how often races happen, on hardware of certain speed."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import click

from shadowshare.cli.live_progress import status
from shadowshare.cli.output import json_option, print_json, print_table
from shadowshare.cli.report_files import ReportFiles, takes_reports
from shadowshare.cli.simulation_values import SHARE, choices, fixed_values, swept_values
from shadowshare.models.experiment.histogram import Histogram
from shadowshare.models.experiment.interval import Interval, share_interval
from shadowshare.models.experiment.replications import Precision, Replications, replicate
from shadowshare.models.simulation.comparison import ComparedRun, RunFigures
from shadowshare.models.simulation.long_run import BATCH_COUNT, LongRun, measure_long
from shadowshare.models.simulation.plan import SECOND_NS, SimulationPlan
from shadowshare.models.simulation.recorded import host_names, record
from shadowshare.reports.page.simulation import simulation_page
from shadowshare.reports.simulation import (
    Basis,
    Estimate,
    Point,
    Value,
    basis_lines,
    shown,
    simulation_json,
    simulation_rows,
    simulation_table,
)
from shadowshare.reports.simulation_figures import SWEPT_MAXIMUM, draw
from shadowshare.reports.simulation_questions import QUESTIONS
from shadowshare.reports.timed_timeline import timed_timeline
from shadowshare.reports.timeline import perfetto_trace
from shadowshare.scenarios.simulation.catalogue import (
    built_in_simulation,
    load_simulation,
    simulation_names,
)
from shadowshare.scenarios.simulation.document import SimulationScenario
from shadowshare.scenarios.simulation.errors import SimulationError
from shadowshare.verify.counterexamples.scenario_words import describe

FIGURE_FORMATS = (".svg", ".png", ".pdf")
_QUESTIONS_TOLD = "\b\n" + "\n".join(f"{name:13} {question.words}" for name, question in QUESTIONS.items())
Choice = Mapping[str, Value]


@click.command(
    "simulate",
    help=f"""Simulate the protocol on devices and paths that take time, and say what sharing costs.

    Without SIMULATION: the names of the built-in ones, with their stories and parameters.

    Each figure is a mean over runs with its 95 % confidence interval. Each run is made twice with the same requests:
    as it is, and with the active alone and no shadow copies. With `--replications 1` it is one long run: how much of
    its start is left out, the run itself decides (MSER-5), and intervals are those of batch means. A trace has the
    first operations of one run.

    What can be asked, in the table and in the figure:

    {_QUESTIONS_TOLD}
    """,
)
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
    "--ask",
    "asked",
    multiple=True,
    type=click.Choice(list(QUESTIONS)),
    metavar="QUESTION",
    help="What the table and the figure answer, see above; can be given several times.",
)
@click.option(
    "--replications",
    type=click.IntRange(1, 10_000),
    metavar="N",
    help="Runs for each point; 1 for a long one.  [default: 5]",
)
@click.option(
    "--precision",
    type=SHARE,
    metavar="SHARE",
    help="Instead: as many runs as it takes (5 to 100) until mean latencies are this precise, such as 2%.",
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
@takes_reports("html", "perfetto")
@json_option
def simulate(
    name: str | None,
    path: Path | None,
    given: Sequence[str],
    sweep: Sequence[str],
    asked: Sequence[str],
    replications: int | None,
    precision: float | None,
    seed: int,
    jobs: int,
    without_baseline: bool,
    csv_path: Path | None,
    figure_path: Path | None,
    reports: ReportFiles,
    as_json: bool,
) -> None:
    """See its help above."""
    if name is None and path is None:
        _list(as_json)
        return
    scenario = _scenario(name, path)
    swept = swept_values(sweep)
    _check_figure(figure_path, list(swept))
    if precision is not None and replications is not None:
        raise SimulationError("--precision and --replications say the same in two ways: give one of them")
    chosen = choices(scenario, fixed_values(given), swept)
    runs = [ComparedRun(scenario.plan(choice), seed, not without_baseline) for choice in chosen]
    with ExitStack() as stack:
        executor = stack.enter_context(ProcessPoolExecutor(jobs)) if jobs > 1 else None
        if replications == 1:
            points = _measure_long(scenario.name, chosen, runs, executor)
        else:
            points = _measure(scenario.name, chosen, runs, _wanted(replications, precision), executor, jobs)
    if csv_path is not None:
        _write_csv(csv_path, points)
    if figure_path is not None:
        _draw(figure_path, points, list(swept), asked)
    facts = {"seed": str(seed)}
    reports.write_html(
        lambda: simulation_page(scenario.name, scenario.story, points, list(swept), asked, facts)
    )
    reports.write("perfetto", lambda: _trace(runs[0].plan, seed))
    if as_json:
        print_json(simulation_json(scenario.name, points))
        return
    headings, rows = simulation_table(points, list(swept), asked)
    if len(headings) > len(swept):
        print_table(headings, rows)
    else:
        click.echo("nothing happened of what was asked about")
    for line in basis_lines(points, list(swept)):
        click.echo(line)


def _trace(plan: SimulationPlan, seed: int) -> bytes:
    """The first operations of the first run of the first point."""
    words = partial(describe, geometry=plan.geometry)
    return perfetto_trace(timed_timeline(record(plan, (seed, 0)), host_names(plan), words))


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


def _check_figure(path: Path | None, swept: Sequence[str]) -> None:
    if path is not None and path.suffix.lower() not in FIGURE_FORMATS:
        raise SimulationError(f"{path}: a figure's name must end in {', '.join(FIGURE_FORMATS)}")
    if path is not None and len(swept) > SWEPT_MAXIMUM:
        raise SimulationError(
            f"--figure shows {SWEPT_MAXIMUM} swept parameters at most, not {len(swept)}: sweep fewer, or take --csv"
        )


def _wanted(replications: int | None, precision: float | None) -> Precision:
    """When there are enough runs: as many as were asked for, or as precise as was."""
    if precision is not None:
        return Precision(share=precision)
    count = replications or 5
    return Precision(share=_ANY, run_count_minimum=count, run_count_maximum=count)


_ANY = 1e9
"""A precision that every number of runs has."""


def _measure(
    name: str,
    chosen: Sequence[Choice],
    runs: Sequence[ComparedRun],
    precision: Precision,
    executor: Executor | None,
    jobs: int,
) -> list[Point]:
    points = []
    with status() as tell:
        for number, (choice, run) in enumerate(zip(chosen, runs, strict=True), start=1):

            def told(found: Replications, number: int = number) -> None:
                tell(f"{name}: point {number} of {len(runs)}, {len(found.figures)} runs")

            points.append(_point(choice, run, replicate(run, run.wanted(), precision, executor, jobs, told)))
    return points


def _measure_long(
    name: str, chosen: Sequence[Choice], runs: Sequence[ComparedRun], executor: Executor | None
) -> list[Point]:
    points = []
    with status() as tell:
        found = map(measure_long, runs) if executor is None else executor.map(measure_long, runs)
        for number, (choice, run, long) in enumerate(zip(chosen, runs, found, strict=True), start=1):
            tell(f"{name}: point {number} of {len(runs)}")
            points.append(_long_point(choice, run, long))
    return points


def _point(choice: Choice, run: ComparedRun, found: Replications) -> Point:
    """What all replications have in common: means with their intervals, and latencies of all together."""
    names = [name for name in found.figures[0] if all(name in figures for figures in found.figures)]
    latencies: dict[str, Histogram] = {}
    rare: dict[str, tuple[int, int]] = {}
    for figures in found.figures:
        assert isinstance(figures, RunFigures)
        for kind, histogram in figures.latencies.items():
            latencies.setdefault(kind, Histogram()).add(histogram)
        for name, (count, of_count) in figures.rare.items():
            before = rare.get(name, (0, 0))
            rare[name] = (before[0] + count, before[1] + of_count)
    basis = Basis(
        len(found.figures),
        run.plan.measured_ns / SECOND_NS,
        run.plan.warm_up_ns / SECOND_NS,
        precision=None if found.precision.share == _ANY else found.precision.share,
        imprecise=tuple(found.imprecise),
    )
    return _made(choice, {name: found.interval(name) for name in names}, latencies, rare, basis)


def _long_point(choice: Choice, run: ComparedRun, long: LongRun) -> Point:
    basis = Basis(
        1,
        long.batch_ns * BATCH_COUNT / SECOND_NS,
        run.plan.warm_up_ns / SECOND_NS,
        long.warm_up_ns / SECOND_NS,
        BATCH_COUNT,
        long.is_settled,
        long.dependent,
    )
    return _made(choice, long.intervals, long.whole.latencies, long.whole.rare, basis)


def _made(
    choice: Choice,
    intervals: Mapping[str, Interval],
    latencies: Mapping[str, Histogram],
    rare: Mapping[str, tuple[int, int]],
    basis: Basis,
) -> Point:
    estimates = {
        name: Estimate(interval.mean, interval.half_width, interval.low, interval.high)
        for name, interval in intervals.items()
    }
    for name, (count, of_count) in rare.items():
        if name in estimates:
            share = share_interval(count, of_count)
            estimates[name] = Estimate(
                share.share, estimates[name].half_width, share.low, share.high, count, of_count
            )
    curves = {kind: list(histogram.points()) for kind, histogram in latencies.items()}
    return Point(dict(choice), estimates, curves, basis)


def _write_csv(path: Path, points: Sequence[Point]) -> None:
    rows = simulation_rows(points)
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        raise SimulationError(f"{path}: cannot be written: {error.strerror}") from None


def _draw(path: Path, points: Sequence[Point], swept: Sequence[str], asked: Sequence[str]) -> None:
    try:
        draw(path, points, swept, asked)
    except OSError as error:
        raise SimulationError(f"{path}: cannot be written: {error.strerror}") from None


commands = [simulate]
