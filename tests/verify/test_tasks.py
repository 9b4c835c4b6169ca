"""Tasks on shared cells: what is found wrong with them, and what a check sees."""

from __future__ import annotations

from typing import Any

import pytest
from examples.toy_snapshot import toy_snapshot

from shadowshare.verify.counterexamples.counterexample import replay_tasks
from shadowshare.verify.exploration.memoised import IncompleteDigest
from shadowshare.verify.exploration.search import Budget
from shadowshare.verify.strategies.random_walk import RandomWalk
from shadowshare.verify.tasks import Array, Cell, End, Lock, Setup, explore, rest
from tests.verify.task_setups import (
    counting,
    increment,
    increment_at_once,
    locked,
    read_one,
    readers_and_writer,
    rule_of,
    verdict_in_every_way,
    write_one,
)

# -- what is found -----------------------------------------------------------------------------------------------


def test_a_lost_update_is_found_by_a_shortest_schedule() -> None:
    exploration = explore(counting(increment), lambda end: end["n"] == 2)
    assert exploration.labels == ("A", "B", "A", "B")
    assert exploration.violation == ("check", "the check says False of {'n': 1}", "", None)
    assert not exploration.is_exhausted


@pytest.mark.parametrize("count", [1, 2, 3])
def test_compare_and_write_loses_nothing(count: int) -> None:
    def check(end: End) -> bool:
        returned = sorted(end.result("ABC"[number]) for number in range(count))
        return bool(end["n"] == count and returned == list(range(count)))

    assert verdict_in_every_way(counting(increment_at_once, count), check) == ("verified", None)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_lock_loses_nothing(count: int) -> None:
    assert verdict_in_every_way(locked(count), lambda end: end["n"] == count) == ("verified", None)
    assert explore(locked(count), lambda end: end["lock"] is True).verdict == "violated"


def test_under_a_lock_nothing_interleaves() -> None:
    """Acquire, read, write, release: one task after the other, in any order."""
    exploration = explore(locked(3), readers_apart=False, alike_merge=False)
    assert exploration.schedule_count == 6
    assert exploration.depth_steps == 12


def test_two_locks_in_two_orders_are_a_deadlock() -> None:
    setup = Setup()
    one, other = setup.lock("one"), setup.lock("other")

    async def both(first: Lock, second: Lock) -> None:
        async with first, second:
            pass

    setup.task("A", both, one, other)
    setup.task("B", both, other, one)
    exploration = explore(setup)
    assert exploration.violation == ("deadlock", "wait for ever: A, B", "A", None)
    assert exploration.labels == ("A", "B")


def test_a_failed_assertion_is_found_by_a_shortest_schedule() -> None:
    async def look(cell: Cell) -> None:
        value = await cell.read()
        assert value < 2

    setup = counting(increment, 2)
    setup.task("R", look, setup.names["n"])
    exploration = explore(setup)
    violation = exploration.violation
    assert violation is not None
    assert (violation.rule, violation.host) == ("assertion", "R")
    assert exploration.labels == ("A", "A", "B", "B", "R")


def test_an_assertion_without_words_is_told_by_its_line() -> None:
    violation = explore(toy_snapshot(1, 1, skipped_rechecks=1)).violation
    assert violation is not None
    assert violation.message.endswith(" of reader: assert content == OLD")


def test_an_assertion_with_words_is_quoted_in_one_line() -> None:
    async def look(cell: Cell) -> None:
        if await cell.read():
            raise AssertionError("it is too late\nmuch too late")

    setup = counting(increment, 1)
    setup.task("R", look, setup.names["n"])
    violation = explore(setup).violation
    assert violation is not None
    assert violation.message == "AssertionError: it is too late"


def test_any_other_exception_is_an_error() -> None:
    async def divide(cell: Cell) -> None:
        1 // (1 - await cell.read())

    setup = counting(increment, 1)
    setup.task("R", divide, setup.names["n"])
    exploration = explore(setup)
    violation = exploration.violation
    assert violation is not None
    assert (violation.rule, violation.host) == ("error", "R")
    assert violation.message.startswith("ZeroDivisionError: ")
    assert exploration.labels == ("A", "A", "R")


