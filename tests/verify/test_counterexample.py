"""Schedules are run again on running code, and put into words."""

import pytest

from shadowshare.scenarios.catalogue import built_in
from shadowshare.sim.schedule import ScheduleError, parse_schedule
from shadowshare.verify.counterexample import replay
from shadowshare.verify.explorer import explore
from shadowshare.verify.mutants.catalogue import mutant

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
