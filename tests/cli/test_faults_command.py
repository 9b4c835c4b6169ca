"""``shadowshare faults``: exit codes, JSON, and the table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shadowshare.cli import faults
from shadowshare.scenarios.catalogue import built_in
from shadowshare.scenarios.definition import Scenario, edit
from tests.cli.running import run, succeed

NAMES = ["fault-bit-rot-in-a-superblock", "fault-lost-slot-write"]


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "fault_scenarios", lambda: NAMES)


def test_the_table() -> None:
    lines = succeed("faults").stdout.splitlines()
    assert lines[0].split()[0] == "FAULT"
    assert [("exact" in line, "assumed away" in line) for line in lines[1:]] == [(True, False), (False, True)]


def test_the_page(tmp_path: Path) -> None:
    page = tmp_path / "faults.html"
    succeed("faults", "--html", page)
    text = page.read_text(encoding="utf-8")
    assert "verified: faults of devices" in text
    assert "Of 2 scenarios with faults of devices: 1 exact" in text


def test_json() -> None:
    answer = json.loads(succeed("faults", "--json").stdout)
    assert [one["scenario"] for one in answer["faults"]] == NAMES
    assert answer["faults"][1]["violated"] == "image"


def test_a_wrong_byte_where_none_may_be_and_one_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def demanding(expected: str) -> None:
        def read(name: str) -> Scenario:
            return edit(built_in(name), expected=expected)

        monkeypatch.setattr(faults, "built_in", read)

    demanding("verified")
    assert run("faults").exit_code == 1
    demanding("violated")
    assert run("faults").exit_code == 2
