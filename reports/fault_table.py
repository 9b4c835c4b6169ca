"""What comes of each fault of a device: as a table for a terminal, for a document, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shadowshare.reports.tables import Table
from shadowshare.verify.fault_verdicts import ASSUMED_AWAY, EXACT, EXACT_OR_ERROR, PLACES, FaultVerdict

COLUMNS = ["fault", "where", "verdict", "what comes", "scenario"]

FAULT_KINDS = {
    EXACT: "nobody notices.",
    EXACT_OR_ERROR: "no wrong byte; where the fault is in the way, an error says so.",
    ASSUMED_AWAY: "a wrong byte was found, as it must be: a device must not have this fault.",
}
"""What each verdict says."""


def fault_table(verdicts: Sequence[FaultVerdict], quote: str = "") -> Table:
    """One row for each scenario; names of errors and rules stand between quotes."""
    rows = [
        [" and ".join(one.faults), _where(one), one.verdict, what_comes(one, quote), one.scenario]
        for one in verdicts
    ]
    return COLUMNS, rows


def _where(one: FaultVerdict) -> str:
    return "everywhere" if set(one.places) == set(PLACES) else ", ".join(one.places)


def what_comes(one: FaultVerdict, quote: str = "") -> str:
    """What a fault leads to."""
    if not one.is_told:
        return one.reason
    if one.violated:
        return f"{quote}{one.violated}{quote} is violated"
    return ", ".join(f"{quote}{name}{quote}" for name in one.errors) or "nobody notices"


def fault_markdown(verdicts: Sequence[FaultVerdict]) -> str:
    """The table as a part of a document."""
    columns, rows = fault_table(verdicts, quote="`")
    quoted = [[f"`{row[0]}`", *row[1:4], f"`{row[4]}`"] for row in rows]
    lines = [columns, ["---"] * len(columns), *quoted]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def fault_json(one: FaultVerdict) -> dict[str, Any]:
    """A verdict for programs."""
    return one._asdict()
