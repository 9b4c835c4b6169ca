"""``explore``: what it says, for people and for programs, and with which exit code."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from shadowshare.cli.exploration_options import DRAWN_EXECUTION_COUNT
from shadowshare.cli.exploration_output import estimate_text
from shadowshare.scenarios.catalogue import built_in
from shadowshare.verify.counterexamples.failures import load_failure
from shadowshare.verify.exploration.estimate import Estimate
from shadowshare.verify.explorer import explore
from shadowshare.verify.strategies.catalogue import strategy_names
from tests.cli.running import digests, run, succeed, succeed_with_json

FAST, NEGATIVE, CRASH, PASSIVES = (
    "reader-before-volume-read",
    "assumed-fence-holds",
    "crash-before-journal",
    "ten-passives",
)
MUTANT = "no-recheck"
DRAWN = ("--strategy", "random", "--max-executions", 200)
OWN = """
name = "my-own"
story = "The active writes while a passive reads."
before = ["W: create s", "R: open"]
[race]
W = ["write 0"]
R = ["read s 0"]
"""
SCHEMA: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "strategy": str,
    "verdict": str,
    "expected": str,
    "ok": bool,
    "exhausted": bool,
    "reason": str,
    "schedules": (int, type(None)),
    "executions": int,
    "traces": (int, type(None)),
    "blocked": int,
    "states": int,
    "steps": int,
    "depth": int,
    "steps_alone": int,
    "host_runs": int,
    "apart": int,
    "reductions": list,
    "refused": list,
    "choices": dict,
    "tallies": dict,
    "estimate": (dict, type(None)),
    "violation": (dict, type(None)),
    "seconds": float,
}
VIOLATION = {"rule", "message", "host", "extent", "schedule", "shrunk_schedule", "replay", "saved"}
UNSTABLE = {"seconds", "host_runs"}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "my own.toml"
    path.write_text(OWN, encoding="utf-8")
    return path


def explored(*arguments: object, code: int) -> dict[str, Any]:
    """The JSON of an exploration, without what differs each time."""
    result = run("explore", *arguments, "--json")
    assert result.exit_code == code, (result.exit_code, result.output)
    document: dict[str, Any] = json.loads(result.stdout)
    assert list(document) == list(SCHEMA)
    for name, kind in SCHEMA.items():
        assert isinstance(document[name], kind), name
    return {name: value for name, value in document.items() if name not in UNSTABLE}


def fields(stdout: str) -> dict[str, str]:
    """What stands below the first line, by the words in front."""
    lines = stdout.partition("\n\n")[0].splitlines()[1:]
    return dict(re.split(r"\s{2,}", line, maxsplit=1) for line in lines)


# -- verified ----------------------------------------------------------------------------------------------------


def test_the_verdict_comes_first_and_then_what_it_rests_on() -> None:
    stdout = succeed("explore", CRASH).stdout
    found = explore(built_in(CRASH))
    assert stdout.splitlines()[0] == f"verified: {CRASH}, as expected"
    said = fields(stdout)
    assert list(said) == ["exhausted", "strategy", "covered", "of the steps", "time"]
    assert (said["exhausted"], said["strategy"]) == ("yes", "exhaustive")
    assert said["covered"] == (
        f"6.6e7 schedules, {found.state_count:,} states, {found.step_count:,} steps, depth {found.depth_steps}"
    )
    counts = found.choice_counts
    assert f"{counts['crash']} crashes" in said["of the steps"]
    assert f"{counts['late']} late writes" in said["of the steps"]


def test_the_kinds_of_choices_add_up_to_the_steps() -> None:
    document = explored(CRASH, code=0)
    assert set(document["choices"]) == {"operation", "piece", "late", "crash"}
    assert sum(document["choices"].values()) == document["steps"]
    assert explored(FAST, code=0)["choices"] == {}, "nothing else can happen"


def test_several_passives_are_explored_apart_unless_they_are_wanted_together(tmp_path: Path) -> None:
    path = tmp_path / "two.toml"
    text = OWN.replace('"R: open"', '"R: open", "S: open"')
    path.write_text(
        text + 'S = ["read s 1"]\n[hosts]\nW = "active"\nR = "passive"\nS = "passive"\n', encoding="utf-8"
    )
    apart, together = explored("-f", path, code=0), explored("-f", path, "--together", code=0)
    assert (apart["apart"], together["apart"]) == (2, 0)
    assert apart["reductions"] == ["2 passives explored one at a time: each only reads"]
    assert together["schedules"] > apart["schedules"]
    assert "2 passives explored one at a time" in fields(succeed("explore", "-f", path).stdout)["reduced"]


def test_json_of_a_verified_scenario() -> None:
    document = explored(FAST, code=0)
    found = explore(built_in(FAST))
    assert (document["name"], document["verdict"], document["ok"]) == (FAST, "verified", True)
    assert (document["exhausted"], document["reason"], document["violation"]) == (True, "", None)
    assert (document["schedules"], document["states"]) == (found.schedule_count, found.state_count)
    assert document["estimate"] is None, "everything was counted"


@pytest.mark.parametrize("arguments", [(), ("my-own",)], ids=["alone", "named"])
def test_the_scenario_of_a_file(own: Path, arguments: tuple[str, ...]) -> None:
    assert explored(*arguments, "--file", own, code=0)["name"] == "my-own"


def test_one_of_several_files_is_named(own: Path, tmp_path: Path) -> None:
    second = tmp_path / "second.toml"
    second.write_text(OWN.replace("my-own", "second"), encoding="utf-8")
    for name in ("second", "my-own", FAST):
        assert explored(name, "-f", own, "-f", second, code=0)["name"] == name


# -- strategies --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", strategy_names())
def test_every_strategy_finds_the_bug_and_none_finds_one_that_is_not_there(name: str) -> None:
    wrong = explored(FAST, "--strategy", name, "--mutant", MUTANT, code=1)
    assert (wrong["strategy"], wrong["verdict"], wrong["violation"]["rule"]) == (name, "violated", "image")
    right = run("explore", FAST, "--strategy", name, "--json")
    document = json.loads(right.stdout)
    assert document["verdict"] == ("verified" if document["exhausted"] else "unknown")
    assert right.exit_code == (0 if document["exhausted"] else 2)


def test_drawn_schedules_are_ten_thousand_unless_a_budget_is_given() -> None:
    drawn = ("--strategy", "random", "--seed", 1)
    assert explored(FAST, *drawn, code=2)["executions"] == DRAWN_EXECUTION_COUNT == 10_000
    assert explored(FAST, *drawn, "--max-steps", 50, code=2)["executions"] < 50
    assert explored(FAST, *drawn, "--max-executions", 10_001, code=2)["executions"] == 10_001
    assert "10,000" in succeed("explore", "--help").stdout


def test_options_reach_the_strategy() -> None:
    pct = explored(FAST, "--strategy", "pct", "--depth", 2, "--max-executions", 5, code=2)
    assert "a violation of depth 2 " in pct["reason"]
    bounded = explored(FAST, "--strategy", "preemption-bounded", "--preemptions", 0, code=2)
    assert bounded["reason"] == "every schedule of at most 0 preemptions is covered, others are not"
    seeds = [explored(FAST, *DRAWN, "--seed", seed, code=2)["steps"] for seed in (1, 2)]
    assert seeds[0] != seeds[1]


STRATEGY = """
from shadowshare.verify.strategies.random_walk import RandomWalk

