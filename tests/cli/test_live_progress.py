"""How far an exploration is, in words and as a share of its budget."""

from __future__ import annotations

import os

import pytest

from shadowshare.cli.live_progress import progress_text, share_spent
from shadowshare.models.computers import Implementation
from shadowshare.verify.runner import Plan
from shadowshare.verify.strategies.random_walk import RandomWalk
from tests.cli.running import run_process

FAST, MUTANT = "reader-before-volume-read", "no-recheck"
DRAWN = ("--strategy", "random", "--max-executions", 200)


def test_progress_in_words() -> None:
    assert progress_text(Plan(), 12_345, 678, 2.0) == "12,345 states, 6,172/s, 678 waiting"
    assert progress_text(Plan(strategy=RandomWalk()), 500, 0, 0.0) == "500 executions"


def test_the_share_of_the_budget() -> None:
    assert share_spent(Plan(state_count_maximum=200), 50, 1.0) == 0.25
    assert share_spent(Plan(state_count_maximum=200, seconds_maximum=2.0), 50, 1.0) == 0.5
    assert share_spent(Plan(state_count_maximum=200), 500, 1.0) == 1.0
    drawn = Plan(Implementation(), execution_count_maximum=100, strategy=RandomWalk())
    assert share_spent(drawn, 10, 1.0) == 0.1
    assert share_spent(Plan(strategy=RandomWalk()), 10, 1.0) is None


@pytest.mark.parametrize("arguments", [(FAST,), (FAST, "--mutant", MUTANT), (FAST, *DRAWN)], ids=str)
def test_output_without_a_terminal_is_plain_and_has_no_progress(arguments: tuple[object, ...]) -> None:
    environment = {**os.environ, "FORCE_COLOR": "1", "TERM": "xterm-256color", "PYTHONUTF8": "1"}
    done = run_process("explore", *arguments, environment=environment)
    text = done.stdout.decode()
    assert done.returncode == (1 if MUTANT in arguments else 2 if DRAWN[0] in arguments else 0)
    assert done.stderr.count(b"\n") == (1 if done.returncode == 2 else 0)
    assert all(character.isprintable() or character == "\n" for character in text)
    assert all(line == line.rstrip() for line in text.split("\n"))
