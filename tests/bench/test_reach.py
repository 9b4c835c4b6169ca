"""The measurement of what generated races reach."""

from __future__ import annotations

import pytest
from bench.reach import hunt, reach

from shadowshare.verify.generated.violated import Violated
from shadowshare.verify.mutants.catalogue import mutant

EASY = mutant("no-recheck")


def test_a_row_for_each_number_of_races() -> None:
    few, more = reach(0, [1, 3])
    assert (few["races"], more["races"]) == (1, 3)
    assert few["states"] < more["states"]
    assert set(more["not_reached"]) < set(few["not_reached"])
    assert sum(more["marks"].values()) > 0


def test_a_violation_is_shown_and_can_be_replayed() -> None:
    with pytest.raises(Violated, match="shadowshare replay"):
        reach(0, [50], EASY.implementation)


def test_a_mutant_is_hunted() -> None:
    found = hunt(0, 50, EASY.name)
    assert found["rule"] == "image"
    assert 0 < found["after"] <= 50
    assert hunt(0, found["after"] - 1, EASY.name)["after"] is None
