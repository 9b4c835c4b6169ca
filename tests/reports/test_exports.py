"""Files for other tools say what happened in a schedule, and the same schedule gives the same bytes."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from io import BytesIO
from xml.etree import ElementTree as ET

import networkx as nx
import pytest

from shadowshare.reports.graph import dot, graphml, order_graph
from shadowshare.reports.json_lines import json_lines
from shadowshare.reports.libraries import MissingLibrary
from shadowshare.reports.space_time import lanes_of, standalone_svg
from shadowshare.reports.style import DARK, LIGHT
from shadowshare.reports.timeline import STEP_NS, perfetto_trace, timeline_of
from shadowshare.scenarios.catalogue import built_in
from shadowshare.sim.schedule import parse_schedule
from shadowshare.verify.counterexamples.counterexample import order_of
from shadowshare.verify.mutants.catalogue import mutant
from tests.verify.story.boards import board_of

NAMES = ["no-recheck", "first-run-only", "no-fence"]


@pytest.mark.parametrize("name", NAMES)
def test_an_operation_is_in_flight_from_its_issue_to_its_effect(name: str) -> None:
    board = board_of(name)
    timeline = timeline_of(board)
    lanes: dict[tuple[str, str], int] = {}
    for one in timeline.slices:
        assert one.start_ns < one.end_ns
        assert lanes.get((one.group, one.lane), 0) <= one.start_ns, "a lane has one operation at a time"
        lanes[one.group, one.lane] = one.end_ns
    ended = {(one.end_ns // STEP_NS, one.group, one.name) for one in timeline.slices}
    for step in board.steps:
        if step.kind in ("read", "write", "flush") and "survived" not in step.result:
            assert (step.number, step.host, step.action) in ended


def test_pieces_of_a_read_are_in_flight_together() -> None:
    slices = [one for one in timeline_of(board_of("first-run-only")).slices if one.group == "R"]
    together = {one.lane: one.start_ns for one in slices if "of the volume" in one.name}
    assert len(together) >= 2
    assert len(set(together.values())) == 1


def test_counters_follow_what_is_in_flight_and_what_is_copied() -> None:
    counts = timeline_of(board_of("no-recheck")).counts
    in_use = [count.value for count in counts if count.counter == "slots in use"]
    assert in_use == [0] * 4 + [1] * 6
    in_flight = [count.value for count in counts if count.counter == "operations in flight"]
    assert (in_flight[0], in_flight[-1]) == (2, 0)


def test_perfetto_finds_everything_in_the_trace() -> None:
    timeline = timeline_of(board_of("no-fence"))
    data = perfetto_trace(timeline)
    assert data == perfetto_trace(timeline)
    trace = import_module("perfetto.protos.perfetto.trace.perfetto_trace_pb2").Trace()
    trace.ParseFromString(data)
    tracks = {
        packet.track_descriptor.uuid: packet.track_descriptor
        for packet in trace.packet
        if packet.HasField("track_descriptor")
    }
    events = [packet for packet in trace.packet if packet.HasField("track_event")]
    began = [packet for packet in events if packet.track_event.type == packet.track_event.TYPE_SLICE_BEGIN]
    assert len(began) == len(timeline.slices)
    named = []
    for packet in began:
        lane = tracks[packet.track_event.track_uuid]
        named.append(
            (
                tracks[lane.parent_uuid].process.process_name,
                lane.name,
                packet.track_event.name,
                packet.timestamp,
            )
        )
    assert named == [(one.group, one.lane, one.name, one.start_ns) for one in timeline.slices]
    values = [
        packet.track_event.counter_value
        for packet in events
        if packet.track_event.type == packet.track_event.TYPE_COUNTER
    ]
    assert values == [count.value for count in timeline.counts]


def test_without_perfetto_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "perfetto.protos.perfetto.trace.perfetto_trace_pb2", None)
    with pytest.raises(MissingLibrary, match=r"pip install 'shadowshare\[perfetto\]'"):
        perfetto_trace(timeline_of(board_of("no-recheck")))


@pytest.mark.parametrize("name", NAMES)
def test_the_graph_is_what_happened_before_what(name: str) -> None:
    board, bug = board_of(name), mutant(name)
    labels = parse_schedule(board.replay.schedule).labels
    order = order_of(built_in(bug.scenario), labels, bug.implementation)
    expected = {(one, other) for one, other in order.graph().edges}
    assert set(order_graph(board).edges) == expected
    read = nx.read_graphml(BytesIO(graphml(board).encode()), node_type=int)
    assert set(read.edges) == expected
    assert read.nodes[len(board.steps)]["is_violated"] is (board.replay.violated_at == len(board.steps))
    drawn = dot(board)
    assert drawn.count(" -> ") - sum(step.action.count(" -> ") for step in board.steps) == len(expected)


def test_dot_quotes_what_it_names() -> None:
    assert '[label="4. writes journal block 3: COPIED 1.1 extent 0 -> slot 0"]' in dot(board_of("no-recheck"))


def test_json_lines_are_the_whole_storyboard() -> None:
    board = board_of("no-recheck")
    head, *steps = [json.loads(line) for line in json_lines(board).splitlines()]
    assert (head["kind"], head["verdict"], head["mutant"]) == ("schedule", "violated", "no-recheck")
    assert [step["kind"] for step in steps] == ["step"] * 9
    picture = dict(head["start"])
    for step in steps:
        picture.update(step["changes"])
    assert picture == json.loads(json.dumps(board.picture(9)))
    assert steps[6]["happened_directly_before"] == [6]
    assert [step["operation"] for step in steps[:3]] == ["read", "write", "flush"]


def test_a_diagram_of_its_own_is_whole() -> None:
    svg = standalone_svg(board_of("no-recheck"))
    root = ET.fromstring(svg)
    assert svg == standalone_svg(board_of("no-recheck"))
    assert LIGHT.roles["volume"] in svg
    assert DARK.roles["volume"] in svg
    assert len(root.findall(".//*[@data-step]")) == 9
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")


def test_actives_are_left_of_the_disk_and_passives_right() -> None:
    assert lanes_of(board_of("no-recheck")).names == ("W", "slots", "journal", "volume", "R")
    assert lanes_of(board_of("hit-survives-reload")).roles[-1] == "passive"
