"""Schedules of tasks are run again on running tasks, shrunk, and put into words."""

from __future__ import annotations

import pytest

from shadowshare.sim.schedule import ScheduleError
from shadowshare.verify.counterexamples.counterexample import Conflict, Place, explain_tasks, replay_tasks
from shadowshare.verify.result import Exploration
from shadowshare.verify.strategies.random_walk import RandomWalk
from shadowshare.verify.tasks import End, Lock, Setup, flush
from shadowshare.verify.tasks import explore as explore_tasks


def lost_update(bystanders: int = 0) -> Setup:
    setup = Setup()
    counter, table = setup.cell("counter", 0), setup.array("table", [0, 0])

    async def count() -> None:
        await counter.write(await counter.read() + 1)

    async def stand_by() -> None:
        await table.read()

    setup.task("A", count)
    setup.task("B", count)
    for number in range(bystanders):
        setup.task(f"S{chr(97 + number)}", stand_by)
    return setup


def test_a_schedule_of_tasks_in_words() -> None:
    replayed = replay_tasks(
        lost_update(), ["A", "B", "A", "B"], lambda end: end["counter"] == 2, "lost-update"
    )
    assert [(row.host, row.action, row.result) for row in replayed.rows] == [
        ("A", "reads counter", "got 0"),
        ("B", "reads counter", "got 0"),
        ("A", "writes 1 into counter", ""),
        ("B", "writes 1 into counter", ""),
    ]
    assert (replayed.scenario, replayed.schedule) == ("lost-update", "s1/lost-update/A,B,A,B")
    assert replayed.hosts == ("A", "B")
    assert replayed.violation is not None
    assert (replayed.violation.rule, replayed.violated_at, replayed.is_over) == ("check", None, True)
    counter = Place("counter", "counter")
    assert replayed.conflicts == (
        Conflict(2, 3, counter, False, True, True),
        Conflict(3, 4, counter, True, True, True),
    )


def test_every_operation_of_cells_has_words() -> None:
    setup = Setup(crashes=1, power_losses=1)
    cell, table, lock = setup.cell("cell", "a"), setup.array("table", [1, 2, 3]), setup.lock("lock")

    async def work() -> None:
        await table.read(1)
        await table.write(0, [7, 8])
        await cell.compare_and_write("a", "b")
        await cell.compare_and_write("a", "c")
        async with lock:
            await flush()
        raise ValueError("no more")

    setup.task("W", work)
    assert [(row.action, row.result) for row in replay_tasks(setup, ["W"] * 7).rows] == [
        ("reads table[1], table[2]", "got 2, 3"),
        ("writes 7, 8 into table[0], table[1]", ""),
        ("writes 'b' into cell if it holds 'a'", "it did"),
        ("writes 'c' into cell if it holds 'a'", "it did not"),
        ("writes True into lock as soon as it holds False", ""),
        ("flushes the cells", ""),
        ("writes False into lock", "fails with ValueError: no more"),
    ]
    power = replay_tasks(setup, ["W", "power"]).rows[-1]
    assert (power.host, power.action, power.stopped) == (
        "",
        "the power is lost, and with it every task",
        ("W",),
    )


def test_only_what_the_failed_task_touched_matters() -> None:
    setup = Setup()
    wanted, other = setup.cell("wanted", 0), setup.cell("other", 0)

    async def write() -> None:
        await other.write(1)
        await wanted.write(1)

    async def read_other() -> None:
        await other.read()

    async def read() -> None:
        assert await wanted.read() == 0

    setup.task("W", write)
    setup.task("S", read_other)
    setup.task("R", read)
    replayed = replay_tasks(setup, ["W", "S", "W", "R"])
    assert replayed.violation is not None
    assert replayed.violation.host == "R"
    assert [conflict.place.name for conflict in replayed.conflicts] == ["wanted"]
    assert replayed.rows[-1].result.startswith("got 1; fails with AssertionError")


def test_a_violation_of_tasks_is_shrunk_and_explained() -> None:
    setup, check = lost_update(1), lambda end: end["counter"] == 2
    found = explore_tasks(setup, check, strategy=RandomWalk(1))
    explained = explain_tasks(setup, found, check)
    assert explained.found == found.labels
    assert explained.shrunk.cost.preemption_count == 1
    assert (explained.replay.scenario, explained.command) == ("tasks", "")
    assert explained.replay.violation == explained.shrunk.violation


def test_tasks_that_took_no_step_are_left_out_where_no_end_is_judged() -> None:
    setup = lost_update(20)
    counter = setup.names["counter"]

    async def look() -> None:
        assert await counter.read() != 1

    setup.task("L", look)
    explained = explain_tasks(setup, Exploration(labels=("A", "Sa", "A", "L"), violation=None))
    assert explained.replay.hosts == ("A", "L")
    assert explained.shrunk.labels == ("A", "A", "L")


def test_the_step_that_violates_is_the_first_one_that_does() -> None:
    setup = Setup()
    cell = setup.cell("cell", 0)

    async def write() -> None:
        await cell.write(1)
        await cell.write(2)

    async def read() -> None:
        assert await cell.read() == 0

    setup.task("W", write)
    setup.task("R", read)
    assert replay_tasks(setup, ["W", "R", "W"]).violated_at == 2


def test_a_check_may_speak_of_tasks_that_never_began() -> None:
    setup = lost_update()
    setup.crashes = 1

    async def recover() -> str:
        return "recovered"

    setup.task("V", recover, recovers="A")

    def check(end: End) -> bool:
        return end.result("V") is not None or end["counter"] == 2

    found = explore_tasks(setup, check)
    assert found.violation is not None
    assert "V" not in found.labels
    assert explain_tasks(setup, found, check).replay.violation is not None


def test_a_deadlock_of_running_tasks() -> None:
    setup = Setup()
    first, second = setup.lock("first"), setup.lock("second")

    async def take(locks: tuple[Lock, Lock]) -> None:
        async with locks[0], locks[1]:
            pass

    setup.task("A", take, (first, second))
    setup.task("B", take, (second, first))
    replayed = replay_tasks(setup, ["A", "B"])
    assert replayed.violation is not None
    assert (replayed.violation.rule, replayed.violation.message) == ("deadlock", "wait for ever: A, B")


def test_results_of_running_tasks_are_checked() -> None:
    setup = Setup()
    cell = setup.cell("cell", 3)

    async def read() -> int:
        value: int = await cell.read()
        return value

    setup.task("R", read)
    assert replay_tasks(setup, ["R"], lambda end: end.result("R") == 3).violation is None
    assert replay_tasks(setup, ["R"], lambda end: end.result("R") == 4).violation is not None


def test_a_schedule_that_does_not_fit_tasks() -> None:
    with pytest.raises(
        ScheduleError, match="step 2 of the schedule does not fit the tasks 'tasks': 'C' cannot"
    ):
        replay_tasks(lost_update(), ["A", "C"])
