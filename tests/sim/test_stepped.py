"""The stepped world without faults: what may happen, and what it does."""

from __future__ import annotations

from typing import Any

import pytest

from shadowshare.protocol.errors import DiskError
from shadowshare.protocol.operations import Discard, Event, Flush, Operation, WriteZeroes, together
from shadowshare.sim.schedule import ScheduleError
from tests.sim.stepped_worlds import (
    Program,
    does,
    ends,
    held,
    labels,
    read,
    reports,
    take,
    text,
    told,
    world_of,
    write,
)


def asks_together(*operations: Operation) -> Program:
    async def program(reports: list[Any]) -> None:
        try:
            answers = await together(operations)
        except DiskError as error:
            reports.append(error)
        else:
            reports.append([None if answer is None else text(answer) for answer in answers])

    return program


# -- choices and labels ------------------------------------------------------------------------------------------


def test_one_choice_for_each_operation_in_flight() -> None:
    world = world_of(("W", [does(write(0, "x"), read(0))]), ("R", [does(read(0))]))
    assert labels(world) == ["W", "R"]
    assert labels(take(world, "W")) == ["R", "W"], "in the order of issue"
    assert labels(take(world, "W")) == ["R"]
    assert not world.is_over
    assert labels(take(world, "R")) == []
    assert world.is_over
    assert not world.is_stuck


def test_tasks_of_one_host_have_labels_of_their_own() -> None:
    world = world_of(("W", [does(write(0, "x")), does(write(0, "y")), does()]), ("R", [does(read(0))]))
    assert labels(world) == ["W1", "W2", "R"]
    assert held(take(world, "W2 W1")) == "x b c d"


def test_an_operation_takes_effect_when_it_is_chosen() -> None:
    world = world_of(("W", [does(write(0, "x"), write(1, "y"))]), ("R", [does(read(0, 2), read(0, 2))]))
    take(world, "W R W R")
    assert reports(world) == ["done", "x+b", "done", "x+y"]


def test_every_order_of_the_operations_can_happen() -> None:
    world = world_of(
        ("W", [does(write(0, "x"), write(0, "y"))]), ("R", [does(read(0), read(0))]), memoised=True
    )
    schedules = dict(ends(world))
    assert len(schedules) == 6
    seen = {tuple(reports(end)[at] for at in reports_of_reader(end)) for end in schedules.values()}
    assert seen == {("a", "a"), ("a", "x"), ("a", "y"), ("x", "x"), ("x", "y"), ("y", "y")}


def reports_of_reader(world: Any) -> list[int]:
    hosts = [entry[1] for entry in told(world).told if entry[0] == "reported"]
    return [at for at, host in enumerate(hosts) if host == 1]


def test_a_label_that_does_not_fit_says_what_does() -> None:
    world = world_of(("W", [does(write(0, "x"))]), ("R", [does(read(0))]))
    with pytest.raises(ScheduleError) as caught:
        world.take_label("V")
    assert str(caught.value) == "'V' cannot happen here; what can: W, R"
    take(world, "W R")
    with pytest.raises(ScheduleError, match="'W' cannot happen here; what can: nothing"):
        world.take_label("W")


def test_the_answer_goes_to_the_task_that_asked() -> None:
    world = world_of(("W", [does(read(0)), does(read(1)), does(read(2))]))
    assert reports(take(world, "W3 W1 W2")) == ["c", "a", "b"]


def test_devices_are_apart() -> None:
    world = world_of(("W", [does(write(0, "x"), write(0, "y", device=1), read(0, device=1))]), device_count=2)
    take(world, "W W W")
    assert (held(world, 0), held(world, 1)) == ("x b c d", "y b c d")
    assert reports(world) == ["done", "done", "y"]


# -- who looks on ------------------------------------------------------------------------------------------------


def test_the_watcher_is_told_of_every_write_when_it_took_effect() -> None:
    changes = (write(1, "x"), WriteZeroes(0, 2, 1), Discard(0, 3, 1))
    world = world_of(("W", [does(*changes, Flush(0), read(0))]))
    take(world, "W W W W W")
    assert [entry for entry in told(world).told if entry[0] == "wrote"] == [
        *[("wrote", 0, 1), ("wrote", 0, 2), ("wrote", 0, 3)]
    ]
    assert told(world).told[:2] == [("wrote", 0, 1), ("reported", 0, "done")]


