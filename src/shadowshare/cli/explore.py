"""``explore``: one race scenario, with everything that its verdict rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile

import click

from shadowshare.cli.code_choice import CodeChoice, takes_code
from shadowshare.cli.exploration_options import ExplorationOptions, UnfitOption, takes_exploration
from shadowshare.cli.exploration_output import Finding, finding_facts, finding_json, print_finding
from shadowshare.cli.live_progress import exploration_progress, interruptible
from shadowshare.cli.output import json_option, print_json
from shadowshare.cli.report_files import STORY_REPORTS, ReportFiles, takes_reports
from shadowshare.cli.scenario_choice import (
    FILES,
    end_as,
    find_scenario,
    own_scenarios,
    scenario_text,
)
from shadowshare.reports.page.kinds import exploration_page
from shadowshare.reports.trace import trace_text
from shadowshare.scenarios.definition import Scenario, ScenarioError
from shadowshare.sim.schedule import parse_schedule
from shadowshare.verify.counterexamples.counterexample import explain
from shadowshare.verify.counterexamples.failures import FailureError, failure_of, save_failure
from shadowshare.verify.real.scenarios import REAL_SCENARIO_NAME
from shadowshare.verify.result import Exploration, ScenarioResult
from shadowshare.verify.runner import Plan, estimate, run_scenario
from shadowshare.verify.story.storyboard import storyboard_of

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("name", metavar="[SCENARIO]", required=False)
@FILES
@takes_code
@takes_exploration
@click.option("--together", "is_together", is_flag=True, help="Explore several passives together, not apart.")
@click.option(
    "--checkpoint",
    type=_FILE,
    metavar="FILE",
    help="Go on from FILE, if it is there; write it if the search stops early; delete it at the end.",
)
@click.option(
    "--save-failure",
    "failure_folder",
    type=_FILE,
    metavar="DIR",
    help="Save a violation in a folder of its own in DIR: scenario, schedule, trace, and how to replay it.",
)
@takes_reports(*STORY_REPORTS)
@json_option
def explore(
    options: ExplorationOptions,
    name: str | None,
    files: tuple[Path, ...],
    code: CodeChoice,
    is_together: bool,
    checkpoint: Path | None,
    failure_folder: Path | None,
    reports: ReportFiles,
    as_json: bool,
) -> None:
    """Explore one race scenario, a built-in one or one in a file of yours, and say what the verdict rests on.

    Without options every interleaving is covered. A counterexample is made as small as it can be, and shown. Ctrl-C
    ends the exploration, and shows what was found until then.

    Example: shadowshare explore ten-passives

    Example: shadowshare explore slot-reuse-during-read --strategy pct --seed 7

    Example: shadowshare explore --file my-scenario.toml --max-seconds 600

    Example: shadowshare explore life-and-crash --checkpoint FILE

    Example: shadowshare explore read-errors --html page.html

    Exit code: 0 the verdict is the expected one; 1 something is violated that must not be; 2 anything else.
    """
    scenario = _chosen(name, files)
    if checkpoint is not None and options.jobs > 1:
        raise UnfitOption(
            "--checkpoint does not go with --jobs: a search that can go on is done by one process"
        )
    source = ""
    if failure_folder is not None:
        _check_folder(failure_folder)
        source = scenario_text(scenario.name, files)
    plan = options.plan(
        code.implementation,
        passives_apart=False if is_together else None,
        checkpoint=checkpoint,
    )
    budget = plan.budget()
    with interruptible(budget), exploration_progress(scenario.name, plan) as progress:
        result = run_scenario(scenario, plan, progress, budget)
    is_cut = (
        not result.details["exhausted"] and not budget.is_interrupted
    )  # who interrupts does not want to wait
    finding = _finding(scenario, plan, result, is_cut, files, code)
    if failure_folder is not None and result.verdict == "violated":
        finding = replace(finding, saved=_save(failure_folder, source, finding, code))
    _write_reports(reports, finding, files, code)
    if as_json:
        print_json(finding_json(finding))
    else:
        print_finding(finding)
    end_as([result])


def _chosen(name: str | None, files: Sequence[Path]) -> Scenario:
    """The scenario to explore: the one that is named, or the one in the only file."""
    if name == REAL_SCENARIO_NAME:
        raise ScenarioError(
            f"{REAL_SCENARIO_NAME} runs on real processes, of which no interleavings can be chosen: "
            f"take shadowshare run {REAL_SCENARIO_NAME}"
        )
    own = own_scenarios(files)
    if name is None and len(own) == 1:
        return next(iter(own.values()))
    if name is None:
        among = f": one of {', '.join(own)}" if own else ", or give one with --file"
        raise click.UsageError(f"name a scenario{among}")
    return find_scenario(name, own)


def _check_folder(folder: Path) -> None:
    """Find out before a long search whether a failure could be saved in a folder, which need not be there."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    try:
        with TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise FailureError(f"{folder}: failures cannot be saved here: {error.strerror}") from None


def _finding(
    scenario: Scenario,
    plan: Plan,
    result: ScenarioResult,
    is_cut: bool,
    files: Sequence[Path],
    code: CodeChoice,
) -> Finding:
    """Everything there is to say about a result; how much is left, if it was cut."""
    if result.schedule is None:
        return Finding(scenario, plan, result, estimate(scenario, plan) if is_cut else None)
    names = [str(path) for path in files]
    counterexample = explain(
        scenario, _found(result), code.implementation, names, code.mutant_name, code.path
    )
    return Finding(scenario, plan, result, counterexample=counterexample)


def _write_reports(reports: ReportFiles, finding: Finding, files: Sequence[Path], code: CodeChoice) -> None:
    """Write the files that were asked for."""
    board = None
    if reports.any and finding.counterexample is not None:
        labels = finding.counterexample.shrunk.labels
        names = [str(path) for path in files]
        board = storyboard_of(
            finding.scenario, labels, code.implementation, names, code.mutant_name, code.path
        )
    facts = finding_facts(finding)
    if board is None:  # which tells the story itself
        facts = {"scenario": finding.scenario.story, **facts}
    reports.write_story(board, lambda: exploration_page(finding.result, facts, board))


def _found(result: ScenarioResult) -> Exploration:
    assert result.schedule is not None
    return Exploration(result.violation, parse_schedule(result.schedule).labels)


def _save(folder: Path, source: str, finding: Finding, code: CodeChoice) -> Path:
    """Save a violation; the folder that was made for it."""
    own = None if code.path is None else (code.path, code.implementation)
    failure, counterexample = failure_of(source, _found(finding.result), code.mutant_name, own)
    return save_failure(folder, failure, trace_text(counterexample.replay))


commands = [explore]
