"""On a terminal there are colours, signs and bars; on a dumb one, and without a terminal, plain text."""

from __future__ import annotations

import fcntl
import os
import re
import struct
import subprocess
import sys
import termios

import pytest

from shadowshare.reports.style import SIGNS, TERMINAL
from tests.cli.running import run_process

COMMAND = ("explore", "reader-before-volume-read", "--mutant", "no-recheck")
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def on_terminal(columns: int, **environment: str) -> str:
    """What the command writes on a terminal of that width, standard error included."""
    outer, inner = os.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    known = {**kept, "TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONUTF8": "1", **environment}
    process = subprocess.Popen(
        [sys.executable, "-m", "shadowshare", *COMMAND], stdin=inner, stdout=inner, stderr=inner, env=known
    )
    os.close(inner)
    written = b""
    while chunk := _read(outer):
        written += chunk
    os.close(outer)
    assert process.wait() == 1
    return written.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how Linux says that nobody writes any more
        return b""


def colour(role: str) -> str:
    red, green, blue = bytes.fromhex(TERMINAL.roles[role].removeprefix("#"))
    return f"38;2;{red};{green};{blue}m"


def test_a_terminal_shows_places_and_hosts_in_their_colours() -> None:
    written = on_terminal(130)
    assert f"{colour('volume')}extent 0 of the volume" in written
    assert f"{colour('slots')}slot 0" in written
    assert f"{colour('journal')}journal block 3" in written
    assert f"{colour('passive')}{SIGNS['passive']} R" in written
    assert f"{SIGNS['violated']} violated: reader-before-volume-read" in ESCAPE.sub("", written)
    assert colour("volume") not in next(line for line in written.splitlines() if "verified expected" in line)


@pytest.mark.parametrize("columns", [60, 130])
def test_lines_fit_the_terminal_and_have_no_colour_if_none_is_wanted(columns: int) -> None:
    written = on_terminal(columns, NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", written)
    plain = ESCAPE.sub("", written)
    assert [line for line in plain.split("step ")[1].splitlines() if len(line) > columns] == []


def test_a_dumb_terminal_gets_what_a_pipe_gets() -> None:
    piped = run_process(*COMMAND, environment={**os.environ, "PYTHONUTF8": "1"}).stdout.decode()
    written = on_terminal(130, TERM="dumb")
    assert without_time(written) == without_time(piped)


def without_time(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("time ")]
