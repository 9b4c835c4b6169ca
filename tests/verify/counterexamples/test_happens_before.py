"""What happened before what, and which accesses conflict."""

from __future__ import annotations

import networkx as nx
import pytest

from shadowshare.scenarios.catalogue import built_in, built_in_names
from shadowshare.verify.counterexamples.counterexample import order_of, order_of_tasks, run_schedule
from shadowshare.verify.counterexamples.happens_before import Conflict, Order
from shadowshare.verify.counterexamples.subject import Place
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.tasks import Setup, flush
from tests.verify.programs import random_schedules

EXTENT = Place("volume", "extent 0 of the volume")


def everything(place: Place) -> bool:
    return True


def race_order() -> Order:
    """W overwrites extent 0, and R reads it afterwards without looking whether it was copied."""
    bug = mutant("cached-recheck")
    return order_of(built_in(bug.scenario), ["W"] * 6 + ["R"], bug.implementation)


def two_cells() -> Setup:
    setup = Setup(crashes=2, power_losses=1)
    first, second = setup.cell("first", 0), setup.cell("second", 0)

    async def write() -> None:
        await first.write(1)
        await flush()
        await second.write(1)

    async def read() -> None:
        await first.read()
        await second.read()

    async def recover() -> None:
        await second.read()

    setup.task("W", write)
    setup.task("R", read)
    setup.task("V", recover, recovers="W")
    return setup


# -- the order -------------------------------------------------------------------------------------------------------


def test_steps_of_one_host_are_in_its_order() -> None:
    order = race_order()
    for number in range(1, 6):
        assert order.is_direct(number, number + 1)
        assert str(next(iter(order.reasons[number, number + 1]))) == "program order"
    assert order.happened_before(1, 6)
    assert not order.happened_before(6, 1)
    assert not order.is_direct(1, 6)


def test_a_read_of_what_was_written_happened_after_it() -> None:
    order = race_order()
    assert [str(reason) for reason in order.reasons[6, 7]] == ["write-read of extent 0 of the volume"]
    assert order.is_direct(6, 7)
    assert order.happened_before(1, 7)


def test_steps_that_touch_nothing_in_common_are_not_ordered() -> None:
    order = order_of_tasks(two_cells(), ["W", "R", "W", "R"])
    assert order.happened_before(1, 2)
    assert not order.happened_before(2, 3), "a flush tells nobody else anything"
    assert not order.happened_before(3, 4), "R reads the second cell, which is not written yet"
    assert not order.happened_before(2, 1)


def test_a_read_and_the_write_that_overwrites_it() -> None:
    setup = two_cells()
    order = order_of_tasks(setup, ["R", "R", "W", "W", "W"])
    assert list(order.conflicts(everything)) == [
        Conflict(1, 3, Place("first", "first"), False, True, True),
        Conflict(2, 5, Place("second", "second"), False, True, True),
    ]
    assert not order.happened_before(2, 3)


def test_only_the_latest_write_conflicts_with_a_read() -> None:
    setup = Setup()
    cell = setup.cell("cell", 0)

    async def write() -> None:
        await cell.write(1)
        await cell.write(2)

    async def read() -> None:
        await cell.read()
        await cell.read()

    setup.task("W", write)
    setup.task("R", read)
    order = order_of_tasks(setup, ["W", "W", "R", "R"])
    pairs = [
        (conflict.first, conflict.second, conflict.is_direct) for conflict in order.conflicts(everything)
    ]
    assert pairs == [(2, 3, True), (2, 4, False)]


def test_a_crash_comes_before_what_its_successor_does_and_what_lands_late() -> None:
    order = order_of_tasks(two_cells(), ["R", "crash.W", "V", "late.0"])
    assert order.happened_before(2, 3)
    assert order.happened_before(2, 4)
    assert not order.happened_before(1, 2)
    assert not order.happened_before(3, 4)
    assert order.happened_before(1, 4), "what lands overwrites what was read"


