"""Partial-order sampling: what races is drawn again, and nothing else."""

from __future__ import annotations

import pytest

from shadowshare.verify.cells.setup import Cell, Setup, TaskFunction
from shadowshare.verify.strategies.pos import PartialOrderSampling
from tests.verify.strategies.setups import drawn, read_often, write_often

DRAWN_COUNT = 4000


def share_of_last(one: TaskFunction, other: TaskFunction, is_shared: bool) -> float:
    """How often A's only step comes after all four of B."""
    setup = Setup()
    cell = setup.cell("cell")
    setup.task("A", one, cell, 1)
    setup.task("B", other, cell if is_shared else setup.cell("other"), 4)
    schedules = drawn(PartialOrderSampling(), setup, range(DRAWN_COUNT))
    return schedules.count(("B", "B", "B", "B", "A")) / DRAWN_COUNT


@pytest.mark.parametrize(
    ("one", "other", "is_shared"),
    [(write_often, write_often, False), (read_often, read_often, True), (read_often, write_often, False)],
)
def test_an_event_that_does_not_race_keeps_its_priority(
    one: TaskFunction, other: TaskFunction, is_shared: bool
) -> None:
    """It is last if it is the lowest of five."""
    assert share_of_last(one, other, is_shared) == pytest.approx(1 / 5, abs=0.03)


@pytest.mark.parametrize(
    ("one", "other"), [(write_often, write_often), (read_often, write_often), (write_often, read_often)]
)
def test_an_event_that_races_gets_another_one_each_time(one: TaskFunction, other: TaskFunction) -> None:
    """It is last if it loses four times."""
    assert share_of_last(one, other, is_shared=True) == pytest.approx(1 / 16, abs=0.015)


def test_what_comes_next_has_a_priority_of_its_own() -> None:
    """B's first two steps come before A's in a third of the schedules: A is the lowest of three."""

    async def once(cell: Cell) -> None:
        await cell.write(1)

    setup = Setup()
    setup.task("A", once, setup.cell("a"))
    setup.task("B", write_often, setup.cell("b"), 2)
    schedules = drawn(PartialOrderSampling(), setup, range(DRAWN_COUNT))
    assert schedules.count(("B", "B", "A")) / DRAWN_COUNT == pytest.approx(1 / 3, abs=0.03)
    assert schedules.count(("A", "B", "B")) / DRAWN_COUNT == pytest.approx(1 / 2, abs=0.03)
