"""A peer as the comparison sees it: is it there, and what does it find? Its module runs in a subprocess."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.explore_peers.row import Row, new_row
from bench.explore_peers.script import NO_MUTANT

ROOT = Path(__file__).resolve().parents[2]
CHECK_SECONDS = 60
# A module keeps the limit itself, for each of its engines. It is ended from outside only if it does not.
ENGINES_MAXIMUM = 3


class PeerFailed(Exception):
    """A peer's module did not print what it promises."""


def interpreter() -> str:
    """The Python that peers run in."""
    return os.environ.get("SHADOWSHARE_PEERS_PYTHON") or sys.executable


@dataclass(frozen=True)
class Peer:
    """Another tool, and the module ``peer_<name>`` that runs the model in it."""

    name: str
    install: str

    def availability(self) -> str:
        """Why it can not be run; empty if it can."""
        try:
            return str(self._answer(["--availability"], CHECK_SECONDS)["problem"])
        except PeerFailed as error:
            return str(error)

    def run(self, n: int, r: int, mutant: str | None, seconds_maximum: float) -> list[Row]:
        """A row for each of its engines; `mutant` is None for the right version.

        What can not be run, or breaks, has one row with no figures and a note that says why.
        """
        row = new_row(n, r, "" if mutant in (None, NO_MUTANT) else str(mutant), self.name)
        problem = self.availability()
        if problem:
            row["note"] = f"{problem}; to install it: {self.install}"
            return [row]
        arguments = ["toy", str(n), str(r), mutant or NO_MUTANT, str(seconds_maximum)]
        try:
            rows: list[Row] = self._answer(arguments, ENGINES_MAXIMUM * seconds_maximum + CHECK_SECONDS)[
                "rows"
            ]
        except PeerFailed as error:
            row["note"] = str(error)
            return [row]
        return rows

    def _answer(self, arguments: list[str], seconds_maximum: float) -> dict[str, Any]:
        command = [interpreter(), "-m", f"bench.explore_peers.peer_{self.name}", *arguments]
        try:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        except OSError as error:
            raise PeerFailed(f"the interpreter for peers can not be started: {error}") from error
        try:
            output, errors = process.communicate(timeout=seconds_maximum)
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise PeerFailed(f"cut by the time limit, from outside, after {seconds_maximum:g} s") from error
        if process.returncode:
            last = (errors.strip().splitlines() or ["no message"])[-1]
            raise PeerFailed(f"{self.name} ended with exit code {process.returncode}: {last}")
        try:
            answer: dict[str, Any] = json.loads(output)
        except ValueError as error:
            raise PeerFailed(f"{self.name} printed no JSON but: {output[:200]!r}") from error
        return answer
