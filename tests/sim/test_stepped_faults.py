"""The stepped world's faults: crashes, power losses, and errors."""

from __future__ import annotations

from typing import Any

import pytest

from shadowshare.protocol.errors import Fenced, FlushError, ReadError, WriteError
from shadowshare.protocol.operations import Flush, Operation, Reserve
from shadowshare.sim.disks.memory_disk import Misbehaviour
from shadowshare.sim.stepped.world import SteppedWorld
from tests.sim.stepped_worlds import (
    SIZE,
    does,
    ends,
    held,
    labels,
    read,
    reports,
    take,
    told,
    world_of,
    write,
)


def crashing(
    *operations: Operation, successor: tuple[Operation, ...] = (read(0, 4),), **rules: Any
) -> SteppedWorld:
    """W does something, and V takes its place if it crashes; R reads."""
    return world_of(
        ("W", [does(*operations)]),
        ("V", [does(*successor)]),
        ("R", [does(read(3))]),
        recovers={"V": "W"},
        **{"crash_count": 1, **rules},
    )


# -- crashes -----------------------------------------------------------------------------------------------------


def test_no_crash_unless_the_rules_say_so() -> None:
    assert labels(crashing(write(0, "x"), crash_count=0)) == ["W", "R"]
    assert labels(world_of(("W", [does(write(0, "x"))]), crash_count=1)) == ["W"], "nobody would recover"


def test_a_crash_lets_the_successor_begin() -> None:
    world = crashing(write(0, "x"))
    assert labels(world) == ["W", "R", "crash.W"]
    take(world, "crash.W")
    assert labels(world) == ["R", "V", "late.0"]
    assert world.shared.crashed == {0}
    assert list(world.hosts) == [1, 2]


def test_a_host_may_crash_when_it_has_nothing_in_flight() -> None:
    world = crashing(write(0, "x"))
    assert labels(take(world, "W R")) == ["crash.W"]
    assert world.is_over
    assert labels(take(world, "crash.W")) == ["V"]
    assert not world.is_over


def test_reads_of_a_crashed_host_vanish() -> None:
    world = crashing(read(0))
    take(world, "crash.W")
    assert labels(world) == ["R", "V"]
    assert reports(world) == []


def test_a_write_of_a_crashed_host_may_land_later_or_never() -> None:
    world = crashing(write(0, "x"), successor=(read(0), read(0)), memoised=True)
    take(world, "R crash.W")
    assert reports(take(world.fork(), "V V"))[1:] == ["a", "a"]
    assert reports(take(world.fork(), "V late.0 V"))[1:] == ["a", "x"]
    landed = take(world.fork(), "late.0")
    assert held(landed) == "x b c d"
    assert ("wrote", 0, 0) in told(landed).told
    assert labels(landed) == ["V"]
    assert reports(landed) == ["d"], "nobody is told that it landed"


def test_late_writes_land_in_any_order() -> None:
    programs = [does(write(0, "x")), does(write(0, "y")), does(read(1))]
    world = world_of(("W", programs), ("V", [does()]), recovers={"V": "W"}, crash_count=1, memoised=True)
    take(world, "crash.W")
    assert labels(world) == ["late.0", "late.1"]
    assert held(take(world.fork(), "late.0 late.0")) == "y b c d"
    assert held(take(world.fork(), "late.1 late.0")) == "x b c d"


def test_a_torn_late_write_lands_sector_by_sector() -> None:
    world = crashing(write(0, "x", "y", "z"), tears=True)
    take(world, "W.1 crash.W")
    assert labels(world) == ["R", "V", "V.1", "V.2", "V.3", "late.0", "late.1"]
    assert held(take(world, "late.1")) == "a y z d"


def test_a_reservation_of_another_host_shuts_late_writes_out() -> None:
    world = crashing(write(0, "x"), successor=(Reserve(0), read(0)))
    take(world, "crash.W")
    assert labels(world) == ["R", "V", "late.0"]
    take(world, "V")
    assert labels(world) == ["R", "V"]
    assert world.shared.late == []
    assert reports(take(world, "V")) == ["done", "a"]


def test_a_reservation_shuts_out_late_writes_to_its_own_device_only() -> None:
    programs = [does(write(0, "x")), does(write(0, "y", device=1))]
    world = world_of(
        ("W", programs),
        ("V", [does(Reserve(1), Reserve(0))]),
        recovers={"V": "W"},
        crash_count=1,
        device_count=2,
    )
    take(world, "crash.W V")
    assert labels(world) == ["V", "late.0"]
    assert held(take(world, "late.0"), 0) == "x b c d"
    assert held(take(world, "V"), 1) == "a b c d"


