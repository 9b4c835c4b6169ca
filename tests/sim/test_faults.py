"""Each fault of a device strikes as its docstring says, where it may and as often as it may, and is written down."""

from __future__ import annotations

from typing import Any

import pytest

from shadowshare.protocol.errors import ReadError, WriteError
from shadowshare.protocol.operations import Discard, Flush, Reserve, WriteZeroes
from shadowshare.sim.faults.catalogue import FAULTS, ON_OVERLAY, budgets, words_of
from shadowshare.sim.faults.fault import Injected, Reach
from shadowshare.sim.schedule import kind_of, parse_schedule, split_mark
from shadowshare.sim.stepped.world import SteppedWorld
from tests.sim.stepped_worlds import (
    crashing,
    does,
    held,
    labels,
    losing,
    overlaid,
    read,
    reports,
    take,
    told,
    world_of,
    write,
)


def faulty(*operations: Any, sectors: tuple[str, ...] = ("a", "b", "c", "d"), **counts: int) -> SteppedWorld:
    """W does something on a disk with an overlay."""
    return world_of(
        ("W", [does(*operations)]),
        sectors=sectors,
        disk_class=overlaid,
        memoised=True,
        faults=budgets(**counts),
    )


# -- what the device reports -------------------------------------------------------------------------------------


def test_a_sector_that_cannot_be_read_until_it_is_written() -> None:
    world = faulty(read(0, 3), read(1), read(0), write(1, "x"), read(0, 3), lasting_read_errors=1)
    assert labels(world) == ["W", "W~bad.0", "W~bad.1", "W~bad.2"]
    take(world, "W~bad.1 W W W W")
    first, second, *rest = reports(world)
    assert isinstance(first, ReadError)
    assert isinstance(second, ReadError)
    assert rest == ["a", "done", "a+x+c"]
    assert world.shared.ledger == (Injected("lasting_read_errors", 0, (0, 1)),)


def test_a_full_device_refuses_what_needs_room_and_nothing_else() -> None:
    operations = (
        write(0, "x"),
        write(1, "y"),
        write(0, "z"),
        WriteZeroes(0, 1, 1),
        write(1, "y"),
        read(0, 2),
    )
    world = faulty(*operations, sectors=("", "b", "", ""), full_devices=1)
    assert labels(world) == ["W", "W~full"]
    take(world, "W~full W W W W W")
    assert [type(report) for report in reports(world)] == [WriteError, str, WriteError, str, WriteError, str]
    assert reports(world)[-1] == "+"
    assert world.shared.late == [], "it will not land later"


def test_what_needs_no_room_does_not_fill_a_device() -> None:
    assert labels(faulty(write(1, "y"), sectors=("", "b", "", ""), full_devices=1)) == ["W"]
    assert labels(faulty(Discard(0, 0, 1), sectors=("", "b", "", ""), full_devices=1)) == ["W"]


def test_a_full_device_still_fences() -> None:
    world = world_of(
        ("W", [does(write(0, "x"), write(0, "y"))]),
        ("V", [does(Reserve(0))]),
        sectors=("", ""),
        disk_class=overlaid,
        faults=budgets(full_devices=1),
    )
    take(world, "W~full V W")
    assert [type(report).__name__ for report in reports(world)] == ["WriteError", "str", "Fenced"]


def test_a_device_that_became_shorter() -> None:
    world = faulty(read(2), read(1, 2), write(3, "x"), read(0, 2), Flush(0), shrunk_devices=1)
    assert labels(world) == ["W", "W~short"]
    take(world, "W~short W W W W")
    found = [type(report) for report in reports(world)]
    assert found == [ReadError, ReadError, WriteError, str, str]
    assert reports(world)[3:] == ["a+b", "done"]


# -- what it does not report -------------------------------------------------------------------------------------


def test_a_lost_write() -> None:
    world = take(faulty(write(0, "x"), read(0), lost_writes=1), "W~lost W")
    assert reports(world) == ["done", "a"]
    assert [event for event in told(world).told if event[0] == "wrote"] == []
    assert world.shared.late == []


def test_a_flush_that_lies() -> None:
    rules = {"faults": budgets(lying_flushes=1), "memoised": True}
    world = losing(write(0, "x"), Flush(0), **rules)
    lied = take(world.fork(), "W W~lie power")
    assert held(lied) == "{a,x} b c d"
    assert reports(lied)[:2] == ["done", "done"]
    assert held(take(world, "W W power")) == "x b c d"


@pytest.mark.parametrize(("mark", "found"), [("~astray.0", "a b x y"), ("~astray.1", "x y c d")])
def test_a_misdirected_write(mark: str, found: str) -> None:
    at = 0 if mark.endswith("0") else 2
    world = take(faulty(write(at, "x", "y"), misdirected_writes=1), f"W{mark}")
    assert held(world) == found
    assert world.shared.ledger[0].sector == (0, 2 - at)


def test_an_operation_does_not_go_astray_beyond_the_device() -> None:
    assert labels(faulty(write(0, "x"), misdirected_writes=1)) == ["W", "W~astray.0"]
    assert labels(faulty(read(3), misdirected_reads=1)) == ["W", "W~astray.1"]
    assert labels(faulty(read(0, 4), misdirected_reads=1)) == ["W"]


