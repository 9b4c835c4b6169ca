"""The measurements run and print what they promise; how fast anything is, is not looked at."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from bench import stepped, view
from bench.protocol import measure, show

ROOT = Path(__file__).parents[2]


def test_view_has_a_row_for_each_size() -> None:
    rows = view.measure((1000, 5000))
    assert [row["entries"] for row in rows] == [1000, 5000]
    assert all(row["look_up_ns"] > 0 for row in rows)


def test_the_endless_race_keeps_its_readers_supplied() -> None:
    scenario = stepped.endless_scenario(creation_count=20)
    steps, seconds = stepped.run_once(scenario, seed=1, with_oracle=True)
    assert steps > 1000
    assert seconds > 0


def test_all_figures_in_small(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(view, "ENTRY_COUNTS", (1000,))
    monkeypatch.setattr(stepped, "SCHEDULE_COUNT", 20)
    monkeypatch.setattr(stepped, "CREATION_COUNT", 10)
    figures = measure(export_mib=64, round_count=1, large=False)
    json.dumps(figures)
    assert len(figures["stepped"]) == 3
    show(figures)
    shown = capsys.readouterr().out
    assert "steps/s" in shown
    assert "export" in shown


def test_help() -> None:
    command = [sys.executable, "-m", "bench.protocol", "--help"]
    assert "--json" in subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
