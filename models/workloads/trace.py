"""Requests that were recorded: reading them from files, one by one, however long the file is.

Which of the formats a file has is seen from its first line. A trace of several devices or files is read one at a time:
name which. Nothing is kept but the line that is being read, and a line has a greatest length.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NamedTuple, cast

from shadowshare.models.workloads.errors import TraceError

LINE_CHARACTERS_MAXIMUM = 4096
NUMBER_MAXIMUM = (1 << 63) - 1

Lines = Iterator[tuple[int, str]]
"""Line numbers from 1 on, and the lines without their ends."""


class TraceRequest(NamedTuple):
    """One request of a trace.

    Attributes:
        time_ns: when it was made; times of one trace begin anywhere, and hardly ever go backwards.
        verb: ``read``, ``write``, ``discard`` or ``flush``.
        offset: first byte; 0 for a flush.
        length: bytes; 0 for a flush.
    """

    time_ns: int
    verb: str
    offset: int
    length: int


Reader = Callable[[Lines, str | None], Iterator[TraceRequest]]
"""Reads one format: ``reader(lines, device)``; ``device`` is which one to read, None if there is only one."""


class Only:
    """The device, or file, that a trace is read of: the one that was asked for, or else the only one there is."""

    def __init__(self, wanted: str | None) -> None:
        self._wanted = wanted
        self._seen: str | None = None

    def is_it(self, name: str, number: int) -> bool:
        """Whether a line is about it.

        Raises:
            TraceError: none was asked for, and this is the second one.
        """
        if self._wanted is not None:
            return name == self._wanted
        if self._seen is None:
            self._seen = name
        if name != self._seen:
            raise wrong(
                number, f"a second device, {name!r:.80}, after {self._seen!r:.80}: name the one to read"
            )
        return True


def wrong(number: int, reason: str) -> TraceError:
    """The error for a line."""
    return TraceError(f"line {number}: {reason}")


def whole_number(text: str, what: str, number: int) -> int:
    """A number of 63 bits.

    Raises:
        TraceError: it is none.
    """
    if not (text.isascii() and text.isdecimal()) or len(text) > 20 or int(text) > NUMBER_MAXIMUM:
        raise wrong(number, f"{what} must be a whole number below 2^63, not {text!r:.60}")
    return int(text)


def check_range(offset: int, length: int, number: int) -> None:
    """Refuse what reaches beyond the largest device there can be."""
    if offset + length > NUMBER_MAXIMUM:
        raise wrong(number, f"{length} bytes at {offset} end beyond 2^63")


def numbered(stream: IO[bytes]) -> Lines:
    """The lines of a file.

    Raises:
        TraceError: one is too long to be a line of a trace, or the compressed file is damaged.
    """
    number = 0
    try:
        while line := stream.readline(LINE_CHARACTERS_MAXIMUM + 1):
            number += 1
            if len(line) > LINE_CHARACTERS_MAXIMUM:
                raise wrong(
                    number, f"it has more than {LINE_CHARACTERS_MAXIMUM} characters: this is no trace"
                )
            yield number, line.decode("utf-8", errors="replace").rstrip("\r\n")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TraceError(f"after line {number}: the compressed file is damaged: {error}") from None


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file, which may be compressed with gzip."""
    if path.suffix == ".gz":
        return cast(IO[bytes], gzip.open(path, "rb"))
    return path.open("rb")
