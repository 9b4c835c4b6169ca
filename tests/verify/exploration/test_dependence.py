"""Steps that are said not to depend on each other can be swapped, and neither lets the other happen or prevents it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import NamedTuple

import pytest
from examples.toy_snapshot import toy_snapshot

from shadowshare.protocol.operations import Flush, Operation, Read, Reserve, Write
from shadowshare.scenarios.catalogue import built_in, built_in_names
from shadowshare.sim.disks.memory_disk import MemoryDisk
from shadowshare.sim.stepped.flight import Step
from shadowshare.sim.stepped.rules import Rules
from shadowshare.sim.stepped.shared import SharedState
from shadowshare.verify.cells.task_world import TaskWorld
from shadowshare.verify.exploration.dependence import Touched, touched
from shadowshare.verify.exploration.product import Move, Product
from shadowshare.verify.exploration.search import Budget, Search
from shadowshare.verify.race import Race
from shadowshare.verify.strategies.random_walk import RandomWalk
from tests.verify import worlds
from tests.verify.worlds import WORLDS


class Count(NamedTuple):
    """Pairs of moves that can both happen: independent ones, and those that are dependent though they commute."""

    independent: int
    needlessly_dependent: int


def move_of(product: Product, state: int, label: str) -> Move | None:
    return next((move for move in product.moves(state) if move.label == label), None)


def both_orders(product: Product, state: int, one: Move, other: Move) -> tuple[int | None, int | None]:
    """Where two moves lead, taken in one order and in the other; None if they cannot be."""
    reached: list[int | None] = []
    for first, second in ((one, other), (other, one)):
        after = state + first.delta
        then = move_of(product, after, second.label)
        reached.append(None if then is None else after + then.delta)
    return reached[0], reached[1]


def check(product: Product, states: Iterable[int]) -> Count:
    """Try every pair of moves in every state, and what each move makes possible."""
    independent = needless = 0
    for state in states:
        if product.violation(state) is not None:
            continue
        shared = product.shared(state)
        moves = [(move, touched(move, shared)) for move in product.moves(state)]
        for (one, by_one), (other, by_other) in combinations(moves, 2):
            ends = both_orders(product, state, one, other)
            commute = ends[0] is not None and ends[0] == ends[1]
            assert by_one.depends_on(by_other) == by_other.depends_on(by_one)
            if not by_one.depends_on(by_other):
                assert commute, f"{one.label} and {other.label} do not commute, after which comes {ends}"
                independent += 1
            elif commute:
                needless += 1
        for move, by_move in moves:
            check_what_it_makes_possible(product, state, move, by_move)
    return Count(independent, needless)


def check_what_it_makes_possible(product: Product, state: int, move: Move, by_move: Touched) -> None:
    before = {other.label for other in product.moves(state)}
    after = state + move.delta
    for other in product.moves(after):
        if other.label not in before:
            later = touched(other, product.shared(after))
            assert by_move.depends_on(later), f"{move.label} makes {other.label} possible"


def reachable(product: Product) -> list[int]:
    """Every state; also those behind a violation."""
    states, met = [product.initial], {product.initial}
    for state in states:
        for move in product.moves(state):
            if state + move.delta not in met:
                met.add(state + move.delta)
                states.append(state + move.delta)
    return states


ALL_DEPEND = {
    *("plain", "tears", "a violation", "errors", "two devices", "several tasks of a host"),
    *("lost and misdirected writes", "rot, unreadable sectors, and older contents"),
}
"""Worlds in which whatever can happen at the same time is on the same sectors, or of the same host."""


@pytest.mark.parametrize("reports", [True, False])
@pytest.mark.parametrize("name", WORLDS)
def test_independent_steps_commute(name: str, reports: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not reports:
        monkeypatch.setattr(worlds, "does", worlds.quiet)
    product = Product(WORLDS[name](), lambda shared, clients: None)
    found = check(product, reachable(product))
    assert reports or (found.independent > 0) == (name not in ALL_DEPEND)


def test_independent_steps_of_the_toy_commute_and_the_others_do_not() -> None:
    """Without faults the relation is exact but for reads and writes that happen to get or leave the same."""
    product = TaskWorld(toy_snapshot(2, 2)).product
    found = check(product, reachable(product))
    assert found.independent > 10 * found.needlessly_dependent


def walked(product: Product, count: int) -> Iterator[int]:
    """The states on some random schedules, each once."""
    met, walk = set(), RandomWalk()
    for number in range(count):
        labels, _ = walk.run_one(product, number)
        state = product.initial
        for label in labels:
            met.add(state)
            move = move_of(product, state, label)
            assert move is not None
            state += move.delta
        met.add(state)
    yield from sorted(met)


@pytest.mark.parametrize("name", built_in_names())
def test_independent_steps_of_the_protocol_commute(name: str) -> None:
    scenario = built_in(name)
    product = Race(scenario).product
    found = check(product, walked(product, 20))
    together = [plan for plan in scenario.hosts if plan.scripts[plan.before_count :] and not plan.recovers]
    assert found.independent > 0 or len(together) == 1


@pytest.mark.parametrize("name", ["reader-before-volume-read", "writer-overtakes-recheck"])
def test_independent_steps_commute_in_every_state_of_a_small_race(name: str) -> None:
    product = Race(built_in(name)).product
    search = Search(product)
    search.run(Budget(state_count=2000))
    assert check(product, search.states[: search.position]).independent > 0


# -- in words ----------------------------------------------------------------------------------------------------


def shared_of(has_cache: bool = False) -> SharedState:
    disks = [MemoryDisk(512, [bytes(512)] * 8, has_cache) for _ in range(2)]
    rules = Rules(("W", "V", "R"), (("W",), ("V",), ("R",)), readers=frozenset({2}))
    return SharedState(disks, rules, None)


def depends(
    one: Operation, other: Operation, hosts: tuple[int, int] = (0, 1), has_cache: bool = False
) -> bool:
    shared = shared_of(has_cache)
    by_one, by_other = (
        touched(Move("WVR"[host], 0, Step("WVR"[host], host, operation, None, ())), shared)
        for host, operation in zip(hosts, (one, other), strict=True)
    )
    return by_one.depends_on(by_other)


def write(sector: int, count: int = 1, device: int = 0) -> Operation:
    return Write(device, sector, count, bytes(512 * count))


def read(sector: int, count: int = 1, device: int = 0) -> Operation:
    return Read(device, sector, count)


def test_steps_on_different_sectors_or_devices_do_not_depend_on_each_other() -> None:
    assert not depends(write(0), write(1))
    assert not depends(write(0), read(1))
    assert not depends(write(0, 4), read(4, 4))
    assert not depends(write(0), read(0, device=1))
    assert not depends(read(0, 8), read(0, 8))


def test_steps_of_which_one_changes_what_the_other_one_touches_depend_on_each_other() -> None:
    assert depends(write(0), write(0))
    assert depends(write(0, 4), read(3))
    assert depends(write(0), read(0, 8))


def test_steps_of_one_host_depend_on_each_other() -> None:
    assert depends(read(0), read(1), hosts=(0, 0))


def test_a_reservation_matters_to_every_change_of_its_device() -> None:
    assert depends(Reserve(0), write(0))
    assert depends(Reserve(0), Reserve(0))
    assert not depends(Reserve(0), write(0, device=1))
    assert not depends(Reserve(0), read(0))


def test_a_flush_matters_only_if_a_power_loss_is_possible() -> None:
    assert not depends(Flush(0), write(0))
    assert depends(Flush(0), write(0), has_cache=True)


def test_what_a_host_that_only_reads_does_never_issues_a_flush() -> None:
    """A step of another one may; so which writes came before it matters."""
    assert depends(read(0), write(1), has_cache=True)
    assert not depends(read(0), write(1), hosts=(2, 1), has_cache=True)
