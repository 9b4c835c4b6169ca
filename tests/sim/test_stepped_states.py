"""Worlds as states: copies are independent, keys tell apart what can be told apart, and a schedule is a trace."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shadowshare.protocol.operations import Access, Flush, Operation, Reserve, WriteZeroes, together
from shadowshare.sim.disks.memory_disk import Misbehaviour
from shadowshare.sim.faults.catalogue import budgets
from shadowshare.sim.stepped.world import SteppedWorld
from tests.sim.stepped_worlds import (
    Program,
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


def pair(*operations: Operation) -> Program:
    async def program(reports: list[Any]) -> None:
        reports.append(repr(await together(operations)))

    return program


def race(**rules: Any) -> SteppedWorld:
    """W writes and flushes, R reads twice, and V takes over."""
    return world_of(
        ("W", [does(write(0, "x"), Flush(0)), pair(write(1, "y"), read(0))]),
        ("V", [does(Reserve(0), write(0, "v"))]),
        ("R", [does(read(0, 2), read(0, 2))]),
        recovers={"V": "W"},
        **{"memoised": True, **rules},
    )


FAULTS: dict[str, Any] = {
    "crash_count": 1,
    "power_loss_count": 1,
    "tears": True,
    "faults": budgets(write_errors=1, read_errors=1, flush_errors=1),
}


def snapshot(world: SteppedWorld) -> object:
    """Everything that can be seen of a world."""
    return (held(world), labels(world), list(told(world).told), world.key(), world.is_over, world.is_stuck)


def wander(world: SteppedWorld, choices: list[int]) -> str:
    """Take choices by number as long as there are any; the schedule."""
    schedule = []
    for number in choices:
        possible = labels(world)
        if not possible:
            break
        schedule.append(possible[number % len(possible)])
        world.take_label(schedule[-1])
    return " ".join(schedule)


walks = st.lists(st.integers(0, 11), max_size=25)


@given(walks, walks, walks)
def test_a_copy_is_in_the_same_state_and_goes_its_own_way(
    way: list[int], one: list[int], other: list[int]
) -> None:
    world = race(**FAULTS)
    wander(world, way)
    before = snapshot(world)
    copy = world.fork()
    assert snapshot(copy) == before
    wander(copy, one)
    assert snapshot(world) == before
    after = snapshot(copy)
    wander(world, other)
    assert snapshot(copy) == after


@given(walks)
def test_the_same_labels_are_the_same_trace(way: list[int]) -> None:
    """On a memoised host, on another one, and on a running one."""
    first = race(**FAULTS)
    schedule = wander(first, way)
    for memoised in (True, False):
        again = race(**FAULTS, memoised=memoised)
        again.trace = []
        take(again, schedule)
        assert held(again) == held(first)
        assert told(again).told == told(first).told
        assert [step.label for step in again.trace] == schedule.split()
        for host in again.hosts.values():
            host.close()


@given(walks)
def test_a_trace_says_who_did_what_and_what_came_of_it(way: list[int]) -> None:
    world = race(**FAULTS)
    world.trace = []
    before = len(reports(world))
    schedule = wander(world, way).split()
    assert [step.label for step in world.trace] == schedule
    waiting = None
    for step in world.trace:
        kind = step.label.partition(".")[0]
        if kind == "keep":
            # It is the choice that waited which takes effect with the last decision, and is recorded there again.
            assert waiting is not None
            if step.operation is not None:
                assert (step.host, step.operation) == (waiting.host, waiting.operation)
                assert step.answer is not None or step.operation.access is not Access.READ
        elif kind in ("power", "crash"):
            assert (step.operation, step.answer) == (None, None)
            assert (step.host is None) == (kind != "crash")
        else:
            waiting = step
            assert step.host is not None
            assert step.operation is not None
            if kind != "late":
                assert world.rules.names[step.host] == kind.rstrip("12!~")
        if step.label.endswith(("!", "~")):
            assert isinstance(step.answer, Exception)
    told_of = [report for step in world.trace for report in step.reports]
    assert told_of == reports(world)[before:]


def test_a_trace_is_not_copied() -> None:
    world = race()
    world.trace = []
    take(world.fork(), "W1")
    assert world.trace == []


def test_running_hosts_have_no_copy_and_no_key() -> None:
    world = race(memoised=False)
    with pytest.raises(TypeError, match="memoised"):
        world.fork()
    with pytest.raises(TypeError, match="memoised"):
        world.key()
    for host in world.hosts.values():
        host.close()


# -- keys --------------------------------------------------------------------------------------------------------


def future(world: SteppedWorld) -> frozenset[tuple[str, ...]]:
    """Everything that can come: each schedule to an end, with what is on the disk and what was said from here on."""
    before = len(told(world).told)
    found = set()
    for schedule, end in ends(world):
        later = [repr(entry) for entry in told(end).told[before:]]
        found.add((" ".join(sorted(schedule.split())), held(end), *later))
    return frozenset(found)


def forgetful(world: SteppedWorld) -> SteppedWorld:
    """The same without what was said so far, which would be part of the key."""
    told(world).told.clear()
    return world


SMALL_RACES = {
    "two writers and a reader": lambda: world_of(
        ("W", [does(write(0, "x"))]),
        ("U", [does(write(1, "y"))]),
        ("R", [does(read(0), read(1))]),
        memoised=True,
        has_cache=False,
    ),
    "tears": lambda: world_of(
        ("W", [does(write(0, "x", "y"))]), ("R", [does(read(0, 2))]), tears=True, memoised=True
    ),
    "flushes": lambda: world_of(
        ("W", [does(write(0, "x"), Flush(0)), does(write(0, "y"))]),
        ("V", [does()]),
        recovers={"V": "W"},
        crash_count=1,
        power_loss_count=1,
        memoised=True,
    ),
    "a power loss": lambda: world_of(
        ("W", [does(write(0, "x", "y"))]),
        ("V", [does(write(0, "v"), read(0))]),
        ("R", [does(read(1))]),
        recovers={"V": "W"},
        crash_count=1,
        power_loss_count=1,
        memoised=True,
    ),
    "a fence": lambda: world_of(
        ("W", [does(write(0, "x")), does(write(1, "y"))]),
        ("V", [does(Reserve(0), read(0))]),
        recovers={"V": "W"},
        crash_count=1,
        memoised=True,
    ),
    "errors": lambda: world_of(
        ("W", [does(write(0, "x"), WriteZeroes(0, 0, 1))]),
        ("R", [does(read(0))]),
        faults=budgets(write_errors=1, read_errors=1),
        memoised=True,
    ),
}


@pytest.mark.parametrize("name", SMALL_RACES)
def test_worlds_of_equal_key_have_the_same_future(name: str) -> None:
    """And they do meet: a key that is always new would be no use."""
    by_key: dict[object, frozenset[tuple[str, ...]]] = {}
    waiting = [forgetful(SMALL_RACES[name]())]
    met_again = 0
    while waiting:
        world = waiting.pop()
        key, coming = world.key(), future(world)
        if key in by_key:
            met_again += 1
            assert by_key[key] == coming
            continue
        by_key[key] = coming
        waiting += [forgetful(take(world.fork(), label)) for label in labels(world)]
    assert met_again


def key_after(world: SteppedWorld, schedule: str) -> object:
    return forgetful(take(world.fork(), schedule)).key()


def test_the_order_does_not_matter_where_nobody_can_tell() -> None:
    world = world_of(
        ("W", [does(write(0, "x"))]), ("U", [does(write(1, "y"))]), memoised=True, has_cache=False
    )
    assert key_after(world, "W U") == key_after(world, "U W")
    assert key_after(world, "W") != key_after(world, "U")


def test_the_content_matters() -> None:
    world = world_of(("W", [does(write(0, "x"))]), ("U", [does(write(0, "y"))]), memoised=True)
    assert key_after(world, "W U") != key_after(world, "U W")


def test_what_a_task_got_matters() -> None:
    world = world_of(
        ("W", [does(write(0, "x"), write(0, "a"))]), ("R", [does(read(0))]), memoised=True, has_cache=False
    )
    assert key_after(world, "W R W") != key_after(world, "R W W")
    assert key_after(world, "R W W") == key_after(world, "W W R")


def test_the_pieces_that_were_answered_matter() -> None:
    world = world_of(("R", [does(read(0, 2))]), tears=True, memoised=True)
    assert len({key_after(world, schedule) for schedule in ("", "R", "R.1")}) == 3
    assert key_after(world, "R R.1") == key_after(world, "R.1 R")


FEW = (budgets(write_errors=1), budgets(write_errors=2), budgets(write_errors=1, read_errors=1))


def test_what_is_left_of_the_faults_matters() -> None:
    def world(**rules: Any) -> object:
        return race(**rules).key()

    different: list[dict[str, Any]] = [{}, *({"faults": few} for few in FEW), {"crash_count": 1}]
    different.append({"crash_count": 1, "power_loss_count": 1})
    assert len({world(**rules) for rules in different}) == len(different)


def test_when_a_flush_was_issued_matters_while_something_is_unflushed() -> None:
    """In both cases x is on the disk and a flush is in flight: in one it covers x, in the other it does not."""

    def world(has_cache: bool) -> SteppedWorld:
        programs = [does(read(1), Flush(0))]
        return world_of(("W", programs), ("U", [does(write(0, "x"))]), memoised=True, has_cache=has_cache)

    assert key_after(world(True), "W U") != key_after(world(True), "U W")
    assert key_after(world(False), "W U") == key_after(world(False), "U W")


def test_late_writes_and_a_power_loss_under_way_matter() -> None:
    world = race(crash_count=1, power_loss_count=1)
    assert key_after(world, "W1 crash.W late.0") != key_after(world, "W1 crash.W")
    assert key_after(world, "W1 power") != key_after(world, "W1 crash.W")
    assert key_after(world, "W1 power") != key_after(world, "W1 power R")
    assert key_after(world, "W1 power R") != key_after(world, "W1 power R keep.1")
    assert key_after(world, "W1 power R keep.0") != key_after(world, "W1 power R keep.1")
    assert key_after(world, "crash.W") != key_after(world, "power")


def test_a_silent_power_loss_under_way_matters() -> None:
    """x is on the disk, not flushed, and no power loss is left; but only in one case it may not have survived."""
    world = race(crash_count=1, power_loss_count=1)
    world.disks[0].misbehaviour = Misbehaviour(power_loss_is_silent=True)
    assert key_after(world, "W1 power") != key_after(world, "power W1")


@settings(max_examples=50)
@given(walks, walks)
def test_equal_keys_go_on_alike(one: list[int], other: list[int]) -> None:
    """Two walks that came to the same key can take the same steps from there, and come to the same keys."""
    first, second = forgetful(race(crash_count=1)), race(crash_count=1)
    wander(first, one)
    forgetful(first)
    way = one[::-1]
    wander(second, way)
    forgetful(second)
    if first.key() == second.key():
        assert sorted(labels(first)) == sorted(labels(second))
        schedule = wander(first, other)
        take(second, schedule)
        assert first.key() == second.key()
