"""Cells: any values, compare-and-write, operations that wait, and tearing."""

from __future__ import annotations

from typing import Any

import pytest

from shadowshare.protocol.errors import Fenced
from shadowshare.protocol.operations import Access, Discard, Flush, Operation, Reserve
from shadowshare.sim.disks.cells import Cells, CompareAndWrite, ReadCells, WriteCells
from shadowshare.sim.disks.sector_store import Undecided


def perform(cells: Cells, operation: Operation, host: int = 0) -> Any:
    return cells.perform(operation, host, cells.write_count)


def test_reads_and_writes() -> None:
    cells = Cells([0, None, ("any", "value")])
    assert perform(cells, WriteCells(0, 0, [1, frozenset("x")])) is None
    assert perform(cells, ReadCells(0, 0, 3)) == (1, frozenset("x"), ("any", "value"))
    assert perform(cells, ReadCells(0, 1, 0)) == ()


def test_compare_and_write_writes_exactly_if_it_holds_what_is_expected() -> None:
    cells = Cells([0, 0])
    assert perform(cells, CompareAndWrite(0, 1, 0, "x")) is True
    assert cells.sectors == [0, "x"]
    assert perform(cells, CompareAndWrite(0, 1, 0, "y")) is False
    assert cells.sectors == [0, "x"]
    assert cells.write_count == 1, "one that fails writes nothing"


def test_a_failed_compare_and_write_cannot_be_lost() -> None:
    cells = Cells([0])
    perform(cells, CompareAndWrite(0, 0, "other", 1))
    assert cells.versions == {}
    perform(cells, CompareAndWrite(0, 0, 0, 1))
    cells.lose_power()
    assert cells.undecided == {0: (0, 1)}


def test_one_that_waits_is_ready_once_the_cell_holds_what_it_expects() -> None:
    cells = Cells([0])
    waiting = CompareAndWrite(0, 0, 1, 2, waits=True)
    assert not cells.is_ready(waiting)
    assert cells.is_ready(CompareAndWrite(0, 0, 1, 2))
    assert all(
        cells.is_ready(operation) for operation in (ReadCells(0, 0, 1), WriteCells(0, 0, [1]), Flush(0))
    )
    perform(cells, WriteCells(0, 0, [1]))
    assert cells.is_ready(waiting)
    cells.lose_power()
    assert cells.is_ready(waiting), "it may hold it"
    cells.survive(0, 0)
    assert not cells.is_ready(waiting)


def test_what_depends_on_an_undecided_cell_raises_and_a_write_does_not() -> None:
    cells = Cells([0, 0])
    perform(cells, WriteCells(0, 0, [1]))
    cells.lose_power()
    for operation in (ReadCells(0, 0, 2), CompareAndWrite(0, 0, 0, 5)):
        with pytest.raises(Undecided):
            perform(cells, operation)
    assert perform(cells, ReadCells(0, 1, 1)) == (0,)
    perform(cells, WriteCells(0, 0, [7]))
    assert perform(cells, ReadCells(0, 0, 1)) == (7,)


def test_a_reservation_refuses_the_writes_of_others() -> None:
    cells = Cells([0])
    perform(cells, Reserve(0), host=1)
    for operation in (WriteCells(0, 0, [1]), CompareAndWrite(0, 0, 0, 1)):
        assert isinstance(perform(cells, operation, host=0), Fenced)
        assert cells.sectors == [0]
    assert perform(cells, CompareAndWrite(0, 0, 0, 1), host=1) is True


def test_a_flush_makes_durable_what_was_there_when_it_was_issued() -> None:
    cells = Cells([0, 0])
    perform(cells, WriteCells(0, 0, [1]))
    issued_at = cells.write_count
    perform(cells, WriteCells(0, 1, [1]))
    cells.perform(Flush(0), 0, issued_at)
    cells.lose_power()
    assert cells.undecided == {1: (0, 1)}
    assert cells.sectors[0] == 1


def test_an_operation_of_another_device_is_refused() -> None:
    with pytest.raises(TypeError, match="cells know no"):
        perform(Cells([0]), Discard(0, 0, 1))


def test_pieces() -> None:
    cells = Cells([0] * 3)
    pieces = cells.pieces(WriteCells(0, 1, ["x", "y"]))
    assert [piece.identity() for piece in pieces] == [
        WriteCells(0, 1, ["x"]).identity(),
        WriteCells(0, 2, ["y"]).identity(),
    ]
    assert [piece.identity() for piece in cells.pieces(ReadCells(0, 0, 2))] == [
        ReadCells(0, 0, 1).identity(),
        ReadCells(0, 1, 1).identity(),
    ]
    for operation in (CompareAndWrite(0, 0, 0, 1), Flush(0)):
        assert cells.pieces(operation) == [operation]


def test_identities_tell_apart_what_a_device_can_tell_apart() -> None:
    different: list[Operation] = [
        ReadCells(0, 0, 1),
        ReadCells(0, 0, 2),
        ReadCells(0, 1, 1),
        ReadCells(1, 0, 1),
        WriteCells(0, 0, [1]),
        WriteCells(0, 0, [2]),
        WriteCells(0, 0, [1, 1]),
        WriteCells(0, 1, [1]),
        CompareAndWrite(0, 0, 0, 1),
        CompareAndWrite(0, 0, 0, 2),
        CompareAndWrite(0, 0, 1, 1),
        CompareAndWrite(0, 1, 0, 1),
        CompareAndWrite(0, 0, 0, 1, waits=True),
    ]
    assert len({operation.identity() for operation in different}) == len(different)
    assert WriteCells(0, 0, [1]).identity() == WriteCells(0, 0, (1,)).identity()


@pytest.mark.parametrize(
    ("operation", "access", "count"),
    [
        (ReadCells(0, 0, 3), Access.READ, 3),
        (WriteCells(0, 0, [1, 2]), Access.WRITE, 2),
        (CompareAndWrite(0, 0, 0, 1), Access.WRITE, 1),
    ],
)
def test_footprints(operation: Operation, access: Access, count: int) -> None:
    assert (operation.access, operation.sector_count) == (access, count)


def test_a_fork_is_independent() -> None:
    cells = Cells([0], has_volatile_cache=False)
    before, fork = cells.key(), cells.fork()
    assert fork.key() == before
    perform(fork, WriteCells(0, 0, [1]))
    assert fork.versions == {}, "it has no cache either"
    assert cells.key() == before != fork.key()