class Mine(RandomWalk):
    name = "mine"

    def choose(self, state, moves):
        return moves[0]
"""


def test_a_strategy_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_strategy_for_explore.py").write_text(STRATEGY, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    arguments = (FAST, "--strategy", "own_strategy_for_explore:Mine", "--max-executions", 3)
    document = explored(*arguments, code=2)
    assert (document["strategy"], document["executions"]) == ("mine", 3)
    assert document["steps"] == 3 * document["depth"], "the same schedule each time"
    assert explored(*arguments, "--jobs", 2, code=2) == document


# -- unknown -----------------------------------------------------------------------------------------------------


def test_a_budget_that_is_spent_is_unknown_with_an_estimate() -> None:
    result = run("explore", FAST, "--max-states", 10)
    assert result.exit_code == 2
    assert result.stderr == f"shadowshare: {FAST} is unknown, verified expected (stopped after 11 states)\n"
    said = fields(result.stdout)
    assert result.stdout.startswith(f"unknown: {FAST}, verified expected\n")
    assert said["exhausted"] == "no: stopped after 11 states"
    assert said["estimate"] == "91 schedules in all"


def test_the_estimate_for_programs() -> None:
    document = explored(FAST, *DRAWN, code=2)
    assert document["estimate"] == {"schedule_count": 91.0, "standard_error": 0.0, "sample_count": 1}
    assert (document["states"], document["executions"], document["schedules"]) == (0, 200, 200)


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(91.0, 0.0, 1), "91 schedules in all"),
        (Estimate(2e17, 0.0, 1), "2.0e17 schedules in all"),
        (
            Estimate(3.123e12, 4.4e11, 10),
            "about 3.1e12 schedules in all (estimated from 10 samples, standard error 0.4e12)",
        ),
        (
            Estimate(123_456.7, 89.6, 20),
            "about 123,457 schedules in all (estimated from 20 samples, standard error 90)",
        ),
    ],
)
def test_an_estimate_in_words(estimate: Estimate, text: str) -> None:
    assert estimate_text(estimate) == text


def test_no_time_is_too_little() -> None:
    assert "the time was used up" in explored(FAST, "--max-seconds", 1e-9, code=2)["reason"]


# -- violated ----------------------------------------------------------------------------------------------------


def replay_line(stdout: str) -> str:
    (line,) = [line for line in stdout.splitlines() if line.startswith("replay: ")]
    return line.removeprefix("replay: ")


@pytest.mark.parametrize(
    "strategy", [(), DRAWN, ("--strategy", "source-dpor")], ids=["all", "drawn", "traces"]
)
def test_a_violation_with_its_table_its_diagram_and_its_replay(
    strategy: tuple[object, ...], own: Path
) -> None:
    arguments = ("--file", own, "--mutant", MUTANT)
    result = run("explore", *arguments, *strategy)
    assert (result.exit_code, result.stderr) == (1, "")
    said = fields(result.stdout)
    assert next(iter(said)) == "violated"
    assert said["violated"].startswith("image: ")
    assert said["shrunk"].endswith("none is simpler")
    lines = result.stdout.splitlines()
    assert ["step", "W", "R", "result"] in [line.split() for line in lines]
    assert "accesses that conflict:" in lines
    assert sum(" ← violated" in line for line in lines) == 1
    again = run(*shlex.split(replay_line(result.stdout))[1:])
    assert again.exit_code == 1
    assert again.stdout.rstrip().endswith(f"violated ({said['violated'].replace(': ', '): ', 1)}")


def test_a_violation_for_programs_is_that_of_the_replay() -> None:
    document = explored(FAST, *DRAWN, "--mutant", MUTANT, code=1)
    violation = document["violation"]
    assert set(violation) == VIOLATION
    assert document["reason"] == violation["message"]
    assert (document["exhausted"], document["estimate"], violation["saved"]) == (False, None, None)
    assert violation["schedule"].startswith(f"s1/{FAST}/")
    words = shlex.split(violation["replay"])
    assert words == ["shadowshare", "replay", violation["shrunk_schedule"], "--mutant", MUTANT]
    again = json.loads(run(*words[1:], "--json").stdout)["violation"]
    assert again == {name: violation[name] for name in again}
    assert json.loads(run("replay", violation["schedule"], "--mutant", MUTANT, "--json").stdout)["violation"]


def test_a_negative_test_is_as_expected_when_it_is_violated() -> None:
    result = run("explore", NEGATIVE)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"violated: {NEGATIVE}, as expected\n")
    assert run(*shlex.split(replay_line(result.stdout))[1:]).exit_code == 1


def test_a_negative_test_in_which_nothing_was_found_is_not_as_expected(tmp_path: Path) -> None:
    path = tmp_path / "negative.toml"
    path.write_text('expected = "violated"\n' + OWN, encoding="utf-8")
    result = run("explore", "-f", path)
    assert (result.exit_code, result.stderr) == (2, "shadowshare: my-own is verified, violated expected\n")
    assert result.stdout.startswith("verified: my-own, violated expected\n")


def test_a_violation_is_saved_in_a_folder_of_its_own(own: Path, tmp_path: Path) -> None:
    parent = tmp_path / "some" / "failures"
    arguments = ("--file", own, "--mutant", MUTANT, "--save-failure", parent)
    stdout = run("explore", *arguments).stdout
    (folder,) = parent.iterdir()
    assert f"saved in {folder}\n" in stdout
    failure = load_failure(folder)
    assert (failure.scenario_text, failure.description.mutant) == (OWN, MUTANT)
    violation = explored(*arguments, code=1)["violation"]
    assert violation["saved"] == str(folder)
    assert violation["shrunk_schedule"] == failure.description.shrunk
    assert [path.name for path in parent.iterdir()] == [folder.name], "the same failure, the same folder"
    assert "◀" in (folder / "trace.txt").read_text(encoding="utf-8")


def test_nothing_is_saved_where_nothing_is_violated(tmp_path: Path) -> None:
    explored(FAST, "--save-failure", tmp_path / "failures", code=0)
    assert list(tmp_path.iterdir()) == []


# -- the same each time, for any number of jobs ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        (PASSIVES,),
        (PASSIVES, "--max-states", 300),
        (PASSIVES, "--mutant", MUTANT),
        (FAST, *DRAWN, "--seed", 3),
        (FAST, "--strategy", "pct", "--mutant", MUTANT),
        (CRASH, "--strategy", "urw", "--max-steps", 2000),
    ],
    ids=str,
)
def test_the_result_does_not_depend_on_the_jobs(arguments: tuple[object, ...]) -> None:
    code = 1 if MUTANT in arguments else 0 if arguments == (PASSIVES,) else 2
    once = explored(*arguments, code=code)
    assert explored(*arguments, code=code) == once
    assert explored(*arguments, "--jobs", 2, code=code) == once


# -- checkpoints -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mutant", [(), ("--mutant", MUTANT)], ids=["right", "bug"])
def test_several_stops_come_to_what_one_go_comes_to(mutant: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    code = 1 if mutant else 0
    whole = explored(PASSIVES, *mutant, code=code)
    budgets = [10, 20] if mutant else [100, 900, 1100]
    for state_count in budgets:
        result = run("explore", PASSIVES, *mutant, "--max-states", state_count, "--checkpoint", path)
        assert result.exit_code == 2
        assert fields(result.stdout)["checkpoint"].startswith(f"{path}: the same command goes on from there")
        assert path.exists()
    assert explored(PASSIVES, *mutant, "--checkpoint", path, code=code) == whole
    assert not path.exists()


def test_without_a_stop_there_is_no_checkpoint(tmp_path: Path) -> None:
    stdout = succeed("explore", FAST, "--checkpoint", tmp_path / "checkpoint").stdout
    assert "checkpoint" not in stdout
    assert digests(tmp_path) == {}


# -- output and help -------------------------------------------------------------------------------------------


def test_help_is_plain_and_has_examples() -> None:
    for command in ("explore", "run"):
        stdout = succeed(command, "--help").stdout
        assert stdout.count(f"Example: shadowshare {command}") >= 3
        shown = " ".join(stdout.split()).replace("- ", "-")  # a line may end within a name
        assert all(name in shown for name in strategy_names())
        assert "Exit code: 0 " in stdout


def test_the_examples_in_the_help_run(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    own.rename(tmp_path / "my-scenario.toml")
    text = " ".join(succeed("explore", "--help").stdout.split())
    examples = re.findall(r"Example: shadowshare (explore .*?)(?= Example:| Exit code:)", text)
    assert len(examples) == 5
    for example in examples:
        result = run(*example.split(), "--max-seconds", 2)
        assert result.exit_code in (0, 2)
        assert "Usage:" not in result.stderr


def test_run_takes_the_same_options() -> None:
    document = succeed_with_json("run", PASSIVES, "--jobs", 2)["scenarios"][0]
    assert document["apart"] == 10
    result = run("run", FAST, NEGATIVE, "--strategy", "pct", "--seed", 3, "--max-executions", 7, "--json")
    assert json.loads(result.stdout)["scenarios"][0]["executions"] == 7
