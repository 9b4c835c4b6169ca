"""The block traces of Microsoft Research Cambridge: comma-separated values.

Source: D. Narayanan, A. Donnelly, A. Rowstron, "Write off-loading: practical power management for enterprise storage",
FAST 2008; published by the SNIA IOTTA repository. The fields: timestamp (Windows filetime: units of 100 ns), host name,
disk number, Read or Write, offset, size (both in bytes), and response time (units of 100 ns).
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

FIELD_COUNT = 7
_UNIT_NS = 100
_VERBS = {"read": "read", "write": "write"}


def read_msr_cambridge(lines: Lines, device: str | None) -> Iterator[TraceRequest]:
    """The requests of such a trace; ``device`` is host and disk, such as ``usr.0``.

    Raises:
        TraceError: a line is no line of such a trace.
    """
    only = Only(device)
    first: int | None = None
    for number, line in lines:
        fields = [field.strip() for field in line.split(",")]
        if fields == [""] or (number == 1 and fields[0].lower() == "timestamp"):
            continue
        if len(fields) != FIELD_COUNT:
            raise wrong(
                number,
                f"must have {FIELD_COUNT} fields (Timestamp,Hostname,DiskNumber,Type,Offset,Size,ResponseTime), "
                f"not {len(fields)}",
            )
        moment, host, disk, kind, *sizes, response = fields
        time = whole_number(moment, "the timestamp", number)
        offset, length = (
            whole_number(text, what, number)
            for text, what in zip(sizes, ("the offset", "the size"), strict=True)
        )
        whole_number(response, "the response time", number)
        verb = _VERBS.get(kind.lower())
        if verb is None:
            raise wrong(number, f"the type must be Read or Write, not {kind!r:.40}")
        if only.is_it(f"{host}.{disk}", number):
            check_range(offset, length, number)
            # From the first one on: filetimes count from 1601, and would not fit into nanoseconds of 63 bits.
            first = time if first is None else first
            yield TraceRequest(max(time - first, 0) * _UNIT_NS, verb, offset, length)


def as_msr_cambridge(requests: Iterable[TraceRequest], host: str = "disk", disk: int = 0) -> Iterator[str]:
    """The lines of such a trace; what it does not know (flushes, discards) is left out, times are cut to 100 ns."""
    for request in requests:
        if request.verb in _VERBS:
            moment = request.time_ns // _UNIT_NS
            yield f"{moment},{host},{disk},{request.verb.title()},{request.offset},{request.length},0"
