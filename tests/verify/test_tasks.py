"""Tasks on shared cells: what is found wrong, and that no reduction changes the verdict."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Any, NamedTuple

import pytest
from examples.toy_snapshot import name_of, toy_snapshot

from shadowshare.verify.counterexample import replay_tasks
from shadowshare.verify.memoised import IncompleteDigest
from shadowshare.verify.result import Exploration
from shadowshare.verify.search import Budget
from shadowshare.verify.strategies.random_walk import RandomWalk
from shadowshare.verify.task_world import TaskWorld
from shadowshare.verify.tasks import Array, Cell, Check, End, Lock, Setup, explore, flush, rest


async def increment(cell: Cell) -> int:
    value: int = await cell.read()
    await cell.write(value + 1)
    return value


async def increment_at_once(cell: Cell) -> int:
    while not await cell.compare_and_write(value := await cell.read(), value + 1):
        await rest("again")
    return int(value)


async def increment_locked(lock: Lock, cell: Cell) -> int:
    async with lock:
        return await increment(cell)


async def read_one(cell: Cell) -> Any:
    return await cell.read()


async def write_one(cell: Cell, value: Any) -> None:
    await cell.write(value)


def counting(function: Any, count: int = 2, **faults: Any) -> Setup:
    setup = Setup(**faults)
    cell = setup.cell("n")
    for number in range(count):
        setup.task("ABCDEFG"[number], function, cell)
    return setup


def locked(count: int = 2, **faults: Any) -> Setup:
    setup = Setup(**faults)
    lock, cell = setup.lock("lock"), setup.cell("n")
    for number in range(count):
        setup.task("ABCDEFG"[number], increment_locked, lock, cell)
    return setup


def rule_of(exploration: Exploration) -> str | None:
    return None if exploration.violation is None else exploration.violation.rule


def in_every_way(setup: Setup, check: Check | None = None) -> list[Exploration]:
    """With and without each reduction."""
    ways = [(True, True, True), (True, True, False), (True, False, True), (False, True, True), (False,) * 3]
    return [
        explore(setup, check, merges=merges, readers_apart=apart, alike_merge=alike)
        for merges, apart, alike in ways
    ]


def verdict_in_every_way(setup: Setup, check: Check | None = None) -> tuple[str, str | None]:
    """Verdict and rule, which no reduction changes."""
    (found,) = {(one.verdict, rule_of(one)) for one in in_every_way(setup, check)}
    return found


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


def readers_and_writer(*names: str) -> Setup:
    setup = Setup()
    cell = setup.cell("n")
    setup.task("W", write_one, cell, 1)
    for name in names:
        setup.task(name, read_one, cell)
    return setup


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


# -- crashes and power losses ------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("skipped", [0, 1, 2])
@pytest.mark.parametrize(("extents", "readers"), [(1, 1), (2, 1), (1, 2), (2, 2)])
def test_no_reduction_changes_the_verdict_of_the_toy(extents: int, readers: int, skipped: int) -> None:
    found = verdict_in_every_way(toy_snapshot(extents, readers, min(skipped, extents)))
    assert found == (("violated", "assertion") if skipped else ("verified", None))


# -- readers apart -----------------------------------------------------------------------------------------------


def test_readers_are_explored_one_at_a_time() -> None:
    apart = explore(toy_snapshot(2, 3), alike_merge=False)
    alone = explore(toy_snapshot(2, 1))
    assert apart.reductions == ("3 tasks explored one at a time: each only reads",)
    assert (apart.apart_count, apart.state_count) == (3, 3 * alone.state_count)
    assert apart.schedule_count == 3 * (alone.schedule_count or 0)
    assert apart.refused == ()


def test_of_readers_that_do_the_same_one_is_explored() -> None:
    apart = explore(toy_snapshot(2, 50))
    assert apart.reductions == (
        "50 tasks explored one at a time: each only reads",
        "of tasks that only read and do the same, one: 1 of 50",
    )
    assert apart.state_count == explore(toy_snapshot(2, 1)).state_count


def test_the_wrong_one_of_many_readers_is_found() -> None:
    wrong = explore(toy_snapshot(2, 30, skipped_rechecks=1))
    assert wrong.violation is not None
    assert wrong.violation.host == name_of(29)
    assert set(wrong.labels) == {"W", name_of(29)}


def test_a_check_of_one_reader_is_judged_whoever_it_is() -> None:
    for names in permutations(("Ra", "Rb", "Rc")):
        setup = readers_and_writer(*names)
        for name in names:
            found = [explore(setup, lambda end, name=name: end.result(name) != 1) for _ in range(2)]  # type: ignore[misc]
            assert {rule_of(one) for one in found} == {"check"}
            assert verdict_in_every_way(setup, lambda end, name=name: end.result(name) != 1) == (  # type: ignore[misc]
                "violated",
                "check",
            )
            assert explore(setup, lambda end, name=name: end.result(name) in (0, 1)).verdict == "verified"  # type: ignore[misc]


def test_a_check_of_one_reader_keeps_readers_apart() -> None:
    exploration = explore(readers_and_writer("Ra", "Rb"), lambda end: end.result("Rb") in (0, 1))
    assert exploration.apart_count == 2
    assert exploration.refused == (
        "tasks that do the same taken for one another: the check asks for the result of Rb",
    )


def test_a_check_of_two_readers_lets_them_be_explored_together() -> None:
    def in_order(end: End) -> bool:
        return bool(end.result("Ra") <= end.result("Rb"))

    exploration = explore(readers_and_writer("Ra", "Rb"), in_order)
    assert exploration.violation is not None
    assert exploration.labels == ("Rb", "W", "Ra")
    assert len(exploration.refused) == 2
    assert exploration.refused[0].startswith("readers one at a time: the check speaks of both R")
    assert verdict_in_every_way(readers_and_writer("Ra", "Rb"), in_order) == ("violated", "check")


def rarely_writing(writes: bool, extra: bool = True) -> Setup:
    """L writes if it meets two values in one order that is rare; R sees that."""
    setup = Setup()
    steps = setup.cell("steps")
    alarm = setup.cell("alarm")

    async def step() -> None:
        for number in range(6):
            await steps.write(number)

    async def look() -> None:
        seen = [await steps.read() for _ in range(6)]
        if seen == list(range(6)) and writes:
            await alarm.write(True)

    async def watch() -> None:
        assert not await alarm.read()

    setup.task("W", step)
    setup.task("L", look)
    setup.task("R", watch)
    if extra:
        setup.task("S", read_one, steps)
    return setup


def test_a_task_that_writes_in_a_rare_interleaving_is_no_reader() -> None:
    """Four random schedules do not show it; when it is seen to write it is explored with all readers."""
    assert verdict_in_every_way(rarely_writing(writes=False)) == ("verified", None)
    assert explore(rarely_writing(writes=False)).apart_count == 3
    exploration = explore(rarely_writing(writes=True))
    assert rule_of(exploration) == "assertion"
    assert exploration.violation is not None
    assert exploration.violation.host == "R"
    assert verdict_in_every_way(rarely_writing(writes=True)) == ("violated", "assertion")


def test_a_check_that_a_rare_write_makes_wrong_is_heard() -> None:
    """Without the rare writer each end would look right."""

    def check(end: End) -> bool:
        return end["alarm"] is not True

    assert verdict_in_every_way(rarely_writing(writes=True), check)[0] == "violated"
    assert verdict_in_every_way(rarely_writing(writes=False), check) == ("verified", None)


def test_a_check_that_only_a_rare_write_makes_right_is_not_called_wrong() -> None:
    """R is explored before L has been seen to write: nothing is said about the ends there, which L is missing from."""
    setup = Setup()
    steps, rare, done, note = (setup.cell(name) for name in ("steps", "rare", "done", "note"))

    async def step() -> None:
        for number in range(6):
            await steps.write(number)

    async def meet() -> None:
        seen = [await steps.read() for _ in range(6)]
        await rest(seen == list(range(6)))
        if seen == list(range(6)):
            await rare.write(True)
        await done.write(True)

    async def mend() -> None:
        while not await done.read():
            await rest("waiting")
        if await rare.read():
            await note.write(True)

    setup.task("W", step)
    setup.task("X", meet)
    setup.task("R", read_one, note)
    setup.task("L", mend)
    assert explore(setup, lambda end: not end["rare"]).verdict == "violated", "it does happen"
    found = verdict_in_every_way_but_histories(setup, lambda end: bool(end["note"]) == bool(end["rare"]))
    assert found == ("verified", None)


def verdict_in_every_way_but_histories(setup: Setup, check: Check) -> tuple[str, str | None]:
    """The same for tasks that are finite only because of what they rest with."""
    found = {
        (one.verdict, rule_of(one))
        for apart in (True, False)
        for alike in (True, False)
        for one in [explore(setup, check, readers_apart=apart, alike_merge=alike)]
    }
    (verdict,) = found
    return verdict


def test_a_reader_that_another_one_recovers_is_there_when_it_crashes() -> None:
    setup = Setup(crashes=1)
    cell = setup.cell("n")
    setup.task("W", write_one, cell, 1)
    for name in ("Ra", "Rb"):
        setup.task(name, read_one, cell)
    setup.task("V", read_one, cell, recovers="Ra")
    assert verdict_in_every_way(setup, lambda end: end.result("V") != 1) == ("violated", "check")
    assert verdict_in_every_way(setup, lambda end: end.result("V") in (None, 0, 1)) == ("verified", None)


def test_a_deadlock_among_writers_is_found_with_readers_apart() -> None:
    setup = locked(2, crashes=1)
    for name in ("Ra", "Rb"):
        setup.task(name, read_one, setup.names["n"])
    assert verdict_in_every_way(setup) == ("violated", "deadlock")


def test_a_budget_spent_on_the_first_reader_is_not_green() -> None:
    exploration = explore(toy_snapshot(3, 5), budget=Budget(state_count=20), alike_merge=False)
    assert (exploration.verdict, exploration.is_exhausted) == ("unknown", False)
    assert "states" in exploration.reason


# -- tasks that are alike ----------------------------------------------------------------------------------------


def test_tasks_that_do_the_same_are_taken_for_one_another() -> None:
    merged, whole = (explore(counting(increment, 4), alike_merge=alike) for alike in (True, False))
    assert merged.reductions == ("tasks that do the same were taken for one another",)
    assert whole.reductions == ()
    assert (merged.verdict, merged.schedule_count) == (whole.verdict, whole.schedule_count)
    assert merged.state_count < whole.state_count / 10


def test_a_counterexample_names_tasks_as_they_are() -> None:
    """Though states are taken for one another, the labels can be followed one by one."""
    setup = counting(increment, 3)
    exploration = explore(setup, lambda end: end["n"] != 1)
    product = TaskWorld(setup).product
    state = product.initial
    for label in exploration.labels:
        state += next(move.delta for move in product.moves(state) if move.label == label)
    assert product.is_end(state)
    assert product.shared(state).disks[0].sectors == [1]


def test_a_check_that_tells_alike_tasks_apart_is_judged_for_each() -> None:
    setup = counting(increment, 2)
    for name in "AB":
        exploration = explore(setup, lambda end, name=name: end.result(name) == 0)  # type: ignore[misc]
        assert exploration.verdict == "violated"
        assert exploration.refused == (
            f"tasks that do the same taken for one another: the check asks for the result of {name}",
        )


def test_with_faults_no_tasks_are_taken_for_one_another() -> None:
    """Who crashed is told apart."""
    exploration = explore(counting(increment, 2, crashes=1))
    assert exploration.reductions == ()
    assert exploration.refused == ()


# -- the toy's numbers -------------------------------------------------------------------------------------------


class Reader(NamedTuple):
    """Where a reader is: an extent, what it does next there, and what it holds."""

    extent: int
    next: str
    content: int = 0


Toy = tuple[int, tuple[Reader, ...]]
"""The steps that the writer took, and the readers."""


def steps_by_hand(extents: int, toy: Toy) -> Iterator[Toy]:
    """The toy, written down once more without any of this package."""
    written, readers = toy
    if written < 4 * extents:
        yield written + 1, readers
    for number, reader in enumerate(readers):
        if reader.extent < extents:
            yield written, (*readers[:number], step_by_hand(written, reader), *readers[number + 1 :])


def step_by_hand(written: int, reader: Reader) -> Reader:
    extent, step, content = reader
    done = written - 4 * extent
    if step in ("table", "table again") and done >= 3:
        return Reader(extent, "slot")
    if step == "table":
        return Reader(extent, "volume")
    if step == "volume":
        return Reader(extent, "table again", int(done >= 4))
    assert step == "slot" or content == 0
    return Reader(extent + 1, "table")


def numbers_by_hand(extents: int, readers: int) -> tuple[int, int, int]:
    """States, those up to the order of the readers, and ways to the end."""
    ways = {(0, (Reader(0, "table"),) * readers): 1}
    met, total = set(ways), 0
    while ways:
        later: dict[Toy, int] = {}
        for toy, count in ways.items():
            after = list(steps_by_hand(extents, toy))
            total += 0 if after else count
            for one in after:
                later[one] = later.get(one, 0) + count
        met |= later.keys()
        ways = later
    return len(met), len({(written, tuple(sorted(readers))) for written, readers in met}), total


@pytest.mark.parametrize(
    ("extents", "readers", "states", "alike", "schedules"),
    [
        (2, 2, 675, 376, 820_016_270),
        (3, 2, 2091, 1127, 64_341_617_914_434),
        (4, 2, 4749, 2515, 5_131_767_960_414_670_076),
        (2, 3, 6059, 1373, 2_030_001_631_570_962),
        (3, 3, 27415, 5669, 394_905_276_775_531_048_110_120),
    ],
)
def test_the_toy_has_the_states_and_interleavings_that_it_has(
    extents: int, readers: int, states: int, alike: int, schedules: int
) -> None:
    assert numbers_by_hand(extents, readers) == (states, alike, schedules)
    whole, merged = (
        explore(toy_snapshot(extents, readers), readers_apart=False, alike_merge=merge)
        for merge in (False, True)
    )
    assert (whole.state_count, whole.schedule_count) == (states, schedules)
    assert (merged.state_count, merged.schedule_count) == (alike, schedules)


def test_four_readers_of_three_extents() -> None:
    assert explore(toy_snapshot(3, 4), readers_apart=False).state_count == 23137


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
