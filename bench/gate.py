"""How soon a gate is red, and how long it takes: ``python -m bench.gate [--json] [MUTANT...]``.

A gate is started as a user starts it, as a process of its own, in a folder without failures of the past, with a bug
that is easy to find, or with a user's own code that is wrong. The time is that from its start to its end, when the
verdict, what is violated, and the command that replays it are printed. With ``--whole`` also that of a gate that finds
nothing: all that it checks in any case, and few generated races.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import NamedTuple

EXAMPLES = Path(__file__).parents[1] / "examples"
EASY = (
    "no-recheck",
    "volume-before-entry",
    "no-flush-before-entry",
    "ignores-copy-error",
    "copies-not-passed-on",
)
OWN = ("own_reader:naive", "own_active:naive")
ROUND_COUNT = 3
WHOLE_RACE_COUNT = 8


class Figures(NamedTuple):
    """How long a gate took.

    Attributes:
        name: of what was put through it.
        verdict: its verdict.
        seconds: of each round, from the start of the process to its end.
        processor_seconds: of each round, of all its processes: they depend less on what else the machine does.
        stage: in which something was violated; empty if nothing was.
        found_in: the check that found it.
    """

    name: str
    verdict: str
    seconds: list[float]
    processor_seconds: list[float]
    stage: str
    found_in: str


def measure(name: str, options: Sequence[str], round_count: int) -> Figures:
    """Run a gate several times."""
    seconds, processor_seconds, printed = [], [], ""
    for _ in range(round_count):
        with TemporaryDirectory() as folder:
            start, spent = perf_counter(), _spent_seconds()
            printed = _run(
                [*options, "--json", "--races", str(WHOLE_RACE_COUNT), "--seed", "1"], Path(folder)
            )
            seconds.append(perf_counter() - start)
            processor_seconds.append(_spent_seconds() - spent)
    told = json.loads(printed)
    stage, check = next(
        (
            (stage, check["name"])
            for stage, checks in told["stages"].items()
            for check in checks["checks"]
            if check["verdict"] == "violated"
        ),
        ("", ""),
    )
    return Figures(name, told["verdict"], seconds, processor_seconds, stage, check)


def _spent_seconds() -> float:
    """Processor time of all processes that were begun here, and have ended."""
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _run(options: Sequence[str], folder: Path) -> str:
    path = os.pathsep.join(filter(None, [str(EXAMPLES), os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "PYTHONPATH": path, "GITHUB_ACTIONS": "false"}
    command = [sys.executable, "-m", "shadowshare", "gate", *options]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{' '.join(command)}: exit code {done.returncode}: {done.stderr}")
    return done.stdout


def show(rows: Sequence[Figures]) -> None:
    """Print the figures for people."""
    width = max(len(row.name) for row in rows)
    print(f"{'under the gate':{width}}  verdict   seconds  (least to most)  of processors  found in")
    for row in rows:
        spread = f"({min(row.seconds):.1f} to {max(row.seconds):.1f})"
        found = f"{row.stage}: {row.found_in}" if row.stage else "-"
        processors = f"{median(row.processor_seconds):13.1f}"
        print(
            f"{row.name:{width}}  {row.verdict:8}  {median(row.seconds):7.1f}  {spread:15}  {processors}  {found}"
        )


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "mutants", nargs="*", metavar="MUTANT", help="bugs; without any, some that are easy to find"
    )
    parser.add_argument("--rounds", type=int, default=ROUND_COUNT, help="runs of each")
    parser.add_argument("--whole", action="store_true", help="also a gate that finds nothing, once")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args()
    rows = [measure(name, ["--mutant", name], chosen.rounds) for name in chosen.mutants or EASY]
    if not chosen.mutants:
        rows += [measure(path, ["--implementation", path], chosen.rounds) for path in OWN]
    if chosen.whole:
        rows.append(measure("the protocol", [], 1))
    if chosen.json:
        print(json.dumps([row._asdict() for row in rows], indent=2))
    else:
        show(rows)


if __name__ == "__main__":
    main()
