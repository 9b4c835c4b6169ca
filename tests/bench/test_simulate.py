"""The measurement of simulations, in small; how fast anything is, is not looked at."""

from __future__ import annotations

import json

import pytest
from bench.simulate import ENGINES, measure, show


def test_all_figures_in_small(capsys: pytest.CaptureFixture[str]) -> None:
    figures = measure(operation_count=800, round_count=1, passive_counts=(1, 3))
    json.dumps(figures)
    assert [row["engine"] for row in figures["engines"]] == list(ENGINES)
    assert [row["passives"] for row in figures["hosts"]] == [1, 3]
    assert all(row["ios"] > 0 for row in figures["hosts"] + figures["memory"])
    show(figures)
    shown = capsys.readouterr().out
    assert "ours, bare loops" in shown
    assert "MiB held" in shown


def test_all_engines_do_the_same_work() -> None:
    """As many operations as two servers can serve in the time; those with processes of SimPy do not count them."""
    for name in ("generators and heapq", "ours, bare loops", "ours, protocol and memory disk"):
        done_count, _ = ENGINES[name](2000)
        assert done_count == pytest.approx(2000, rel=0.2), name
