"""Where a search was when it stopped, in a file, so that it can go on.

A file says by which move each state was met first. To go on, the moves are made again: nothing but numbers is read from
the file, and what they mean is found out afresh by the code that is there now. A file of another scenario, another
protocol, or of a program that behaves otherwise is refused.
"""

from __future__ import annotations

import json
import zlib
from array import array
from pathlib import Path
from typing import Any

from shadowshare.protocol.errors import ShadowshareError
from shadowshare.verify.search import Search

MAGIC = b"shadowshare-checkpoint-1\n"
_HEADER_BYTES_MAXIMUM = 1 << 20


class CheckpointError(ShadowshareError):
    """A checkpoint cannot be read, or belongs to another search."""


def save_checkpoint(path: Path, identity: str, finished_count: int, search: Search) -> None:
    """Write where a search is.

    Args:
        path: the file; it is replaced as a whole, or not at all.
        identity: what is searched, and with which code.
        finished_count: searches of the same exploration that were finished before.
        search: the one that stopped.

    Raises:
        CheckpointError: it cannot be written.
    """
    moves = array("H", (_move_number(search, number) for number in range(1, len(search.states))))
    body = zlib.compress(array("Q", search.parents[1:]).tobytes() + moves.tobytes(), level=1)
    header = {
        "identity": identity,
        "finished": finished_count,
        "states": len(search.states),
        "position": search.position,
        "steps": search.step_count,
        "checksum": zlib.crc32(body),
    }
    beside = path.with_name(f"{path.name}.new")
    try:
        beside.write_bytes(MAGIC + json.dumps(header).encode() + b"\n" + body)
        beside.replace(path)
    except OSError as error:
        raise CheckpointError(f"{path}: the checkpoint cannot be written: {error.strerror}") from None


def _move_number(search: Search, number: int) -> int:
    """Which of the moves of the state before it led to a state first."""
    product, parent = search.product, search.states[search.parents[number]]
    wanted = search.states[number]
    reached = (product.canonical(parent + move.delta) for move in product.moves(parent))
    return next(index for index, after in enumerate(reached) if after == wanted)


class Checkpoint:
    """A checkpoint that was read.

    Args:
        path: the file.
        identity: what is to be searched, and with which code.

    Raises:
        CheckpointError: it cannot be read, or belongs to another search.
    """

    def __init__(self, path: Path, identity: str) -> None:
        self._path = path
        try:
            content = path.read_bytes()
        except OSError as error:
            raise CheckpointError(f"{path}: the checkpoint cannot be read: {error.strerror}") from None
        if not content.startswith(MAGIC):
            raise CheckpointError(f"{path}: this is no checkpoint of this version")
        head, newline, self._body = content[len(MAGIC) :].partition(b"\n")
        try:
            self._header: dict[str, Any] = json.loads(head[:_HEADER_BYTES_MAXIMUM])
            is_whole = bool(newline) and zlib.crc32(self._body) == self._header["checksum"]
        except (ValueError, KeyError, TypeError):
            is_whole = False
        if not is_whole:
            raise CheckpointError(f"{path}: the checkpoint is damaged: delete it to begin again")
        if self._header["identity"] != identity:
            raise CheckpointError(
                f"{path}: the checkpoint is one of {self._header['identity']}, not of {identity}: "
                "name another file, or delete it to begin again"
            )

    @property
    def finished_count(self) -> int:
        """Searches of the same exploration that were finished before."""
        count: int = self._header["finished"]
        return count

    def restore(self, search: Search) -> None:
        """Bring a search that has not begun to where it was.

        Raises:
            CheckpointError: the code behaves otherwise than it did.
        """
        count = self._header["states"] - 1
        parents, moves = array("Q"), array("H")
        raw = zlib.decompress(self._body)
        parents.frombytes(raw[: 8 * count])
        moves.frombytes(raw[8 * count :])
        try:
            search.restore(parents, moves, self._header["position"], self._header["steps"])
        except (IndexError, ValueError):
            raise CheckpointError(
                f"{self._path}: the checkpoint does not fit: the code behaves otherwise than when it was written; "
                "delete it to begin again"
            ) from None
