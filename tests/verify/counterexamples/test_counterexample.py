"""Schedules are run again on running code, and put into words."""

import pytest

from shadowshare.protocol.layout import (
    Checkpoint,
    Copied,
    Created,
    Deleted,
    Grown,
    Invalidated,
    Record,
    Reverted,
    Reverting,
    Seal,
    ShadowCopyId,
    Takeover,
)
from shadowshare.scenarios.catalogue import built_in, built_in_names
from shadowshare.scenarios.definition import parse_scenario
from shadowshare.sim.schedule import ScheduleError, parse_schedule
from shadowshare.verify.counterexamples.counterexample import (
    Conflict,
    Place,
    describe_record,
    explain,
    replay,
    replay_command,
)
from shadowshare.verify.exploration.search import Budget
from shadowshare.verify.explorer import explore
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.strategies.random_walk import RandomWalk
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
        (Reverting(ShadowCopyId(1, 2)), "REVERTING 1.2"),
        (Reverted(ShadowCopyId(1, 2)), "REVERTED 1.2"),
        (Grown(3), "GROWN to 3 slots"),
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
    bug = mutant("no-quarantine")
    scenario = built_in(bug.scenario)
    replayed = explain(scenario, explore(scenario, bug.implementation), bug.implementation).replay
    actions = [row.action for row in replayed.rows]
    assert "writes journal block 3: COPIED 1.1 extent 0 -> slot 0" in actions
    assert "writes journal block 4: COPIED 1.1 extent 2 -> slot 1" in actions
    assert replayed.violation is not None
    assert replayed.violation.extent == 2
    assert {conflict.place.name for conflict in replayed.conflicts} == {
        *("journal block 3", "journal block 4", "journal block 5"),
        *("slot 1", "extent 2 of the volume"),
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
