"""What tasks on shared cells can be made of, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from shadowshare.sim.stepped.rules import Successor
from shadowshare.verify.cells.setup import Array, Cell, Setup, rest
from shadowshare.verify.tasks import explore


async def nothing() -> None:
    """End at once."""


async def read_one(cell: Cell) -> Any:
    return await cell.read()


# -- names -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "a", "1", "A1", "W.1", "W 1", "W-", "É", "aB", "W\n"])
def test_a_name_that_would_not_fit_into_a_schedule_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no name for a task: take a capital letter"):
        Setup().task(name, nothing)


@pytest.mark.parametrize("name", ["A", "AB", "Reader", "ABc"])
def test_names_that_fit(name: str) -> None:
    setup = Setup()
    setup.task(name, nothing)
    assert [task.name for task in setup.tasks] == [name]


def test_a_name_is_given_once() -> None:
    setup = Setup()
    setup.task("A", nothing)
    setup.cell("n")
    with pytest.raises(ValueError, match="there is a task 'A' already"):
        setup.task("A", nothing)
    for again in (setup.cell, setup.lock, lambda name: setup.array(name, (1,))):
        with pytest.raises(ValueError, match="there is a cell 'n' already"):
            again("n")
    assert len(setup.tasks) == len(setup.initial) == 1


@pytest.mark.parametrize("recovers", ["B", "A", "n"])
def test_a_task_can_recover_only_one_before_it(recovers: str) -> None:
    setup = Setup(crashes=1)
    setup.cell("n")
    with pytest.raises(ValueError, match=f"task 'A' recovers '{recovers}', which is no task before it"):
        setup.task("A", nothing, recovers=recovers)
    assert setup.tasks == []


@pytest.mark.parametrize("faults", [{"crashes": -1}, {"crashes": 1, "power_losses": -1}])
def test_a_negative_number_of_faults_is_refused(faults: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="-1 is no number of times"):
        Setup(**faults)  # type: ignore[arg-type]


def test_a_power_loss_is_a_crash_too() -> None:
    with pytest.raises(ValueError, match="crashes must be as many as power_losses, or more"):
        Setup(power_losses=1)


# -- what does not fit into a state ------------------------------------------------------------------------------


def test_initial_values_must_be_hashable() -> None:
    setup = Setup()
    with pytest.raises(TypeError, match=r"what a cell holds must be hashable, .*: \[0\]"):
        setup.cell("n", [0])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="what a cell holds must be hashable"):
        setup.array("a", [1, {}])  # type: ignore[list-item]
    assert (setup.names, setup.initial) == ({}, []), "nothing is left of what was refused"


def violation_of(function: Any, *arguments: Any) -> tuple[str, str]:
    """Rule and message of what is wrong with a single task."""
    setup = Setup()
    setup.task("A", function, *arguments)
    violation = explore(setup).violation
    assert violation is not None
    assert violation.host == "A"
    return violation.rule, violation.message


async def return_list() -> list[int]:
    return [1]


async def rest_with_list() -> None:
    await rest([1])  # type: ignore[arg-type]


async def write_list() -> None:
    await Cell(0).write([1])  # type: ignore[arg-type]


async def expect_list() -> None:
    await Cell(0).compare_and_write(0, [1])  # type: ignore[arg-type]


async def write_lists() -> None:
    await Array(0, 2).write(0, [[1], [1]])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("function", "role"),
    [
        (return_list, "what task 'A' returns"),
        (rest_with_list, "what a task rests with"),
        (write_list, "what a cell holds"),
        (expect_list, "what a cell holds"),
        (write_lists, "what a cell holds"),
    ],
)
def test_what_becomes_part_of_a_state_must_be_hashable(function: Any, role: str) -> None:
    assert violation_of(function) == (
        "error",
        f"TypeError: {role} must be hashable, as a tuple is, and not a list: [1]",
    )


class _Foreign:
    def __await__(self) -> Any:
        return (yield "something else")


async def await_foreign() -> None:
    await _Foreign()


def no_coroutine() -> int:
    return 5


def generator() -> Any:
    yield 5


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            await_foreign,
            "TypeError: task 'A' awaited 'something else': it can await operations on cells only",
        ),
        (no_coroutine, "TypeError: task 'A' is no async function: it gave 5"),
        (generator, "TypeError: task 'A' is no async function: it gave <generator"),
        (read_one, "TypeError: read_one() missing 1 required positional argument"),
    ],
)
def test_what_is_no_task_is_an_error_of_it(function: Any, message: str) -> None:
    rule, found = violation_of(function)
    assert rule == "error"
    assert found.startswith(message)


# -- arrays ------------------------------------------------------------------------------------------------------


def result_of(function: Any, *values: Any) -> Any:
    """What a task returns that is called with an array of ``values``; there is another cell before it and behind."""
    setup, results = Setup(), []
    setup.cell("before", "no")
    array = setup.array("array", values)
    setup.cell("behind", "no")
    setup.task("A", function, array)
    exploration = explore(setup, lambda end: results.append((end.result("A"), end["array"])))
    assert exploration.verdict == "verified", exploration.violation
    (result,) = results
    return result


def test_arrays_are_read_in_parts() -> None:
    async def task(array: Array) -> Any:
        return (
            await array.read(),
            await array.read(1),
            await array.read(1, 2),
            await array.read(3),
            await array.read(0, 0),
            await array[2].read(),
            await array[-1].read(),
        )

    assert result_of(task, 5, 6, 7)[0] == ((5, 6, 7), (6, 7), (6, 7), (), (), 7, 7)


def test_arrays_are_written_in_parts() -> None:
    async def task(array: Array) -> None:
        await array.write(1, ("x", "y"))
        await array[0].write("z")
        await array.write(3, ())

    assert result_of(task, 5, 6, 7)[1] == ("z", "x", "y")


def test_an_array_is_a_sequence_of_cells() -> None:
    array = Setup().array("array", "abc")
    assert len(array) == 3
    assert list(array) == [Cell(0), Cell(1), Cell(2)]  # type: ignore[call-overload]
    assert array[1] == Cell(1)


@pytest.mark.parametrize(
    ("index", "count"), [(-1, 1), (3, 1), (4, 0), (2, 2), (0, 4), (0, -1), (-3, 3)], ids=str
)
def test_cells_that_an_array_has_not_are_refused(index: int, count: int) -> None:
    async def reads(array: Array) -> str:
        with pytest.raises(IndexError, match=f"{count} cells from {index} on, of an array of 3"):
            await array.read(index, count)
        if count >= 0:
            with pytest.raises(IndexError, match=f"{count} cells from {index} on, of an array of 3"):
                await array.write(index, "x" * count)
        return "refused"

    assert result_of(reads, 5, 6, 7) == ("refused", (5, 6, 7))


@pytest.mark.parametrize("index", [3, -4])
def test_a_cell_that_an_array_has_not_is_refused(index: int) -> None:
    with pytest.raises(IndexError):
        Setup().array("array", "abc")[index]


def test_a_part_of_an_array_is_no_cell() -> None:
    with pytest.raises(TypeError, match="slice"):
        Setup().array("array", "abc")[0:2]  # type: ignore[index]


# -- as a world --------------------------------------------------------------------------------------------------


def some_setup(**faults: Any) -> Setup:
    setup = Setup(**faults)
    cell = setup.cell("n", 7)
    setup.array("a", (1, 2))
    setup.lock("lock")
    setup.task("W", read_one, cell)
    setup.task("R", read_one, cell)
    setup.task("V", nothing, recovers="W")
    setup.task("U", nothing, recovers="W")
    setup.task("L", read_one, [])
    setup.task("M", read_one, [])
    return setup


def test_values_by_name() -> None:
    assert some_setup().values([1, 2, 3, 4]) == {"n": 1, "a": (2, 3), "lock": 4}
    assert some_setup().initial == [7, 1, 2, False]


def test_rules() -> None:
    rules = some_setup(crashes=2, power_losses=1, plain_crashes=False, late_writes=False, tears=True).rules()
    assert rules.names == ("W", "R", "V", "U", "L", "M")
    assert rules.actors == tuple((name,) for name in rules.names)
    assert (rules.crash_count, rules.power_loss_count) == (2, 1)
    assert (rules.plain_crashes, rules.late_writes, rules.tears) == (False, False, True)
    assert rules.power_stops_all
    assert rules.successors == ((0, Successor(2, (0,))), (0, Successor(3, (0,))))
    assert rules.mortals == (1, 2, 3, 4, 5), "every task may crash, whether another one recovers it or not"


def test_without_faults_there_are_none() -> None:
    rules = Setup().rules()
    assert not rules.has_happenings
    assert rules.mortals == ()
    assert not some_setup().cells().has_volatile_cache
    assert not some_setup(crashes=1).cells().has_volatile_cache
    assert some_setup(crashes=1, power_losses=1).cells().has_volatile_cache


def test_tasks_of_the_same_function_with_the_same_arguments_are_alike() -> None:
    """Those whose arguments have no hash are taken to be different."""
    assert some_setup().alike() == [(0, 1), (2, 3), (4,), (5,)]


def test_some_of_the_tasks() -> None:
    setup = some_setup(crashes=1)
    part = setup.only(["R", "W"])
    assert [task.name for task in part.tasks] == ["W", "R"]
    assert part.left_out == {"V", "U", "L", "M"}
    assert (part.crashes, part.values(part.initial)) == (1, setup.values(setup.initial))
    assert part.rules().mortals == (0, 1), "it may crash though the task that recovers it is not here"
    assert setup.left_out == frozenset()
    assert len(setup.tasks) == 6