def test_late_writes_stay_possible_when_a_fence_is_ignored() -> None:
    world = crashing(write(0, "x"), successor=(Reserve(0),))
    world.disks[0].misbehaviour = Misbehaviour(fence_is_ignored=True)
    take(world, "crash.W V")
    assert labels(world) == ["R", "late.0"]


def test_a_host_that_runs_on_is_refused_by_a_reservation() -> None:
    world = world_of(("W", [does(write(0, "x"))]), ("V", [does(Reserve(0))]))
    take(world, "V W")
    assert [type(report) for report in reports(world)] == [str, Fenced]
    assert held(world) == "a b c d"


def test_successors_crash_only_once_they_run() -> None:
    world = world_of(
        ("W", [does(write(0, "x"))]),
        ("V", [does(write(0, "y"))]),
        ("U", [does(read(0))]),
        recovers={"V": "W", "U": "V"},
        crash_count=2,
    )
    assert labels(world) == ["W", "crash.W"]
    assert labels(take(world, "crash.W")) == ["V", "late.0", "crash.V"]
    assert labels(take(world, "crash.V")) == ["U", "late.0", "late.1"]
    assert world.shared.crashes_left == 0
    assert held(take(world, "late.1 late.0")) == "x b c d"


def test_no_more_crashes_than_the_rules_say() -> None:
    world = world_of(
        ("W", [does(write(0, "x"))]),
        ("V", [does(write(0, "y"))]),
        ("U", [does(read(0))]),
        recovers={"V": "W", "U": "V"},
        crash_count=1,
    )
    assert "crash.V" not in labels(take(world, "crash.W"))


def test_late_writes_can_be_switched_off() -> None:
    world = crashing(write(0, "x"), late_writes=False, write_error_count=1, memoised=True)
    assert labels(take(world.fork(), "crash.W")) == ["R", "V"]
    assert labels(take(world, "W~")) == ["R", "crash.W"]


def test_hosts_of_no_successor_crash_if_the_rules_say_so() -> None:
    world = world_of(("W", [does(write(0, "x"))]), ("U", [does(write(1, "y"))]), crash_count=1, mortals=(1,))
    assert labels(world) == ["W", "U", "crash.U"]
    assert labels(take(world, "crash.U")) == ["W", "late.0"]
    assert list(world.hosts) == [0]


def test_a_host_may_have_several_successors_and_all_begin() -> None:
    world = world_of(
        ("W", [does(write(0, "x"))]),
        ("V", [does(read(0))]),
        ("U", [does(read(1))]),
        recovers={"V": "W", "U": "W"},
        crash_count=1,
    )
    assert labels(world) == ["W", "crash.W"]
    assert labels(take(world, "crash.W")) == ["V", "U", "late.0"]


def test_a_crashed_host_is_not_stuck() -> None:
    world = crashing(read(0), successor=())
    take(world, "crash.W R")
    assert world.is_over
    assert not world.is_stuck


# -- power losses ------------------------------------------------------------------------------------------------


def losing(*operations: Operation, **rules: Any) -> SteppedWorld:
    return crashing(*operations, **{"power_loss_count": 1, **rules})


def test_a_power_loss_without_anything_unflushed_decides_nothing() -> None:
    world = losing(read(0))
    assert labels(world) == ["W", "R", "crash.W", "power"]
    take(world, "power")
    assert labels(world) == ["R", "V"]
    assert ("lost power", ["a b c d"]) in told(world).told


def test_choices_decide_what_survives_of_each_unflushed_sector() -> None:
    world = losing(write(0, "x"), write(2, "z"), write(0, "y"), memoised=True)
    take(world, "W W W power V")
    assert not world.is_over
    assert labels(world) == ["keep.0", "keep.1", "keep.2"]
    assert labels(take(world.fork(), "keep.1")) == ["keep.0", "keep.1"]
    ends = [take(world.fork(), f"keep.{first} keep.{second}") for first in range(3) for second in range(2)]
    found = {f"{first} b {second} d" for first in "axy" for second in "cz"}
    assert {held(end) for end in ends} == found
    assert {reports(end)[-1].replace("+", " ") for end in ends} == found


