"""``shadowshare matrix``: the table, JSON, exit codes, and the way from a violation to its schedule."""

from __future__ import annotations

import json
import re
import shlex

from tests.cli.running import refuse, run, succeed


def test_the_table_of_some_pairs() -> None:
    lines = succeed("matrix", "delete+create", "create+create").stdout.splitlines()
    assert re.split(r"  +", lines[0])[:3] == ["ACTIONS", "VERDICT", "STATES"]
    assert [line.split()[:2] for line in lines[1:3]] == [
        ["create+delete", "verified"],
        ["create+create", "verified"],
    ]
    assert lines[-1] == "2 of 2 pairs verified"


def test_json() -> None:
    (pair,) = json.loads(succeed("matrix", "create+delete", "--json").stdout)["pairs"]
    assert pair["actions"] == ["create", "delete"]
    assert pair["verdict"] == "verified"
    assert pair["phases"]["volume read"] is True
    assert pair["phases"]["reload"] is False


def test_a_violation_is_replayed_by_the_command_that_is_printed() -> None:
    found = run("matrix", "write+write", "--mutant", "no-recheck")
    assert found.exit_code == 1
    command = next(line for line in found.stdout.splitlines() if line.startswith("replay: "))
    words = shlex.split(command.removeprefix("replay: "))
    assert words[0] == "shadowshare"
    replayed = run(*words[1:])
    assert replayed.exit_code == 1
    assert "violated (image)" in replayed.stdout


def test_what_is_not_known_and_what_cannot_be_told() -> None:
    assert "write+flush" in refuse("matrix", "write+flush")
    untold = run("matrix", "write+write", "--max-states", 10)
    assert untold.exit_code == 2
    assert "cannot tell of these pairs: write+write (stopped after" in untold.stderr


def test_a_pair_is_a_scenario_for_the_other_commands() -> None:
    assert succeed("explore", "matrix-create-and-create").stdout.startswith("verified")