def test_the_watcher_hears_of_a_reader_that_does_not_read() -> None:
    programs = [does(read(0), Flush(0)), asks_together(read(0), write(0, "x"), WriteZeroes(0, 1, 1))]
    world = world_of(("R", programs), ("W", [does(write(0, "y"))]), readers=frozenset({0}))
    assert told(world).told == [("submitted", 0, "write"), ("submitted", 0, "zero")]
    take(world, "R1")
    assert told(world).told[-2:] == [("submitted", 0, "flush"), ("reported", 0, "a")]


def test_a_write_that_is_refused_is_not_told_of_as_one() -> None:
    world = world_of(("W", [does(write(9, "x"))]))
    assert [type(report).__name__ for report in reports(take(world, "W"))] == ["WriteError"]
    assert told(world).told[0][0] == "reported"


# -- several operations of one request -------------------------------------------------------------------------------


def test_operations_together_take_effect_in_any_order_and_answer_in_that_of_the_request() -> None:
    program = asks_together(read(0), write(1, "x"), read(1), read(2))
    world = world_of(("W", [program]), memoised=True)
    assert labels(world) == ["W", "W.1", "W.2", "W.3"]
    found = dict(ends(world))
    assert len(found) == 24
    for schedule, end in found.items():
        order = schedule.split()
        read_1 = "x" if order.index("W.1") < order.index("W.2") else "b"
        assert reports(end) == [["a", None, read_1, "c"]]
        assert held(end) == "a x c d"


def test_one_operation_together_is_as_if_alone() -> None:
    world = world_of(("W", [asks_together(read(3))]), ("R", [asks_together()]))
    assert labels(world) == ["W"]
    assert reports(take(world, "W")) == [[], ["d"]]


def test_the_first_error_in_the_order_of_the_request_is_raised_when_all_have_ended() -> None:
    world = world_of(("W", [asks_together(read(0), read(8), write(9, "x"), write(1, "y"))]))
    take(world, "W.2 W.1 W")
    assert reports(world) == []
    take(world, "W.3")
    assert [str(report)[:21] for report in reports(world)] == ["read(device 0, sector"]
    assert held(world) == "a y c d"


def test_other_hosts_come_in_between() -> None:
    world = world_of(("R", [asks_together(read(0), read(1))]), ("W", [does(write(0, "x"), write(1, "y"))]))
    assert reports(take(world, "R.1 W W R")) == ["done", "done", ["x", "b"]]


def test_two_tasks_together_do_not_mix_up_their_answers() -> None:
    world = world_of(("W", [asks_together(read(0), read(1)), asks_together(read(2), read(3))]))
    assert labels(world) == ["W1", "W1.1", "W2", "W2.1"]
    assert reports(take(world, "W2.1 W1 W2 W1.1")) == [["c", "d"], ["a", "b"]]


# -- tears -------------------------------------------------------------------------------------------------------


def test_operations_on_several_sectors_are_whole_unless_they_tear() -> None:
    world = world_of(("W", [does(write(0, "x", "y"))]), ("R", [does(read(0, 4))]))
    assert labels(world) == ["W", "R"]
    assert held(take(world, "W")) == "x y c d"


def test_a_write_tears_sector_by_sector() -> None:
    world = world_of(("W", [does(write(1, "x", "y", "z"))]), tears=True, memoised=True)
    assert labels(world) == ["W", "W.1", "W.2"]
    seen = {held(reached) for schedule in ("W", "W.1", "W.2") for reached in [take(world.fork(), schedule)]}
    assert seen == {"a x c d", "a b y d", "a b c z"}
    assert reports(take(world.fork(), "W.2 W")) == [], "not all of it took effect"
    assert {held(end) for _, end in ends(world)} == {"a x y z"}
    assert [reports(end) for _, end in ends(world)] == [["done"]] * 6


@pytest.mark.parametrize("change", [WriteZeroes(0, 1, 2), Discard(0, 1, 2)])
def test_a_discard_and_zeroes_tear_too(change: Operation) -> None:
    world = world_of(("W", [does(change)]), tears=True)
    assert labels(world) == ["W", "W.1"]
    assert held(take(world, "W.1")) == "a b  d"
    assert held(take(world, "W")) == "a   d"
    assert reports(world) == ["done"]


