"""What concurrent writers cost: counts of operations, which are the same at each run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from bench.writers import Figures, measure, show

ROOT = Path(__file__).parents[2]


def test_one_writer_costs_the_least_there_is() -> None:
    alone = measure(1)
    assert (alone.operations, alone.flushes) == (alone.operations_least, alone.flushes_least) == (4, 2)


@pytest.mark.parametrize("writer_count", [8, 16, 64])
def test_writers_together_share_blocks_and_flushes(writer_count: int) -> None:
    """Two groups take turns, so flushes are up to twice the least, rounds are not. And 13 records fit a block."""
    together = measure(writer_count)
    assert together.operations <= together.operations_least + 0.13
    assert together.flushes <= 2 * together.flushes_least
    assert together.rounds <= together.rounds_least + 0.25
    assert together.amplification < 2.03


def test_a_second_write_of_an_extent_costs_one_write_and_nothing_else() -> None:
    for writer_count in (1, 8):
        figures = measure(writer_count)
        assert (figures.again_operations, figures.again_flushes) == (1, 0)


def test_the_command_prints_all_figures(capsys: pytest.CaptureFixture[str]) -> None:
    show([measure(2)])
    assert "reads and writes" in capsys.readouterr().out
    command = [sys.executable, "-m", "bench.writers", "--json"]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert [Figures(**row).writers for row in json.loads(printed)] == [1, 2, 4, 8, 16, 32, 64]
