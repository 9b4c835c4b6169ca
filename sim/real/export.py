"""Writing a shadow copy out: whole or not at all, and without the blocks that are zero."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp
from typing import BinaryIO

from shadowshare.protocol.errors import CannotOpen, Refusal
from shadowshare.protocol.operations import Buffer

HOLE_BYTES = 64 * 1024
"""A block of this size, at a multiple of it, is left out of a file if it is all zero."""

_ZEROES = bytes(HOLE_BYTES)

Advance = Callable[[int], None]
"""Told how many bytes more are done."""


class OverStore(Refusal):
    """The target of an export is a device of the store itself."""


def export_to_path(
    chunks: Iterable[Buffer], target: Path, store_paths: Iterable[Path] = (), advance: Advance | None = None
) -> int:
    """Write ``chunks`` one after the other to a file, which appears under its name only once it is whole and durable.

    A target that exists and is no regular file, such as a block device, is written in place.

    Args:
        chunks: the content.
        target: where to write; a file there is replaced.
        store_paths: devices that must not be the target.
        advance: told of the progress.

    Returns:
        How many bytes were written.

    Raises:
        OverStore: the target is one of ``store_paths``.
        CannotOpen: the target cannot be written.
    """
    target = target.resolve()
    for path in store_paths:
        if target.exists() and path.exists() and target.samefile(path):
            raise OverStore(f"{target} is a device of the store itself: export to another file")
    try:
        if target.exists() and not stat.S_ISREG(target.stat().st_mode):
            with target.open("wb") as plain:
                return export_to_stream(chunks, plain, advance)
        with _replacing(target) as sparse:
            return _write_sparse(chunks, sparse, advance)
    except OSError as error:
        raise CannotOpen(f"{target} cannot be written: {error.strerror or error}") from error


def export_to_stream(chunks: Iterable[Buffer], stream: BinaryIO, advance: Advance | None = None) -> int:
    """Write ``chunks`` one after the other to ``stream``; returns how many bytes that were."""
    written = 0
    for chunk in chunks:
        stream.write(chunk)
        written += len(chunk)
        if advance is not None:
            advance(len(chunk))
    stream.flush()
    return written


@contextmanager
def _replacing(target: Path) -> Iterator[int]:
    """A descriptor to a file beside ``target``, which takes its place at the end, or is removed after an error."""
    descriptor, name = mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        try:
            yield descriptor
            os.fchmod(descriptor, 0o666 & ~_umask())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        Path(name).replace(target)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _umask() -> int:
    """What a new file must not be allowed. It can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _write_sparse(chunks: Iterable[Buffer], descriptor: int, advance: Advance | None) -> int:
    place = 0
    for chunk in chunks:
        _write_all(descriptor, memoryview(chunk).cast("B"), place)
        place += len(chunk)
        if advance is not None:
            advance(len(chunk))
    os.ftruncate(descriptor, place)  # the end may be a hole
    return place


def _write_all(descriptor: int, data: memoryview, place: int) -> None:
    """Write ``data`` at ``place``, which leaves out zero blocks; runs of the rest are written at once."""
    start = 0
    for cut in range(0, len(data), HOLE_BYTES):
        block = data[cut : cut + HOLE_BYTES]
        if block.tobytes() == _ZEROES[: len(block)]:
            _write_run(descriptor, data[start:cut], place + start)
            start = cut + len(block)
    _write_run(descriptor, data[start:], place + start)


def _write_run(descriptor: int, data: memoryview, place: int) -> None:
    while data:
        count = os.pwrite(descriptor, data, place)
        data, place = data[count:], place + count
