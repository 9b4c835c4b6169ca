"""The commands in the README run as they stand there, and exit as it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.documents import fences
from tests.docs.following import run_command
from tests.e2fsprogs import needs_e2fsprogs

ROOT = Path(__file__).parents[2]
ELSEWHERE = ("make race", "make test")
"""Commands that continuous integration runs by themselves."""


def commands() -> list[str]:
    """Every line of a console block behind a ``$``, without its comment."""
    blocks = [fence.text for fence in fences(ROOT / "README.md") if fence.info == "console"]
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    return [line.removeprefix("$ ").partition(" #")[0].strip() for line in lines]


@needs_e2fsprogs
def test_commands_run_one_after_the_other(tmp_path: Path) -> None:
    shown = [command for command in commands() if command not in ELSEWHERE]
    assert len(shown) >= 8
    for command in shown:
        done = run_command(command, tmp_path)
        assert done.returncode == (1 if "--mutant" in command else 0), (
            f"{command}: {done.stderr}{done.stdout}"
        )
        assert "Traceback" not in done.stderr
    assert (tmp_path / "yesterday.img").stat().st_size == 64 * 1024 * 1024


def test_the_replay_line_that_is_shown_is_the_one_that_is_printed(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = next(line for line in text.splitlines() if line.startswith("replay: "))
    done = run_command("shadowshare run reader-before-volume-read --mutant cached-recheck", tmp_path)
    assert shown in done.stdout.splitlines()


@pytest.mark.parametrize("command", ELSEWHERE)
def test_the_two_commands_are_there(command: str) -> None:
    assert command in commands()
    assert f"{command.removeprefix('make ')}:" in (ROOT / "Makefile").read_text(encoding="utf-8")
