"""One edit under the gate: a copy of the checkout, with one module changed, and the command that users start there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from shutil import copytree
from typing import NamedTuple

from bench.edits.operators import Edit

ROOT = Path(__file__).parents[2]
PROTOCOL = ROOT / "protocol"
SEED = 1
RACE_COUNT = 240
"""About as many as a gate of a minute draws."""

SECONDS_MAXIMUM = 600.0


class Outcome(NamedTuple):
    """What the gate said of an edit.

    Attributes:
        name: of the edit.
        verdict: of the gate; ``endless`` if it came to none in time.
        found_in: the stage and the check that is not as it must be.
        reason: why.
    """

    name: str
    verdict: str
    found_in: str
    reason: str


class Scratch:
    """A folder that looks like a checkout, whose protocol can be edited.

    Args:
        folder: an empty one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._package = folder / "src" / "shadowshare"
        self._package.mkdir(parents=True)
        for entry in (ROOT / "src" / "shadowshare").iterdir():
            if entry.name == "protocol":
                copytree(PROTOCOL, self._package / "protocol", ignore=lambda *_: ["__pycache__"])
            elif entry.name != "__pycache__":
                (self._package / entry.name).symlink_to(entry.resolve())
        (folder / "tests").mkdir()
        (folder / "tests" / "regressions").symlink_to(ROOT / "tests" / "regressions")

    def judge(self, edit: Edit, race_count: int = RACE_COUNT) -> Outcome:
        """Put one edit through the gate, and take it back."""
        path = self._package / "protocol" / f"{edit.module}.py"
        source = path.read_text(encoding="utf-8")
        path.write_text(edit.apply(source), encoding="utf-8")
        try:
            return self._run(edit.name, race_count)
        finally:
            path.write_text(source, encoding="utf-8")

    def judge_patch(self, patch: Path, race_count: int = RACE_COUNT) -> Outcome:
        """Put one patch of ``protocol/`` through the gate, and take it back."""
        apply = ["git", "apply", "-p1", str(patch.resolve())]
        done = subprocess.run(apply, cwd=self._package, capture_output=True, text=True, check=False)
        if done.returncode:
            return Outcome(patch.stem, "broken", "", f"it does not apply: {done.stderr.strip()}")
        try:
            return self._run(patch.stem, race_count)
        finally:
            subprocess.run([*apply, "--reverse"], cwd=self._package, check=True)

    def _run(self, name: str, race_count: int) -> Outcome:
        options = ["--json", "--seed", str(SEED), "--races", str(race_count), "--mutant-share", "0.01"]
        command = [sys.executable, "-m", "shadowshare", "gate", *options]
        variables = {"PYTHONPATH": str(self._package.parent), "PYTHONDONTWRITEBYTECODE": "1"}
        environment = {**os.environ, **variables, "GITHUB_ACTIONS": "false"}
        try:
            done = subprocess.run(
                command,
                cwd=self._folder,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=SECONDS_MAXIMUM,
            )
        except subprocess.TimeoutExpired:
            return Outcome(name, "endless", "", f"no verdict within {SECONDS_MAXIMUM:g} s")
        if not done.stdout.startswith("{"):
            return Outcome(name, "broken", "", (done.stderr.strip().splitlines() or [""])[-1])
        return outcome_of(name, json.loads(done.stdout))


def outcome_of(name: str, told: Mapping[str, object]) -> Outcome:
    """What a gate that was asked for JSON says of an edit: the first thing that is not as it must be."""
    stages = told["stages"]
    assert isinstance(stages, dict)
    for stage, checked in stages.items():
        for check in checked["checks"]:
            if check["verdict"] != "verified":
                return Outcome(name, str(told["verdict"]), f"{stage}: {check['name']}", check["reason"])
    missing = told["missing_marks"]
    assert isinstance(missing, list)
    where = "rare paths" if missing else ""
    return Outcome(name, str(told["verdict"]), where, ", ".join(missing))
