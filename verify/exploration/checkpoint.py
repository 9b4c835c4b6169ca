"""Where a search was when it stopped, in a file, so that it can go on.

A file says by which move each state was met first. To go on, the moves are made again: nothing but numbers is read from
the file, and what they mean is found out afresh by the code that is there now. What is not tried again is what was
tried before, so the code must be the same: a file of another scenario or another protocol, or one that other code
wrote, is refused.
"""

from __future__ import annotations

import json
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import msgspec

from shadowshare import models, protocol, scenarios, sim, verify
from shadowshare.protocol.errors import ShadowshareError
from shadowshare.verify.exploration.search import Search
from shadowshare.verify.result import Exploration

MAGIC = b"shadowshare-checkpoint-1\n"
_DIGEST_BYTES = 16
_PACKAGES = (protocol, sim, models, scenarios, verify)


class CheckpointError(ShadowshareError):
    """A checkpoint cannot be read or written, or belongs to another search."""


@cache
def code_digest() -> str:
    """Of the source code of everything that a search rests on."""
    digest = blake2b(digest_size=_DIGEST_BYTES)
    for package in _PACKAGES:
        folder = Path(package.__path__[0])
        for path in sorted(folder.rglob("*.py")):
            source = path.read_bytes()
            digest.update(f"{package.__name__}/{path.relative_to(folder)} {len(source)}\n".encode() + source)
    return digest.hexdigest()


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=_DIGEST_BYTES).hexdigest().encode()


# -- writing -----------------------------------------------------------------------------------------------------


def check_writable(path: Path) -> None:
    """Find out before a long search whether its checkpoint can be written.

    Raises:
        CheckpointError: it cannot.
    """
    try:
        with TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise _unwritable(path, error) from None


def save_checkpoint(path: Path, identity: str, finished: Sequence[Exploration], search: Search) -> None:
    """Write where a search is.

    Args:
        path: the file; it is replaced as a whole, or not at all.
        identity: what is searched, and with which code.
        finished: what the searches of the same exploration found that were finished before.
        search: the one that stopped.

    Raises:
        CheckpointError: it cannot be written.
    """
    moves = array("H", (_move_number(search, number) for number in range(1, len(search.states))))
    header = {
        "identity": identity,
        "code": code_digest(),
        "finished": [asdict(one) for one in finished],
        "states": len(search.states),
        "position": search.position,
        "steps": search.step_count,
    }
    body = zlib.compress(array("Q", search.parents[1:]).tobytes() + moves.tobytes(), level=1)
    content = json.dumps(header).encode() + b"\n" + body
    beside = path.with_name(f"{path.name}.new")
    try:
        beside.write_bytes(MAGIC + _digest(content) + b"\n" + content)
        beside.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        beside.unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> CheckpointError:
    return CheckpointError(f"{path}: the checkpoint cannot be written: {error.strerror}")


def _move_number(search: Search, number: int) -> int:
    """Which of the moves of the state before it led to a state first."""
    product, parent = search.product, search.states[search.parents[number]]
    wanted = search.states[number]
    reached = (product.canonical(parent + move.delta) for move in product.moves(parent))
    return next(index for index, after in enumerate(reached) if after == wanted)


# -- reading -----------------------------------------------------------------------------------------------------


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
            raise CheckpointError(f"{path}: this is no checkpoint of this version: name another file")
        digest, _, content = content[len(MAGIC) :].partition(b"\n")
        if digest != _digest(content):
            raise CheckpointError(f"{path}: the checkpoint is damaged: delete it to begin again")
        head, _, self._body = content.partition(b"\n")
        self._header: dict[str, Any] = json.loads(head)
        if self._header["identity"] != identity:
            raise CheckpointError(
                f"{path}: the checkpoint is one of {self._header['identity']}, not of {identity}: "
                "name another file, or delete it to begin again"
            )
        if self._header["code"] != code_digest():
            raise CheckpointError(
                f"{path}: the checkpoint was written by another version of the code: delete it to begin again"
            )

    @property
    def finished(self) -> list[Exploration]:
        """What the searches of the same exploration found that were finished before."""
        return msgspec.convert(self._header["finished"], list[Exploration])

    def restore(self, search: Search) -> None:
        """Bring a search that has not begun to where it was.

        Raises:
            CheckpointError: the code behaves otherwise than it did.
        """
        count = self._header["states"] - 1
        parents, moves = array("Q"), array("H")
        raw = zlib.decompress(self._body)
        try:
            parents.frombytes(raw[: 8 * count])
            moves.frombytes(raw[8 * count :])
            search.restore(parents, moves, self._header["position"], self._header["steps"])
        except (IndexError, ValueError):
            raise CheckpointError(
                f"{self._path}: the checkpoint does not fit: the code behaves otherwise than when it was written; "
                "delete it to begin again"
            ) from None
