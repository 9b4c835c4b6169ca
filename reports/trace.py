"""A replay as one plain text: what is violated, the steps in a table, the accesses that conflict, and the diagram."""

from __future__ import annotations

from collections.abc import Iterable

from shadowshare.reports.diagram import BOXES, Characters, draw
from shadowshare.reports.tables import Table, conflict_lines, replay_table
from shadowshare.verify.counterexamples.counterexample import Replay


def trace_text(replay: Replay, characters: Characters = BOXES) -> str:
    """All that there is to see of a replay, with a newline behind each line."""
    paragraphs = [_outcome(replay), _plain_table(replay_table(replay))]
    conflicts = conflict_lines(replay)
    if conflicts:
        paragraphs.append(_lines(["accesses that conflict:", *(f"  {line}" for line in conflicts)]))
    paragraphs.append(draw(replay, characters))
    return "\n".join(paragraphs)


def _outcome(replay: Replay) -> str:
    violation = replay.violation
    outcome = (
        "nothing is violated" if violation is None else f"{violation.rule} is violated: {violation.message}"
    )
    return _lines([replay.schedule, outcome])


def _plain_table(table: Table) -> str:
    rows = [table[0], *table[1]]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return _lines(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
    )


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line.rstrip()}\n" for line in lines)
