"""``gate``: everything that is to be checked before a change goes in, and one verdict."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import click

from shadowshare.cli import EXIT_FAILED, EXIT_VIOLATED
from shadowshare.cli.live_progress import status
from shadowshare.cli.output import json_option, print_json, print_table, print_verdict
from shadowshare.cli.report_files import ReportFiles, takes_reports
from shadowshare.cli.scenario_choice import FILES, MUTANT, find_implementation, own_scenarios
from shadowshare.models.computers import Implementation
from shadowshare.protocol.errors import ShadowshareError
from shadowshare.reports.gate import (
    gate_json,
    gate_junit,
    gate_remarks,
    gate_table,
    github_annotations,
    github_summary,
)
from shadowshare.reports.page.kinds import gate_page
from shadowshare.scenarios.catalogue import built_in, built_in_names
from shadowshare.scenarios.definition import parse_scenario
from shadowshare.sim.schedule import parse_schedule
from shadowshare.verify.gate.check import Check, GateResult
from shadowshare.verify.gate.gate import GatePlan, Tell, run_gate
from shadowshare.verify.gate.regressions import regressions_in
from shadowshare.verify.gate.seed import seed_of_commit
from shadowshare.verify.story.storyboard import Storyboard, storyboard_of

_FILE = click.Path(path_type=Path)
_EXIT_CODES = {"verified": 0, "violated": EXIT_VIOLATED, "unknown": EXIT_FAILED}


class ImplementationError(ShadowshareError):
    """What is to be put through the gate cannot be found."""


@click.command()
@FILES
@MUTANT
@click.option(
    "--implementation",
    "implementation_path",
    metavar="MODULE:NAME",
    help="Put your own implementation through the gate: an Implementation in a module.",
)
@click.option(
    "--seconds", type=click.FloatRange(0), default=60.0, show_default=True, help="How long to generate races."
)
@click.option("--seed", type=click.IntRange(0), help="Of what is drawn.  [default: the commit]")
@click.option("--jobs", type=click.IntRange(1, 256), default=2, show_default=True, help="Processes.")
@click.option(
    "--mutant-share",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="Share of the mutants with which the gate itself is tested; which ones changes with the seed.",
)
@click.option(
    "--regressions",
    "regressions_folder",
    type=_FILE,
    help="Folder of failures that must not come back.  [default: tests/regressions, if it is there]",
)
@click.option("--junit", "junit_file", type=_FILE, help="Also write the result as JUnit XML.")
@takes_reports("html")
@json_option
def gate(
    files: tuple[Path, ...],
    mutant_name: str | None,
    implementation_path: str | None,
    seconds: float,
    seed: int | None,
    jobs: int,
    mutant_share: float,
    regressions_folder: Path | None,
    junit_file: Path | None,
    reports: ReportFiles,
    as_json: bool,
) -> None:
    """Check everything: failures of the past, all scenarios exhaustively, determinism, mutants, generated races.

    What is generated depends on the commit (or the seed): each commit explores anew, the same commit the same. On
    GitHub, annotations and a summary of the job are written, too.

    Example: shadowshare gate

    Example: shadowshare gate --seconds 600 --junit gate.xml

    Example: shadowshare gate --implementation my_reader:implementation

    Exit code: 0 verified; 1 violated; 2 unknown, or anything else.
    """
    if mutant_name is not None and implementation_path is not None:
        raise click.UsageError("--mutant and --implementation each name the code to check: give one of them")
    chosen = find_implementation(mutant_name)
    if implementation_path is not None:
        chosen = import_implementation(implementation_path)
    if seed is None:
        seed = seed_of_commit() or 0
    plan = GatePlan(
        chosen,
        [*own_scenarios(files).values(), *map(built_in, built_in_names())],
        regressions=regressions_in(regressions_folder, chosen),
        seconds=seconds,
        seed=seed,
        jobs=jobs,
        mutant_share=mutant_share,
    )
    with _progress() as tell:
        result = run_gate(plan, tell)
    if junit_file is not None:
        junit_file.write_text(gate_junit(result), encoding="utf-8")
    reports.write_html(lambda: gate_page(result, _boards(result, plan, mutant_name)))
    _tell_github(result)
    if as_json:
        print_json(gate_json(result))
    else:
        _print(result)
    sys.exit(_EXIT_CODES[result.verdict])


def import_implementation(path: str) -> Implementation:
    """The implementation that ``module:name`` means; modules of the working directory are found, too.

    Raises:
        ImplementationError: there is none.
    """
    module_name, colon, name = path.partition(":")
    if not colon or not module_name or not name:
        raise ImplementationError(f"{path!r} names no implementation: write MODULE:NAME")
    sys.path.insert(0, "")
    try:
        found = getattr(import_module(module_name), name, None)
    except Exception as error:  # noqa: BLE001 - whatever the user's module raises, it cannot be used
        raise ImplementationError(
            f"module {module_name!r} cannot be imported: {type(error).__name__}: {error}"
        ) from None
    if not isinstance(found, Implementation):
        raise ImplementationError(
            f"{path!r} is no Implementation (shadowshare.models.computers.Implementation), but {found!r}"
        )
    return found


@contextmanager
def _progress() -> Iterator[Tell]:
    """A line that says what was checked last."""
    counts: dict[str, int] = {}
    with status() as say:

        def tell(check: Check, waiting_count: int) -> None:
            counts[check.stage] = counts.get(check.stage, 0) + 1
            done = ", ".join(f"{count} {stage}" for stage, count in counts.items())
            say(f"{done}; {waiting_count} checks wait; last: {check.name}")

        yield tell


def _boards(result: GateResult, plan: GatePlan, mutant_name: str | None) -> list[Storyboard]:
    """What violates something, as stories; of mutants that survive there is none."""
    own = {scenario.name: scenario for scenario in plan.scenarios}
    boards = []
    for check in result.checks:
        if check.verdict != "violated" or check.schedule is None or check.stage == "mutants":
            continue
        schedule = parse_schedule(check.schedule)
        text = check.scenario_text
        scenario = own[schedule.scenario] if text is None else parse_scenario(text)
        files = [] if text is None else ["race.toml"]
        boards.append(storyboard_of(scenario, schedule.labels, plan.implementation, files, mutant_name))
    return boards


def _tell_github(result: GateResult) -> None:
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return
    for line in github_annotations(result):
        click.echo(line, err=True)
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(github_summary(result))


def _print(result: GateResult) -> None:
    head = f"gate: {result.verdict}, seed {result.seed}, {result.seconds:.1f} s"
    print_verdict(result.verdict, head)
    click.echo()
    print_table(*gate_table(result))
    click.echo()
    for remark in gate_remarks(result):
        click.echo(remark)
    for check in result.checks:
        if check.verdict != "verified":
            _print_check(check)


def _print_check(check: Check) -> None:
    click.echo(f"\n{check.verdict}: {check.stage}: {check.name}: {check.reason}")
    if check.scenario_text is not None:
        click.echo(f"\n{check.scenario_text.rstrip()}\n")
        click.echo("save the lines above as race.toml, then:")
    if check.schedule is not None:
        file = " --file race.toml" if check.scenario_text is not None else ""
        click.echo(f"replay: shadowshare replay '{check.schedule}'{file}")


commands = [gate]
