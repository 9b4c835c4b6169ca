"""Traces of fio, versions 2 and 3, as ``fio --write_iolog`` makes them.

Source: "Trace file format" in fio's HOWTO. In version 2 time passes by ``wait`` lines only, each as many microseconds
after the one before; in version 3 each line begins with microseconds since the start.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shadowshare.models.workloads.trace import (
    Lines,
    Only,
    TraceRequest,
    check_range,
    whole_number,
    wrong,
)

FIRST_LINES = {"fio version 2 iolog": 2, "fio version 3 iolog": 3}
_VERBS = {"read": "read", "write": "write", "trim": "discard", "sync": "flush", "datasync": "flush"}
_WITHOUT_PLACE = frozenset({"add", "open", "close"})
_ACTIONS = {"read": "read", "write": "write", "zero": "write", "discard": "trim", "flush": "datasync"}


def read_fio_iolog(lines: Lines, device: str | None) -> Iterator[TraceRequest]:
    """The requests of a trace of fio; ``device`` is a file name of it.

    Raises:
        TraceError: a line is no line of such a trace.
    """
    number, first = next(lines, (1, ""))
    version = FIRST_LINES.get(first)
    if version is None:
        raise wrong(number, f"must be 'fio version 2 iolog' or 'fio version 3 iolog', not {first!r:.60}")
    only, now_ns = Only(device), 0
    for number, line in lines:
        fields = line.split()
        if not fields:
            continue
        if version == 3:
            now_ns = whole_number(fields.pop(0), "the timestamp", number) * 1000
        if len(fields) >= 2 and fields[-1] in _WITHOUT_PLACE:
            continue
        if len(fields) < 4:
            raise wrong(number, "must be 'FILE ACTION OFFSET LENGTH', or 'FILE add', 'open' or 'close'")
        name, action = " ".join(fields[:-3]), fields[-3]
        offset = whole_number(fields[-2], "the offset", number)
        length = whole_number(fields[-1], "the length", number)
        if action == "wait" and version == 2:
            now_ns += offset * 1000
        elif action not in _VERBS:
            raise wrong(number, f"the action must be one of {', '.join(_VERBS)}, not {action!r:.40}")
        elif only.is_it(name, number):
            check_range(offset, length, number)
            verb = _VERBS[action]
            yield TraceRequest(now_ns, verb, *((0, 0) if verb == "flush" else (offset, length)))


def as_fio_iolog(requests: Iterable[TraceRequest], version: int = 3, device: str = "disk") -> Iterator[str]:
    """The lines of a trace of fio. Times are cut to microseconds, and begin at 0 in version 2."""
    yield next(line for line, known in FIRST_LINES.items() if known == version)
    before_us: int | None = None
    for action in ("add", "open"):
        yield f"{'0 ' if version == 3 else ''}{device} {action}"
    for request in requests:
        now_us = request.time_ns // 1000
        if version == 2 and before_us is not None and now_us > before_us:
            yield f"{device} wait {now_us - before_us} 0"
        before_us = now_us if before_us is None else max(before_us, now_us)
        prefix = f"{now_us} " if version == 3 else ""
        yield f"{prefix}{device} {_ACTIONS[request.verb]} {request.offset} {request.length}"
