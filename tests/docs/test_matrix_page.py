"""``docs/matrix.md`` has every pair of actions, each verified; what it says of the smaller ones is explored again."""

from __future__ import annotations

import pytest

from shadowshare.reports.action_matrix import MET, matrix_table
from shadowshare.verify.matrix.actions import ACTIONS, PAIRS, pair_named
from shadowshare.verify.matrix.matrix import explore_pair
from shadowshare.verify.matrix.phases import PHASES, RELOAD
from tests.docs.documents import names_in, read, section, tables

PAGE = "matrix.md"
SMALL_STATE_COUNT = 10_000
ROWS = {names_in(row["actions"])[0]: row for row in tables(section(read(PAGE), "What was met"))[1]}


def test_every_pair_is_there_and_verified_and_met_every_phase() -> None:
    assert list(ROWS) == [pair.name for pair in PAIRS]
    for row in ROWS.values():
        assert row["verdict"] == "verified"
        assert [row[phase] for phase in PHASES if phase != RELOAD] == [MET] * (len(PHASES) - 1)
    assert any(row[RELOAD] == MET for row in ROWS.values())


def test_actions_and_phases_are_explained() -> None:
    (actions,) = tables(section(read(PAGE), "What a pair is"))
    assert [names_in(row["action"])[0] for row in actions] == list(ACTIONS)
    assert [row["phase"] for row in tables(section(read(PAGE), "What was met"))[0]] == list(PHASES)


def small() -> list[str]:
    return [name for name, row in ROWS.items() if int(row["states"].replace(",", "")) < SMALL_STATE_COUNT]


def test_the_smaller_ones_are_most() -> None:
    assert len(small()) > len(PAIRS) / 2


@pytest.mark.parametrize("name", small())
def test_a_smaller_pair_is_as_the_page_says(name: str) -> None:
    columns, (row,) = matrix_table([explore_pair(pair_named(name))], has_times=False)
    assert dict(zip(columns, row, strict=True)) == {**ROWS[name], "actions": name}
