"""The table of all peers: ``python -m bench.explore_peers [--json] [--seconds 20] [--sizes 2,2 3,2] [--rounds 3]``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

from bench.explore_peers import Peer, Row, peers
from bench.explore_peers.toy import MUTANTS

HEADER = (
    f"{'model':15}{'N,R':>5}  {'engine':20}{'seconds':>9}{'compile':>9}{'states':>11}{'executions':>12}"
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
    for key in ("seconds", "compile_seconds", "states", "executions"):
        figures: list[Any] = [row.get(key) for row in rounds if row.get(key) is not None]
        if figures:
            merged[key] = median(figures) if key.endswith("seconds") else round(median(figures))
    merged["exhausted"] = all(row["exhausted"] for row in rounds)
    if merged["found"] is not None:
        merged["found"] = all(row["found"] for row in rounds)
    return merged  # type: ignore[return-value]


def measure(
    chosen: Sequence[Peer], sizes: Sequence[tuple[int, int]], seconds_maximum: float, round_count: int
) -> Iterator[Row]:
    """Every peer on every size, the right version and its mutants."""
    for n, r in sizes:
        for mutant in (None, *MUTANTS):
            for peer in chosen:
                by_engine: dict[str, list[Row]] = {}
                for _ in range(round_count):
                    for row in peer.run(n, r, mutant, seconds_maximum):
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
    counts = f"{number(row['states']):>11}{number(row['executions']):>12}"
    answers = f"{answer(row['found']):6}{answer(row['exhausted']):10}"
    return f"{row['model']:15}{place:>5}  {row['engine']:20}{times}{counts}  {answers}{row['note']}".rstrip()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--seconds", type=float, default=20, help="time limit for each engine (default 20)")
    parser.add_argument(
        "--sizes", type=size, nargs="+", default=[(2, 2), (3, 2)], help="extents,readers (default 2,2 3,2)"
    )
    parser.add_argument("--rounds", type=int, default=1, help="medians are of so many (default 1)")
    parser.add_argument("--peers", nargs="+", choices=[peer.name for peer in peers()], help="only these")
    arguments = parser.parse_args()
    chosen = [peer for peer in peers() if arguments.peers is None or peer.name in arguments.peers]
    rows = measure(chosen, arguments.sizes, arguments.seconds, arguments.rounds)
    if arguments.json:
        json.dump(list(rows), sys.stdout, indent=2)
        print()
        return
    print(HEADER)
    for row in rows:
        print(show(row), flush=True)


if __name__ == "__main__":
    main()
