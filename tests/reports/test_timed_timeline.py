"""A recorded run as a timeline: real nanoseconds, one operation a lane at a time, and counters that add up."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial

import pytest

from shadowshare.models.simulation.recorded import host_names, record
from shadowshare.reports.timed_timeline import SLOTS, UNDER_WAY, timed_timeline
from shadowshare.reports.timeline import Timeline
from shadowshare.sim.timed.recording import Recording
from shadowshare.verify.counterexamples.scenario_words import describe
from tests.models.simulation.plans import MILLISECOND_NS, Anywhere, plan

NEAR = plan(Anywhere("write", MILLISECOND_NS // 20, client_count=8), warm_up_ns=5 * MILLISECOND_NS)
PLAN = replace(NEAR, active=replace(NEAR.active, request_ns=30_000, answer_ns=20_000))


@cache
def recorded() -> tuple[Recording, Timeline]:
    recording = record(PLAN, 7, 300)
    return recording, timed_timeline(recording, host_names(PLAN), partial(describe, geometry=PLAN.geometry))


def test_each_operation_is_a_slice_from_its_issue_to_its_answer() -> None:
    recording, timeline = recorded()
    assert len(recording.flown) == len(timeline.slices) == 300
    spans = sorted((one.issued_ns, one.answered_ns) for one in recording.flown)
    assert sorted((one.start_ns, one.end_ns) for one in timeline.slices) == spans
    assert min(start_ns for start_ns, _ in spans) > 0
    lanes: dict[tuple[str, str], int] = {}
    for one in timeline.slices:
        assert lanes.get((one.group, one.lane), 0) <= one.start_ns, "a lane has one operation at a time"
        lanes[one.group, one.lane] = one.end_ns
    assert {one.group for one in timeline.slices} == {"active"}
    names = {one.name.split()[0] for one in timeline.slices}
    assert {"reads", "writes"} < names


@pytest.mark.parametrize("counter", [UNDER_WAY, "device 0: waiting"])
def test_a_counter_says_how_many_there_are_at_every_moment(counter: str) -> None:
    recording, timeline = recorded()
    spans = [
        (one.issued_ns, one.answered_ns) if counter == UNDER_WAY else (one.arrived_ns, one.begun_ns)
        for one in recording.flown
    ]
    counts = [count for count in timeline.counts if count.counter == counter]
    assert counts[-1].value == 0
    assert max(count.value for count in counts) > 1
    for count in counts:
        assert count.value == sum(start_ns <= count.at_ns < end_ns for start_ns, end_ns in spans)


def test_the_differential_area_fills_while_time_goes_on() -> None:
    _, timeline = recorded()
    slots = [count for count in timeline.counts if count.counter == SLOTS]
    assert [count.value for count in slots] == sorted(count.value for count in slots)
    assert slots[-1].value > slots[0].value
    assert [count.at_ns for count in slots] == sorted(count.at_ns for count in slots)


def test_the_same_seed_gives_the_same_recording_and_a_recording_has_an_end() -> None:
    recording, timeline = recorded()
    again = record(PLAN, 7, 300)
    assert timed_timeline(again, host_names(PLAN), lambda _: "").counts == timeline.counts
    assert len(record(PLAN, 7, 20).flown) == 20
    assert recording.is_full
