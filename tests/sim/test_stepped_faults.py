"""The stepped world's faults: crashes and errors."""

from __future__ import annotations

import pytest

from shadowshare.protocol.errors import Fenced, FlushError, ReadError, WriteError
from shadowshare.protocol.operations import Flush, Reserve
from shadowshare.sim.disks.memory_disk import Misbehaviour
from shadowshare.sim.faults.catalogue import budgets
from tests.sim.stepped_worlds import (
    crashing,
    does,
    ends,
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
    world = crashing(write(0, "x"), late_writes=False, faults=budgets(write_errors=1), memoised=True)
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


# -- errors ------------------------------------------------------------------------------------------------------


def test_a_write_error_after_it_landed() -> None:
    world = world_of(("W", [does(write(0, "x"), read(0))]), faults=budgets(write_errors=1))
    assert labels(world) == ["W", "W!", "W~"]
    take(world, "W!")
    assert held(world) == "x b c d"
    assert [type(report) for report in reports(world)] == [WriteError]
    assert ("wrote", 0, 0) in told(world).told
    assert labels(world) == ["W"], "errors are used up"


def test_a_write_error_instead_of_landing() -> None:
    world = take(world_of(("W", [does(write(0, "x"), read(0))]), faults=budgets(write_errors=1)), "W~ W")
    assert held(world) == "a b c d"
    assert [str(report) for report in reports(world)] == ["the device reported an error", "a"]
    assert all(entry[0] != "wrote" for entry in told(world).told)


def test_a_write_that_reported_an_error_may_land_later() -> None:
    world = take(world_of(("W", [does(write(0, "x"), write(0, "y"))]), faults=budgets(write_errors=1)), "W~")
    assert labels(world) == ["W", "late.0"]
    assert held(take(world, "W late.0")) == "x b c d"
    assert told(world).told[-1] == ("wrote", 0, 0)
    assert labels(world) == []


def test_a_write_that_reported_an_error_may_land_until_another_host_takes_the_reservation() -> None:
    programs = [does(write(0, "x")), does(Reserve(0))]
    world = world_of(("W", programs), ("V", [does(Reserve(0))]), faults=budgets(write_errors=1))
    assert labels(take(world, "W1~ W2")) == ["V", "late.0"], "its own reservation does not shut it out"
    assert labels(take(world, "V")) == []


def test_a_read_error() -> None:
    world = world_of(("R", [does(read(0), read(0))]), faults=budgets(read_errors=1))
    assert labels(world) == ["R", "R~"]
    take(world, "R~")
    assert [type(report) for report in reports(world)] == [ReadError]
    assert labels(world) == ["R"]
    assert reports(take(world, "R"))[1:] == ["a"]


def test_a_flush_error_makes_nothing_durable() -> None:
    world = world_of(("W", [does(write(0, "x"), Flush(0), Flush(0))]), faults=budgets(flush_errors=1))
    assert labels(world) == ["W"]
    assert labels(take(world, "W")) == ["W", "W~"]
    take(world, "W~")
    assert type(reports(world)[-1]) is FlushError
    assert list(world.disks[0].versions) == [0]
    assert labels(world) == ["W"]
    assert take(world, "W").disks[0].versions == {}


def test_errors_are_counted_apart() -> None:
    programs = [does(write(0, "x"), write(0, "y")), does(read(0), read(0)), does(Flush(0)), does(Reserve(0))]
    world = world_of(("W", programs), faults=budgets(write_errors=1, read_errors=1, flush_errors=1))
    assert labels(world) == ["W1", "W2", "W3", "W4", "W1!", "W1~", "W2~", "W3~"]
    assert labels(take(world, "W1!")) == ["W2", "W3", "W4", "W1", "W2~", "W3~"]
    assert labels(take(world, "W2~")) == ["W3", "W4", "W1", "W2", "W3~"]
    assert labels(take(world, "W3~")) == ["W4", "W1", "W2"]


def test_a_refused_write_stays_refused_when_it_reports_an_error() -> None:
    world = world_of(("W", [does(write(0, "x"))]), ("V", [does(Reserve(0))]), faults=budgets(write_errors=1))
    take(world, "V W!")
    assert type(reports(world)[1]) is Fenced
    assert held(world) == "a b c d"


@pytest.mark.parametrize("label", ["W.1~", "W.1!"])
def test_an_error_of_one_sector_is_that_of_the_operation(label: str) -> None:
    world = world_of(("W", [does(write(0, "x", "y"))]), faults=budgets(write_errors=1), tears=True)
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
        faults=budgets(write_errors=1),
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