def test_an_exception_that_a_task_catches_is_its_own_affair() -> None:
    async def divide(cell: Cell) -> str:
        try:
            1 // (1 - await cell.read())
        except ZeroDivisionError:
            return "divided by zero"
        return "divided"

    setup = counting(increment, 1)
    setup.task("R", divide, setup.names["n"])
    results = set[Any]()
    assert explore(setup, lambda end: results.add(end.result("R"))).verdict == "verified"
    assert results == {"divided", "divided by zero"}


# -- checks ------------------------------------------------------------------------------------------------------


def test_a_check_says_false_or_fails() -> None:
    def fails(end: End) -> None:
        if end["n"] == 2:
            raise AssertionError("two")

    for check, message in [
        (lambda end: end["n"] != 2, "the check says False of {'n': 2}"),
        (fails, "AssertionError: two"),
    ]:
        exploration = explore(counting(increment), check)
        assert exploration.violation == ("check", message, "", None)
        assert exploration.labels == ("A", "A", "B", "B")


@pytest.mark.parametrize("answer", [None, True, 1, 0, "", []])
def test_only_false_is_false(answer: Any) -> None:
    """A check that ends with an expression of another type, or with none, has said nothing."""
    assert explore(counting(increment), lambda end: answer).verdict == "verified"


def test_a_check_sees_every_end_and_what_everyone_returned() -> None:
    ends = set[Any]()
    setup = counting(increment)
    explore(setup, lambda end: ends.add((end["n"], end.result("A"), end.result("B"))), alike_merge=False)
    assert ends == {(2, 0, 1), (2, 1, 0), (1, 0, 0)}


def test_a_check_sees_arrays_and_locks() -> None:
    setup = locked(1)
    array = setup.array("array", "ab")
    setup.task("W", write_one, array[1], "x")
    ends = set[Any]()
    assert explore(setup, lambda end: ends.add((end["array"], end["lock"], end["n"]))).verdict == "verified"
    assert ends == {(("a", "x"), False, 1)}


@pytest.mark.parametrize("names", [(), ("Ra",), ("Ra", "Rb")])
def test_the_result_of_nobody_is_refused(names: tuple[str, ...]) -> None:
    """However tasks are explored: a check of nothing would say nothing, and be right every time."""
    with pytest.raises(KeyError, match="there is no task 'Rx'"):
        explore(readers_and_writer(*names), lambda end: end.result("Rx") == 0)
    with pytest.raises(KeyError):
        explore(readers_and_writer(*names), lambda end: bool(end["x"]))


def test_the_result_of_a_task_that_crashed_or_has_not_begun_is_none() -> None:
    setup = counting(increment, 1, crashes=1)
    setup.task("V", read_one, setup.names["n"], recovers="A")
    ends = set[Any]()
    explore(setup, lambda end: ends.add((end["n"], end.result("A"), end.result("V"))))
    assert ends == {(1, 0, None), (1, None, 1), (0, None, 0), (1, None, 0)}


# -- tears -------------------------------------------------------------------------------------------------------


def torn(tears: bool) -> set[Any]:
    setup = Setup(tears=tears)
    array = setup.array("array", (0, 0))

    async def write() -> None:
        await array.write(0, (1, 1))

    async def look() -> Any:
        return await array.read()

    setup.task("W", write)
    setup.task("R", look)
    found = set[Any]()
    assert explore(setup, lambda end: found.add(end.result("R"))).verdict == "verified"
    return found


def test_several_cells_are_one_step_unless_they_tear() -> None:
    assert torn(tears=False) == {(0, 0), (1, 1)}
    assert torn(tears=True) == {(0, 0), (1, 1), (0, 1), (1, 0)}


