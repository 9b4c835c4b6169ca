"""Random sequences of disk operations, compared with what they do to an array of bytes. Needs hypothesis."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from shadowshare.protocol.operations import Discard, Flush, Reserve, Write, WriteZeroes
from shadowshare.sim.disks.disk import Disk
from shadowshare.sim.disks.probe import change, contents, expect, pattern

MOVES_SECTOR_COUNT = 32
"""The sequences touch the first sectors of the disk only, so that they meet often."""


class Move(NamedTuple):
    """An operation of a random sequence."""

    verb: str
    sector: int
    sector_count: int
    seed: int


def _move(verb: str, sector: int, sector_count: int, seed: int) -> Move:
    return Move(verb, sector, min(sector_count, MOVES_SECTOR_COUNT - sector), seed)


_VERBS = st.sampled_from(("write", "read", "write", "zero", "discard", "flush", "reserve"))
_COUNTS = st.one_of(st.integers(1, 3), st.integers(1, MOVES_SECTOR_COUNT))
_SECTORS = st.integers(0, MOVES_SECTOR_COUNT - 1)
_ONE_MOVE = st.builds(_move, _VERBS, _SECTORS, _COUNTS, st.integers(1, 250))
# Length first: hypothesis alone prefers lists of about five, too short to meet twice in one place.
_MOVES = st.integers(0, 24).flatmap(lambda count: st.lists(_ONE_MOVE, min_size=count, max_size=count))


def compare_with_bytes(disk: Disk) -> None:
    """Try many sequences of operations on one disk, each from a start full of zeroes.

    Raises:
        NotConforming: with the shortest sequence found, after which the disk does not read like an array of bytes.
    """

    # One error, not a group of them; and explaining it would take longer than all the rest.
    @settings(deadline=None, report_multiple_bugs=False, phases=set(Phase) - {Phase.explain})
    @given(_MOVES)
    def check(moves: list[Move]) -> None:
        change(disk, Write(0, 0, MOVES_SECTOR_COUNT, bytes(MOVES_SECTOR_COUNT * disk.sector_bytes)))
        _compare(disk, moves)

    check()


def _compare(disk: Disk, moves: Iterable[Move]) -> None:
    """Carry out ``moves`` on the disk and on an array of bytes; all is read after each, so that nothing hides."""
    size = disk.sector_bytes
    model = bytearray(MOVES_SECTOR_COUNT * size)
    for verb, sector, sector_count, seed in moves:
        start, end = sector * size, (sector + sector_count) * size
        if verb == "write":
            model[start:end] = pattern(end - start, seed)
            change(disk, Write(0, sector, sector_count, bytes(model[start:end])))
        elif verb == "read":
            expect(
                contents(disk, sector, sector_count) == model[start:end],
                "a read differs from an array of bytes",
            )
        elif verb in ("zero", "discard"):
            model[start:end] = bytes(end - start)
            change(disk, (WriteZeroes if verb == "zero" else Discard)(0, sector, sector_count))
        else:
            change(disk, Flush(0) if verb == "flush" else Reserve(0))
        expect(
            contents(disk, 0, MOVES_SECTOR_COUNT) == model,
            f"the disk differs from an array of bytes after a {verb}",
        )
