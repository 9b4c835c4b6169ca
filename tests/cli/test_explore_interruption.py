"""Ctrl-C in ``explore``: real signals, to real processes, without a clock."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.running import run, run_process, succeed_with_json
from tests.repository.tree import ROOT

LARGE, WRITERS = "life-and-crash", "two-writers-overlapping"


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "TERM": "xterm-256color", **more}


# -- signals that an exploration sends to itself ----------------------------------------------------------------------

INTERRUPTING = """
import os, signal
from shadowshare.verify.strategies.exhaustive import Exhaustive
from shadowshare.verify.strategies.random_walk import RandomWalk

class Search(Exhaustive):
    name = "interrupting"
    signal_count = 1
    at = 3000

    def finish(self, search, budget, progress=None):
        def listen(covered, waiting):
            if covered > self.at:
                for _ in range(self.signal_count):
                    os.kill(os.getpid(), signal.SIGINT)
        return super().finish(search, budget, listen)

class Twice(Search):
    signal_count = 2

class Draws(RandomWalk):
    name = "drawing"

    def begin(self, product):
        self.count = getattr(self, "count", 0) + 1
        if self.count == 100:
            os.kill(os.getpid(), signal.SIGINT)
"""


@pytest.fixture
def module(tmp_path: Path) -> Path:
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "interrupting.py").write_text(INTERRUPTING, encoding="utf-8")
    return folder


def explore(module: Path, *arguments: object) -> subprocess.CompletedProcess[bytes]:
    return run_process("explore", *arguments, environment=environment(PYTHONPATH=str(module)))


def test_the_first_one_ends_the_exploration_and_shows_what_was_found(module: Path) -> None:
    done = explore(module, LARGE, "--strategy", "interrupting:Search")
    assert (done.returncode, done.stderr.decode()) == (
        2,
        f"shadowshare: {LARGE} is unknown, verified expected (interrupted)\n",
    )
    lines = done.stdout.decode().splitlines()
    assert lines[0] == f"unknown: {LARGE}, verified expected"
    assert re.split(r"\s{2,}", lines[1]) == ["exhausted", "no: interrupted"]
    assert not any(line.startswith("estimate ") for line in lines), "nobody wants to wait for it"


def test_of_schedules_too(module: Path) -> None:
    done = explore(module, LARGE, "--strategy", "interrupting:Draws", "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["verdict"], document["executions"]) == (2, "unknown", 100)
    assert document["reason"].startswith("interrupted; ")


def test_the_second_one_ends_the_command(module: Path) -> None:
    done = explore(module, LARGE, "--strategy", "interrupting:Twice")
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"shadowshare: interrupted\n")


def test_a_checkpoint_is_written_from_which_it_goes_on(module: Path, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    done = explore(module, LARGE, "--strategy", "interrupting:Search", "--checkpoint", path)
    assert done.returncode == 2
    assert f"{path}: the same command goes on from there" in done.stdout.decode()
    whole, resumed = (
        succeed_with_json("explore", LARGE, *options) for options in ((), ("--checkpoint", path))
    )
    for document in (whole, resumed):
        del document["seconds"], document["host_runs"]
    assert whole == resumed
    assert not path.exists()


def test_where_it_is_ignored_it_still_is(module: Path, tmp_path: Path) -> None:
    """As in a job that a shell began in the background."""
    command = [sys.executable, "-m", "shadowshare", "explore", LARGE, "--strategy", "interrupting:Search"]
    done = subprocess.run(
        command,
        env=environment(PYTHONPATH=str(module)),
        capture_output=True,
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_afterwards_it_does_what_it_did_before() -> None:
    before = signal.getsignal(signal.SIGINT)
    run("explore", "reader-before-volume-read")
    assert signal.getsignal(signal.SIGINT) is before


# -- Ctrl-C on a terminal --------------------------------------------------------------------------------------------


class Terminal:
    """A command on a terminal of its own; what it prints is read as it comes."""

    def __init__(self, *arguments: object) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "shadowshare", *[str(argument) for argument in arguments]],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment(),
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509 - nothing else runs here
        )
        os.close(slave)
        self.shown = ""

    def read_until(self, is_there: Callable[[str], bool]) -> None:
        """Read on until something is shown, or nobody is there to show anything."""
        while not is_there(self.shown):
            try:
                piece = os.read(self._master, 65536)
            except OSError:  # so Linux says that the last process has left the terminal
                return
            self.shown += piece.decode(errors="replace")

    def press_ctrl_c(self) -> None:
        os.write(self._master, b"\x03")

    def end(self) -> int:
        """Read to the end, when no process has the terminal any more; the exit code."""
        self.read_until(lambda _: False)
        os.close(self._master)
        return self._process.wait()

    @property
    def text(self) -> str:
        """What was shown, without what moves the cursor and what gives colours."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.shown).replace("\r", "")


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@pytest.mark.parametrize(
    ("arguments", "unit"),
    [
        ((LARGE, "--together", "--max-states", 10**8), "states"),
        ((WRITERS, "--strategy", "random", "--max-executions", 10**8), "executions"),
        ((WRITERS, "--strategy", "random", "--max-executions", 10**8, "--jobs", 2), "executions"),
    ],
    ids=["search", "drawn", "jobs"],
)
def test_ctrl_c_on_a_terminal_that_shows_the_progress(arguments: tuple[object, ...], unit: str) -> None:
    """The exploration is one that would take hours; and no process has the terminal when all is over."""
    terminal = Terminal("explore", *arguments, "--max-seconds", 100)
    terminal.read_until(lambda shown: re.search(rf"[1-9][0-9,]* {unit}, [0-9,]+/s", shown) is not None)
    terminal.press_ctrl_c()
    assert terminal.end() == 2, terminal.text
    assert f"unknown: {arguments[0]}, verified expected" in terminal.text
    assert "(interrupted" in terminal.text
    assert "Traceback" not in terminal.text
    assert "KeyboardInterrupt" not in terminal.text


def test_a_verdict_on_a_terminal_has_a_colour() -> None:
    terminal = Terminal("explore", "assumed-fence-holds")
    assert terminal.end() == 0
    assert "\x1b[1;31m✗ violated: assumed-fence-holds, as expected\x1b[0m" in terminal.shown