def test_a_read_tears_and_is_put_together_in_the_order_of_the_sectors() -> None:
    world = world_of(
        ("R", [does(read(0, 3))]), ("W", [does(write(0, "x"), write(1, "y"), write(2, "z"))]), tears=True
    )
    assert labels(world) == ["R", "R.1", "R.2", "W"]
    take(world, "R.2 W W R.1 W R")
    assert reports(world) == ["done", "done", "done", "x+y+c"]


def test_operations_together_tear_each_for_itself() -> None:
    world = world_of(("W", [asks_together(read(0, 2), write(2, "x", "y"), read(3))]), tears=True)
    assert labels(world) == ["W", "W.1", "W.2", "W.3", "W.4"]
    take(world, "W.4 W.3 W.1 W")
    assert held(world) == "a b c y"
    take(world, "W.2")
    assert reports(world) == [["a+b", None, "d"]]
    assert held(world) == "a b x y"


def test_what_has_no_sectors_or_one_does_not_tear() -> None:
    world = world_of(("W", [does(read(0), Flush(0), write(0, "x"))]), tears=True)
    for _ in range(3):
        assert labels(world) == ["W"]
        take(world, "W")
    assert world.is_over


# -- flushes -----------------------------------------------------------------------------------------------------


def unflushed(world: Any) -> dict[int, list[str]]:
    return {at: [text(content) for _, content in found] for at, found in world.disks[0].versions.items()}


def test_a_flush_covers_what_took_effect_before_it_was_issued() -> None:
    world = world_of(
        ("W", [does(write(0, "x"), Flush(0)), does(write(0, "y")), does(write(1, "z"))]),
        sectors=("a", "b"),
    )
    take(world, "W1")
    assert unflushed(world) == {0: ["a", "x"]}
    take(world, "W2 W3 W1")
    assert unflushed(world) == {0: ["x", "y"], 1: ["b", "z"]}, "the others came after its issue"


def test_a_flush_that_is_issued_last_covers_all() -> None:
    world = world_of(("W", [does(write(0, "x"), write(0, "y"), Flush(0))]))
    take(world, "W W")
    assert unflushed(world) == {0: ["a", "x", "y"]}
    assert unflushed(take(world, "W")) == {}


def test_a_flush_in_a_batch_covers_nothing_of_the_batch() -> None:
    world = world_of(("W", [asks_together(write(0, "x"), Flush(0))]))
    take(world, "W W.1")
    assert unflushed(world) == {0: ["a", "x"]}


def test_a_flush_of_one_device_leaves_the_other() -> None:
    world = world_of(("W", [does(write(0, "x"), write(0, "y", device=1), Flush(1))]), device_count=2)
    take(world, "W W W")
    assert unflushed(world) == {0: ["a", "x"]}
    assert world.disks[1].versions == {}


# -- waiting -----------------------------------------------------------------------------------------------------


def test_a_task_that_waits_goes_on_when_another_lets_it() -> None:
    def programs() -> list[Program]:
        event = Event()

        async def waits(reports: list[Any]) -> None:
            await event
            reports.append(text(await read(0)))

        async def sets(reports: list[Any]) -> None:
            await write(0, "x")
            event.set()
            await read(1)

        return [waits, sets]

    world = world_of(("W", programs()))
    assert labels(world) == ["W2"]
    assert labels(take(world, "W2")) == ["W2", "W1"]
    assert reports(take(world, "W1 W2")) == ["x"]
    assert not world.is_stuck


def test_a_task_that_waits_for_ever_is_stuck() -> None:
    async def waits(reports: list[Any]) -> None:
        await Event()

    world = world_of(("W", [waits, does(read(0))]))
    assert not world.is_over
    assert not world.is_stuck, "something is in flight"
    take(world, "W2")
    assert world.is_over
    assert world.is_stuck


def test_a_task_that_ends_with_an_error_is_told_of_and_not_stuck() -> None:
    async def fails(reports: list[Any]) -> None:
        await read(0)
        raise KeyError("a bug")

    world = take(world_of(("W", [fails])), "W")
    assert [repr(report) for report in reports(world)] == ["KeyError('a bug')"]
    assert world.is_over
    assert not world.is_stuck
