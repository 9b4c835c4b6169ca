"""Readers explored one at a time, and tasks that are alike taken for one another: the verdict is the same."""

from __future__ import annotations

from itertools import permutations

from examples.toy_snapshot import name_of, toy_snapshot

from shadowshare.verify.cells.task_world import TaskWorld
from shadowshare.verify.exploration.search import Budget
from shadowshare.verify.tasks import Check, End, Setup, explore, rest
from tests.verify.task_setups import (
    counting,
    increment,
    locked,
    read_one,
    readers_and_writer,
    rule_of,
    verdict_in_every_way,
    write_one,
)

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
