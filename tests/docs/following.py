"""Following a page literally: its files are written, its commands run, and what they print is compared.

In a console block a line behind ``$`` is a command; ``# exit code N`` behind it says how it ends, 0 if nothing does.
What stands below is what it prints: line by line, white space folded, and ``...`` stands for anything. A block that the
paragraph before it says to save "as `NAME`" is written to a file of that name; other Python blocks run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.docs.documents import Fence, fences


class Command(NamedTuple):
    """A command of a page, how it must end, and what it must print."""

    text: str
    exit_code: int
    output: str


def commands_of(fence: Fence) -> Iterator[Command]:
    """The commands of a console block."""
    for part in re.split(r"^\$ ", fence.text, flags=re.MULTILINE)[1:]:
        line, _, output = part.partition("\n")
        text, _, comment = line.partition("   # ")
        code = re.fullmatch(r"exit code (\d)", comment.strip())
        yield Command(text.strip(), int(code[1]) if code else 0, output.strip())


def is_printed(expected: str, printed: str) -> bool:
    """Whether a command printed what the page shows."""
    pattern = ".*".join(re.escape(" ".join(part.split())) for part in expected.split("..."))
    pattern = pattern.replace(r"\ .*", r"\ ?.*").replace(r".*\ ", r".*\ ?")
    return re.fullmatch(r"\s*" + pattern + r"\s*", " ".join(printed.split()), flags=re.DOTALL) is not None


def follow(page: Path, folder: Path) -> int:
    """Do all that a page says, in an empty folder; returns how many commands there were."""
    lines = page.read_text(encoding="utf-8").splitlines()
    count = 0
    for fence in fences(page):
        name = _file_name(lines, fence.line)
        if fence.info == "console":
            for command in commands_of(fence):
                _run(command, folder)
                count += 1
        elif name is not None:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(fence.text, encoding="utf-8")
        elif fence.info == "python":
            subprocess.run([sys.executable, "-c", fence.text], cwd=folder, check=True)
    return count


def _file_name(lines: list[str], first: int) -> str | None:
    """The name of the file that a block is, if the paragraph before it says so."""
    before = lines[: first - 2]
    while before and not before[-1].strip():
        before.pop()
    start = next((n for n in range(len(before), 0, -1) if not before[n - 1].strip()), 0)
    found = re.search(r"\bas `([\w./-]+)`", " ".join(before[start:]))
    return found[1] if found else None


def run_command(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of a page, which finds this environment's programs and those of the system's administrator."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"], "/usr/sbin", "/sbin"])
    return subprocess.run(
        ["bash", "-c", text],
        cwd=folder,
        env={**os.environ, "PATH": path, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def _run(command: Command, folder: Path) -> None:
    done = run_command(command.text, folder)
    assert "Traceback" not in done.stderr, f"{command.text}: {done.stderr}"
    assert done.returncode == command.exit_code, f"{command.text}: {done.stderr}{done.stdout}"
    assert is_printed(command.output, done.stdout), f"{command.text} prints:\n{done.stdout}{done.stderr}"
