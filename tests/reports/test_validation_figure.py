"""Measured beside simulated scans: the same scans give the same bytes, and other ones do not."""

from __future__ import annotations

from pathlib import Path

from shadowshare.reports.validation_figure import draw_validation

MEASURED = [[100_000, 300_000, 110_000], [90_000, 320_000, 100_000]]


def drawn(path: Path, simulated: list[list[int]]) -> str:
    draw_validation(path, MEASURED, simulated, 0.02, 0.1)
    return path.read_text(encoding="utf-8")


def test_the_same_scans_give_the_same_figure(tmp_path: Path) -> None:
    first = drawn(tmp_path / "first.svg", MEASURED)
    assert first == drawn(tmp_path / "second.svg", MEASURED)
    assert first != drawn(tmp_path / "third.svg", [[100_000, 300_000, 111_000], MEASURED[1]])
    assert "Simulated - measured: +2.0%" in first
    assert "measured mean ± 10.0%" in first
