"""Everything that a world can reach, found in two ways: by copying whole worlds, and as a product of automata."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

from shadowshare.sim.stepped.world import SteppedWorld
from shadowshare.verify.exploration.product import Product


class Node(NamedTuple):
    """A state, and what can happen there.

    Attributes:
        after: by label: the key of the state that it leads to.
        violation: what is violated.
        is_over: whether no operation can take effect.
    """

    after: Mapping[str, Hashable]
    violation: Any
    is_over: bool


Graph = dict[Hashable, Node]


def key_of_world(world: SteppedWorld) -> Hashable:
    violation = None if world.watcher is None else world.watcher.violation
    clients = {number: world.client(number).key() for number in world.hosts}
    return world.shared.key(), violation, tuple(sorted(clients.items()))


def key_of_state(product: Product, state: int) -> Hashable:
    clients = {number: product.client(state, number) for number in range(product.host_count)}
    keys = {number: client.key() for number, client in clients.items() if client is not None}
    return product.shared(state).key(), product.violation(state), tuple(sorted(keys.items()))


def graph_of_worlds(world: SteppedWorld) -> Graph:
    """By copying the world, and letting each choice happen in a copy."""
    graph: Graph = {}
    waiting = [world]
    while waiting:
        reached = waiting.pop()
        key = key_of_world(reached)
        if key in graph:
            continue
        after: dict[str, Hashable] = {}
        for choice in reached.choices():
            later = reached.fork()
            later.take_label(choice.label)
            assert choice.label not in after, "labels tell choices apart"
            after[choice.label] = key_of_world(later)
            waiting.append(later)
        violation = None if reached.watcher is None else reached.watcher.violation
        graph[key] = Node(after, violation, reached.is_over)
    return graph


def graph_of_product(product: Product) -> Graph:
    """By adding the differences of moves; canonical states only, if the product has hosts that are alike."""
    graph: Graph = {}
    met = {product.initial}
    waiting = [product.initial]
    while waiting:
        state = waiting.pop()
        after: dict[str, Hashable] = {}
        for move in product.moves(state):
            later = product.canonical(state + move.delta)
            assert move.label not in after, "labels tell moves apart"
            after[move.label] = key_of_state(product, later)
            if later not in met:
                met.add(later)
                waiting.append(later)
        key = key_of_state(product, state)
        assert key not in graph, "different states are different"
        graph[key] = Node(after, product.violation(state), product.is_end(state))
    return graph
