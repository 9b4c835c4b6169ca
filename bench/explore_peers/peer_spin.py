"""Spin: exhaustive search over states by a C program that it writes for the model.

``spin -a`` and gcc are `compile_seconds`; the search is `seconds`, the start of its process included. "spin" visits
every state (``-DNOREDUCE``); "spin, reduced" leaves its partial-order reduction on, which saves nothing here: every
step reads or writes a cell that another process uses. Both with ``-O2 -DSAFETY``, a hash table of 2^20 slots (``-w20``;
it grows) and a stack as deep as the model (``-m``): the defaults are larger, and setting them up takes 0.1 s.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from time import perf_counter

from bench.explore_peers.promela import promela
from bench.explore_peers.row import CUT, Row, new_row, settle
from bench.explore_peers.script import main
from bench.explore_peers.toy import longest

MEMORY_MIB = 4096
ENGINES = {"spin": ["-DNOREDUCE"], "spin, reduced": []}


def availability() -> str:
    """Which of the programs that are needed is missing."""
    missing = [name for name in ("spin", "gcc") if shutil.which(name) is None]
    return f"{' and '.join(missing)} not found" if missing else ""


def read_output(text: str, row: Row) -> Row:
    """Enter into the row what the search printed."""
    states = re.search(r"^\s*(\S+) states, stored", text, re.MULTILINE)
    errors = re.search(r"errors: (\d+)", text)
    if states is None or errors is None:
        row["note"] = f"its output has no figures: {text.strip()[-200:]}"
        return row
    row["states"] = int(float(states[1]))
    if "pan: reached -DMEMLIM bound" in text:
        why_not = f"ended at {MEMORY_MIB} MiB of memory"
    elif "max search depth too small" in text:
        why_not = "ended at its depth limit"
    else:
        why_not = CUT
    is_whole = "Search not completed" not in text and why_not == CUT
    return settle(row, violated=errors[1] != "0", exhausted=is_whole, why_not=why_not)


def search(executable: Path, depth: int, seconds_maximum: float) -> str:
    """Run the search; at the time limit, it is interrupted, and prints what it has."""
    command = [str(executable), f"-m{depth}", "-w20", "-n"]
    with subprocess.Popen(command, cwd=executable.parent, stdout=subprocess.PIPE, text=True) as process:
        try:
            return process.communicate(timeout=seconds_maximum)[0]
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            return process.communicate()[0]


def measure(n: int, r: int, mutant: str, seconds_maximum: float) -> list[Row]:
    """Without and with reduction."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "toy.pml").write_text(promela(n, r, mutant), encoding="ascii")
        for engine, options in ENGINES.items():
            row = new_row(n, r, mutant, engine)
            start = perf_counter()
            subprocess.run(["spin", "-a", "toy.pml"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            flags = ["-O2", "-DSAFETY", f"-DMEMLIM={MEMORY_MIB}", *options]
            subprocess.run(["gcc", *flags, "-o", "pan", "pan.c"], cwd=folder, check=True)
            compiled = perf_counter()
            text = search(folder / "pan", longest(n, r) + 10, seconds_maximum)
            row["seconds"] = perf_counter() - compiled
            row["compile_seconds"] = compiled - start
            rows.append(read_output(text, row))
    return rows


if __name__ == "__main__":
    main(measure, availability)
