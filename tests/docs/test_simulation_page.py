"""What simulations are said to answer: commands run, in a cheap form, and the pictures are what their commands draw."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest

from tests.cli.running import run
from tests.docs.documents import DOCS, fences, tables
from tests.repository.tree import ROOT

PAGE = DOCS / "simulation.md"
PICTURES = DOCS / "pictures"
CHEAP = ("--set", "time.measured_seconds=0.05", "--set", "time.warm_up_seconds=0.01", "--jobs", "1")


def shown_in_readme() -> list[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = next(rows for rows in tables(text) if {"question", "command"} <= set(rows[0]))
    return [row["command"] for row in rows]


def shown_on_page() -> list[str]:
    lines = [line for fence in fences(PAGE) if fence.info == "console" for line in fence.text.splitlines()]
    return [line.removeprefix("$ ").partition("   #")[0].strip() for line in lines]


def words_of(command: str) -> list[str]:
    program, *words = shlex.split(command)
    assert program == "shadowshare"
    return words


def picture_of(command: str) -> Path:
    """The committed picture that a command draws, if it is one."""
    named = re.search(r"--figure (\S+)", command)
    return PICTURES / (named[1] if named else "none")


def cheap(words: list[str]) -> list[str]:
    """The same, of a moment of simulated time: with two values of each sweep, and two runs."""
    if words[0] == "explore":
        return [*words, "--max-executions", "20"]
    if len(words) == 1:
        return words
    short = [*words, *CHEAP]
    for option, value in pairwise(words):
        if option == "--sweep":
            name, _, values = value.partition("=")
            short += ["--sweep", f"{name}={','.join(re.split(r',|[.][.]', values)[:2])}"]
    if "fail-over" in words[1]:
        short += ["--set", "fail_over.at_seconds=0.03", "--set", "fail_over.detection_seconds=0.001"]
    if "--precision" in words:
        short[short.index("--precision") + 1] = "90%"
    elif "--replications" in words:
        short += ["--set", "time.measured_seconds=0.4", "--set", "shadow_copies.every_seconds=0.01"]
        short += ["--set", "path_us=10", "--without-baseline"]
    else:
        short += ["--replications", "2"]
    return short


@pytest.mark.parametrize(
    "command",
    [*shown_in_readme(), *(shown for shown in shown_on_page() if not picture_of(shown).exists())],
)
def test_a_question_is_answered_by_its_command(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(*cheap(words_of(command)))
    assert done.exit_code == 0 or words_of(command)[0] == "explore", done.stderr
    written = {word for word in words_of(command) if re.fullmatch(r"[a-z]+\.(svg|csv|html|pftrace)", word)}
    assert {path.name for path in tmp_path.iterdir()} == written
    assert done.stdout


@pytest.mark.parametrize("command", [shown for shown in shown_on_page() if picture_of(shown).exists()])
def test_a_picture_is_what_its_command_draws(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(*words_of(command), "--jobs", "1")
    assert done.exit_code == 0, done.stderr
    picture = picture_of(command)
    assert (tmp_path / picture.name).read_bytes() == picture.read_bytes()
    assert f"pictures/{picture.name}" in PAGE.read_text(encoding="utf-8")


def test_there_are_questions_and_pictures() -> None:
    assert len(shown_in_readme()) >= 8
    assert sum(picture_of(shown).exists() for shown in shown_on_page()) == 2