def test_a_power_loss_decides_nothing_by_itself_and_is_told_of_at_once() -> None:
    world = losing(write(0, "x"), write(1, "y"))
    take(world, "W W power")
    assert told(world).told[-1] == ("lost power", ["{a,x} {b,y} c d"])
    assert labels(world) == ["R", "V"]
    assert labels(take(world, "R")) == ["V"], "what R reads was never in doubt"
    assert held(world) == "{a,x} {b,y} c d"


def test_what_is_decided_is_durable_and_told_of_once() -> None:
    world = losing(write(0, "x"), write(1, "y"))
    take(world, "W W power V keep.1")
    assert labels(world) == ["keep.0", "keep.1"], "nobody else does anything meanwhile"
    assert held(world) == "x {b,y} c d"
    take(world, "keep.0")
    assert [entry for entry in told(world).told if entry[0] == "lost power"] == [
        ("lost power", ["{a,x} {b,y} c d"])
    ]
    assert (world.disks[0].versions, world.disks[0].undecided) == ({}, {})
    assert reports(world)[-1] == "x+b+c+d"
    assert labels(world) == ["R"]


def test_only_what_an_operation_reads_is_decided() -> None:
    world = losing(write(0, "x", "y"), successor=(read(1), write(0, "v"), read(0, 2)))
    take(world, "W power V keep.1")
    assert held(world) == "{a,x} y c d"
    take(world, "V")
    assert held(world) == "v y c d"
    assert labels(world) == ["R", "V"], "what was overwritten need never be decided"
    assert reports(take(world, "V"))[-1] == "v+y"


def test_what_was_overwritten_before_it_was_decided_may_come_back_with_the_next_power_loss() -> None:
    world = world_of(
        ("W", [does(write(0, "x"))]),
        ("V", [does(write(0, "v"), Flush(0), write(1, "w"))]),
        ("U", [does(read(0, 2))]),
        recovers={"V": "W", "U": "V"},
        crash_count=2,
        power_loss_count=2,
        memoised=True,
    )
    take(world, "W power V")
    assert held(take(world.fork(), "power")) == "{a,x,v} b c d"
    assert held(take(world.fork(), "V power")) == "v b c d"
    take(world, "V V power U")
    assert labels(world) == ["keep.0", "keep.1"]
    assert reports(take(world, "keep.1"))[-1] == "v+w"


def test_what_is_undecided_stays_so_over_a_second_power_loss() -> None:
    world = world_of(
        ("W", [does(write(0, "x"))]),
        ("V", [does(write(1, "v"))]),
        ("U", [does(read(0, 2))]),
        recovers={"V": "W", "U": "V"},
        crash_count=2,
        power_loss_count=2,
    )
    take(world, "W power V power")
    assert held(world) == "{a,x} {b,v} c d"
    assert reports(take(world, "U keep.1 keep.0"))[-1] == "x+b"


def test_a_late_write_and_a_write_with_an_error_decide_nothing() -> None:
    world = losing(
        write(0, "x"), write(0, "y"), successor=(write(0, "v"), read(0)), write_error_count=1, memoised=True
    )
    take(world, "W power")
    assert held(world) == "{a,x} b c d"
    assert held(take(world.fork(), "late.0")) == "y b c d"
    assert held(take(world.fork(), "V!")) == "v b c d"
    assert held(take(world, "V~")) == "{a,x} b c d"
    assert labels(take(world, "V")) == ["keep.0", "keep.1"]


def test_a_read_error_decides_nothing() -> None:
    world = losing(write(0, "x"), successor=(read(0), read(0)), read_error_count=1)
    take(world, "W power V~")
    assert held(world) == "{a,x} b c d"
    assert labels(take(world, "V")) == ["keep.0", "keep.1"]


@pytest.mark.parametrize("label", ["V", "V!", "late.0"])
def test_what_the_watcher_inspects_is_decided_before_a_change_takes_effect(label: str) -> None:
    """It has to know what it sees; the operation itself waits until then, and takes effect once."""
    world = losing(write(1, "x"), write(2, "y"), successor=(write(0, "v"),), write_error_count=1)
    told(world).inspected = [(0, range(1, 2))]
    take(world, f"W power {label}")
    assert labels(world) == ["keep.0", "keep.1"]
    assert told(world).told[-1][0] == "lost power"
    take(world, "keep.1")
    assert held(world) == ("a x y d" if label == "late.0" else "v x c d")
    assert [entry[0] for entry in told(world).told].count("wrote") == 2


