from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from shadowshare.reports.tables import (
    SHORT_COUNT,
    conflict_lines,
    counterexample_json,
    replay_json,
    replay_table,
    result_json,
    short_count,
    verdict_table,
)
from shadowshare.verify.counterexamples.counterexample import (
    Conflict,
    Counterexample,
    Place,
    Replay,
    Row,
    Touch,
)
from shadowshare.verify.counterexamples.shrinking import Shrunk
from shadowshare.verify.counterexamples.simplifying import Cost
from shadowshare.verify.result import ScenarioResult, Violation

VIOLATION = Violation("image", "a wrong byte", "R", 3)
VERIFIED = ScenarioResult(
    "calm", "verified", "verified", "", 1234567, seconds=1.23456789, details={"states": 42, "depth": 7}
)
VIOLATED = ScenarioResult(
    "wild", "violated", "verified", "a wrong byte", None, "s1/wild/W,R", VIOLATION, 0.5, {"states": 9}
)
UNKNOWN = ScenarioResult("vague", "unknown", "violated", "time was up", 30, details={"states": 0})

SLOT, EXTENT = Place("slots", "slot 0"), Place("volume", "extent 3 of the volume")
REPLAY = Replay(
    "wild",
    "s1/wild/W,power,R",
    ("W", "V", "R"),
    (
        Row(1, "W", "W", "writes slot 0", "", (Touch(SLOT, True),)),
        Row(2, "power", "", "the disks lose power", "", (), ("W",)),
        Row(3, "R", "R", "reads slot 0", "got zeroes", (Touch(SLOT, False),)),
    ),
    VIOLATION,
    is_over=True,
    violated_at=3,
    conflicts=(Conflict(1, 3, SLOT, True, False, False),),
)


def test_one_row_a_scenario_in_their_order() -> None:
    columns, rows = verdict_table([VERIFIED, VIOLATED, UNKNOWN])
    assert columns == ["scenario", "verdict", "as expected", "schedules", "states", "seconds"]
    assert rows == [
        ["calm", "verified", "yes", "1,234,567", "42", "1.23"],
        ["wild", "violated", "NO: verified expected", "-", "9", "0.50"],
        ["vague", "unknown", "NO: violated expected", "30", "-", "0.00"],
    ]


def test_a_negative_test_that_is_violated_is_as_expected() -> None:
    (row,) = verdict_table([replace(VIOLATED, expected="violated")])[1]
    assert row[1:3] == ["violated", "yes"]


def test_a_table_of_nothing_has_its_columns() -> None:
    columns, rows = verdict_table([])
    assert len(columns) == 6
    assert rows == []


def test_counts_for_people() -> None:
    counts = (0, 999, 1000, 10**7 - 1, 10**7, 12_345_678, 99_500_000, 10**30, 7 * 10**400)
    assert [short_count(count) for count in counts] == [
        *("0", "999", "1,000", "9,999,999", "1.0e7", "1.2e7", "1.0e8", "1.0e30", "7.0e400")
    ]


@given(st.integers(0, 10**320))
def test_a_short_count_is_right_to_a_twentieth(count: int) -> None:
    shown = short_count(count)
    assert len(shown) <= 9
    if count < SHORT_COUNT:
        assert int(shown.replace(",", "")) == count
        return
    mantissa, _, exponent = shown.partition("e")
    tenths = int(mantissa.replace(".", ""))
    assert 10 <= tenths < 100
    assert abs(tenths * 10 ** (int(exponent) - 1) - count) * 20 <= 10 ** int(exponent)


def test_a_column_for_each_host_and_a_row_for_each_step() -> None:
    columns, rows = replay_table(REPLAY)
    assert columns == ["step", "W", "V", "R", "result"]
    assert rows == [
        ["1", "writes slot 0", "", "", ""],
        ["2", "** the disks lose power **", "", "", ""],
        ["3", "", "", "reads slot 0", "got zeroes"],
    ]


