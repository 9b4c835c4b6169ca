"""The matrix of actions: for a terminal, for a document, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shadowshare.reports.tables import Table
from shadowshare.verify.matrix.matrix import PairResult
from shadowshare.verify.matrix.phases import PHASES

MET, NOT_MET = "yes", "-"


def matrix_table(results: Sequence[PairResult], has_times: bool = True) -> Table:
    """One row for each pair: its verdict, and for each phase of the read whether the pair met it."""
    columns = ["actions", "verdict", "states", *PHASES, *(["seconds"] if has_times else [])]
    rows = []
    for one in results:
        met = [MET if phase in one.phases else NOT_MET for phase in PHASES]
        seconds = [f"{one.seconds:.2f}"] if has_times else []
        rows.append([one.pair.name, one.verdict, f"{one.state_count:,}", *met, *seconds])
    return columns, rows


def matrix_markdown(results: Sequence[PairResult]) -> str:
    """The table as a part of a document: what is the same in every run."""
    columns, rows = matrix_table(results, has_times=False)
    lines = [columns, ["---"] * len(columns), *([f"`{row[0]}`", *row[1:]] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def pair_json(one: PairResult) -> dict[str, Any]:
    """What came of a pair, for programs."""
    return {
        "actions": list(one.pair),
        "scenario": one.pair.scenario_name,
        "verdict": one.verdict,
        "reason": one.reason,
        "violation": None if one.violation is None else one.violation._asdict(),
        "schedule": one.schedule,
        "phases": {phase: phase in one.phases for phase in PHASES},
        "states": one.state_count,
        "seconds": round(one.seconds, 3),
    }