def test_a_world_that_waits_for_a_decision_is_not_over() -> None:
    world = take(losing(write(0, "x")), "W R power V")
    assert world.shared.deciding == "V"
    assert (world.is_over, world.is_stuck) == (False, False)
    assert take(world, "keep.0").is_over
    assert world.shared.deciding == ""


def test_a_flushed_write_survives() -> None:
    world = losing(write(0, "x"), Flush(0), write(1, "y"))
    take(world, "W W W power V")
    assert labels(world) == ["keep.0", "keep.1"]
    assert held(take(world, "keep.0")) == "x b c d"


def test_a_write_that_came_after_the_issue_of_a_flush_may_be_lost() -> None:
    world = world_of(
        ("W", [does(write(0, "x"), Flush(0)), does(write(0, "y"))]),
        ("V", [does(read(0))]),
        recovers={"V": "W"},
        crash_count=1,
        power_loss_count=1,
    )
    take(world, "W1 W2 W1 power V")
    assert labels(world) == ["keep.0", "keep.1"]
    assert held(take(world, "keep.0")) == "x b c d"


def test_a_power_loss_concerns_every_device() -> None:
    successor = (read(0), read(1, device=1))
    world = losing(write(0, "x"), write(1, "y", device=1), successor=successor, device_count=2)
    take(world, "W W power")
    assert told(world).told[-1] == ("lost power", ["{a,x} b c d", "a {b,y} c d"])
    take(world, "V keep.0 V")
    assert labels(world) == ["keep.0", "keep.1"]
    take(world, "keep.1")
    assert (held(world, 0), held(world, 1)) == ("a b c d", "a y c d")
    assert labels(world) == ["R"]


def test_a_power_loss_may_stop_every_host_that_has_begun() -> None:
    world = losing(write(0, "x"), power_stops_all=True)
    assert labels(world) == ["W", "R", "crash.W", "power"]
    take(world, "W power")
    assert world.shared.crashed == {0, 2}
    assert list(world.hosts) == [1]
    assert labels(world) == ["V"]


def test_plain_crashes_can_be_switched_off() -> None:
    world = losing(write(0, "x"), plain_crashes=False)
    assert labels(world) == ["W", "R", "power"]
    assert labels(take(world, "power")) == ["R", "V", "late.0"]


def test_a_power_loss_is_one_of_the_crashes() -> None:
    world = losing(write(0, "x"), write(0, "y"))
    take(world, "W power")
    assert world.shared.crashed == {0}
    assert (world.shared.crashes_left, world.shared.power_losses_left) == (0, 0)
    assert labels(world) == ["R", "V", "late.0"], "what was in flight may still land"


def test_a_crash_keeps_what_was_written() -> None:
    world = losing(write(0, "x"), write(1, "y"))
    take(world, "W crash.W")
    assert held(world) == "x b c d"
    assert {at: len(found) for at, found in world.disks[0].versions.items()} == {0: 2}


def test_a_sector_that_tears_may_be_half_and_half() -> None:
    half = SIZE // 2
    world = losing(write(0, "x" * SIZE), successor=(read(0),), sectors=("a" * SIZE,), memoised=True)
    world.disks[0].misbehaviour = Misbehaviour(sectors_tear=True)
    take(world, "W power V")
    assert labels(world) == ["keep.0", "keep.1", "keep.2"]
    assert held(take(world.fork(), "keep.2")) == "x" * half + "a" * half, "the first half is the new one"


def test_a_silent_power_loss_crashes_nobody() -> None:
    world = losing(write(0, "x"), read(0))
    world.disks[0].misbehaviour = Misbehaviour(power_loss_is_silent=True)
    take(world, "W power")
    assert world.shared.crashed == frozenset()
    assert labels(world) == ["R", "W"], "it goes on, and cannot crash any more"
    assert reports(take(world, "W keep.0"))[-1] == "a"


def test_passives_read_on_after_a_power_loss() -> None:
    world = losing(write(3, "x"))
    assert labels(take(world, "W power R")) == ["keep.0", "keep.1"]
    assert reports(take(world, "keep.0"))[-1] == "d"


# -- errors ------------------------------------------------------------------------------------------------------


def test_a_write_error_after_it_landed() -> None:
    world = world_of(("W", [does(write(0, "x"), read(0))]), write_error_count=1)
    assert labels(world) == ["W", "W!", "W~"]
    take(world, "W!")
    assert held(world) == "x b c d"
    assert [type(report) for report in reports(world)] == [WriteError]
    assert ("wrote", 0, 0) in told(world).told
    assert labels(world) == ["W"], "errors are used up"


