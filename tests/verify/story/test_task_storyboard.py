"""Storyboards of tasks: what cells held, what tasks had read, and which reads were overtaken."""

from __future__ import annotations

import pytest

from shadowshare.sim.schedule import ScheduleError
from shadowshare.verify.cells.setup import Array
from shadowshare.verify.story.task_storyboard import storyboard_of_tasks
from shadowshare.verify.tasks import Cell, Setup, flush
from tests.verify.story.boards import all_counted, lost_update
from tests.verify.task_setups import counting, increment


def test_every_step_has_its_picture() -> None:
    board = lost_update()
    assert [board.picture(number)["n/0"]["value"] for number in range(5)] == ["0", "0", "0", "1", "1"]
    assert [access.value for step in board.steps for access in step.accesses] == ["0", "0", "1", "1"]
    assert board.hosts == (("A", "task"), ("B", "task"))
    assert board.regions == ("n",)
    first = board.picture(0)["host/A"]
    assert first == {"status": "runs", "doing": [], "next": [["A", "reads n"]], "read": []}


def test_what_a_task_has_read_and_what_was_changed_since() -> None:
    board = lost_update()
    slow, fast = (board.steps[3].host, board.steps[2].host)
    (read,) = board.picture(3)[f"host/{slow}"]["read"]
    assert (read["cell"], read["value"], read["is_current"]) == ("n", "0", False)
    assert board.picture(2)[f"host/{slow}"]["read"][0]["is_current"]
    ended, overtaken = board.explanation.sentences
    assert ended == "At the end: the check says False of {'n': 1}."
    assert overtaken.startswith(f"{slow} read n at step {read['step']}; {fast} changed it at step 3. ")
    assert overtaken.endswith(f" {slow} went on at step 4 with what it had read.")
    assert board.explanation.way == (read["step"], 3)


def test_a_read_that_nobody_overtook_is_not_blamed() -> None:
    setup = counting(increment)
    board = storyboard_of_tasks(setup, ("A", "A", "B", "B"), lambda end: False)
    assert board.explanation.sentences == ("At the end: the check says False of {'n': 2}.",)
    assert not storyboard_of_tasks(setup, ("A", "A", "B", "B"), all_counted).explanation.sentences


async def fill(cells: Array, done: Cell) -> None:
    await cells.write(0, (7, "a long text"))
    await flush()
    await done.write(True)


def test_arrays_crashes_and_what_is_not_flushed() -> None:
    setup = Setup(crashes=1, power_losses=1, plain_crashes=False)
    setup.task("A", fill, setup.array("cells", [0, 0, 0]), setup.cell("done", False))
    board = storyboard_of_tasks(setup, ("A", "power"))
    assert [access.value for access in board.steps[0].accesses] == ["7", "'a lon…"]
    written = board.picture(1)
    assert [written[f"cells/{number}"]["state"] for number in range(3)] == ["unflushed", "unflushed", ""]
    lost = board.picture(2)
    assert [lost[f"cells/{number}"]["state"] for number in range(3)] == ["undecided", "undecided", ""]
    assert lost["host/A"]["status"] == "crashed"


def test_a_schedule_of_something_else_is_refused() -> None:
    with pytest.raises(ScheduleError, match="step 1 of the schedule does not fit the tasks 'mine'"):
        storyboard_of_tasks(counting(increment), ("C",), name="mine")
