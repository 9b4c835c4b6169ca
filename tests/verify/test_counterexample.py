"""Schedules are run again on running code, and put into words."""

import pytest

from shadowshare.protocol.layout import (
    Checkpoint,
    Copied,
    Created,
    Deleted,
    Invalidated,
    Record,
    Seal,
    ShadowCopyId,
    Takeover,
)
from shadowshare.scenarios.catalogue import built_in, built_in_names
from shadowshare.scenarios.definition import parse_scenario
from shadowshare.sim.schedule import ScheduleError, parse_schedule
from shadowshare.verify.counterexample import (
    Conflict,
    Place,
    describe_record,
    explain,
    explain_tasks,
    replay,
    replay_command,
    replay_tasks,
)
from shadowshare.verify.explorer import explore
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.result import Exploration
from shadowshare.verify.search import Budget
from shadowshare.verify.strategies.random_walk import RandomWalk
from shadowshare.verify.tasks import End, Lock, Setup, flush
from shadowshare.verify.tasks import explore as explore_tasks
from tests.verify.programs import random_schedules

SCENARIO = built_in("reader-before-volume-read")


def test_a_replay_tells_who_did_what_to_which_extent() -> None:
    replayed = replay(SCENARIO, ["W"] * 6 + ["R"], mutant("cached-recheck").implementation)
    assert [row.host for row in replayed.rows] == ["W"] * 6 + ["R"]
    assert [row.action for row in replayed.rows] == [
        "reads extent 0 of the volume",
        "writes slot 0",
        "flushes the disk",
        "writes journal block 3: COPIED 1.1 extent 0 -> slot 0",
        "flushes the disk",
        "writes extent 0 of the volume",
        "reads extent 0 of the volume",
    ]
    assert "RETURNS W 'write 0'" in replayed.rows[-1].result
    assert replayed.violation is not None
    assert replayed.violation.extent == 0
    assert replayed.is_over


def test_its_schedule_reads_back() -> None:
    replayed = replay(SCENARIO, ["W"] * 6 + ["R"] * 3)
    assert parse_schedule(replayed.schedule) == ("reader-before-volume-read", ("W",) * 6 + ("R",) * 3)
    assert replayed.violation is None


def test_a_passive_without_steps_is_left_out_and_still_named_in_an_error() -> None:
    assert replay(SCENARIO, ["W"] * 6).is_over
    with pytest.raises(ScheduleError, match=r"step 7 .*'W' cannot happen here; what can: R"):
        replay(SCENARIO, ["W"] * 7)


def test_events_and_late_writes_are_told() -> None:
    bug = mutant("no-fence")
    scenario = built_in(bug.scenario)
    exploration = explore(scenario, bug.implementation)
    told = {row.action for row in replay(scenario, exploration.labels, bug.implementation).rows}
    assert "W crashes" in told
    assert any(action.startswith("late: writes ") for action in told)


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (Copied(ShadowCopyId(1, 2), 3, 4, 1), "COPIED 1.2 extent 3 -> slot 4"),
        (Copied(ShadowCopyId(1, 2), 3, 4, 5), "COPIED 1.2 extent 3 -> slot 4 (and 4 more)"),
        (Created(ShadowCopyId(1, 2), 0), "CREATED 1.2"),
        (Deleted(ShadowCopyId(1, 2)), "DELETED 1.2"),
        (Invalidated(), "INVALIDATED"),
        (Takeover(), "TAKEOVER"),
        (Seal(2, 1, bytes(8)), "SEAL"),
        (Checkpoint(1, 1), "CHECKPOINT"),
    ],
)
def test_every_record_has_words(record: Record, words: str) -> None:
    assert describe_record(record) == words


@pytest.mark.parametrize("name", built_in_names())
def test_every_step_of_every_scenario_has_words(name: str) -> None:
    scenario = built_in(name)
    for labels in random_schedules(scenario, 5):
        replayed = replay(scenario, labels)
        assert len(replayed.rows) == len(labels)
        assert all(row.action for row in replayed.rows)
        assert not any("device" in row.action for row in replayed.rows), "each place has a name"


# -- what conflicts --------------------------------------------------------------------------------------------------


def test_a_replay_says_where_it_is_violated_and_which_accesses_conflict() -> None:
    replayed = replay(SCENARIO, ["W"] * 6 + ["R"], mutant("cached-recheck").implementation)
    assert replayed.violated_at == 7
    extent = Place("volume", "extent 0 of the volume")
    assert replayed.conflicts == (Conflict(6, 7, extent, True, False, True),)
    assert [touch.place for touch in replayed.rows[3].touches] == [Place("journal", "journal block 3")]


def test_without_a_violation_there_is_nothing_that_conflicts_are_about() -> None:
    replayed = replay(SCENARIO, ["W"] * 6 + ["R"] * 3)
    assert (replayed.violated_at, replayed.conflicts) == (None, ())


