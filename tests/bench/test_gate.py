"""The measurement of the gate runs it as it is used; how long it takes is not looked at."""

from __future__ import annotations

import pytest
from bench.gate import EASY, OWN, measure, show

from shadowshare.verify.mutants.catalogue import MUTANTS


def test_a_gate_is_measured_and_its_verdict_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    figures = measure(OWN[0], ["--implementation", OWN[0]], 1)
    assert (figures.verdict, figures.stage, len(figures.seconds)) == ("violated", "scopes", 1)
    assert figures.processor_seconds[0] > 0
    show([figures])
    assert "scopes: " in capsys.readouterr().out


def test_what_cannot_be_run_is_no_figure() -> None:
    with pytest.raises(RuntimeError, match="no-such-bug"):
        measure("no-such-bug", ["--mutant", "no-such-bug"], 1)


def test_the_bugs_that_are_easy_are_of_the_catalogue() -> None:
    assert set(EASY) <= {bug.name for bug in MUTANTS}