def test_a_power_loss_comes_after_everything_and_before_everything() -> None:
    order = order_of_tasks(two_cells(), ["R", "W", "power", "V"])
    assert order.happened_before(1, 3)
    assert order.happened_before(2, 3)
    assert order.is_direct(3, 4)


def test_what_waits_for_a_decision_touches_nothing_before_it_is_made() -> None:
    setup = two_cells()
    order = order_of_tasks(setup, ["W", "W", "W", "power", "V", "keep.1"])
    waiting, decided = order.moments[4:]
    assert (waiting.waits, decided.waits) == (True, False)
    assert list(waiting.touches(order.subject)) == []
    assert waiting.touched.reads == frozenset()
    assert waiting.touched.changes == frozenset({("host", 2)})
    assert [touch.place.name for touch in decided.touches(order.subject)] == ["second"]
    assert decided.survivor is not None
    assert (decided.survivor.sector, decided.survivor.number) == (1, 1)
    assert [(conflict.first, conflict.second) for conflict in order.conflicts(everything)] == [(3, 6)]
    assert order.is_direct(5, 6)


# -- conflicts -------------------------------------------------------------------------------------------------------


def test_the_accesses_that_a_violation_is_about() -> None:
    order = race_order()
    assert list(order.conflicts(lambda place: place == EXTENT)) == [Conflict(6, 7, EXTENT, True, False, True)]
    assert not list(order.conflicts(lambda place: place.region == "slots"))


# -- the graph -------------------------------------------------------------------------------------------------------


def test_the_graph_of_a_race() -> None:
    graph = race_order().graph()
    assert sorted(graph.edges) == [(number, number + 1) for number in range(1, 7)]
    assert graph.nodes[4] == {
        "label": "W",
        "host": 0,
        "action": "writes journal block 3: COPIED 1.1 extent 0 -> slot 0",
        "places": ("journal block 3",),
    }
    assert graph.edges[6, 7] == {"reasons": ("write-read of extent 0 of the volume",)}


@pytest.mark.parametrize("name", built_in_names())
def test_the_order_is_that_of_dependent_steps(name: str) -> None:
    """On random schedules: the graph is the transitive reduction of the order, and says no less than dependence does.

    But for what only matters to those who explore, and for what a step may do to the cache next.
    """
    scenario = built_in(name)
    for labels in random_schedules(scenario, 3):
        order = order_of(scenario, labels)
        graph = order.graph()
        closure = nx.transitive_closure_dag(graph)
        numbers = range(1, len(labels) + 1)
        pairs = {
            (earlier, later)
            for earlier in numbers
            for later in numbers
            if order.happened_before(earlier, later)
        }
        assert set(closure.edges) == pairs
        assert set(nx.transitive_reduction(closure).edges) == set(graph.edges)
        touches = [moment.touched for moment in order.moments]
        for later in numbers:
            for earlier in range(1, later):
                if touches[earlier - 1].depends_on(touches[later - 1]):
                    assert (earlier, later) in pairs


@pytest.mark.parametrize(
    "name", ["reader-before-volume-read", "two-writers-one-extent", "older-reads-forward"]
)
def test_swapping_what_is_not_ordered_changes_nothing(name: str) -> None:
    """Neighbours that are not ordered can change places: the same steps happen, with the same answers."""
    scenario = built_in(name)
    swap_count = 0
    for labels in random_schedules(scenario, 5):
        order = order_of(scenario, labels)
        for number in range(1, len(labels)):
            if not order.happened_before(number, number + 1):
                swapped = [*labels[: number - 1], labels[number], labels[number - 1], *labels[number + 1 :]]
                trace = [(step.label, step.answer) for step in run_schedule(scenario, labels)[1]]
                again = [(step.label, step.answer) for step in run_schedule(scenario, swapped)[1]]
                again[number - 1], again[number] = again[number], again[number - 1]
                assert again == trace
                swap_count += 1
    assert swap_count > 5
