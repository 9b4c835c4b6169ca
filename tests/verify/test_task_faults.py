"""Tasks that crash, and cells that lose power."""

from __future__ import annotations

from typing import Any

import pytest

from shadowshare.verify.cells.task_world import TaskWorld
from shadowshare.verify.tasks import Cell, Setup, explore, flush
from tests.verify.task_setups import (
    increment,
    increment_locked,
    locked,
    read_one,
    verdict_in_every_way,
    write_one,
)


def test_any_task_may_crash() -> None:
    setup = Setup(crashes=1)
    one, other = setup.cell("one"), setup.cell("other")
    setup.task("A", write_one, one, 1)
    setup.task("B", write_one, other, 1)
    ends = set[Any]()
    explore(setup, lambda end: ends.add((end["one"], end["other"])))
    assert ends == {(1, 1), (0, 1), (1, 0)}
    ends.clear()
    explore(setup_without_late_writes(), lambda end: ends.add(end["n"]))
    assert ends == {0, 1}


def setup_without_late_writes() -> Setup:
    setup = Setup(crashes=1, late_writes=False)
    setup.task("A", write_one, setup.cell("n"), 1)
    return setup


def test_a_write_in_flight_at_a_crash_may_land_later_unless_that_is_switched_off() -> None:
    async def look_twice(cell: Cell) -> tuple[Any, Any]:
        return await cell.read(), await cell.read()

    seen = {}
    for late in (True, False):
        setup = Setup(crashes=1, late_writes=late)
        cell = setup.cell("n")
        setup.task("A", write_one, cell, 1)
        setup.task("V", look_twice, cell, recovers="A")
        found = seen[late] = set[Any]()
        explore(setup, lambda end, found=found: found.add(end.result("V")))  # type: ignore[misc]
    assert seen[True] - seen[False] == {(0, 1)}
    assert seen[False] - {None} == {(0, 0), (1, 1)}


def test_a_crashed_task_keeps_its_lock() -> None:
    exploration = explore(locked(2, crashes=1))
    assert exploration.violation is not None
    assert exploration.violation.rule == "deadlock"
    assert exploration.labels in [("A", "crash.A"), ("B", "crash.B")]


def flushing(setup: Setup, flushes: bool) -> None:
    """W writes what matters, and then that it is there."""
    data, flag = setup.array("data", (0, 0)), setup.cell("flag", False)

    async def write() -> None:
        await data.write(0, (1, 1))
        if flushes:
            await flush()
        await flag.write(True)
        await flush()

    async def recover() -> Any:
        if await flag.read():
            assert await data.read() == (1, 1)
            return "all"
        return "nothing"

    setup.task("W", write)
    setup.task("V", recover, recovers="W")


@pytest.mark.parametrize("tears", [False, True])
def test_what_was_flushed_survives_a_power_loss(tears: bool) -> None:
    setup = Setup(crashes=1, power_losses=1, tears=tears)
    flushing(setup, flushes=True)
    found = set[Any]()
    assert explore(setup, lambda end: found.add(end.result("V"))).verdict == "verified"
    assert found == {None, "all", "nothing"}
    assert verdict_in_every_way(setup) == ("verified", None)


def test_what_was_not_flushed_may_be_lost() -> None:
    setup = Setup(crashes=1, power_losses=1, late_writes=False)
    flushing(setup, flushes=False)
    exploration = explore(setup)
    assert exploration.violation is not None
    assert exploration.violation.rule == "assertion"
    assert exploration.labels == ("W", "W", "power", "V", "keep.1", "V", "keep.0", "keep.0")
    assert verdict_in_every_way(setup) == ("violated", "assertion")


def test_a_check_sees_all_that_may_have_survived() -> None:
    setup = Setup(crashes=1, power_losses=1, plain_crashes=False)
    array = setup.array("array", (0, 0))

    async def write() -> None:
        await array[0].write(1)
        await array[1].write(1)

    setup.task("W", write)
    found = set[Any]()
    assert explore(setup, lambda end: found.add(end["array"])).verdict == "verified"
    assert found == {(0, 0), (0, 1), (1, 0), (1, 1)}
    exploration = explore(setup, lambda end: end["array"] != (0, 1))
    assert exploration.violation is not None
    assert exploration.violation.message == "the check says False of {'array': (0, 1)}"


def test_a_power_loss_stops_every_task() -> None:
    setup = Setup(crashes=1, power_losses=1, plain_crashes=False)
    cell = setup.cell("n")
    setup.task("A", increment, cell)
    setup.task("B", read_one, cell)
    setup.task("V", read_one, cell, recovers="A")
    product = TaskWorld(setup).product
    state = product.initial
    for label in ("A", "power"):
        state += next(move.delta for move in product.moves(state) if move.label == label)
    assert [product.client(state, number) is None for number in range(3)] == [True, True, False]
    assert [move.label for move in product.moves(state)] == ["V", "late.0"]


def test_a_lock_that_may_have_been_lost_is_not_given_twice() -> None:
    """After the power loss the lock holds True or False; whoever finds True waits for ever."""
    setup = Setup(crashes=1, power_losses=1, plain_crashes=False, late_writes=False)
    lock, cell = setup.lock("lock"), setup.cell("n")
    setup.task("W", increment_locked, lock, cell)
    setup.task("V", increment_locked, lock, cell, recovers="W")
    exploration = explore(setup)
    assert exploration.violation == ("deadlock", "wait for ever: V", "V", None)
    assert exploration.labels == ("W", "power", "V", "keep.1")
