"""Results as tables of text: columns and rows. Who prints them decides on lines and colours."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from shadowshare.verify.counterexamples.counterexample import Conflict, Counterexample, Replay, Row
from shadowshare.verify.result import ScenarioResult

Table = tuple[list[str], list[list[str]]]
"""Column headings, and rows of as many cells."""

SHORT_COUNT = 10**7


def verdict_table(results: Sequence[ScenarioResult]) -> Table:
    """One row a scenario: its verdict first, then what it rests on."""
    columns = ["scenario", "verdict", "as expected", "schedules", "states", "seconds"]
    return columns, [
        [
            result.name,
            result.verdict,
            "yes" if result.ok else f"NO: {result.expected} expected",
            "-" if result.schedules is None else short_count(result.schedules),
            str(result.details.get("states") or "-"),
            f"{result.seconds:.2f}",
        ]
        for result in results
    ]


def short_count(count: int) -> str:
    """A count for people: whole up to 10^7, then in powers of ten."""
    if count < SHORT_COUNT:
        return f"{count:,}"
    mantissa, _, exponent = f"{Decimal(count):.1e}".partition("e+")
    return f"{mantissa}e{exponent}"


def replay_table(replay: Replay) -> Table:
    """One row a step: a column for each host, in which stands what it did; and what came of it."""
    columns = ["step", *replay.hosts, "result"]
    rows = []
    for row in replay.rows:
        cells = [row.action if host == row.host else "" for host in replay.hosts]
        if not row.host:
            cells[0] = f"** {row.action} **"
        rows.append([str(row.number), *cells, row.result])
    return columns, rows


def conflict_lines(replay: Replay) -> list[str]:
    """The accesses of different hosts that conflict, one pair a line, by their numbers.

    Where it is said that nothing else orders the two, they could have happened the other way round.
    """
    return [_conflict_line(conflict, replay.rows) for conflict in replay.conflicts]


def _conflict_line(conflict: Conflict, rows: Sequence[Row]) -> str:
    first, second = rows[conflict.first - 1], rows[conflict.second - 1]
    line = (
        f"step {first.number} ({first.host}) {'writes' if conflict.first_writes else 'reads'} {conflict.place.name}, "
        f"which step {second.number} ({second.host}) {'overwrites' if conflict.second_writes else 'reads'}"
    )
    if any(row.label == "power" for row in rows[first.number : second.number - 1]):
        return f"{line}: with a power loss in between"
    return f"{line}: nothing else orders the two" if conflict.is_direct else line


def result_json(result: ScenarioResult) -> dict[str, Any]:
    """A scenario's result for programs."""
    violation = result.violation
    return {
        "name": result.name,
        "verdict": result.verdict,
        "expected": result.expected,
        "ok": result.ok,
        "reason": result.reason,
        "schedules": result.schedules,
        "schedule": result.schedule,
        "violation": None if violation is None else violation._asdict(),
        "seconds": round(result.seconds, 6),
        **result.details,
    }


def replay_json(replay: Replay) -> dict[str, Any]:
    """A replay for programs."""
    return {
        "scenario": replay.scenario,
        "schedule": replay.schedule,
        "verdict": "violated" if replay.violation else "unknown",
        "violation": None if replay.violation is None else replay.violation._asdict(),
        "violated_at": replay.violated_at,
        "steps": [_row_json(row) for row in replay.rows],
        "conflicts": [{**conflict._asdict(), "place": conflict.place.name} for conflict in replay.conflicts],
    }


def _row_json(row: Row) -> dict[str, Any]:
    touched = {
        change: [touch.place.name for touch in row.touches if touch.is_change is change]
        for change in (False, True)
    }
    return {
        **row._asdict(),
        "stopped": list(row.stopped),
        "touches": {"reads": touched[False], "changes": touched[True]},
    }


def counterexample_json(counterexample: Counterexample) -> dict[str, Any]:
    """A violation with all that was made of it, for programs: what was found, what it was shrunk to, the replay."""
    shrunk = counterexample.shrunk
    return {
        "found": list(counterexample.found),
        "labels": list(shrunk.labels),
        "cost_before": shrunk.cost_before._asdict(),
        "cost": shrunk.cost._asdict(),
        "is_least": shrunk.is_least,
        "preemption_count_minimum": shrunk.preemption_count_minimum,
        "reason": shrunk.reason,
        "command": counterexample.command,
        "replay": replay_json(counterexample.replay),
    }
