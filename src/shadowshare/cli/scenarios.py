"""``run``, ``list`` and ``replay``: the race scenarios."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console

from shadowshare.cli import EXIT_VIOLATED
from shadowshare.cli.output import json_option, print_json, print_table
from shadowshare.models.computers import Implementation
from shadowshare.protocol.errors import ShadowshareError
from shadowshare.reports.tables import replay_json, replay_table, result_json, verdict_table
from shadowshare.scenarios.catalogue import built_in, built_in_names
from shadowshare.scenarios.definition import Scenario, ScenarioError, load_scenario
from shadowshare.sim.schedule import parse_schedule
from shadowshare.verify.counterexample import replay as replay_schedule
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.real.scenarios import REAL_SCENARIO_NAME, REAL_SCENARIO_STORY, run_real_scenario
from shadowshare.verify.result import ScenarioResult
from shadowshare.verify.runner import Plan, run_scenario
from shadowshare.verify.search import STATE_COUNT_MAXIMUM
from shadowshare.verify.strategies.exhaustive import Exhaustive
from shadowshare.verify.strategies.random_walk import RandomWalk

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


class NotAsExpected(ShadowshareError):
    """Some verdicts are not the expected ones, though nothing is violated."""


@click.command()
@click.argument("names", nargs=-1)
@_FILES
@_MUTANT
@click.option(
    "--random", "random_count", type=click.IntRange(1), metavar="N", help="Run N random schedules, not all."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the random schedules.")
@click.option(
    "--max-states",
    type=click.IntRange(1),
    default=STATE_COUNT_MAXIMUM,
    show_default=True,
    help="For each scenario.",
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
    """Run race scenarios, each through every interleaving: those named and those in files, or all built-in ones.

    A verdict is "verified" only if nothing was left out, "violated" with a schedule that shows it, else "unknown".

    Example: shadowshare run

    Example: shadowshare run slot-reuse-during-read --mutant hit-without-catch-up

    Example: shadowshare run --file my-scenario.toml --json

    Exit code: 0 every verdict is the expected one; 1 something is violated that must not be; 2 anything else.
    """
    scenarios, with_real = _chosen(names, files)
    implementation = _implementation(mutant_name)
    strategy = Exhaustive() if random_count is None else RandomWalk(seed)
    plan = Plan(implementation, max_states, max_seconds, random_count, strategy=strategy)
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
    _end_as(results)


def _chosen(names: Sequence[str], files: Sequence[Path]) -> tuple[list[Scenario], bool]:
    """The scenarios to run, and whether the one on real processes is among them."""
    own = _own(files)
    if not names and not own:
        return [built_in(name) for name in built_in_names()], True
    wanted = dict.fromkeys((*names, *own))
    with_real = wanted.pop(REAL_SCENARIO_NAME, False) is None
    return [_find(name, own) for name in wanted], with_real


def _own(files: Sequence[Path]) -> dict[str, Scenario]:
    """The scenarios in the user's files, by name; each name must be new."""
    own: dict[str, Scenario] = {}
    for path in files:
        scenario = load_scenario(path)
        if scenario.name in (*built_in_names(), REAL_SCENARIO_NAME):
            raise ScenarioError(
                f"{path}: {scenario.name!r} is the name of a built-in scenario: choose another"
            )
        if scenario.name in own:
            raise ScenarioError(f"{path}: {scenario.name!r} is the name of a scenario in another file, too")
        own[scenario.name] = scenario
    return own


def _find(name: str, own: Mapping[str, Scenario]) -> Scenario:
    if name in own:
        return own[name]
    if name in built_in_names():
        return built_in(name)
    known = ", ".join((*own, *built_in_names(), REAL_SCENARIO_NAME))
    raise ScenarioError(f"there is no scenario {name!r}; there are: {known}")


def _implementation(mutant_name: str | None) -> Implementation:
    return Implementation() if mutant_name is None else mutant(mutant_name).implementation


def _end_as(results: Sequence[ScenarioResult]) -> None:
    """End with the exit code of the results, if it is not 0."""
    wrong = [result for result in results if not result.ok]
    if any(result.verdict == "violated" for result in wrong):
        sys.exit(EXIT_VIOLATED)
    if wrong:
        what = "; ".join(
            f"{result.name} is {result.verdict}, {result.expected} expected"
            + (f" ({result.reason})" if result.reason else "")
            for result in wrong
        )
        raise NotAsExpected(what)


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
        click.echo(f"\n{result.name}: {result.verdict}, {result.expected} expected. {result.reason}".rstrip())
        if result.schedule is not None:
            labels = parse_schedule(result.schedule).labels
            print_table(*replay_table(replay_schedule(by_name[result.name], labels, implementation)))
            click.echo(f"\nreplay: {_replay_command(result.schedule, files, mutant_name)}")
    click.echo(f"\n{len(results) - len(wrong)} of {len(results)} scenarios as expected")


def _replay_command(schedule: str, files: Sequence[Path], mutant_name: str | None) -> str:
    words = ["shadowshare", "replay", schedule]
    for path in files:
        words += ["--file", str(path)]
    if mutant_name is not None:
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
    scenarios = [*(built_in(name) for name in built_in_names()), *_own(files).values()]
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
    """Run one SCHEDULE again, as a failure printed it, and show it step by step.

    Example: shadowshare replay 's1/reader-before-volume-read/W*6,R*3' --mutant no-recheck

    Exit code: 0 nothing was violated in this schedule; 1 something was; 2 the schedule cannot be run.
    """
    parsed = parse_schedule(schedule)
    own = _own(files)
    if parsed.scenario == REAL_SCENARIO_NAME:
        raise ScenarioError(f"{REAL_SCENARIO_NAME} runs on real processes: it has no schedule to replay")
    replayed = replay_schedule(_find(parsed.scenario, own), parsed.labels, _implementation(mutant_name))
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
