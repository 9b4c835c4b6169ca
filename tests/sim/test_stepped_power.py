"""The stepped world's power losses: what survives is decided where somebody looks."""

from __future__ import annotations

import pytest

from shadowshare.protocol.operations import Flush
from shadowshare.sim.disks.memory_disk import Misbehaviour
from shadowshare.sim.faults.catalogue import budgets
from tests.sim.stepped_worlds import (
    SIZE,
    does,
    held,
    labels,
    losing,
    read,
    reports,
    take,
    told,
    world_of,
    write,
)


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
        write(0, "x"),
        write(0, "y"),
        successor=(write(0, "v"), read(0)),
        faults=budgets(write_errors=1),
        memoised=True,
    )
    take(world, "W power")
    assert held(world) == "{a,x} b c d"
    assert held(take(world.fork(), "late.0")) == "y b c d"
    assert held(take(world.fork(), "V!")) == "v b c d"
    assert held(take(world, "V~")) == "{a,x} b c d"
    assert labels(take(world, "V")) == ["keep.0", "keep.1"]


def test_a_read_error_decides_nothing() -> None:
    world = losing(write(0, "x"), successor=(read(0), read(0)), faults=budgets(read_errors=1))
    take(world, "W power V~")
    assert held(world) == "{a,x} b c d"
    assert labels(take(world, "V")) == ["keep.0", "keep.1"]


@pytest.mark.parametrize("label", ["V", "V!", "late.0"])
def test_what_the_watcher_inspects_is_decided_before_a_change_takes_effect(label: str) -> None:
    """It has to know what it sees; the operation itself waits until then, and takes effect once."""
    world = losing(write(1, "x"), write(2, "y"), successor=(write(0, "v"),), faults=budgets(write_errors=1))
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
