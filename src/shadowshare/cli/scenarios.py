"""``run``, ``list`` and ``replay``: the race scenarios."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console

from shadowshare.cli import EXIT_FAILED, EXIT_VIOLATED
from shadowshare.cli.output import json_option, print_json, print_table
from shadowshare.models.computers import Implementation
from shadowshare.reports.tables import replay_json, replay_table, result_json, verdict_table
from shadowshare.scenarios.catalogue import built_in, built_in_names
from shadowshare.scenarios.definition import Scenario, ScenarioError, load_scenario
from shadowshare.sim.schedule import parse_schedule
from shadowshare.verify.counterexample import replay as replay_schedule
from shadowshare.verify.mutants import mutant
from shadowshare.verify.real_scenarios import REAL_SCENARIO_NAME, REAL_SCENARIO_STORY, run_real_scenario
from shadowshare.verify.result import ScenarioResult
from shadowshare.verify.runner import Plan, run_scenario

_FILES = click.option(
    "--file",
    "-f",
    "files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A scenario file of your own (may be given several times).",
)
_MUTANT = click.option(
    "--mutant", "mutant_name", metavar="NAME", help="Use the protocol with this bug on purpose."
)


@click.command()
@click.argument("names", nargs=-1)
@_FILES
@_MUTANT
@click.option(
    "--random", "random_count", type=click.IntRange(1), metavar="N", help="Run N random schedules, not all."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the random schedules.")
@click.option(
    "--max-states", type=click.IntRange(1), default=2_000_000, show_default=True, help="For each scenario."
)
@click.option("--max-seconds", type=click.FloatRange(0, min_open=True), help="For each scenario.")
@json_option
def run(
    names: tuple[str, ...],
    files: tuple[Path, ...],
    mutant_name: str | None,
    random_count: int | None,
    seed: int,
    max_states: int,
    max_seconds: float | None,
    as_json: bool,
) -> None:
    r"""Run race scenarios, all of them or those that are named, each through every interleaving.

    A verdict is "verified" only if nothing was left out, "violated" with a schedule that shows it, else "unknown".

    \b
    Examples:
      shadowshare run
      shadowshare run slot-reuse-during-read --mutant hit-without-catch-up
      shadowshare run --file my-scenario.toml --json

    Exit code: 0 every verdict is the expected one; 1 something is violated that must not be; 2 anything else.
    """
    scenarios, with_real = _chosen(names, files)
    implementation = mutant(mutant_name).implementation if mutant_name else Implementation()
    plan = Plan(implementation, max_states, max_seconds, random_count, seed)
    results = []
    with _progress() as say:
        for scenario in scenarios:
            say(scenario.name)
            results.append(run_scenario(scenario, plan, _state_progress(say, scenario.name)))
        if with_real:
            say(REAL_SCENARIO_NAME)
            results.append(run_real_scenario(implementation.passive, say))
    if as_json:
        print_json({"scenarios": [result_json(result) for result in results]})
    else:
        print_table(*verdict_table(results))
        _print_findings(results, scenarios, files, mutant_name, implementation)
    sys.exit(_exit_code(results))


def _chosen(names: Sequence[str], files: Sequence[Path]) -> tuple[list[Scenario], bool]:
    """The scenarios to run, and whether the one on real processes is among them."""
    own = [load_scenario(path) for path in files]
    for scenario in own:
        if scenario.name in (*built_in_names(), REAL_SCENARIO_NAME):
            raise ScenarioError(f"scenario {scenario.name!r} has the name of a built-in one: give it another")
    if not names:
        return (own, False) if own else ([built_in(name) for name in built_in_names()], True)
    by_name = {scenario.name: scenario for scenario in own}
    wanted = [name for name in dict.fromkeys(names) if name != REAL_SCENARIO_NAME]
    return [by_name.get(name) or built_in(name) for name in wanted], REAL_SCENARIO_NAME in names


def _exit_code(results: Sequence[ScenarioResult]) -> int:
    if all(result.ok for result in results):
        return 0
    return (
        EXIT_VIOLATED
        if any(result.verdict == "violated" and not result.ok for result in results)
        else EXIT_FAILED
    )


def _print_findings(
    results: Sequence[ScenarioResult],
    scenarios: Sequence[Scenario],
    files: Sequence[Path],
    mutant_name: str | None,
    implementation: Implementation,
) -> None:
    """What was not as expected, each with its counterexample; and a last line that sums up."""
    by_name = {scenario.name: scenario for scenario in scenarios}
    wrong = [result for result in results if not result.ok]
    for result in wrong:
        click.echo(f"\n{result.name}: {result.verdict}, {result.expected} expected. {result.reason}")
        if result.schedule is not None:
            labels = parse_schedule(result.schedule).labels
            print_table(*replay_table(replay_schedule(by_name[result.name], labels, implementation)))
            click.echo(f"\nreplay: {_replay_command(result.schedule, files, mutant_name)}")
    click.echo(f"\n{len(results) - len(wrong)} of {len(results)} scenarios as expected")


def _replay_command(schedule: str, files: Sequence[Path], mutant_name: str | None) -> str:
    words = ["shadowshare", "replay", schedule]
    for path in files:
        words += ["--file", str(path)]
    if mutant_name:
        words += ["--mutant", mutant_name]
    return shlex.join(words)


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """A line on standard error that says what goes on, if that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with Console(stderr=True).status("") as status:
        yield status.update


def _state_progress(say: Callable[[str], None], name: str) -> Callable[[int, int], None]:
    return lambda states, waiting: say(f"{name}: {states:,} states, {waiting:,} waiting")


@click.command("list")
@_FILES
@json_option
def list_scenarios(files: tuple[Path, ...], as_json: bool) -> None:
    """List the scenarios with their stories."""
    scenarios = [built_in(name) for name in built_in_names()] + [load_scenario(path) for path in files]
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
@_FILES
@_MUTANT
@json_option
def replay(schedule: str, files: tuple[Path, ...], mutant_name: str | None, as_json: bool) -> None:
    r"""Run one SCHEDULE again, as a failure printed it, and show it step by step.

    \b
    Example:
      shadowshare replay 's1/reader-before-volume-read/W*6,R*3' --mutant no-recheck

    Exit code: 0 nothing was violated in this schedule; 1 something was; 2 the schedule cannot be run.
    """
    parsed = parse_schedule(schedule)
    own = {scenario.name: scenario for scenario in map(load_scenario, files)}
    scenario = own.get(parsed.scenario) or built_in(parsed.scenario)
    implementation = mutant(mutant_name).implementation if mutant_name else Implementation()
    replayed = replay_schedule(scenario, parsed.labels, implementation)
    if as_json:
        print_json(replay_json(replayed))
    else:
        print_table(*replay_table(replayed))
        click.echo()
        if replayed.violation is not None:
            click.echo(f"violated ({replayed.violation.rule}): {replayed.violation.message}")
        elif replayed.is_over:
            click.echo("nothing is violated in this schedule")
        else:
            click.echo("nothing is violated so far; the schedule ends while operations are in flight")
    sys.exit(EXIT_VIOLATED if replayed.violation is not None else 0)


commands = [run, list_scenarios, replay]
