from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from shadowshare.reports.tables import (
    SHORT_COUNT,
    replay_json,
    replay_table,
    result_json,
    short_count,
    verdict_table,
)
from shadowshare.verify.counterexample import Replay, Row
from shadowshare.verify.oracle import Violation
from shadowshare.verify.result import ScenarioResult

VIOLATION = Violation("image", "a wrong byte", "R", 3)
VERIFIED = ScenarioResult(
    "calm", "verified", "verified", "", 1234567, seconds=1.23456789, details={"states": 42, "depth": 7}
)
VIOLATED = ScenarioResult(
    "wild", "violated", "verified", "a wrong byte", None, "s1/wild/W,R", VIOLATION, 0.5, {"states": 9}
)
UNKNOWN = ScenarioResult("vague", "unknown", "violated", "time was up", 30, details={"states": 0})

REPLAY = Replay(
    "wild",
    "s1/wild/W,power,R",
    ("W", "V", "R"),
    (
        Row(1, "W", "W", "writes slot 0", ""),
        Row(2, "power", "", "the disks lose power", ""),
        Row(3, "R", "R", "reads slot 0", "got zeroes"),
    ),
    VIOLATION,
    is_over=True,
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


def test_a_replay_for_programs() -> None:
    described = replay_json(REPLAY)
    assert described == {
        "scenario": "wild",
        "schedule": "s1/wild/W,power,R",
        "verdict": "violated",
        "violation": {"rule": "image", "message": "a wrong byte", "host": "R", "extent": 3},
        "steps": [
            {"number": 1, "label": "W", "host": "W", "action": "writes slot 0", "result": ""},
            {"number": 2, "label": "power", "host": "", "action": "the disks lose power", "result": ""},
            {"number": 3, "label": "R", "host": "R", "action": "reads slot 0", "result": "got zeroes"},
        ],
    }
    assert json.loads(json.dumps(described)) == described


def test_one_schedule_without_a_violation_verifies_nothing() -> None:
    described = replay_json(replace(REPLAY, violation=None))
    assert (described["verdict"], described["violation"]) == ("unknown", None)
