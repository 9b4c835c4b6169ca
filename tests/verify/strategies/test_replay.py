"""One given schedule."""

from __future__ import annotations

import pytest

from shadowshare.scenarios.catalogue import built_in
from shadowshare.sim.schedule import ScheduleError
from shadowshare.verify import explorer
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.strategies.replay import Replay
from shadowshare.verify.tasks import explore
from tests.verify.strategies.setups import increments, torn_by_crash


def test_a_violation_is_shown_again() -> None:
    found = explore(increments(), lambda end: end["counter"] == 2, strategy=Replay(["A", "B", "A", "B"]))
    assert found.violation is not None
    assert found.labels == ("A", "B", "A", "B")
    assert (found.verdict, found.execution_count, found.step_count) == ("violated", 1, 4)


def test_a_schedule_that_violates_nothing_proves_nothing() -> None:
    found = explore(increments(), lambda end: end["counter"] == 2, strategy=Replay("AABB"))
    assert (found.verdict, found.labels) == ("unknown", ())
    assert found.reason == "one schedule of 4 steps was run; it proves nothing about the others"


def test_a_schedule_need_not_go_to_the_end() -> None:
    found = explore(increments(), strategy=Replay("A"))
    assert found.reason == (
        "one schedule of 1 steps was run, after which A, B can happen; it proves nothing about the others"
    )


def test_it_stops_at_the_violation() -> None:
    labels = ("A", "A", "crash.A", "V")
    found = explore(torn_by_crash(), strategy=Replay((*labels, "V", "V")))
    assert (found.verdict, found.labels) == ("violated", labels)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["A", "C"], "step 2 of the schedule: 'C' cannot happen here; what can: A, B"),
        (["A", "A", "A"], "step 3 of the schedule: 'A' cannot happen here; what can: B"),
        (["A", "A", "B", "B", "B"], "step 5 of the schedule: 'B' cannot happen here; what can: nothing"),
    ],
)
def test_a_label_that_cannot_happen_is_refused(labels: list[str], message: str) -> None:
    with pytest.raises(ScheduleError, match=f"^{message}$"):
        explore(increments(), strategy=Replay(labels))


def test_the_counterexample_of_a_scenario_is_shown_again() -> None:
    scenario, implementation = built_in("reader-before-volume-read"), mutant("no-recheck").implementation
    found = explorer.explore(scenario, implementation)
    again = explorer.explore(scenario, implementation, strategy=Replay(found.labels))
    assert (again.violation, again.labels) == (found.violation, found.labels)
    assert explorer.explore(scenario, strategy=Replay(found.labels)).violation is None
