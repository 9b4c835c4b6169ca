"""Detections as text, as JSON, and as a figure."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

from shadowshare.reports.mutant_matrix import (
    detection_json,
    detection_table,
    draw_detections,
    executions_text,
)
from shadowshare.verify.detection import Detection, Executions

EASY = Executions((3, 1, 2), 2000, (0.5, 0.25, 0.125))
HARD = Executions((None, 1500, None), 2000, (2.0, 0.5, 3.0))
KILLED = Detection(
    "some-bug",
    "some-race",
    "violated",
    "wrong",
    "image",
    "s1/some-race/W",
    1234,
    7,
    0.25,
    {"a": EASY, "b": HARD},
)
SURVIVES = Detection(
    "other-bug", "other-race", "verified", "", state_count=5, executions={"a": HARD, "b": HARD}
)
UNKNOWN = Detection("third-bug", "race", "unknown", "stopped", executions={"a": EASY, "b": EASY})


def test_a_table_has_a_row_for_each_mutant_and_a_column_for_each_strategy() -> None:
    columns, rows = detection_table([KILLED, SURVIVES, UNKNOWN])
    assert columns[-2:] == ["a", "b"]
    assert rows[0] == [
        "some-bug", "yes", "some-race", "image", "1,234", "7", "0.25",
        "2 (1 to 3), 0.25 s", ">2,000 (1,500 to >2,000), 1 of 3 runs",
    ]  # fmt: skip
    assert [row[1] for row in rows] == ["yes", "NO", "unknown"]
    assert rows[1][3:6] == ["-", "5", "-"]


def test_counts_that_do_not_vary_are_said_once() -> None:
    assert executions_text(Executions((4, 4, 4), 10, (1.0, 1.0, 1.0))) == "4, 1 s"
    assert executions_text(Executions((None, None), 10, (1.0, 1.0))) == ">10, 0 of 2 runs"


def test_json_has_null_for_what_is_beyond_the_limit() -> None:
    found = json.loads(json.dumps(detection_json(KILLED)))
    assert (found["name"], found["killed"], found["caught_by"]) == ("some-bug", True, "image")
    assert (found["states"], found["shortest_steps"], found["seconds"]) == (1234, 7, 0.25)
    assert found["executions"]["b"] == {
        "low": 1500, "median": None, "high": None, "found": 1, "runs": 3, "limit": 2000,
        "counts": [None, 1500, None],
        "seconds_to_detection": {"low": 0.5, "median": None, "high": None},
        "run_seconds": [2.0, 0.5, 3.0],
        "seconds": 5.5,
    }  # fmt: skip
    assert detection_json(SURVIVES)["killed"] is False


def test_a_figure_names_all_and_is_the_same_each_time(tmp_path: Path) -> None:
    first, second = tmp_path / "a.svg", tmp_path / "b.svg"
    draw_detections([KILLED, SURVIVES, UNKNOWN], first)
    draw_detections([KILLED, SURVIVES, UNKNOWN], second)
    assert first.read_bytes() == second.read_bytes()
    words = {"".join(element.itertext()).strip() for element in ET.parse(first).iter()}
    assert {"some-bug", "other-bug", "third-bug", "a", "b"} <= words


def test_a_figure_of_another_process_has_the_same_bytes(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine.svg", tmp_path / "other.svg"
    draw_detections([KILLED, SURVIVES], mine)
    script = (
        "import sys; from pathlib import Path; from tests.reports.test_mutant_matrix import *; "
        "draw_detections([KILLED, SURVIVES], Path(sys.argv[1]))"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", script, str(other)], cwd=root, check=True)
    assert other.read_bytes() == mine.read_bytes()


def test_a_censored_median_is_drawn_as_another_mark(tmp_path: Path) -> None:
    """At the limit, and open: so that it cannot be taken for a median there."""
    at_limit = Executions((2000,) * 3, 2000, (1.0,) * 3)
    figures = []
    for executions in (HARD, at_limit):
        path = tmp_path / "figure.svg"
        draw_detections([Detection("bug", "race", "violated", "", executions={"a": executions})], path)
        figures.append(path.read_text(encoding="utf-8"))
    assert figures[0].count("fill: none; stroke: #0072b2") > figures[1].count("fill: none; stroke: #0072b2")


def test_matplotlib_is_imported_for_a_figure_only() -> None:
    script = "import sys, shadowshare.reports.mutant_matrix; sys.exit('matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)
