"""Which scenario a command means, with which code, and how it ends."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from shadowshare.cli import EXIT_VIOLATED
from shadowshare.protocol.errors import ShadowshareError
from shadowshare.scenarios.catalogue import built_in, built_in_names, built_in_text
from shadowshare.scenarios.definition import Scenario, ScenarioError, load_scenario, parse_scenario
from shadowshare.verify.generated.scenario_text import to_toml
from shadowshare.verify.matrix.actions import scenario_named
from shadowshare.verify.real.scenarios import REAL_SCENARIO_NAME
from shadowshare.verify.result import ScenarioResult

FILES = click.option(
    "--file",
    "-f",
    "files",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A scenario file of your own (may be given several times).",
)


class NotAsExpected(ShadowshareError):
    """Some verdicts are not the expected ones, though nothing is violated."""


def own_scenarios(files: Sequence[Path]) -> dict[str, Scenario]:
    """The scenarios in the user's files, by name.

    Raises:
        ScenarioError: one cannot be read, or its name is not new.
    """
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


def find_scenario(name: str, own: Mapping[str, Scenario]) -> Scenario:
    """A scenario of the user's, a built-in one, or one of the matrix of actions.

    Raises:
        ScenarioError: there is none of this name; the message lists those that are.
    """
    if name in own:
        return own[name]
    if name in built_in_names():
        return built_in(name)
    in_matrix = scenario_named(name)
    if in_matrix is not None:
        return in_matrix
    known = ", ".join((*own, *built_in_names(), REAL_SCENARIO_NAME))
    raise ScenarioError(f"there is no scenario {name!r}; there are: {known}")


def scenario_text(name: str, files: Sequence[Path]) -> str:
    """What the file of a scenario says, which is a built-in one or in one of the user's files."""
    if name in built_in_names():
        return built_in_text(name)
    in_matrix = scenario_named(name)
    if in_matrix is not None:
        return to_toml(in_matrix)
    return next(
        text for path in files if parse_scenario(text := path.read_text(encoding="utf-8")).name == name
    )


def end_as(results: Sequence[ScenarioResult]) -> None:
    """End with the exit code of the results, if it is not 0.

    Raises:
        NotAsExpected: something is not as expected, and nothing is violated that must not be.
    """
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
