"""The text that blkparse prints, in its default format: what the block layer of Linux saw.

Source: blkparse(1). Of the lines only those of one action count: ``Q``, a request was queued. A sector has 512 bytes.
The letters of a request: ``R`` read, ``W`` write, ``D`` discard; an ``F`` in front is a flush before it; an ``F``
behind (FUA) means that it must be durable when it is done, which is a flush after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from shadowshare.models.workloads.trace import (
    Lines,
    Only,
    TraceRequest,
    check_range,
    whole_number,
    wrong,
)

SECTOR_BYTES = 512
DEVICE = re.compile(r"[0-9]+,[0-9]+", re.ASCII)
_LETTERS = re.compile(r"(F?)([RWD]?)(E?)(F?)[A-Z]*")
_VERBS = {"R": "read", "W": "write", "D": "discard"}
_CODES = {"read": "R", "write": "W", "zero": "W", "discard": "D", "flush": "FN"}
_ACTION = "Q"


def read_blkparse(lines: Lines, device: str | None) -> Iterator[TraceRequest]:
    """The requests in the text of blkparse; ``device`` is its numbers, such as ``8,0``.

    The summary at the end is left out. Raises:
        TraceError: a line is no line of such a text.
    """
    only = Only(device)
    for number, line in lines:
        fields = line.split()
        if not fields:
            continue
        if fields[0].startswith(("CPU", "Total")):
            return
        if not DEVICE.fullmatch(fields[0]):
            raise wrong(number, f"must begin with a device, such as 8,0, not {fields[0]!r:.40}")
        if len(fields) < 6:
            raise wrong(number, "must be 'DEVICE CPU NUMBER TIME PID ACTION ...'")
        if fields[5] == _ACTION and only.is_it(fields[0], number):
            yield from _requests(fields, number)


def _requests(fields: list[str], number: int) -> Iterator[TraceRequest]:
    """What one queued request is: itself, and flushes before and after it."""
    time_ns = _time_ns(fields[3], number)
    match = _LETTERS.fullmatch(fields[6]) if len(fields) > 6 else None
    if match is None:
        raise wrong(number, "letters such as R, WS or FWFS must follow the action")
    is_flushed_before, letter, _, is_durable = match.groups()
    sector = sector_count = 0
    if len(fields) > 9 and fields[8] == "+":
        sector = whole_number(fields[7], "the sector", number)
        sector_count = whole_number(fields[9], "the number of sectors", number)
    if is_flushed_before:
        yield TraceRequest(time_ns, "flush", 0, 0)
    if letter and sector_count:
        offset, length = sector * SECTOR_BYTES, sector_count * SECTOR_BYTES
        check_range(offset, length, number)
        yield TraceRequest(time_ns, _VERBS[letter], offset, length)
        if is_durable:
            yield TraceRequest(time_ns, "flush", 0, 0)


def _time_ns(text: str, number: int) -> int:
    seconds, point, fraction = text.partition(".")
    if not point or len(fraction) != 9:
        raise wrong(number, f"the time must be seconds with nine digits behind the point, not {text!r:.40}")
    time_ns = whole_number(seconds, "the time", number) * 10**9 + whole_number(fraction, "the time", number)
    check_range(time_ns, 0, number)
    return time_ns


def as_blkparse(requests: Iterable[TraceRequest], device: str = "8,0") -> Iterator[str]:
    """The lines of blkparse for these requests. Offsets and lengths must be whole sectors of 512 bytes."""
    for number, request in enumerate(requests, start=1):
        seconds, fraction = divmod(request.time_ns, 10**9)
        place = ""
        if request.verb != "flush":
            place = f" {request.offset // SECTOR_BYTES} + {request.length // SECTOR_BYTES}"
        code = _CODES[request.verb]
        yield f"{device:>5} {0:4} {number:8} {seconds:5}.{fraction:09} {0:5}  Q {code:>3}{place} [shadowshare]"
