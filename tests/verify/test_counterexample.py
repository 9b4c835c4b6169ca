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
from shadowshare.sim.schedule import ScheduleError, parse_schedule
from shadowshare.verify.counterexample import describe_record, replay
from shadowshare.verify.explorer import explore
from shadowshare.verify.mutants.catalogue import mutant
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