# -- rest --------------------------------------------------------------------------------------------------------


def resting(key_is_complete: bool) -> Setup:
    """R notes in what it rests with whether it saw the write, or it does not."""
    setup = Setup()
    cells = [setup.cell(name) for name in "xyz"]

    async def look() -> None:
        seen = await cells[0].read()
        await cells[1].read()
        await rest(seen if key_is_complete else "looked")
        await cells[1 + seen].read()

    setup.task("W", write_one, cells[0], 1)
    setup.task("R", look)
    return setup


def test_states_at_rest_are_one() -> None:
    merged, unmerged = (explore(resting(key_is_complete=True), merges=merges) for merges in (True, False))
    assert (merged.verdict, merged.schedule_count) == (unmerged.verdict, unmerged.schedule_count)
    assert merged.verdict == "verified"


def test_a_key_that_leaves_something_out_is_found() -> None:
    assert explore(resting(key_is_complete=False), merges=False).verdict == "verified"
    with pytest.raises(IncompleteDigest, match=r"a host rests twice as .*'looked'"):
        explore(resting(key_is_complete=False))


def test_rest_makes_an_endless_task_finite() -> None:
    setup = Setup()
    flag = setup.cell("flag", False)

    async def poll() -> str:
        while not await flag.read():
            await rest("polling")
        return "seen"

    setup.task("W", write_one, flag, True)
    setup.task("R", poll)
    exploration = explore(setup, lambda end: end.result("R") == "seen")
    assert (exploration.verdict, exploration.schedule_count) == ("verified", None)
    endless = explore(setup, merges=False, budget=Budget(state_count=500))
    assert (endless.verdict, endless.is_exhausted) == ("unknown", False)


# -- strategies --------------------------------------------------------------------------------------------------


def test_a_strategy_that_draws_explores_all_tasks_together() -> None:
    exploration = explore(toy_snapshot(2, 2), strategy=RandomWalk(), budget=Budget(execution_count=30))
    assert (exploration.verdict, exploration.execution_count) == ("unknown", 30)
    assert exploration.reductions == ()
    assert exploration.step_count > 30 * 8
    found = explore(toy_snapshot(2, 2, 2), strategy=RandomWalk(), budget=Budget(execution_count=3000))
    assert rule_of(found) == "assertion"


def test_code_runs_once_for_each_new_thing() -> None:
    few, many = (explore(toy_snapshot(2, count), readers_apart=False) for count in (1, 3))
    assert few.host_run_count == many.host_run_count


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    explore(toy_snapshot(2, 2), progress=lambda covered, waiting: told.append((covered, waiting)))
    assert told


def test_without_tasks_there_is_one_state() -> None:
    exploration = explore(Setup())
    assert (exploration.verdict, exploration.state_count, exploration.schedule_count) == ("verified", 1, 1)


def test_arrays_share_cells_with_those_taken_out_of_them() -> None:
    async def both(array: Array) -> Any:
        await array[1].write("x")
        return await array.read()

    setup = Setup()
    setup.task("A", both, setup.array("a", (1, 2)))
    assert explore(setup, lambda end: end.result("A") == (1, "x")).verdict == "verified"


@pytest.mark.parametrize(
    "how", [{}, {"readers_apart": False}, {"readers_apart": False, "alike_merge": False}]
)
def test_a_violation_by_one_of_several_alike_has_a_schedule_that_leads_to_it(how: dict[str, bool]) -> None:
    """The states on the way were met with the readers exchanged: the schedule names the one that really fails."""
    setup = toy_snapshot(2, 3)
    setup.tasks = [
        task if task.name == "W" else task._replace(arguments=(*task.arguments[:-1], (False, False)))
        for task in setup.tasks
    ]
    found = explore(setup, **how)  # type: ignore[arg-type]
    assert found.violation is not None
    assert found.violation.host == found.labels[-1]
    replayed = replay_tasks(setup, found.labels)
    assert replayed.violation == found.violation
