"""What comes of each fault of a device: as a table for a terminal, for a document, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shadowshare.reports.tables import Table
from shadowshare.verify.fault_verdicts import PLACES, FaultVerdict

COLUMNS = ["fault", "where", "verdict", "what comes", "scenario"]


def fault_table(verdicts: Sequence[FaultVerdict]) -> Table:
    """One row for each scenario."""
    rows = [
        [" and ".join(one.faults), _where(one), one.verdict, what_comes(one), one.scenario]
        for one in verdicts
    ]
    return COLUMNS, rows


def _where(one: FaultVerdict) -> str:
    return "everywhere" if set(one.places) == set(PLACES) else ", ".join(one.places)


def what_comes(one: FaultVerdict) -> str:
    """What a fault leads to."""
    if not one.is_told:
        return one.reason
    if one.violated:
        return f"`{one.violated}` is violated"
    return ", ".join(f"`{name}`" for name in one.errors) or "nobody notices"


def fault_markdown(verdicts: Sequence[FaultVerdict]) -> str:
    """The table as a part of a document."""
    columns, rows = fault_table(verdicts)
    quoted = [[f"`{row[0]}`", *row[1:4], f"`{row[4]}`"] for row in rows]
    lines = [columns, ["---"] * len(columns), *quoted]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def fault_json(one: FaultVerdict) -> dict[str, Any]:
    """A verdict for programs."""
    return one._asdict()
