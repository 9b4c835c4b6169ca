"""What happened when, as a timeline: for traces in the format of Perfetto (https://ui.perfetto.dev), and for programs.

A timeline has a group of lanes for each host: one for each operation that can be in flight at a time, so that none
hides another; and counters. In the stepped world time is the number of steps, and a step is one microsecond long.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple

from shadowshare.reports.libraries import MissingLibrary
from shadowshare.verify.story.storyboard import Storyboard

STEP_NS = 1000
SEQUENCE = 1
"""All packets are of one sequence."""


class Slice(NamedTuple):
    """An operation in flight.

    Attributes:
        group: the host.
        lane: of the host; at most one slice at a time.
        name: the operation in words.
        start_ns: when it was issued.
        end_ns: when it took effect, or was lost.
        category: what kind of operation it is.
        details: more about it, by name.
    """

    group: str
    lane: str
    name: str
    start_ns: int
    end_ns: int
    category: str
    details: Mapping[str, str]


class Count(NamedTuple):
    """A value that changed."""

    counter: str
    at_ns: int
    value: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """What happened when.

    Attributes:
        slices: operations in flight.
        counts: of each counter in the order of time.
    """

    slices: Sequence[Slice]
    counts: Sequence[Count]


# -- from a storyboard -------------------------------------------------------------------------------------------


def timeline_of(board: Storyboard) -> Timeline:
    """The operations of a schedule, each from its issue to its effect; and what waits, and what is copied."""
    pictures = [board.picture(number) for number in range(len(board.frames))]
    flights = [
        {(name, label): words for name, _ in board.hosts for label, words in picture[f"host/{name}"]["next"]}
        for picture in pictures
    ]
    counts = []
    for number, picture in enumerate(pictures):
        copied = sum(bool(cell["holds"]) for key, cell in picture.items() if key.startswith("slots/"))
        counts.append(Count("operations in flight", number * STEP_NS, len(flights[number])))
        counts.append(Count("slots in use", number * STEP_NS, copied))
    slices = sorted(_slices(board, flights), key=lambda one: (one.start_ns, one.group, one.lane))
    return Timeline(slices, counts)


def _slices(board: Storyboard, flights: Sequence[Mapping[tuple[str, str], str]]) -> Iterator[Slice]:
    began: dict[tuple[str, str], int] = dict.fromkeys(flights[0], 0)
    for step in board.steps:
        before, after = flights[step.number - 1], flights[step.number]
        for key, words in before.items():
            is_it = key == (step.host, step.label.rstrip("!~"))
            if is_it or key not in after or after[key] != words:
                details = {"step": str(step.number), "label": step.label}
                if is_it or (key not in after and key[0] == step.host and step.accesses):
                    details["result"] = step.result
                else:
                    details["result"] = "lost"
                yield Slice(*key, words, began.pop(key) * STEP_NS, step.number * STEP_NS, step.kind, details)
        for key in after:
            began.setdefault(key, step.number)
    for key, start in began.items():
        end = max(len(board.steps), start + 1) * STEP_NS
        yield Slice(
            *key,
            flights[-1][key],
            start * STEP_NS,
            end,
            "in flight",
            {"result": "still in flight at the end"},
        )


# -- for programs ------------------------------------------------------------------------------------------------


def perfetto_trace(timeline: Timeline) -> bytes:
    """The timeline as a trace that Perfetto opens; the same timeline gives the same bytes.

    Raises:
        MissingLibrary: the package ``perfetto`` is not installed.
    """
    try:
        trace = import_module("perfetto.protos.perfetto.trace.perfetto_trace_pb2").Trace()
    except ImportError:
        raise MissingLibrary("perfetto", "perfetto") from None
    tracks = _Tracks(trace)
    for group, lane in dict.fromkeys((one.group, one.lane) for one in timeline.slices):
        tracks.lane(group, lane)
    for counter in dict.fromkeys(count.counter for count in timeline.counts):
        tracks.counter(counter)
    for one in timeline.slices:
        _add_slice(trace, tracks.lane(one.group, one.lane), one)
    for count in timeline.counts:
        packet = _event(trace, tracks.counter(count.counter), count.at_ns)
        packet.track_event.type = packet.track_event.TYPE_COUNTER
        packet.track_event.counter_value = count.value
    data: bytes = trace.SerializeToString(deterministic=True)
    return data


class _Tracks:
    """The tracks of a trace, each described once."""

    def __init__(self, trace: Any) -> None:
        self._trace = trace
        self._numbers: dict[tuple[str, ...], int] = {}

    def _number(self, *name: str) -> tuple[int, bool]:
        is_new = name not in self._numbers
        return self._numbers.setdefault(name, len(self._numbers) + 1), is_new

    def group(self, name: str) -> int:
        """A host."""
        number, is_new = self._number("group", name)
        if is_new:
            descriptor = self._descriptor(number)
            descriptor.process.pid = number
            descriptor.process.process_name = name
        return number

    def lane(self, group: str, name: str) -> int:
        """A lane of a host."""
        parent = self.group(group)
        number, is_new = self._number("lane", group, name)
        if is_new:
            descriptor = self._descriptor(number)
            descriptor.parent_uuid = parent
            descriptor.name = name
        return number

    def counter(self, name: str) -> int:
        """A counter."""
        number, is_new = self._number("counter", name)
        if is_new:
            descriptor = self._descriptor(number)
            descriptor.name = name
            descriptor.counter.unit_name = "count"
        return number

    def _descriptor(self, number: int) -> Any:
        packet = self._trace.packet.add()
        packet.trusted_packet_sequence_id = SEQUENCE
        packet.track_descriptor.uuid = number
        return packet.track_descriptor


def _event(trace: Any, track: int, at_ns: int) -> Any:
    packet = trace.packet.add()
    packet.timestamp = at_ns
    packet.trusted_packet_sequence_id = SEQUENCE
    packet.track_event.track_uuid = track
    return packet


def _add_slice(trace: Any, track: int, one: Slice) -> None:
    begin = _event(trace, track, one.start_ns)
    begin.track_event.type = begin.track_event.TYPE_SLICE_BEGIN
    begin.track_event.name = one.name
    begin.track_event.categories.append(one.category)
    for name, value in one.details.items():
        annotation = begin.track_event.debug_annotations.add()
        annotation.name, annotation.string_value = name, value
    end = _event(trace, track, one.end_ns)
    end.track_event.type = end.track_event.TYPE_SLICE_END
