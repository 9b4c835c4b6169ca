"""The memory disk in words: what is durable, who may write, what is refused, and how operations tear."""

from __future__ import annotations

from collections.abc import Hashable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadowshare.protocol.errors import Fenced, ReadError, WriteError
from shadowshare.protocol.operations import Discard, Flush, Operation, Read, Reserve, Write, WriteZeroes
from shadowshare.sim.disks.memory_disk import MemoryDisk, Misbehaviour, split_by_sector
from tests.sim.memory_disks import (
    PLACES,
    SECTOR_BYTES,
    SECTOR_COUNT,
    blank,
    content,
    flush,
    possible_contents,
    read,
    write,
)

# -- durability, in words ----------------------------------------------------------------------------------------


def test_a_flush_covers_no_write_that_completed_after_it_was_issued() -> None:
    disk = blank()
    write(disk, 0, 1)
    issued_at = disk.write_count
    write(disk, 1, 2)
    flush(disk, issued_at)
    assert possible_contents(disk, 0) == [content(1)]
    assert possible_contents(disk, 1) == [bytes(SECTOR_BYTES), content(2)]


def test_flushes_may_complete_in_another_order() -> None:
    disk = blank()
    first = disk.write_count
    write(disk, 0, 1)
    second = disk.write_count
    write(disk, 0, 2)
    flush(disk, second)
    flush(disk, first)
    assert possible_contents(disk, 0) == [content(1), content(2)]


def test_each_sector_of_a_write_survives_for_itself() -> None:
    disk = blank()
    write(disk, 1, 8, 9)
    for survivors in ((0, 0), (0, 1), (1, 0), (1, 1)):
        after = disk.fork()
        after.lose_power()
        for sector, version in zip((1, 2), survivors, strict=True):
            after.survive(sector, version)
        assert after.undecided == {}
        assert [raw != bytes(SECTOR_BYTES) for raw in after.sectors[1:3]] == [
            bool(version) for version in survivors
        ]


def test_what_survived_a_power_loss_is_durable() -> None:
    disk = blank()
    write(disk, 0, 1)
    write(disk, 0, 2)
    disk.lose_power()
    disk.survive(0, 1)
    assert not disk.undecided
    assert not disk.versions
    assert read(disk, 0) == content(1)
    disk.lose_power()
    assert read(disk, 0) == content(1)


def test_without_a_volatile_cache_everything_is_durable() -> None:
    disk = MemoryDisk(SECTOR_BYTES, [bytes(SECTOR_BYTES)], has_volatile_cache=False)
    write(disk, 0, 1)
    disk.lose_power()
    assert not disk.undecided
    assert not disk.versions
    assert read(disk, 0) == content(1)


# -- fencing -----------------------------------------------------------------------------------------------------

CHANGES: list[Operation] = [Write(0, 0, 1, content(5)), WriteZeroes(0, 0, 1), Discard(0, 0, 1)]


@pytest.mark.parametrize("operation", CHANGES, ids=lambda operation: str(operation.verb))
def test_only_the_holder_of_the_reservation_writes(operation: Operation) -> None:
    disk = blank()
    write(disk, 0, 1)
    assert disk.perform(Reserve(0), 1, 0) is None
    for host in (0, 2):
        assert isinstance(disk.perform(operation, host, 0), Fenced)
        assert read(disk, 0, host=host) == content(1)
    assert disk.perform(Flush(0), 0, disk.write_count) is None
    assert disk.perform(operation, 1, 0) is None
    assert read(disk, 0) != content(1)


def test_the_reservation_passes_to_the_last_who_asked() -> None:
    disk = blank()
    assert not disk.is_fenced(0)
    for host in (1, 2):
        disk.perform(Reserve(0), host, 0)
    assert [disk.is_fenced(host) for host in range(3)] == [True, True, False]


# -- what it refuses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sector", "count"), [(-1, 1), (SECTOR_COUNT, 1), (SECTOR_COUNT - 1, 2), (0, SECTOR_COUNT + 1)]
)
def test_what_is_out_of_range_is_an_error(sector: int, count: int) -> None:
    disk = blank()
    before = disk.key()
    assert isinstance(disk.perform(Read(0, sector, count), 0, 0), ReadError)
    assert isinstance(disk.perform(Write(0, sector, count, content(1) * count), 0, 0), WriteError)
    assert isinstance(disk.perform(Discard(0, sector, count), 0, 0), WriteError)
    assert disk.key() == before


@pytest.mark.parametrize("length", [0, 511, 513, 1024])
def test_data_of_another_length_is_an_error(length: int) -> None:
    disk = blank()
    before = disk.key()
    assert isinstance(disk.perform(Write(0, 0, 1, bytes(length)), 0, 0), WriteError)
    assert disk.key() == before


# -- states ------------------------------------------------------------------------------------------------------

ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 1), st.integers(1, 2)),
        st.tuples(st.just("flush"), st.just(0), st.just(0)),
        st.tuples(st.just("reserve"), st.integers(0, 1), st.just(0)),
    ),
    max_size=5,
)


