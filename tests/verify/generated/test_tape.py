"""A tape says a schedule: by itself a calm one, and each byte something else for a moment."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadowshare.models.computers import Implementation
from shadowshare.scenarios.catalogue import built_in
from shadowshare.verify.counterexamples.counterexample import replay, run_schedule
from shadowshare.verify.exploration.product import Product
from shadowshare.verify.generated.schedules import tape_of, walker_of
from shadowshare.verify.generated.tape import FIRST_FAULT, Walker, is_fault, thread_of
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.race import Race
from shadowshare.verify.rules.oracle import Oracle

NAMES = (
    "two-writers-overlapping",
    "life-and-crash",
    "flush-fails",
    "journal-write-error-landed",
    "old-cached-view",
)


def walker(name: str) -> Walker:
    return walker_of(built_in(name), Implementation())


@cache
def product(name: str) -> Product:
    return Race(built_in(name)).product


def preemption_count(world: Product, labels: tuple[str, ...]) -> int:
    """Switches away from a thread that could have gone on without a fault."""
    state, last, count = world.initial, "", 0
    for label in labels:
        moves = {move.label: move for move in world.moves(state)}
        calm = {thread_of(other) for other in moves if not is_fault(other)}
        thread = thread_of(label)
        count += bool(thread and last and thread != last and last in calm)
        state, last = state + moves[label].delta, thread or last
    return count


def test_without_a_tape_each_thread_goes_on_until_it_can_no_more() -> None:
    labels = walker("writer-overtakes-recheck").walk(b"").labels
    assert [thread_of(label) for label in labels] == sorted(map(thread_of, labels), reverse=True)
    assert {"W", "R"} == set(labels)


@pytest.mark.parametrize("name", NAMES)
def test_zeroes_say_what_happens_by_itself(name: str) -> None:
    assert walker(name).walk(bytes(40)) == walker(name).walk(b"")


def test_a_byte_says_which_thread_and_for_how_long() -> None:
    labels = walker("writer-overtakes-recheck").walk(bytes((0x01, 0x91, 0x01))).labels
    assert labels[:5] == ("R", "W", "W", "W", "R")


def test_the_lower_half_begins_again_with_the_first() -> None:
    run = walker("writer-overtakes-recheck").walk
    assert run(b"\x03") == run(b"\x01") != run(b"\x02") == run(b"\x00")


def test_the_last_bytes_are_faults_where_one_can_happen() -> None:
    start = product("crash-before-journal")
    faults = [move.label for move in start.moves(start.initial) if is_fault(move.label)]
    assert walker("crash-before-journal").walk(bytes((FIRST_FAULT,))).labels[0] == faults[0] == "crash.W"
    assert walker("crash-before-journal").walk(bytes((FIRST_FAULT - 1,))).labels[0] == "W"
    assert "R" in walker("writer-overtakes-recheck").walk(bytes((FIRST_FAULT + 1,))).labels[0]


def test_what_survived_takes_a_byte_for_each_decision() -> None:
    run = walker("crash-before-volume-write").walk
    prefix = bytes((0, 0, 0, 0))
    power = next(
        byte for byte in range(FIRST_FAULT, 256) if run(prefix + bytes((byte,))).labels[4] == "power"
    )
    oldest = run(prefix + bytes((power,))).labels
    assert "keep.0" in oldest
    assert "keep.1" not in oldest
    for byte in (
        0x01,
        0xB1,
    ):  # with the greater one decisions come up while the calm rule holds for some steps
        newest = run(prefix + bytes((power, *[byte] * 40))).labels
        assert "keep.1" in newest
        assert "keep.0" not in newest


def test_a_schedule_ends_with_what_is_violated() -> None:
    scenario, code = built_in("writer-overtakes-recheck"), mutant("cached-recheck").implementation
    walk = walker_of(scenario, code).walk(b"")
    assert walk.violation is not None
    assert replay(scenario, walk.labels, code).violation == walk.violation
    assert replay(scenario, walk.labels[:-1], code).violation is None


@pytest.mark.parametrize("name", NAMES)
@given(st.binary(max_size=30))
def test_a_schedule_is_complete_and_the_running_code_agrees(name: str, tape: bytes) -> None:
    labels, violation = walker(name).walk(tape)
    world, trace = run_schedule(built_in(name), labels)
    assert isinstance(world.watcher, Oracle)
    assert world.watcher.violation == violation is None
    assert world.is_over
    assert len(trace) == len(labels)


@pytest.mark.parametrize("name", NAMES)
@given(st.binary(max_size=30))
def test_a_tape_has_no_more_switches_and_faults_than_bytes(name: str, tape: bytes) -> None:
    labels = walker(name).walk(tape).labels
    assert preemption_count(product(name), labels) + sum(map(is_fault, labels)) <= len(tape)


def test_the_first_byte_drawn_says_how_many_of_the_others_count() -> None:
    drawn = bytes(range(1, 65))
    assert tape_of(bytes((0,)) + drawn) == b""
    assert tape_of(bytes((4,)) + drawn) == drawn[:1]
    assert tape_of(bytes((255,)) + drawn) == drawn


def test_what_is_remembered_changes_nothing() -> None:
    world, tapes = product("life-and-crash"), [bytes(range(first, 256, 7)) for first in range(7)]
    remembering = Walker(world)
    walks = [remembering.walk(tape) for tape in tapes + tapes]
    assert walks == [Walker(world).walk(tape) for tape in tapes + tapes]
    assert len(set(walks)) > 5
