"""``gate``: everything that is to be checked before a change goes in, and one verdict."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from shadowshare.cli import EXIT_FAILED, EXIT_VIOLATED
from shadowshare.cli.code_choice import CodeChoice, takes_code
from shadowshare.cli.exploration_options import UnfitOption
from shadowshare.cli.output import json_option, print_json, print_table, print_verdict
from shadowshare.cli.report_files import ReportFiles, takes_reports
from shadowshare.cli.scenario_choice import FILES, own_scenarios
from shadowshare.cli.terminal import bar
from shadowshare.reports.gate import (
    TITLES,
    gate_json,
    gate_junit,
    gate_remarks,
    gate_table,
    github_annotations,
    github_summary,
)
from shadowshare.reports.page.kinds import gate_page
from shadowshare.scenarios.catalogue import built_in, built_in_names
from shadowshare.scenarios.definition import Scenario, parse_scenario
from shadowshare.sim.schedule import parse_schedule
from shadowshare.verify.counterexamples.counterexample import replay_command
from shadowshare.verify.gate.check import Check, GateResult
from shadowshare.verify.gate.gate import Tell, run_gate
from shadowshare.verify.gate.plan import GatePlan
from shadowshare.verify.gate.regressions import regressions_in
from shadowshare.verify.gate.seed import seed_of_commit
from shadowshare.verify.story.storyboard import Storyboard, storyboard_of

_FILE = click.Path(path_type=Path)
_EXIT_CODES = {"verified": 0, "violated": EXIT_VIOLATED, "unknown": EXIT_FAILED}
_SECONDS = 60.0
RACE_FILE = "race.toml"
"""What a generated scenario is to be saved as, before its schedule is replayed."""


@click.command()
@FILES
@takes_code
@click.option(
    "--seconds", type=click.FloatRange(0), help=f"How long to generate races.  [default: {_SECONDS:g}]"
)
@click.option(
    "--races",
    "race_count",
    type=click.IntRange(1),
    metavar="N",
    help="Generate so many races, however long it takes: the same commit gives the same result.",
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
@click.option(
    "--keep-going", "keeps_going", is_flag=True, help="Check everything, also when something is violated."
)
@takes_reports("junit", "html")
@json_option
def gate(
    files: tuple[Path, ...],
    code: CodeChoice,
    seconds: float | None,
    race_count: int | None,
    seed: int | None,
    jobs: int,
    mutant_share: float,
    regressions_folder: Path | None,
    keeps_going: bool,
    reports: ReportFiles,
    as_json: bool,
) -> None:
    """Check everything: failures of the past, all scenarios exhaustively, determinism, mutants, generated races.

    What is generated depends on the commit (or the seed): each commit explores anew, the same commit the same. The
    first violation ends it. On GitHub, annotations and a summary of the job are written, too.

    Example: shadowshare gate

    Example: shadowshare gate --seconds 600 --junit gate.xml

    Example: shadowshare gate --races 200 --json

    Example: shadowshare gate --implementation my_reader:implementation

    Exit code: 0 verified; 1 violated; 2 unknown, or anything else.
    """
    if seconds is not None and race_count is not None:
        raise UnfitOption("--seconds and --races each say how many races to generate: give one of them")
    own = own_scenarios(files)
    plan = GatePlan(
        code.implementation,
        [*own.values(), *map(built_in, built_in_names())],
        regressions=regressions_in(regressions_folder, code.implementation),
        seconds=_SECONDS if seconds is None else seconds,
        race_count=race_count,
        seed=(seed_of_commit() or 0) if seed is None else seed,
        jobs=jobs,
        mutant_share=mutant_share,
        keeps_going=keeps_going,
    )
    finder = _Finder(code, own, files)
    with _progress(finder, tells_at_once=keeps_going) as tell:
        result = run_gate(plan, tell)
    reports.write("junit", lambda: gate_junit(result, finder.replay))
    reports.write_html(lambda: gate_page(result, finder.boards(result)))
    _tell_github(result, finder)
    if as_json:
        print_json(gate_json(result, finder.replay))
    else:
        _print(result, finder)
    sys.exit(_EXIT_CODES[result.verdict])


class _Finder:
    """How what was found can be seen again."""

    def __init__(self, code: CodeChoice, own: Mapping[str, Scenario], files: Sequence[Path]) -> None:
        self._code = code
        self._own = own
        self._files = [str(path) for path in files]

    def replay(self, check: Check) -> str:
        """The command that replays what a check found; empty if it found no schedule."""
        if check.schedule is None:
            return ""
        return replay_command(check.schedule, self._files_of(check), self._code.mutant_name, self._code.path)

    def _files_of(self, check: Check) -> list[str]:
        """The scenario files that the command has to name."""
        if check.scenario_text is not None:
            return [RACE_FILE]
        assert check.schedule is not None
        return self._files if parse_schedule(check.schedule).scenario in self._own else []

    def boards(self, result: GateResult) -> list[Storyboard]:
        """What violates something, as stories; of mutants that survive there is none."""
        return [
            self._board(check)
            for check in result.checks
            if check.verdict == "violated" and check.schedule is not None and check.stage != "mutants"
        ]

    def _board(self, check: Check) -> Storyboard:
        assert check.schedule is not None
        schedule = parse_schedule(check.schedule)
        name, code = schedule.scenario, self._code
        if check.scenario_text is not None:
            scenario = parse_scenario(check.scenario_text)
        else:
            scenario = self._own[name] if name in self._own else built_in(name)
        return storyboard_of(
            scenario, schedule.labels, code.implementation, self._files_of(check), code.mutant_name, code.path
        )


@contextmanager
def _progress(finder: _Finder, tells_at_once: bool) -> Iterator[Tell]:
    """How many checks were made; and what is violated, if it is to be told before the end."""
    stages = list[str]()
    with bar("checks") as say:

        def tell(check: Check, waiting_count: int) -> None:
            stages.append(check.stage)
            say(len(stages), len(stages) + waiting_count, f"{TITLES[check.stage]}: {check.name}")
            if tells_at_once and check.verdict == "violated":
                _print_check(check, finder, on_standard_error=True)

        yield tell


def _tell_github(result: GateResult, finder: _Finder) -> None:
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return
    for line in github_annotations(result, finder.replay):
        click.echo(line, err=True)
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(github_summary(result, finder.replay))


def _print(result: GateResult, finder: _Finder) -> None:
    head = f"gate: {result.verdict}, seed {result.seed}, {result.seconds:.1f} s"
    print_verdict(result.verdict, head)
    click.echo()
    print_table(*gate_table(result))
    click.echo()
    for remark in gate_remarks(result):
        click.echo(remark)
    for check in result.checks:
        if check.verdict != "verified":
            _print_check(check, finder)


def _print_check(check: Check, finder: _Finder, on_standard_error: bool = False) -> None:
    lines = ["", f"{check.verdict}: {check.stage}: {check.name}: {check.reason}"]
    if check.scenario_text is not None:
        lines += ["", check.scenario_text.rstrip(), "", f"save the lines above as {RACE_FILE}, then:"]
    if check.schedule is not None:
        lines.append(f"replay: {finder.replay(check)}")
    click.echo("\n".join(lines), err=on_standard_error)


commands = [gate]