def test_a_write_error_instead_of_landing() -> None:
    world = take(world_of(("W", [does(write(0, "x"), read(0))]), write_error_count=1), "W~ W")
    assert held(world) == "a b c d"
    assert [str(report) for report in reports(world)] == ["the device reported an error", "a"]
    assert all(entry[0] != "wrote" for entry in told(world).told)


def test_a_write_that_reported_an_error_may_land_later() -> None:
    world = take(world_of(("W", [does(write(0, "x"), write(0, "y"))]), write_error_count=1), "W~")
    assert labels(world) == ["W", "late.0"]
    assert held(take(world, "W late.0")) == "x b c d"
    assert told(world).told[-1] == ("wrote", 0, 0)
    assert labels(world) == []


def test_a_write_that_reported_an_error_may_land_until_another_host_takes_the_reservation() -> None:
    programs = [does(write(0, "x")), does(Reserve(0))]
    world = world_of(("W", programs), ("V", [does(Reserve(0))]), write_error_count=1)
    assert labels(take(world, "W1~ W2")) == ["V", "late.0"], "its own reservation does not shut it out"
    assert labels(take(world, "V")) == []


def test_a_read_error() -> None:
    world = world_of(("R", [does(read(0), read(0))]), read_error_count=1)
    assert labels(world) == ["R", "R~"]
    take(world, "R~")
    assert [type(report) for report in reports(world)] == [ReadError]
    assert labels(world) == ["R"]
    assert reports(take(world, "R"))[1:] == ["a"]


def test_a_flush_error_makes_nothing_durable() -> None:
    world = world_of(("W", [does(write(0, "x"), Flush(0), Flush(0))]), flush_error_count=1)
    assert labels(world) == ["W"]
    assert labels(take(world, "W")) == ["W", "W~"]
    take(world, "W~")
    assert type(reports(world)[-1]) is FlushError
    assert list(world.disks[0].versions) == [0]
    assert labels(world) == ["W"]
    assert take(world, "W").disks[0].versions == {}


def test_errors_are_counted_apart() -> None:
    programs = [does(write(0, "x"), write(0, "y")), does(read(0), read(0)), does(Flush(0)), does(Reserve(0))]
    world = world_of(("W", programs), write_error_count=1, read_error_count=1, flush_error_count=1)
    assert labels(world) == ["W1", "W2", "W3", "W4", "W1!", "W1~", "W2~", "W3~"]
    assert labels(take(world, "W1!")) == ["W2", "W3", "W4", "W1", "W2~", "W3~"]
    assert labels(take(world, "W2~")) == ["W3", "W4", "W1", "W2", "W3~"]
    assert labels(take(world, "W3~")) == ["W4", "W1", "W2"]


def test_a_refused_write_stays_refused_when_it_reports_an_error() -> None:
    world = world_of(("W", [does(write(0, "x"))]), ("V", [does(Reserve(0))]), write_error_count=1)
    take(world, "V W!")
    assert type(reports(world)[1]) is Fenced
    assert held(world) == "a b c d"


@pytest.mark.parametrize("label", ["W.1~", "W.1!"])
def test_an_error_of_one_sector_is_that_of_the_operation(label: str) -> None:
    world = world_of(("W", [does(write(0, "x", "y"))]), write_error_count=1, tears=True)
    assert labels(world) == ["W", "W.1", "W!", "W~", "W.1!", "W.1~"]
    take(world, f"{label} W")
    assert [type(report) for report in reports(world)] == [WriteError]
    assert held(world) == ("x b c d" if label == "W.1~" else "x y c d")


def test_every_fault_together_comes_to_an_end() -> None:
    """What is on the disk at the end is always something that was written there, and nobody is left waiting."""
    world = losing(
        write(0, "x", "y"),
        Flush(0),
        successor=(Reserve(0), read(0)),
        tears=True,
        write_error_count=1,
        memoised=True,
    )
    found = dict(ends(world))
    assert len(found) > 1000
    for end in found.values():
        assert not end.is_stuck
        first, second, *rest = held(end).split()
        assert first in ("a", "x")
        assert second in ("b", "y", "{b,y}"), "of the second one nobody need ever know"
        assert rest == ["c", "d"]
    assert len({held(end) for end in found.values()}) == 6