def test_a_misdirected_zeroing_stays_one() -> None:
    assert held(take(faulty(WriteZeroes(0, 0, 1), misdirected_writes=1), "W~astray.0")) == "a  c d"


def test_a_misdirected_read() -> None:
    world = take(faulty(read(1), read(1), misdirected_reads=1), "W~astray.1 W")
    assert reports(world) == ["a", "b"]
    assert world.shared.ledger == (Injected("misdirected_reads", 0, None),)


def test_rot_is_there_for_everybody_until_the_sector_is_written() -> None:
    world = faulty(read(0, 2), read(0), write(0, "x"), read(0), bit_rot=1)
    assert labels(world) == ["W", "W~rot.0", "W~rot.1"]
    take(world, "W~rot.0 W")
    first, second = reports(world)
    assert first.startswith("a")
    assert first != "a+b"
    assert first.endswith("+b")
    assert second == first.removesuffix("+b")
    assert held(world) == "a b c d", "what the operations made it"
    assert reports(take(world, "W W"))[2:] == ["done", "x"]


def test_a_sector_rots_once() -> None:
    world = faulty(read(0), read(0), bit_rot=2)
    assert labels(take(world, "W~rot.0")) == ["W"]


def test_a_stale_read_goes_back_by_one_content_and_once() -> None:
    operations = (write(0, "x", "y"), write(0, "z"), read(0, 3), read(0, 3))
    world = take(faulty(*operations, stale_reads=1), "W W")
    assert labels(world) == ["W", "W~old.0", "W~old.1"]
    assert reports(take(world.fork(), "W~old.0 W"))[2:] == ["x+y+c", "z+y+c"]
    assert reports(take(world.fork(), "W~old.1 W"))[2:] == ["z+b+c", "z+y+c"]


# -- where, whom, and how often ----------------------------------------------------------------------------------


def test_a_budget_is_spent() -> None:
    world = faulty(write(0, "x"), write(0, "y"), lost_writes=1)
    assert labels(take(world, "W~lost")) == ["W"]


def test_faults_touch_only_what_they_may() -> None:
    operations = (read(0, 2), read(3), write(1, "x"), Flush(0))
    world = world_of(
        ("W", [does(*operations)]),
        ("R", [does(read(1))]),
        disk_class=overlaid,
        faults=budgets(bit_rot=1, lost_writes=1, lying_flushes=1),
        fault_reach=Reach(frozenset({(0, 1)}), frozenset({0})),
    )
    assert labels(world) == ["W", "R", "W~rot.1"]
    assert labels(take(world, "W")) == ["R", "W"]
    assert labels(take(world, "W")) == ["R", "W", "W~lost"]
    assert labels(take(world, "W")) == ["R", "W", "W~lie"]


def test_of_copies_one_stays() -> None:
    copies = (frozenset({(0, 0), (0, 1)}),)
    world = world_of(
        ("W", [does(read(0), read(1), read(0), read(2))]),
        disk_class=overlaid,
        faults=budgets(bit_rot=4),
        fault_reach=Reach(copies=copies),
    )
    assert labels(world) == ["W", "W~rot.0"]
    assert labels(take(world, "W~rot.0")) == ["W"], "the other copy is gone"
    assert labels(take(world, "W W")) == ["W", "W~rot.0"]


def test_the_ledger_is_the_same_in_whatever_order_it_came() -> None:
    def both(schedule: str) -> SteppedWorld:
        programs = [does(write(0, "x")), does(write(1, "y"))]
        world = world_of(("W", programs), memoised=True, faults=budgets(lost_writes=2))
        return take(world, schedule)

    assert both("W1~lost W2~lost").shared.ledger == both("W2~lost W1~lost").shared.ledger


def test_what_survived_is_decided_before_a_fault_shows_it() -> None:
    world = crashing(
        write(0, "x"),
        successor=(read(0),),
        power_loss_count=1,
        memoised=True,
        disk_class=overlaid,
        faults=budgets(bit_rot=1),
    )
    take(world, "W power")
    assert "V~rot.0" in labels(world)
    take(world, "V~rot.0")
    assert labels(world) == ["keep.0", "keep.1"]
    take(world, "keep.1")
    assert reports(world)[-1].startswith("x")
    assert reports(world)[-1] != "x"


# -- labels ------------------------------------------------------------------------------------------------------


def test_labels_of_faults() -> None:
    text = "s1/x/W.1~rot.2,W~lost*2,W~,W1!"
    assert str(parse_schedule(text)) == text
    assert split_mark("W.1~rot.2") == ("W.1", "~rot.2")
    assert split_mark("late.1") == ("late.1", "")
    kinds = [kind_of(label) for label in ("W~rot.0", "W~", "W!", "W", "W.1", "crash.W")]
    assert kinds == ["fault", "error", "error", "operation", "piece", "crash"]


def test_every_fault_that_is_no_plain_error_has_words() -> None:
    for fault in FAULTS.values():
        assert fault.__doc__
        assert bool(words_of(fault.mark)) == (fault.mark != "~"), fault.name
    assert set(FAULTS) >= ON_OVERLAY
