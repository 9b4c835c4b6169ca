"""Exploring, in figures: ``python -m bench.explore [--json]``.

One small model (`bench.explore_peers.toy` says which), of N extents and R readers, in each of our engines and in every
other tool that is installed, side by side in one run: time, states, traces (different up to the order of independent
steps), executions until a bug was found, and whether nothing was left out. Then models that only we run: many readers,
a power loss in a large batch, the real protocol with crashes, and how long a counterexample takes to shrink.

``--only`` restricts it (to ``ours``, or to peers by name), ``--rounds 3`` takes medians.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import Any

from bench.explore_ours import OTHERS
from bench.explore_ours import run as run_ours
from bench.explore_peers import Peer, Row, peers
from bench.explore_peers.toy import MUTANTS

Runner = Callable[[int, int, str | None, float], list[Row]]
OURS = "ours"
SIZES = [(2, 2), (3, 2), (4, 2), (3, 3), (3, 4)]
HEADER = (
    f"{'model':15}{'N,R':>5}  {'engine':24}{'seconds':>9}{'compile':>9}{'states':>11}{'traces':>9}{'executions':>12}"
    f"  {'found':6}{'exhausted':10}note"
)


def size(text: str) -> tuple[int, int]:
    """Read "3,2": extents, readers."""
    n, r = text.split(",")
    if int(n) < 1 or int(r) < 1:
        raise ValueError(text)
    return int(n), int(r)


def merge(rounds: Sequence[Row]) -> Row:
    """One row of the medians of several rounds; words are the last round's, a yes needs a yes in every round."""
    merged: dict[str, Any] = dict(rounds[-1])
    for key in ("seconds", "compile_seconds", "states", "traces", "executions"):
        figures: list[Any] = [row.get(key) for row in rounds if row.get(key) is not None]
        if figures:
            merged[key] = median(figures) if key.endswith("seconds") else round(median(figures))
    merged["exhausted"] = all(row["exhausted"] for row in rounds)
    if merged["found"] is not None:
        merged["found"] = all(row["found"] for row in rounds)
    return merged  # type: ignore[return-value]


def measure(
    chosen: Sequence[Peer],
    sizes: Sequence[tuple[int, int]],
    seconds_maximum: float,
    round_count: int,
    with_ours: bool,
) -> Iterator[Row]:
    """Every engine on every size, the right version and its mutants."""
    runners: list[Runner] = [peer.run for peer in chosen]
    if with_ours:
        runners.insert(0, run_ours)
    for n, r in sizes:
        for mutant in (None, *MUTANTS):
            for run in runners:
                yield from repeat(lambda: run(n, r, mutant, seconds_maximum), round_count)  # noqa: B023
    if with_ours:
        for measure_one in OTHERS:
            yield from repeat(lambda: measure_one(seconds_maximum), round_count)  # noqa: B023


def repeat(run: Callable[[], list[Row]], round_count: int) -> Iterator[Row]:
    """The rows of several rounds, merged."""
    by_engine: dict[str, list[Row]] = {}
    for _ in range(round_count):
        for row in run():
            by_engine.setdefault(row["engine"], []).append(row)
    yield from map(merge, by_engine.values())


def show(row: Row) -> str:
    """A row for people."""

    def number(value: float | None, form: str = ",d") -> str:
        return "" if value is None else format(value, form)

    def answer(value: bool | None) -> str:
        return "" if value is None else "yes" if value else "no"

    place = f"{row['n']},{row['r']}"
    times = f"{number(row['seconds'], '.3f'):>9}{number(row.get('compile_seconds'), '.2f'):>9}"
    counts = f"{number(row['states']):>11}{number(row['traces']):>9}{number(row['executions']):>12}"
    answers = f"{answer(row['found']):6}{answer(row['exhausted']):10}"
    return f"{row['model']:15}{place:>5}  {row['engine']:24}{times}{counts}  {answers}{row['note']}".rstrip()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--seconds", type=float, default=20, help="time limit for each engine (default 20)")
    parser.add_argument(
        "--sizes", type=size, nargs="+", default=SIZES, help="extents,readers (default: five)"
    )
    parser.add_argument("--rounds", type=int, default=1, help="medians are of so many (default 1)")
    names = [OURS, *(peer.name for peer in peers())]
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="only these")
    arguments = parser.parse_args()
    chosen = [peer for peer in peers() if peer.name in arguments.only]
    rows = measure(chosen, arguments.sizes, arguments.seconds, arguments.rounds, OURS in arguments.only)
    if arguments.json:
        json.dump(list(rows), sys.stdout, indent=2)
        print()
        return
    print(HEADER)
    for row in rows:
        print(show(row), flush=True)


if __name__ == "__main__":
    main()
