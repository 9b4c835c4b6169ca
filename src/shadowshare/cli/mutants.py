"""``mutants``: bugs on purpose, every one of which must be found."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from shadowshare.cli import EXIT_VIOLATED
from shadowshare.cli.exploration_options import JOB_COUNT_MAXIMUM, UnfitOption
from shadowshare.cli.output import json_option, print_json, print_table
from shadowshare.cli.report_files import ReportFiles, takes_reports
from shadowshare.cli.terminal import bar
from shadowshare.protocol.errors import ShadowshareError
from shadowshare.reports.mutant_matrix import detection_json, detection_table, draw_detections
from shadowshare.reports.page.kinds import mutants_page
from shadowshare.verify.detection import (
    EXECUTION_COUNT_MAXIMUM,
    SEED_COUNT,
    Detection,
    DetectionPlan,
    detect_all,
    drawing_strategy_names,
)
from shadowshare.verify.exploration.search import STATE_COUNT_MAXIMUM
from shadowshare.verify.mutants.catalogue import MUTANTS, mutant

_COUNT = click.IntRange(1)


class NotTold(ShadowshareError):
    """Of some mutants it could not be told whether they survive."""


@click.command()
@click.argument("names", nargs=-1)
@click.option(
    "--strategy",
    "strategies",
    multiple=True,
    metavar="NAME",
    help=f"Also count the schedules until a strategy finds it (may be given several times): "
    f"{', '.join(drawing_strategy_names())}, or module:Class of your own.",
)
@click.option("--seeds", type=_COUNT, metavar="N", help=f"Runs of each strategy.  [default: {SEED_COUNT}]")
@click.option(
    "--max-executions",
    type=_COUNT,
    metavar="N",
    help=f"Schedules that a run draws at most.  [default: {EXECUTION_COUNT_MAXIMUM:,}]",
)
@click.option(
    "--max-states",
    type=_COUNT,
    default=STATE_COUNT_MAXIMUM,
    metavar="N",
    help=f"States that an exhaustive exploration meets at most.  [default: {STATE_COUNT_MAXIMUM:,}]",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, JOB_COUNT_MAXIMUM),
    default=1,
    metavar="N",
    help="Processes that share the mutants.  [default: 1]",
)
@click.option(
    "--figure",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    metavar="FILE.svg",
    help="Draw the counts of schedules.",
)
@takes_reports("html")
@json_option
def mutants(
    names: tuple[str, ...],
    strategies: tuple[str, ...],
    seeds: int | None,
    max_executions: int | None,
    max_states: int,
    jobs: int,
    figure: Path | None,
    reports: ReportFiles,
    as_json: bool,
) -> None:
    """Run the protocol with bugs on purpose: those named, or all. Each must be found in its scenario.

    Every interleaving of the scenario is explored, until one shows the bug. With --strategy schedules are drawn as
    well, to see how soon that finds it: the median of the runs, and the middle half of them. A run that does not find
    it counts as one that needs more.

    Example: shadowshare mutants

    Example: shadowshare mutants no-recheck no-fence --json

    Example: shadowshare mutants --strategy random --strategy urw --jobs 2 --figure detection.svg

    Exit code: 0 all were found; 1 one survives all interleavings of its scenario; 2 anything else.
    """
    _check_options(strategies, seeds, max_executions, figure)
    chosen = [mutant(name).name for name in names] or [bug.name for bug in MUTANTS]
    plan = DetectionPlan(
        strategies, seeds or SEED_COUNT, max_executions or EXECUTION_COUNT_MAXIMUM, max_states
    )
    found: list[Detection] = []
    with bar("mutants") as tell:
        tell(0, len(chosen), "")
        for detection in detect_all(chosen, plan, jobs):
            found.append(detection)
            tell(len(found), len(chosen), f"last: {detection.name}")
    if figure is not None:
        draw_detections(found, figure)
    reports.write_html(lambda: mutants_page(found, {bug.name: bug.story for bug in MUTANTS}))
    if as_json:
        print_json({"mutants": [detection_json(detection) for detection in found]})
    else:
        print_table(*detection_table(found))
        click.echo(f"\n{sum(one.is_killed for one in found)} of {len(found)} mutants killed")
    _end_as(found)


def _check_options(
    strategies: Sequence[str], seeds: int | None, max_executions: int | None, figure: Path | None
) -> None:
    """An option that changes nothing would look like one that was heeded."""
    given = {"--seeds": seeds, "--max-executions": max_executions, "--figure": figure}
    for option, value in given.items():
        if value is not None and not strategies:
            raise UnfitOption(f"{option} is about drawn schedules: name a strategy with --strategy")
    if figure is not None and figure.suffix != ".svg":
        raise UnfitOption(f"--figure writes SVG, so the name must end in .svg, not {figure.name!r}")
    if figure is not None and not figure.parent.is_dir():
        raise UnfitOption(f"--figure: there is no folder {str(figure.parent)!r}")


def _end_as(found: Sequence[Detection]) -> None:
    """End with 1 if a mutant survives.

    Raises:
        NotTold: none survives for certain, but some were not found either.
    """
    survivors = [one for one in found if one.verdict == "verified"]
    for one in survivors:
        click.echo(f"shadowshare: {one.name} survives every interleaving of {one.scenario}", err=True)
    if survivors:
        sys.exit(EXIT_VIOLATED)
    unknown = [f"{one.name} ({one.scenario}: {one.reason})" for one in found if not one.is_killed]
    if unknown:
        raise NotTold(f"cannot tell whether these mutants survive: {'; '.join(unknown)}")


commands = [mutants]