def test_a_result_for_programs() -> None:
    assert result_json(VERIFIED) == {
        "name": "calm",
        "verdict": "verified",
        "expected": "verified",
        "ok": True,
        "reason": "",
        "schedules": 1234567,
        "schedule": None,
        "violation": None,
        "seconds": 1.234568,
        "states": 42,
        "depth": 7,
    }
    violated = result_json(VIOLATED)
    assert (violated["ok"], violated["schedules"], violated["schedule"]) == (False, None, "s1/wild/W,R")
    assert violated["violation"] == {"rule": "image", "message": "a wrong byte", "host": "R", "extent": 3}
    assert json.loads(json.dumps(violated)) == violated


def test_conflicts_in_words() -> None:
    rows = tuple(Row(number, host, host, "", "") for number, host in enumerate("WRWR", start=1))
    conflicts = (
        Conflict(1, 2, EXTENT, True, False, True),
        Conflict(1, 4, SLOT, True, False, False),
        Conflict(2, 3, EXTENT, False, True, True),
        Conflict(3, 4, EXTENT, True, True, False),
    )
    assert conflict_lines(replace(REPLAY, rows=rows, conflicts=conflicts)) == [
        "step 1 (W) writes extent 3 of the volume, which step 2 (R) reads: nothing else orders the two",
        "step 1 (W) writes slot 0, which step 4 (R) reads",
        "step 2 (R) reads extent 3 of the volume, which step 3 (W) overwrites: nothing else orders the two",
        "step 3 (W) writes extent 3 of the volume, which step 4 (R) overwrites",
    ]


def test_a_conflict_across_a_power_loss_says_so() -> None:
    (line,) = conflict_lines(REPLAY)
    assert line == "step 1 (W) writes slot 0, which step 3 (R) reads: with a power loss in between"


def test_a_replay_for_programs() -> None:
    described = replay_json(REPLAY)
    steps = described.pop("steps")
    assert described == {
        "scenario": "wild",
        "schedule": "s1/wild/W,power,R",
        "verdict": "violated",
        "violation": {"rule": "image", "message": "a wrong byte", "host": "R", "extent": 3},
        "violated_at": 3,
        "conflicts": [
            {
                "first": 1,
                "second": 3,
                "place": "slot 0",
                "first_writes": True,
                "second_writes": False,
                "is_direct": False,
            }
        ],
    }
    assert steps[0] == {
        "number": 1,
        "label": "W",
        "host": "W",
        "action": "writes slot 0",
        "result": "",
        "touches": {"reads": [], "changes": ["slot 0"]},
        "stopped": [],
    }
    assert (steps[1]["host"], steps[1]["stopped"]) == ("", ["W"])
    assert steps[2]["touches"] == {"reads": ["slot 0"], "changes": []}
    assert json.loads(json.dumps(steps)) == steps


def test_a_counterexample_for_programs() -> None:
    before, after = Cost(3, 4, 1, 9), Cost(0, 1, 1, 3)
    shrunk = Shrunk(("W", "power", "R"), VIOLATION, after, before, False, 0, "stopped early", 7)
    described = counterexample_json(Counterexample(("R", "W"), shrunk, REPLAY, "shadowshare replay"))
    assert described == {
        "found": ["R", "W"],
        "labels": ["W", "power", "R"],
        "cost_before": {"preemption_count": 3, "switch_count": 4, "fault_count": 1, "step_count": 9},
        "cost": {"preemption_count": 0, "switch_count": 1, "fault_count": 1, "step_count": 3},
        "is_least": False,
        "preemption_count_minimum": 0,
        "reason": "stopped early",
        "command": "shadowshare replay",
        "replay": replay_json(REPLAY),
    }
    assert json.loads(json.dumps(described)) == described


def test_one_schedule_without_a_violation_verifies_nothing() -> None:
    described = replay_json(replace(REPLAY, violation=None))
    assert (described["verdict"], described["violation"]) == ("unknown", None)