def test_the_slots_of_the_violated_extent_and_the_journal_matter_and_other_extents_do_not() -> None:
    bug = mutant("no-fence")
    scenario = built_in(bug.scenario)
    replayed = explain(scenario, explore(scenario, bug.implementation), bug.implementation).replay
    actions = [row.action for row in replayed.rows]
    assert "writes journal block 4: COPIED 1.1 extent 1 -> slot 0" in actions
    assert "writes journal block 5: COPIED 1.1 extent 0 -> slot 1" in actions
    assert replayed.violation is not None
    assert replayed.violation.extent == 1
    assert {conflict.place.name for conflict in replayed.conflicts} == {
        *("journal block 3", "journal block 4", "journal block 5"),
        *("slot 0", "extent 1 of the volume"),
    }


def test_who_stops_with_a_step() -> None:
    rows = replay(built_in("crash-before-volume-write"), ["W", "power"]).rows
    assert [row.stopped for row in rows] == [(), ("W",)]


def test_what_survived_is_told_where_it_is_decided() -> None:
    bug = mutant("creation-without-flush")
    scenario = built_in(bug.scenario)
    labels = ["W", "W", "power", "R", "keep.1", "R", "R", "keep.0", "R.1", "R"]
    rows = replay(scenario, labels, bug.implementation).rows
    assert (rows[3].host, rows[3].action) == ("R", rows[4].action)
    assert rows[3].result == "has to wait until it is decided what survived"
    assert rows[4].result.startswith("of journal block 2, content 1 survived (0 is the oldest); #2 TAKEOVER")
    assert rows[7].result == (
        "of extent 0 of the volume, content 0 survived (0 is the oldest); got initial of sector 0"
    )


# -- all that there is to say about a violation ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["no-recheck", "early-recheck", "own-catch-up-only", "creation-without-flush"]
)
def test_a_violation_is_shrunk_and_explained(name: str) -> None:
    bug = mutant(name)
    scenario = built_in(bug.scenario)
    found = explore(scenario, bug.implementation, Budget(execution_count=1000), strategy=RandomWalk(3))
    explained = explain(scenario, found, bug.implementation, mutant_name=name)
    assert found.violation is not None
    assert explained.found == found.labels
    assert explained.shrunk.cost <= explained.shrunk.cost_before
    assert explained.replay.violation is not None
    assert explained.replay.violation.rule == found.violation.rule
    assert explained.replay.violated_at == len(explained.shrunk.labels)
    assert explained.command == f"shadowshare replay '{explained.replay.schedule}' --mutant {name}"
    assert parse_schedule(explained.replay.schedule).labels == explained.shrunk.labels


def test_passives_that_have_nothing_to_do_with_it_are_left_out() -> None:
    scenario = parse_scenario(
        """
        name = "crowd"
        story = "Passives read, while the active creates a shadow copy and crashes."
        before = ["W: create s", "R: open", "S: open"]
        hosts = { W = "active", R = "passive", S = "passive" }
        [race]
        W = ["write 0"]
        R = ["read s 0"]
        S = ["read s 0 1"]
        """
    )
    bug = mutant("no-recheck").implementation
    found = explore(scenario, bug, Budget(execution_count=1000), strategy=RandomWalk(2))
    assert found.violation is not None
    other = "S" if found.violation.host == "R" else "R"
    assert other in found.labels
    explained = explain(scenario, found, bug)
    assert other not in explained.shrunk.labels
    assert explained.replay.hosts == ("W", found.violation.host)
    assert explained.replay.violation is not None


def test_passives_need_not_end_where_only_the_end_is_wrong() -> None:
    scenario = parse_scenario(
        """
        name = "bystanders"
        story = "Passives read one extent, while the active discards the other one."
        before = ["W: create s", "R: open", "S: open"]
        hosts = { W = "active", R = "passive", S = "passive" }
        [race]
        W = ["discard 0"]
        R = ["read s 1"]
        S = ["read s 1"]
        """
    )
    bug = mutant("discard-without-copy").implementation
    found = explore(scenario, bug, strategy=RandomWalk())
    assert found.violation is not None
    assert (found.violation.host, {"R", "S"} < set(found.labels)) == ("audit", True)
    explained = explain(scenario, found, bug)
    assert set(explained.shrunk.labels) == {"W"}
    assert explained.replay.hosts == ("W",)
    assert (explained.replay.violation, explained.replay.violated_at) == (found.violation, None)


def test_an_exploration_of_something_else_cannot_be_explained() -> None:
    found = explore(SCENARIO, mutant("cached-recheck").implementation)
    with pytest.raises(ScheduleError, match="nothing is violated in this schedule"):
        explain(SCENARIO, found)
    with pytest.raises(ScheduleError, match="nothing is violated in this schedule"):
        explain(SCENARIO, explore(SCENARIO))


def test_a_command_names_files_and_mutants_as_a_shell_needs_it() -> None:
    assert replay_command("s1/a/W*2", ["my own.toml"], "no-recheck") == (
        "shadowshare replay 's1/a/W*2' --file 'my own.toml' --mutant no-recheck"
    )


# -- tasks -----------------------------------------------------------------------------------------------------------


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
