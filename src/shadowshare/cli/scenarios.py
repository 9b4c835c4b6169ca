"""``run``, ``list`` and ``replay``: the race scenarios."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import click

from shadowshare.cli import EXIT_VIOLATED
from shadowshare.cli.code_choice import CodeChoice, takes_code
from shadowshare.cli.exploration_options import ExplorationOptions, takes_exploration
from shadowshare.cli.exploration_output import roles_of
from shadowshare.cli.live_progress import progress_text
from shadowshare.cli.output import json_option, print_json, print_table
from shadowshare.cli.report_files import STORY_REPORTS, ReportFiles, takes_reports
from shadowshare.cli.scenario_choice import (
    FILES,
    end_as,
    find_scenario,
    own_scenarios,
)
from shadowshare.cli.terminal import bar
from shadowshare.reports.page.kinds import replay_page, run_page
from shadowshare.reports.tables import replay_json, replay_table, result_json, verdict_table
from shadowshare.scenarios.catalogue import built_in, built_in_names
from shadowshare.scenarios.definition import Scenario, ScenarioError
from shadowshare.sim.schedule import parse_schedule
from shadowshare.verify.counterexamples.counterexample import replay as replay_schedule
from shadowshare.verify.counterexamples.counterexample import replay_command
from shadowshare.verify.real.scenarios import REAL_SCENARIO_NAME, REAL_SCENARIO_STORY, run_real_scenario
from shadowshare.verify.result import ScenarioResult
from shadowshare.verify.runner import Plan, run_scenario
from shadowshare.verify.story.storyboard import Storyboard, storyboard_of


@click.command()
@click.argument("names", nargs=-1)
@FILES
@takes_code
@takes_exploration
@takes_reports("html")
@json_option
def run(
    options: ExplorationOptions,
    names: tuple[str, ...],
    files: tuple[Path, ...],
    code: CodeChoice,
    reports: ReportFiles,
    as_json: bool,
) -> None:
    """Run race scenarios, each through every interleaving: those named and those in files, or all built-in ones.

    A verdict is "verified" only if nothing was left out, "violated" with a schedule that shows it, else "unknown".
    Budgets are for each scenario. "shadowshare explore" says more about one of them.

    Example: shadowshare run

    Example: shadowshare run slot-reuse-during-read --mutant hit-without-catch-up

    Example: shadowshare run --strategy pct --max-executions 1000 --seed 7

    Example: shadowshare run --file my-scenario.toml --json

    Exit code: 0 every verdict is the expected one; 1 something is violated that must not be; 2 anything else.
    """
    scenarios, with_real = _chosen(names, files)
    plan = options.plan(code.implementation)
    results: list[ScenarioResult] = []
    count = len(scenarios) + with_real
    with bar("scenarios") as tell:
        for scenario in scenarios:
            say = partial(tell, len(results), count)
            say(scenario.name)
            results.append(run_scenario(scenario, plan, _state_progress(say, scenario.name, plan)))
        if with_real:
            say = partial(tell, len(results), count)
            say(REAL_SCENARIO_NAME)
            results.append(run_real_scenario(code.implementation.passive, say))
    chosen = {scenario.name: scenario for scenario in scenarios}
    reports.write_html(lambda: run_page(results, _boards(results, chosen, files, code)))
    if as_json:
        print_json({"scenarios": [result_json(result) for result in results]})
    else:
        print_table(*verdict_table(results))
        _print_findings(results, scenarios, files, code)
    end_as(results)


def _chosen(names: Sequence[str], files: Sequence[Path]) -> tuple[list[Scenario], bool]:
    """The scenarios to run, and whether the one on real processes is among them."""
    own = own_scenarios(files)
    if not names and not own:
        return [built_in(name) for name in built_in_names()], True
    wanted = dict.fromkeys((*names, *own))
    with_real = wanted.pop(REAL_SCENARIO_NAME, False) is None
    return [find_scenario(name, own) for name in wanted], with_real


def _print_findings(
    results: Sequence[ScenarioResult],
    scenarios: Sequence[Scenario],
    files: Sequence[Path],
    code: CodeChoice,
) -> None:
    """What was not as expected, each with its counterexample; and a last line that sums up."""
    by_name = {scenario.name: scenario for scenario in scenarios}
    wrong = [result for result in results if not result.ok]
    for result in wrong:
        click.echo(f"\n{result.name}: {result.verdict}, {result.expected} expected. {result.reason}".rstrip())
        if result.schedule is not None:
            labels, scenario = parse_schedule(result.schedule).labels, by_name[result.name]
            replayed = replay_schedule(scenario, labels, code.implementation)
            print_table(*replay_table(replayed), roles_of(scenario))
            names = [str(path) for path in files]
            click.echo(f"\nreplay: {replay_command(result.schedule, names, code.mutant_name, code.path)}")
    click.echo(f"\n{len(results) - len(wrong)} of {len(results)} scenarios as expected")


def _boards(
    results: Sequence[ScenarioResult],
    scenarios: Mapping[str, Scenario],
    files: Sequence[Path],
    code: CodeChoice,
) -> list[Storyboard]:
    """The counterexamples of what is not as expected."""
    names = [str(path) for path in files]
    return [
        storyboard_of(
            scenarios[result.name],
            parse_schedule(result.schedule).labels,
            code.implementation,
            names,
            code.mutant_name,
            code.path,
        )
        for result in results
        if not result.ok and result.schedule is not None
    ]


def _state_progress(say: Callable[[str], None], name: str, plan: Plan) -> Callable[[int, int], None]:
    return lambda covered, waiting: say(f"{name}: {progress_text(plan, covered, waiting)}")


@click.command("list")
@FILES
@json_option
def list_scenarios(files: tuple[Path, ...], as_json: bool) -> None:
    """List the scenarios with their stories."""
    scenarios = [*(built_in(name) for name in built_in_names()), *own_scenarios(files).values()]
    entries = [(scenario.name, scenario.expected, scenario.story) for scenario in scenarios]
    entries.append((REAL_SCENARIO_NAME, "verified", REAL_SCENARIO_STORY))
    if as_json:
        print_json(
            {
                "scenarios": [
                    {"name": name, "expected": expected, "story": story} for name, expected, story in entries
                ]
            }
        )
        return
    for name, expected, story in entries:
        click.echo(f"{name}  ({expected})")
        click.echo(click.wrap_text(story, width=100, initial_indent="    ", subsequent_indent="    "))


@click.command()
@click.argument("schedule")
@FILES
@takes_code
@takes_reports(*STORY_REPORTS)
@json_option
def replay(
    schedule: str, files: tuple[Path, ...], code: CodeChoice, reports: ReportFiles, as_json: bool
) -> None:
    """Run one SCHEDULE again, as a failure printed it, and show it step by step.

    Example: shadowshare replay 's1/reader-before-volume-read/W*6,R*3' --mutant no-recheck

    Example: shadowshare replay 's1/reader-before-volume-read/W*6,R' --mutant cached-recheck --html page.html

    Exit code: 0 nothing was violated in this schedule; 1 something was; 2 the schedule cannot be run.
    """
    parsed = parse_schedule(schedule)
    own = own_scenarios(files)
    if parsed.scenario == REAL_SCENARIO_NAME:
        raise ScenarioError(f"{REAL_SCENARIO_NAME} runs on real processes: it has no schedule to replay")
    scenario = find_scenario(parsed.scenario, own)
    replayed = replay_schedule(scenario, parsed.labels, code.implementation)
    if reports.any:
        names = [str(path) for path in files]
        board = storyboard_of(
            scenario, parsed.labels, code.implementation, names, code.mutant_name, code.path
        )
        reports.write_story(board, lambda: replay_page(board))
    if as_json:
        print_json(replay_json(replayed))
    else:
        print_table(*replay_table(replayed), roles_of(scenario))
        click.echo()
        if replayed.violation is not None:
            click.echo(f"violated ({replayed.violation.rule}): {replayed.violation.message}")
        elif replayed.is_over:
            click.echo("nothing is violated in this schedule")
        else:
            click.echo("nothing is violated so far; the schedule ends while operations are in flight")
    sys.exit(EXIT_VIOLATED if replayed.violation is not None else 0)


commands = [run, list_scenarios, replay]
