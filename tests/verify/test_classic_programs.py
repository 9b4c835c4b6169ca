"""Numbers of traces that are known: from articles, from other tools, by reasoning, and by brute force."""

from __future__ import annotations

import os
from functools import partial

import pytest

from shadowshare.sim.stepped.world import SteppedWorld
from shadowshare.verify.cells.setup import Setup, computer_of
from shadowshare.verify.cells.task_world import TaskWatcher, TaskWorld
from shadowshare.verify.exploration.memoised import Automaton, MemoisedHost
from shadowshare.verify.exploration.search import Budget
from shadowshare.verify.result import Exploration
from shadowshare.verify.strategies.partial_order import PartialOrder
from tests.verify.classic_programs import filesystem, indexer, last_zero, readers, toy_snapshot
from tests.verify.task_programs import Everything


def explored(setup: Setup, optimal: bool) -> Exploration:
    found = PartialOrder(optimal).run(TaskWorld(setup).product, Budget())
    assert (found.verdict, found.refused) == ("verified", ())
    return found


def traces_by_brute_force(setup: Setup) -> int:
    hosts = [MemoisedHost(Automaton(partial(computer_of, task), merges=False)) for task in setup.tasks]
    world = SteppedWorld([setup.cells()], hosts, setup.rules(), TaskWatcher(setup))
    for number in range(len(hosts)):
        world.start(number, 0)
    return len(Everything(world, 100_000).traces)


both = pytest.mark.parametrize("optimal", [False, True], ids=["source", "optimal"])


@both
@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_readers(count: int, optimal: bool) -> None:
    """2^N: each read is before or after the one write. AAJS have 4 for 2, 256 for 8 and 8,192 for 13."""
    found = explored(readers(count), optimal)
    assert (found.trace_count, found.blocked_count) == (2**count, 0)


@both
@pytest.mark.parametrize(("count", "expected"), [(11, 1), (12, 8), (13, 64)])
def test_indexer(count: int, expected: int, optimal: bool) -> None:
    """8^(N-11): from the 12th task on, each collides in three places with one other task.

    AAJS have 8 for 12 and 4,096 for 15.
    """
    found = explored(indexer(count), optimal)
    assert (found.trace_count, found.blocked_count) == (expected, 0)


@both
@pytest.mark.parametrize(("count", "expected"), [(13, 1), (14, 2), (16, 8)])
def test_filesystem(count: int, expected: int, optimal: bool) -> None:
    """2^(N-13): from the 14th task on, each meets one other task at the lock of a block.

    AAJS have 2 for 14, 8 for 16, 32 for 18 and 64 for 19; so has Concuerror's test suite (file_system_example, 16).
    """
    found = explored(filesystem(count), optimal)
    assert (found.trace_count, found.blocked_count) == (expected, 0)


@both
@pytest.mark.parametrize(("count", "expected"), [(1, 2), (2, 5), (3, 12), (4, 28), (5, 64), (6, 144)])
def test_last_zero(count: int, expected: int, optimal: bool) -> None:
    """(N+3) 2^(N-2). Nidhugg's test suite has the first four (lastzero_1 to lastzero_4), AAJS 64 for 5."""
    assert expected * 4 == (count + 3) * 2**count
    assert explored(last_zero(count), optimal).trace_count == expected


def test_source_sets_are_not_enough_for_last_zero() -> None:
    """Concuerror's test suite has 97 schedules for 5, 33 of them broken off, AAJS 79: how many depends on the order."""
    source, optimal = explored(last_zero(5), optimal=False), explored(last_zero(5), optimal=True)
    assert source.blocked_count > 0
    assert source.execution_count == 64 + source.blocked_count
    assert (optimal.execution_count, optimal.blocked_count) == (64, 0)


@both
@pytest.mark.parametrize(
    ("extents", "readers_of_it", "expected"), [(2, 2, 256), (3, 2, 4_096), (2, 3, 4_096)]
)
def test_toy_snapshot(extents: int, readers_of_it: int, expected: int, optimal: bool) -> None:
    """4^(extents * readers): a reader gets an extent in one of four ways, whatever else happens.

    Its first look-up finds the copy; or it does not, and the volume is read after it was overwritten; or before, and
    then the second look-up comes before or after the copy is noted.
    """
    found = explored(toy_snapshot(extents, readers_of_it), optimal)
    assert (found.trace_count, found.blocked_count) == (expected, 0)


@both
def test_toy_snapshot_with_a_writer_for_each_extent(optimal: bool) -> None:
    found = explored(toy_snapshot(2, 2, writer_count=2), optimal)
    assert (found.trace_count, found.blocked_count) == (256, 0)


@pytest.mark.skipif("SHADOWSHARE_EXAMPLES" not in os.environ, reason="takes some ten seconds")
@pytest.mark.may_skip_in_ci
@both
def test_a_larger_toy_snapshot(optimal: bool) -> None:
    found = explored(toy_snapshot(4, 2), optimal)
    assert (found.trace_count, found.blocked_count) == (65_536, 0)


SMALL = {
    "readers(4)": (readers(4), 16),
    "last_zero(1)": (last_zero(1), 2),
    "last_zero(2)": (last_zero(2), 5),
    "last_zero(3)": (last_zero(3), 12),
    "toy_snapshot(1, 1)": (toy_snapshot(1, 1), 4),
    "toy_snapshot(1, 2)": (toy_snapshot(1, 2), 16),
    "two tasks of indexer(12)": (indexer(12).only(["A", "L"]), 8),
    "two tasks of filesystem(14)": (filesystem(14).only(["A", "N"]), 2),
}


@pytest.mark.parametrize("name", SMALL)
def test_brute_force_finds_as_many(name: str) -> None:
    """The same by running every schedule, for what is small enough; of the others, two tasks that meet."""
    setup, expected = SMALL[name]
    assert traces_by_brute_force(setup) == expected
