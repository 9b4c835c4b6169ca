"""The product of automata against the world itself: the same states, the same choices, the same violations and ends."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from shadowshare.models.computers import Implementation
from shadowshare.protocol.operations import Flush
from shadowshare.scenarios.definition import Scenario
from shadowshare.scenarios.staging import stage
from shadowshare.sim.disks.memory_disk import MemoryDisk
from shadowshare.sim.stepped.rules import Rules
from shadowshare.sim.stepped.shared import SharedState
from shadowshare.sim.stepped.world import SteppedWorld
from shadowshare.verify.cells.setup import Cell, Setup, computer_of, rest
from shadowshare.verify.cells.task_world import TaskWatcher
from shadowshare.verify.exploration import product as product_module
from shadowshare.verify.exploration.memoised import Automaton, MemoisedHost, memoised_hosts
from shadowshare.verify.exploration.product import Product, TooManyStates
from shadowshare.verify.exploration.search import Budget, Search
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.rules.oracle import Oracle
from tests.sim.stepped_worlds import does, make_computer, read, world_of, write
from tests.verify import worlds
from tests.verify.graphs import graph_of_product, graph_of_worlds, key_of_state
from tests.verify.programs import small
from tests.verify.worlds import VIOLATED, WORLDS, life, unwatched, watched


@pytest.mark.parametrize("reports", [True, False])
@pytest.mark.parametrize("name", WORLDS)
def test_the_product_is_the_world(name: str, reports: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not reports:
        monkeypatch.setattr(worlds, "does", worlds.quiet)
    world = WORLDS[name]()
    reached = graph_of_worlds(world)
    assert len(reached) > 10
    assert graph_of_product(Product(world, lambda shared, clients: None)) == reached
    if reports:
        assert (name in VIOLATED) == any(node.violation is not None for node in reached.values())


POWER = '[hosts]\nW = "active"\nV = "recovers W"\nR = "passive"\n[faults]\ncrashes = 1\npower_losses = 1'
CRASH = '[hosts]\nW = "active"\nV = "recovers W"\nR = "passive"\n[faults]\ncrashes = 1'
SCENARIOS: dict[str, tuple[Scenario, str]] = {
    "right": (small('W = ["write 0"]\nR = ["read s 0"]'), ""),
    "no re-check": (small('W = ["write 0"]\nR = ["read s 0"]'), "no-recheck"),
    "a crash": (small('W = ["write 0"]\nR = ["read s 0"]', extra=CRASH), ""),
    "a power loss": (small('W = ["write 0"]\nR = ["catch-up"]', extra=POWER), ""),
    "a power loss in a creation": (small('W = ["create t"]\nR = ["catch-up"]', extra=POWER), ""),
    "a power loss of what was not flushed": (
        small('W = ["write 0"]\nR = ["read s 0"]', extra=POWER),
        "entry-before-data",
    ),
}


def world_of_scenario(scenario: Scenario, bug: str) -> SteppedWorld:
    implementation = mutant(bug).implementation if bug else Implementation()
    return stage(scenario, memoised_hosts(scenario, implementation), Oracle(scenario))


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_product_is_the_world_of_the_protocol(name: str) -> None:
    world = world_of_scenario(*SCENARIOS[name])
    reached = graph_of_worlds(world)
    assert graph_of_product(Product(world, lambda shared, clients: None)) == reached
    violations = {node.violation.rule for node in reached.values() if node.violation is not None}
    assert violations == ({"image"} if SCENARIOS[name][1] else set())


def test_a_flush_covers_no_write_that_came_after_its_issue() -> None:
    """When it was issued nothing was unflushed; that it is in flight must be known all the same."""
    world = world_of(
        ("W", [does(read(1), Flush(0))]),
        ("U", [does(write(0, "x"))]),
        ("V", [does(read(0))]),
        recovers={"V": "W"},
        crash_count=1,
        power_loss_count=1,
        memoised=True,
    )
    product = Product(unwatched(world), lambda shared, clients: None)
    state = product.initial
    for label in ("W", "U", "W", "power", "V"):
        state += next(move.delta for move in product.moves(state) if move.label == label)
    assert [move.label for move in product.moves(state)] == ["keep.0", "keep.1"]


# -- ends --------------------------------------------------------------------------------------------------------


def test_ends_are_judged_by_what_is_left() -> None:
    world = watched(life(crash_count=1))
    seen: list[tuple[str, list[int]]] = []

    def judge(shared: SharedState, clients: Any) -> Any:
        content = shared.disks[0].sectors[0]
        seen.append((content, [number for number, client in enumerate(clients) if client is not None]))
        return None

    product = Product(world, judge)
    search = Search(product)
    search.run(Budget())
    ends = [state for state in search.states if product.is_end(state)]
    assert len(seen) == len(ends)
    assert {tuple(there) for _, there in seen} == {(0, 1, 2), (1, 2)}


def test_a_wrong_end_is_a_violation_and_a_state_that_waits_for_a_decision_is_no_end() -> None:
    world = unwatched(
        world_of(
            ("W", [does(write(0, "x"))]),
            ("V", [does(read(0))]),
            recovers={"V": "W"},
            crash_count=1,
            power_loss_count=1,
            memoised=True,
        )
    )

    def judge(shared: SharedState, clients: Any) -> Any:
        assert not shared.deciding
        return "wrong" if shared.disks[0].sectors[0].startswith(b"a") and clients[0] is None else None

    search = Search(Product(world, judge))
    search.run(Budget())
    assert search.violation == "wrong"
    assert search.labels == ("crash.W", "V")


def test_a_late_write_that_waits_for_a_decision_is_no_end() -> None:
    """Nothing is in flight then, but what the watcher looks at is not decided."""
    world = world_of(
        ("W", [does(write(1, "x"), write(0, "y"))]),
        ("V", [does()]),
        recovers={"V": "W"},
        crash_count=1,
        power_loss_count=1,
        memoised=True,
    )
    judged: list[str] = []
    product = Product(
        watched(world, inspected=[(0, range(1, 2))]),
        lambda shared, clients: judged.append(shared.deciding),
    )
    search = Search(product)
    search.run(Budget())
    assert search.is_exhausted
    assert any(product.shared(state).deciding == "late.0" for state in search.states)
    assert set(judged) == {""}


# -- tasks that are alike ----------------------------------------------------------------------------------------


async def increment(cell: Cell, log: Cell) -> None:
    value = await cell.read()
    await rest(value)
    await cell.write(value + 1)
    await log.write(value)


def alike_world(count: int, others: int = 1) -> tuple[SteppedWorld, list[tuple[int, ...]]]:
    """Some hosts of one automaton, and others of automata of their own."""
    setup = Setup()
    cell, log = setup.cell("n"), setup.cell("log")
    for number in range(others):
        setup.task("XYZ"[number], increment, cell, log)
    for number in range(count):
        setup.task("ABCDE"[number], increment, cell, log)
    alike = Automaton(partial(computer_of, setup.tasks[-1]))
    hosts = [MemoisedHost(Automaton(partial(computer_of, task))) for task in setup.tasks[:others]]
    hosts += [MemoisedHost(alike) for _ in range(count)]
    world = SteppedWorld([setup.cells()], hosts, setup.rules(), TaskWatcher(setup))
    for number in range(len(hosts)):
        world.start(number, 0)
    return world, [tuple(range(others, others + count))]


@pytest.mark.parametrize(("count", "others"), [(2, 0), (3, 0), (2, 1), (3, 1)])
def test_states_with_hosts_that_are_alike_are_those_of_all_hosts_up_to_their_order(
    count: int, others: int
) -> None:
    world, groups = alike_world(count, others)
    product = Product(world, lambda shared, clients: None, groups)
    (group,) = groups

    def unordered(key: Any) -> Any:
        shared, violation, clients = key
        alike = sorted(client for number, client in clients if number in group)
        return shared, violation, tuple(client for client in clients if client[0] not in group), tuple(alike)

    whole: dict[Any, set[Any]] = {}
    for key, node in graph_of_worlds(world).items():
        after = {unordered(later) for later in node.after.values()}
        assert whole.setdefault(unordered(key), after) == after, "they do the same in any order"
    merged = graph_of_product(product)
    assert {unordered(key): set(map(unordered, node.after.values())) for key, node in merged.items()} == whole
    assert product.has_alike
    assert len(merged) < len(graph_of_worlds(world))


def test_a_canonical_state_is_one_of_those_it_stands_for() -> None:
    world, groups = alike_world(3)
    product = Product(world, lambda shared, clients: None, groups)
    state = product.initial
    for label in ("C", "C", "B", "X"):
        state += next(move.delta for move in product.moves(state) if move.label == label)
    canonical = product.canonical(state)
    assert canonical != state
    assert product.canonical(canonical) == canonical
    clients = [key_of_state(product, one)[2] for one in (state, canonical)]  # type: ignore[index]
    assert sorted(node for _, node in clients[0]) == sorted(node for _, node in clients[1])
    assert product.shared(state) is product.shared(canonical)
    assert {move.label for move in product.moves(state)} == {move.label for move in product.moves(canonical)}


def test_without_hosts_that_are_alike_every_state_is_canonical() -> None:
    product = Product(watched(life()), lambda shared, clients: None)
    search = Search(product)
    search.run(Budget())
    assert not product.has_alike
    assert all(product.canonical(state) == state for state in search.states)


# -- limits ------------------------------------------------------------------------------------------------------


def test_too_many_states_of_a_host_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product_module, "CLIENT_MASK", 3)
    with pytest.raises(TooManyStates, match="one host has more than 3 different states"):
        Search(Product(watched(life()), lambda shared, clients: None)).run(Budget())


def test_too_many_states_of_what_is_shared_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product_module, "SHARED_MASK", 3)
    with pytest.raises(TooManyStates, match="what the hosts share has more than 3 different states"):
        Search(Product(watched(life(crash_count=1)), lambda shared, clients: None)).run(Budget())


def test_more_hosts_than_fit_into_a_machine_word() -> None:
    """A state has room for any number of hosts."""
    names = [f"R{letter}" for letter in "abcdefghijklmnop"]
    hosts = [MemoisedHost(Automaton(lambda: make_computer([does(read(0))]))) for _ in names]
    rules = Rules(tuple(names), tuple((name,) for name in names))
    world = SteppedWorld([MemoryDisk.blank(512, 1)], hosts, rules)
    for number in range(len(hosts)):
        world.start(number, 0)
    product = Product(world, lambda shared, clients: None)
    search = Search(product)
    search.run(Budget())
    assert len(search.states) == 2 ** len(names)
    assert max(search.states).bit_length() > 64