def after(actions: list[tuple[str, int, int]]) -> MemoryDisk:
    disk = blank()
    for verb, number, other in actions:
        if verb == "write":
            write(disk, number, other, host=disk.reservation_holder or 0)
        elif verb == "flush":
            flush(disk)
        else:
            disk.perform(Reserve(0), number, 0)
    return disk


def everything(disk: MemoryDisk) -> Hashable:
    return (
        tuple(disk.sectors),
        tuple(tuple(possible_contents(disk, sector)) for sector in range(SECTOR_COUNT)),
        disk.reservation_holder,
    )


@given(ACTIONS, ACTIONS)
def test_disks_of_equal_keys_behave_alike(
    one: list[tuple[str, int, int]], other: list[tuple[str, int, int]]
) -> None:
    first, second = after(one), after(other)
    if first.key() == second.key():
        assert everything(first) == everything(second)
    if everything(first) != everything(second):
        assert first.key() != second.key()
    if not first.versions and not second.versions:
        assert (first.key() == second.key()) == (everything(first) == everything(second))


DIFFERENT: dict[str, tuple[list[tuple[str, int, int]], list[tuple[str, int, int]]]] = {
    "an older content": ([("write", 0, 1), ("write", 0, 2)], [("write", 0, 2), ("write", 0, 2)]),
    "what is durable": ([("write", 0, 1), ("flush", 0, 0)], [("write", 0, 1)]),
    "what is visible": ([("write", 0, 1), ("flush", 0, 0)], [("write", 0, 2), ("flush", 0, 0)]),
    "the reservation": ([("reserve", 0, 0)], [("reserve", 1, 0)]),
    "no reservation": ([("reserve", 0, 0)], []),
}


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT)
def test_disks_that_behave_differently_have_different_keys(
    one: list[tuple[str, int, int]], other: list[tuple[str, int, int]]
) -> None:
    assert after(one).key() != after(other).key()


@given(ACTIONS, ACTIONS)
def test_a_fork_is_independent(before: list[tuple[str, int, int]], later: list[tuple[str, int, int]]) -> None:
    disk = after(before)
    key, forked = disk.key(), disk.fork()
    for verb, number, other in later:
        if verb == "write":
            write(forked, number, other + 5, host=forked.reservation_holder or 0)
        elif verb == "flush":
            flush(forked)
        else:
            forked.perform(Reserve(0), number, 0)
    forked.lose_power()
    for sector in list(forked.undecided):
        forked.survive(sector, 0)
    assert disk.key() == key


# -- misbehaviour ------------------------------------------------------------------------------------------------


def test_flushes_that_do_nothing() -> None:
    disk = blank(Misbehaviour(flush_does_nothing=True))
    write(disk, 0, 1)
    assert flush(disk) is None
    assert possible_contents(disk, 0) == [bytes(SECTOR_BYTES), content(1)]


def test_a_fence_that_is_ignored() -> None:
    disk = blank(Misbehaviour(fence_is_ignored=True))
    disk.perform(Reserve(0), 1, 0)
    assert write(disk, 0, 7, host=0) is None
    assert read(disk, 0) == content(7)


def test_reads_that_are_cached_by_each_host_for_itself() -> None:
    disk = blank(Misbehaviour(reads_are_cached=True))
    assert read(disk, 0, host=1) == bytes(SECTOR_BYTES)
    write(disk, 0, 7)
    assert read(disk, 0, host=1) == bytes(SECTOR_BYTES)
    assert read(disk, 0, 2, host=1) == bytes(2 * SECTOR_BYTES)
    assert read(disk, 0, host=2) == content(7)
    forked = disk.fork()
    assert forked.key() == disk.key()
    assert read(forked, 0, host=1) == bytes(SECTOR_BYTES)
    read(forked, 0, host=3)
    assert forked.key() != disk.key()


# -- tearing -----------------------------------------------------------------------------------------------------


@given(PLACES, st.permutations(range(3)))
def test_pieces_in_any_order_make_the_whole(place: tuple[int, int], order: list[int]) -> None:
    sector, count = place
    data = b"".join(content(number + 1) for number in range(count))
    for operation in (
        Write(0, sector, count, data),
        WriteZeroes(0, sector, count),
        Discard(0, sector, count),
    ):
        whole, torn = blank(), blank()
        for disk in (whole, torn):
            write(disk, 0, *range(9, 9 + SECTOR_COUNT))
        whole.perform(operation, 0, 0)
        pieces = split_by_sector(operation, SECTOR_BYTES)
        assert [piece.sector_count for piece in pieces] == [1] * count
        for index in order:
            if index < count:
                torn.perform(pieces[index], 0, 0)
        assert torn.sectors == whole.sectors


def test_pieces_of_a_read() -> None:
    pieces = split_by_sector(Read(1, 3, 2), SECTOR_BYTES)
    assert [piece.identity() for piece in pieces] == [Read(1, 3, 1).identity(), Read(1, 4, 1).identity()]


def test_what_cannot_be_torn_stays() -> None:
    for operation in (Flush(0), Reserve(0), Read(0, 1, 1)):
        assert split_by_sector(operation, SECTOR_BYTES) == [operation]
