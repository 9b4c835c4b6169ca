"""``run``, ``list`` and ``replay``, where they have something to say."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shadowshare.scenarios.catalogue import built_in, built_in_names
from shadowshare.verify.real.scenarios import REAL_SCENARIO_NAME
from tests.cli.running import run, run_process, succeed, succeed_with_json

FAST, OTHER, NEGATIVE = "reader-before-volume-read", "slot-reuse-during-read", "assumed-fence-holds"
MUTANT = "no-recheck"
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
    "verdict": str,
    "expected": str,
    "ok": bool,
    "schedules": (int, type(None)),
    "schedule": (str, type(None)),
    "reason": str,
    "violation": (dict, type(None)),
    "seconds": float,
    "strategy": str,
    "exhausted": bool,
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
}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "my own.toml"
    path.write_text(OWN, encoding="utf-8")
    return path


def columns(line: str) -> list[str]:
    return re.split(r"\s{2,}", line.strip())


def assert_plain(*texts: str) -> None:
    """No control characters, and no space at the end of a line."""
    for text in texts:
        assert all(character.isprintable() or character == "\n" for character in text), repr(text)
        assert all(line == line.rstrip() for line in text.split("\n")), repr(text)


# -- run ---------------------------------------------------------------------------------------------------------


def test_one_scenario() -> None:
    lines = succeed("run", FAST).stdout.splitlines()
    assert columns(lines[0]) == ["scenario", "verdict", "as expected", "schedules", "states", "seconds"]
    assert columns(lines[1])[:3] == [FAST, "verified", "yes"]
    assert lines[2:] == ["", "1 of 1 scenarios as expected"]


def test_several_scenarios_in_the_order_in_which_they_are_named_and_each_once() -> None:
    lines = succeed("run", OTHER, FAST, OTHER).stdout.splitlines()
    assert [columns(line)[0] for line in lines[1:3]] == [OTHER, FAST]
    assert lines[-1] == "2 of 2 scenarios as expected"


def test_a_negative_test_is_as_expected_when_it_is_violated() -> None:
    stdout = succeed("run", NEGATIVE).stdout
    assert columns(stdout.splitlines()[1])[:3] == [NEGATIVE, "violated", "yes"]
    assert "replay:" not in stdout


def test_a_file_alone_is_run_alone(own: Path) -> None:
    (scenario,) = succeed_with_json("run", "--file", own)["scenarios"]
    assert (scenario["name"], scenario["verdict"]) == ("my-own", "verified")


def test_files_and_names_together(own: Path, tmp_path: Path) -> None:
    second = tmp_path / "second.toml"
    second.write_text(OWN.replace("my-own", "second"), encoding="utf-8")
    arguments = ("run", FAST, "my-own", "-f", second, "-f", own)
    names = [scenario["name"] for scenario in succeed_with_json(*arguments)["scenarios"]]
    assert names == [FAST, "my-own", "second"], "a file is run whether it is named or not"


def test_json_has_exactly_these_fields() -> None:
    document = succeed_with_json("run", FAST, NEGATIVE)
    assert set(document) == {"scenarios"}
    assert [scenario["name"] for scenario in document["scenarios"]] == [FAST, NEGATIVE]
    for scenario in document["scenarios"]:
        assert set(scenario) == set(SCHEMA)
        for name, kind in SCHEMA.items():
            assert isinstance(scenario[name], kind), name
        assert scenario["verdict"] in ("verified", "violated", "unknown")
        assert scenario["ok"] == (scenario["verdict"] == scenario["expected"])
    verified, violated = document["scenarios"]
    assert (verified["schedule"], verified["violation"], verified["exhausted"]) == (None, None, True)
    assert verified["schedules"] > 50
    assert violated["schedule"].startswith(f"s1/{NEGATIVE}/")
    assert set(violated["violation"]) == {"rule", "message", "host", "extent"}


def test_json_is_all_there_is_whatever_the_verdict() -> None:
    for arguments, code in [((FAST, "--mutant", MUTANT), 1), ((FAST, "--max-states", 10), 2)]:
        result = run("run", *arguments, "--json")
        assert result.exit_code == code
        (scenario,) = json.loads(result.stdout)["scenarios"]
        assert scenario["ok"] is False


# -- a counterexample ----------------------------------------------------------------------------------------------


def test_a_violation_is_shown_step_by_step() -> None:
    result = run("run", OTHER, FAST, "--mutant", MUTANT)
    assert (result.exit_code, result.stderr) == (1, "")
    lines = result.stdout.splitlines()
    assert columns(lines[2])[:3] == [FAST, "violated", "NO: verified expected"]
    head = next(
        at for at, line in enumerate(lines) if line.startswith(f"{FAST}: violated, verified expected. ")
    )
    assert "extent 0" in lines[head]
    assert columns(lines[head + 1]) == ["step", "W", "R", "result"]
    steps = lines[head + 2 : lines.index("", head)]
    assert [columns(line)[0] for line in steps] == [str(number) for number in range(1, len(steps) + 1)]
    assert any("writes extent 0 of the volume" in line for line in steps)
    assert "RETURNS" in steps[-1]
    assert_plain(result.stdout)


def replay_line(stdout: str) -> str:
    (line,) = [line for line in stdout.splitlines() if line.startswith("replay: ")]
    return line.removeprefix("replay: ")


def test_the_replay_command_shows_the_same_violation_when_it_is_executed_literally(own: Path) -> None:
    """In a shell, with the installed command, from the same folder, with a file whose name has a space."""
    found = run_process("run", "--file", own.name, "--mutant", MUTANT, folder=own.parent)
    assert (found.returncode, found.stderr) == (1, b"")
    stdout = found.stdout.decode()
    command = replay_line(stdout)
    assert shlex.split(command)[:2] == ["shadowshare", "replay"]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    again = subprocess.run(
        ["sh", "-c", command],
        capture_output=True,
        cwd=own.parent,
        env={**os.environ, "PATH": path},
        check=False,
    )
    assert (again.returncode, again.stderr) == (1, b"")
    table, _, verdict = again.stdout.decode().partition("\n\n")
    assert table in stdout, "the same table"
    message = verdict.strip().removeprefix("violated (image): ")
    assert f"my-own: violated, verified expected. {message}\n" in stdout


@pytest.mark.parametrize("name", [FAST, NEGATIVE])
def test_a_schedule_from_the_json_can_be_replayed(name: str) -> None:
    mutant = ["--mutant", MUTANT] if name == FAST else []
    (scenario,) = json.loads(run("run", name, *mutant, "--json").stdout)["scenarios"]
    result = run("replay", scenario["schedule"], *mutant, "--json")
    assert (result.exit_code, result.stderr) == (1, "")
    assert json.loads(result.stdout)["violation"] == scenario["violation"]


# -- schedules that are drawn, and budgets --------------------------------------------------------------------------


def without_seconds(stdout: str) -> Any:
    document = json.loads(stdout)
    for scenario in document["scenarios"]:
        assert scenario.pop("seconds") >= 0
    return document


DRAWN = ("--strategy", "random", "--max-executions")


def test_drawn_schedules_prove_nothing_and_are_the_same_each_time() -> None:
    results = [run("run", FAST, *DRAWN, 20, "--seed", seed, "--json") for seed in (5, 5, 6)]
    assert [result.exit_code for result in results] == [2, 2, 2]
    first, again, other = (without_seconds(result.stdout) for result in results)
    assert first == again
    assert first != other
    (scenario,) = first["scenarios"]
    assert (scenario["verdict"], scenario["schedules"], scenario["states"]) == ("unknown", 20, 0)
    assert scenario["exhausted"] is False
    assert (
        scenario["reason"]
        == "stopped after 20 executions; schedules that are drawn prove nothing about the others"
    )


def test_drawn_schedules_find_what_is_there() -> None:
    result = run("run", FAST, *DRAWN, 500, "--seed", 1, "--mutant", MUTANT)
    assert result.exit_code == 1
    again = run(*shlex.split(replay_line(result.stdout))[1:])
    assert again.exit_code == 1


def test_a_budget_that_is_spent_is_said_with_exit_code_2() -> None:
    result = run("run", FAST, "--max-states", 10)
    assert result.exit_code == 2
    reason = f"{FAST} is unknown, verified expected (stopped after 11 states)"
    assert result.stderr == f"shadowshare: {reason}\n"
    assert f"{FAST}: unknown, verified expected. stopped after 11 states\n" in result.stdout
    assert result.stdout.endswith("0 of 1 scenarios as expected\n")


def test_a_violation_outweighs_what_is_unknown() -> None:
    result = run("run", FAST, "writer-overtakes-recheck", "--max-states", 60, "--mutant", MUTANT)
    assert (result.exit_code, result.stderr) == (1, "")


def test_a_negative_test_in_which_nothing_was_found_is_not_as_expected(tmp_path: Path) -> None:
    path = tmp_path / "negative.toml"
    path.write_text('expected = "violated"\n' + OWN, encoding="utf-8")
    result = run("run", "-f", path)
    assert result.exit_code == 2
    assert result.stderr == "shadowshare: my-own is verified, violated expected\n"
    assert "\nmy-own: verified, violated expected.\n" in result.stdout


def test_no_time_is_too_little() -> None:
    result = run("run", FAST, "--max-seconds", 1e-9)
    assert (result.exit_code, "the time was used up" in result.stderr) == (2, True)


# -- list --------------------------------------------------------------------------------------------------------


def test_list_has_every_scenario_with_its_story(own: Path) -> None:
    stdout = succeed("list", "--file", own).stdout
    assert_plain(stdout)
    heads = [line for line in stdout.splitlines() if not line.startswith(" ")]
    expected = [f"{name}  ({built_in(name).expected})" for name in built_in_names()]
    assert heads == [*expected, "my-own  (verified)", f"{REAL_SCENARIO_NAME}  (verified)"]
    assert built_in(FAST).story in " ".join(stdout.split())
    assert max(map(len, stdout.splitlines())) <= 100


def test_list_for_programs(own: Path) -> None:
    scenarios = succeed_with_json("list", "-f", own)["scenarios"]
    assert all(set(scenario) == {"name", "expected", "story"} for scenario in scenarios)
    assert [scenario["name"] for scenario in scenarios] == [*built_in_names(), "my-own", REAL_SCENARIO_NAME]
    assert scenarios[0] == {
        "name": built_in_names()[0],
        "expected": built_in(built_in_names()[0]).expected,
        "story": built_in(built_in_names()[0]).story,
    }


# -- replay ------------------------------------------------------------------------------------------------------


def test_a_good_schedule() -> None:
    result = succeed("replay", f"s1/{FAST}/W,R*2,W*5")
    lines = result.stdout.splitlines()
    assert columns(lines[0]) == ["step", "W", "R", "result"]
    assert columns(lines[1])[:2] == ["1", "reads extent 0 of the volume"]
    assert lines[-1] == "nothing is violated in this schedule"
    assert_plain(result.stdout)


def test_a_schedule_that_ends_early_says_so() -> None:
    stdout = succeed("replay", f"s1/{FAST}/W").stdout
    assert stdout.endswith("\nnothing is violated so far; the schedule ends while operations are in flight\n")
    assert len(succeed("replay", f"s1/{FAST}/").stdout.splitlines()) == 3


def test_a_replay_for_programs() -> None:
    document = succeed_with_json("replay", f"s1/{FAST}/W*2,R")
    assert (document["scenario"], document["schedule"]) == (FAST, f"s1/{FAST}/W*2,R")
    assert (document["verdict"], document["violation"]) == ("unknown", None)
    assert [step["label"] for step in document["steps"]] == ["W", "W", "R"]
    assert all(set(step) >= {"number", "label", "host", "action", "result"} for step in document["steps"])


def test_events_of_the_disks_stand_out() -> None:
    stdout = succeed("replay", "s1/crash-before-volume-write/W*2,power").stdout
    assert "** the disks lose power, the active host crashes **" in stdout


def test_a_schedule_of_an_own_scenario(own: Path) -> None:
    assert succeed_with_json("replay", "s1/my-own/W", "--file", own)["scenario"] == "my-own"


# -- without a terminal ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [["run", FAST, OTHER], ["list"], ["replay", f"s1/{FAST}/W,R"], ["run", FAST, "--mutant", MUTANT]],
    ids=" ".join,
)
def test_output_without_a_terminal_is_plain_and_has_no_progress(arguments: list[str]) -> None:
    environment = {**os.environ, "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    done = run_process(*arguments, environment=environment)
    assert done.returncode == (1 if MUTANT in arguments else 0)
    assert done.stderr == b""
    assert_plain(done.stdout.decode())


def test_help_is_plain_and_has_examples() -> None:
    for command in ("run", "list", "replay"):
        stdout = succeed(command, "--help").stdout
        assert "\\b" not in stdout
        assert all(character.isprintable() or character == "\n" for character in stdout)
        assert command == "list" or f"Example: shadowshare {command}" in stdout
