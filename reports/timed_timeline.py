"""A recorded run in simulated time as a timeline, in real nanoseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from shadowshare.reports.timeline import Count, Slice, Timeline
from shadowshare.sim.timed.recording import Flown, Recording

UNDER_WAY = "operations under way"
SLOTS = "slots in use"


def timed_timeline(recording: Recording, hosts: Sequence[str], words: Callable[[Any], str]) -> Timeline:
    """The operations of each host, in as many lanes as were under way at a time; queues, and slots in use.

    Args:
        recording: of a run.
        hosts: names, by number.
        words: for an operation.
    """
    flown = sorted(recording.flown, key=lambda one: (one.issued_ns, one.answered_ns))
    return Timeline(list(_slices(flown, hosts, words)), list(_counts(flown, recording.slots)))


def _slices(flown: Sequence[Flown], hosts: Sequence[str], words: Callable[[Any], str]) -> Iterator[Slice]:
    busy_until: dict[int, list[int]] = {}
    for one in flown:
        lanes = busy_until.setdefault(one.host, [])
        lane = next((number for number, end_ns in enumerate(lanes) if end_ns <= one.issued_ns), len(lanes))
        lanes[lane : lane + 1] = [one.answered_ns]
        yield Slice(
            hosts[one.host],
            f"in flight {lane + 1}",
            words(one.operation),
            one.issued_ns,
            one.answered_ns,
            one.operation.verb,
            {
                "device": str(one.operation.device),
                "on its way, ns": f"{one.arrived_ns - one.issued_ns:,}",
                "waited in the queue, ns": f"{one.begun_ns - one.arrived_ns:,}",
                "served and on its way back, ns": f"{one.answered_ns - one.begun_ns:,}",
            },
        )


def _counts(flown: Sequence[Flown], slots: Sequence[tuple[int, int]]) -> Iterator[Count]:
    yield from _running(UNDER_WAY, ((one.issued_ns, one.answered_ns) for one in flown))
    for device in sorted({one.operation.device for one in flown}):
        waits = ((one.arrived_ns, one.begun_ns) for one in flown if one.operation.device == device)
        yield from _running(f"device {device}: waiting", waits)
    yield from (Count(SLOTS, at_ns, count) for at_ns, count in slots)


def _running(counter: str, spans: Iterable[tuple[int, int]]) -> Iterator[Count]:
    """How many spans there are at a time, wherever that changes."""
    changes: dict[int, int] = {}
    start_ns = 0
    for start_ns, end_ns in spans:
        changes[start_ns] = changes.get(start_ns, 0) + 1
        changes[end_ns] = changes.get(end_ns, 0) - 1
    if not any(changes.values()):
        yield Count(counter, start_ns, 0)
    count = 0
    for at_ns in sorted(changes):
        count += changes[at_ns]
        if changes[at_ns]:
            yield Count(counter, at_ns, count)
