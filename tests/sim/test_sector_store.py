"""What survives a power loss, decided where somebody looks, is what deciding everything at once would leave."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shadowshare.sim.disks.cells import Cells, CompareAndWrite, ReadCells, WriteCells
from shadowshare.sim.disks.sector_store import Undecided, under_every_survival

CELL_COUNT = 3
INITIAL = ("a", "b", "c")


class Write(NamedTuple):
    cell: int
    values: tuple[str, ...]


class Compare(NamedTuple):
    cell: int
    expected: str
    value: str


class Read(NamedTuple):
    cell: int
    cell_count: int


class IssueFlush(NamedTuple):
    pass


class Flush(NamedTuple):
    """The flush that was issued first takes effect."""


class LosePower(NamedTuple):
    pass


Action = Write | Compare | Read | IssueFlush | Flush | LosePower
CELLS = st.integers(0, CELL_COUNT - 1)
VALUES = st.sampled_from(["a", "x", "y"])
ACTIONS = st.lists(
    st.one_of(
        st.builds(Write, CELLS, VALUES.map(lambda value: (value,))),
        st.builds(Write, st.integers(0, 1), st.tuples(VALUES, VALUES)),
        st.builds(Compare, CELLS, VALUES, VALUES),
        st.builds(Read, CELLS, st.just(1)),
        st.builds(Read, st.integers(0, 1), st.just(2)),
        st.just(IssueFlush()),
        st.just(Flush()),
        st.just(LosePower()),
    ),
    max_size=9,
)


class Branch(NamedTuple):
    """A device, the flushes in flight, and what was read so far."""

    cells: Cells
    flushes: tuple[int, ...]
    seen: tuple[object, ...]


def performed(branch: Branch, action: Action) -> Branch:
    """Let an action take effect in place, on cells that are all decided as far as it looks at them."""
    cells, flushes, seen = branch
    if isinstance(action, Write):
        cells.perform(WriteCells(0, action.cell, action.values), 0, cells.write_count)
    elif isinstance(action, Compare):
        operation = CompareAndWrite(0, action.cell, action.expected, action.value)
        seen += (cells.perform(operation, 0, cells.write_count),)
    elif isinstance(action, Read):
        seen += (cells.perform(ReadCells(0, action.cell, action.cell_count), 0, cells.write_count),)
    elif isinstance(action, IssueFlush):
        flushes += (cells.write_count,)
    elif isinstance(action, Flush):
        if flushes:
            cells.flush(flushes[0])
        flushes = flushes[1:]
    else:
        cells.lose_power()
    return Branch(cells, flushes, seen)


def looked_at(action: Action) -> range:
    if isinstance(action, Read):
        return range(action.cell, action.cell + action.cell_count)
    return range(action.cell, action.cell + 1) if isinstance(action, Compare) else range(0)


def decided(cells: Cells, wanted: Sequence[int]) -> Iterator[Cells]:
    """Every way to decide some of the cells."""
    undecided = [cell for cell in wanted if cell in cells.undecided]
    for survivors in product(*(range(len(cells.undecided[cell])) for cell in undecided)):
        copy = cells.fork()
        for cell, survivor in zip(undecided, survivors, strict=True):
            copy.survive(cell, survivor)
        yield copy


def eagerly(branch: Branch, action: Action) -> Iterator[Branch]:
    """Decide everything as soon as the power is lost."""
    after = performed(branch._replace(cells=branch.cells.fork()), action)
    for cells in decided(after.cells, range(CELL_COUNT)):
        yield after._replace(cells=cells)


def lazily(branch: Branch, action: Action) -> Iterator[Branch]:
    """Decide what an action looks at, before it takes effect."""
    for cells in decided(branch.cells, looked_at(action)):
        yield performed(branch._replace(cells=cells), action)


Decider = Callable[[Branch, Action], Iterator[Branch]]


def run(actions: Sequence[Action], decide: Decider) -> list[Branch]:
    branches = [Branch(Cells(INITIAL), (), ())]
    for action in actions:
        branches = [after for branch in branches for after in decide(branch, action)]
    return branches


def outcomes(actions: Sequence[Action], decide: Decider) -> set[Hashable]:
    """What was read, what everything is, and what it may be after one more power loss."""
    found: set[Hashable] = set()
    for branch in run(actions, decide):
        for cells in decided(branch.cells, range(CELL_COUNT)):
            later = cells.fork()
            later.lose_power()
            for survived in decided(later, range(CELL_COUNT)):
                found.add((branch.seen, tuple(cells.sectors), tuple(survived.sectors)))
    return found


SECOND_LOSS = [Write(0, ("x",)), LosePower(), Write(1, ("y",)), LosePower(), Read(0, 2)]
WRITE_OVER = [Write(0, ("x", "x")), LosePower(), Write(0, ("y",)), LosePower(), Read(0, 2)]
FLUSH_BEFORE = [
    Write(0, ("x",)),
    LosePower(),
    IssueFlush(),
    Write(0, ("y",)),
    Flush(),
    LosePower(),
    Read(0, 1),
]
FLUSH_BEFORE_THE_LOSS = [
    *(Write(0, ("x",)), IssueFlush(), Write(0, ("y",)), LosePower(), Write(0, ("a",)), Flush(), LosePower()),
    Read(0, 1),
]
FLUSH_AFTER = [
    Write(0, ("x",)),
    LosePower(),
    Write(0, ("y",)),
    IssueFlush(),
    Flush(),
    LosePower(),
    Read(0, 1),
]
COMPARED = [Write(0, ("x",)), LosePower(), Compare(0, "x", "y"), LosePower(), Read(0, 1)]


@given(ACTIONS)
@example(SECOND_LOSS)
@example(WRITE_OVER)
@example(FLUSH_BEFORE)
@example(FLUSH_BEFORE_THE_LOSS)
@example(FLUSH_AFTER)
@example(COMPARED)
def test_deciding_late_is_deciding_at_once(actions: list[Action]) -> None:
    assert outcomes(actions, lazily) == outcomes(actions, eagerly)


@pytest.mark.parametrize(
    ("actions", "seen"),
    [
        (SECOND_LOSS, {("a", "b"), ("a", "y"), ("x", "b"), ("x", "y")}),
        (WRITE_OVER, {(one, other) for one in "axy" for other in "bx"}),
        (FLUSH_BEFORE, {("a",), ("x",), ("y",)}),
        (FLUSH_BEFORE_THE_LOSS, {("x",), ("y",), ("a",)}),
        (FLUSH_AFTER, {("y",)}),
        (COMPARED, {("a",), ("x",), ("y",)}),
    ],
)
def test_what_may_be_read_in_words(actions: list[Action], seen: set[tuple[str, ...]]) -> None:
    assert {branch.seen[-1] for branch in run(actions, lazily)} == seen


# -- keys --------------------------------------------------------------------------------------------------------


@given(ACTIONS, ACTIONS, ACTIONS)
@example([Write(0, ("x",)), Write(1, ("y",))], [Write(1, ("y",)), Write(0, ("x",))], [])
@example([Write(0, ("x",))], [Write(0, ("x",)), Write(0, ("x",))], [LosePower()])
def test_devices_of_equal_key_have_the_same_future(
    one: list[Action], other: list[Action], future: list[Action]
) -> None:
    """With the same number of flushes in flight, whenever they were issued."""
    for first in run(one, lazily):
        for second in run(other, lazily):
            if len(first.flushes) != len(second.flushes):
                continue
            if first.cells.key(first.flushes) == second.cells.key(second.flushes):
                assert futures(first, future) == futures(second, future)


def futures(branch: Branch, future: list[Action]) -> list[tuple[object, ...]]:
    """What is read from here on, and the keys at the end, in order of the decisions."""
    branches = [branch._replace(cells=branch.cells.fork(), seen=())]
    for action in [*future, LosePower(), Read(0, 2), Read(2, 1)]:
        branches = [after for branch in branches for after in lazily(branch, action)]
    return [(after.seen, after.cells.key(after.flushes)) for after in branches]


def key_after(*actions: Action) -> Hashable:
    (branch,) = run(actions, lazily)
    return branch.cells.key(branch.flushes)


def test_the_order_of_writes_matters_only_for_flushes_in_flight() -> None:
    one, other = Write(0, ("x",)), Write(1, ("y",))
    assert key_after(one, other) == key_after(other, one)
    assert key_after(one, IssueFlush(), other) != key_after(other, IssueFlush(), one)
    assert key_after(one, IssueFlush(), other, Flush()) != key_after(other, IssueFlush(), one, Flush())
    assert key_after(IssueFlush(), one, other) == key_after(IssueFlush(), other, one)
    assert key_after(one, other, IssueFlush()) == key_after(other, one, IssueFlush())


def test_how_much_was_written_before_does_not_matter() -> None:
    before: list[Action] = [Write(0, ("y",)), Write(0, ("a",)), IssueFlush(), Flush()]
    assert key_after(*before, Write(1, ("x",)), IssueFlush()) == key_after(Write(1, ("x",)), IssueFlush())


def test_what_is_undecided_matters() -> None:
    keys = {
        key_after(Write(0, ("x",))),
        key_after(Write(0, ("x",)), LosePower()),
        key_after(Write(0, ("y",)), LosePower()),
        key_after(Write(0, ("y",)), Write(0, ("x",)), LosePower()),
        key_after(Write(0, ("x",)), LosePower(), Write(0, ("x",))),
    }
    assert len(keys) == 5


def test_what_an_undecided_sector_happens_to_hold_does_not_matter() -> None:
    one = key_after(Write(0, ("x",)), Write(0, ("a",)), LosePower())
    assert one == key_after(Write(0, ("x",)), LosePower())


# -- looking -----------------------------------------------------------------------------------------------------


def lost(*writes: Write) -> Cells:
    cells = Cells(INITIAL)
    for write in writes:
        cells.put(write.cell, write.values)
    cells.lose_power()
    return cells


def test_every_way_in_which_something_may_have_survived_is_looked_at_once() -> None:
    stores = [lost(Write(0, ("x", "y"))), lost(Write(2, ("z",)))]
    seen: list[tuple[Any, ...]] = []

    def look(devices: Sequence[Cells]) -> None:
        for cells, place in zip(devices, (range(2), range(2, 3)), strict=True):
            cells.check_decided(place)
        seen.append((*devices[0].sectors[:2], devices[1].sectors[2]))

    assert under_every_survival(stores, look) == 8
    assert sorted(seen) == sorted(product("ax", "by", "cz"))
    assert [list(cells.undecided) for cells in stores] == [[0, 1], [2]], "nothing was decided by looking"


def test_only_what_is_looked_at_is_decided() -> None:
    """What is read first decides what is read next, as it may in the code of a store."""
    seen: list[tuple[Any, ...]] = []

    def look(devices: Sequence[Cells]) -> None:
        (cells,) = devices
        (first,) = cells.perform(ReadCells(0, 0, 1), 0, 0)
        if first == "x":
            first += cells.perform(ReadCells(0, 1, 1), 0, 0)[0]
        seen.append((first, len(cells.undecided)))

    assert under_every_survival([lost(Write(0, ("x", "y", "z")))], look) == 3
    assert sorted(seen) == [("a", 2), ("xb", 1), ("xy", 1)]


def test_an_undecided_sector_says_where_it_is() -> None:
    cells = lost(Write(1, ("x",)))
    cells.check_decided([0, 2])
    assert cells.first_undecided([2, 1, 0]) == 1
    with pytest.raises(Undecided, match="what a power loss left in sector 1") as caught:
        cells.check_decided(range(CELL_COUNT))
    assert caught.value.store is cells


def test_a_fork_decides_for_itself() -> None:
    cells = lost(Write(0, ("x",)))
    before, fork = cells.key(), cells.fork()
    assert fork.key() == before
    fork.survive(0, 1)
    assert fork.sectors[0] == "x"
    assert fork.key() != before == cells.key()
