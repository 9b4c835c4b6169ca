"""The measurement of what is drawn runs and prints what it promises; how fast anything is, is not looked at."""

from __future__ import annotations

import json
import sys

import pytest
from bench import generated


def test_each_way_to_draw_has_its_row(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("EXAMPLE_COUNT", "CHOICE_EXAMPLE_COUNT", "MACHINE_EXAMPLE_COUNT"):
        monkeypatch.setattr(generated, name, 10)
    monkeypatch.setattr(generated, "ROUND_COUNT", 1)
    monkeypatch.setattr(sys, "argv", ["generated", "--json"])
    generated.main()
    rows = json.loads(capsys.readouterr().out)["generated"]
    assert [row["name"] for row in rows] == ["a tape", "a draw per choice", "state machine"]
    assert all(row["examples_a_second"] > 0 for row in rows)
    assert 45 <= rows[0]["steps_an_example"] <= 55
    assert rows[0]["tape_is_faster"] == 1
    monkeypatch.setattr(sys, "argv", ["generated"])
    generated.main()
    assert capsys.readouterr().out.splitlines()[0].startswith("drawn by")
