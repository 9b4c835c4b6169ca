"""What is searched: two sizes of a toy on cells, a scenario with all hosts together, and three built-in scenarios."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from examples.toy_snapshot import toy_snapshot

from shadowshare.scenarios.catalogue import built_in
from shadowshare.scenarios.definition import parse_scenario
from shadowshare.verify.cells.task_world import TaskWorld
from shadowshare.verify.exploration.product import Product
from shadowshare.verify.race import Race

TWO_PASSIVES = """
name = "two-passives"
story = "Create, two writes, delete; two passives read two extents each; crash at every step."
before = ["W: create s", "R: open", "S: open"]
[hosts]
W = "active"
V = "recovers W"
R = "passive"
S = "passive"
[faults]
crashes = 1
allowed_errors = ["ShadowCopyNotFound"]
[race]
W = ["create t", "write 0", "write 1", "delete t"]
V = []
R = ["read s 0 1"]
S = ["read t 0 1"]
"""
SCENARIOS = ("crash-in-multi-sector-write", "ghost-mapping-comes-back", "two-writers-overlapping")


def toy(extent_count: int, reader_count: int) -> Product:
    """The toy, every task for itself."""
    return TaskWorld(toy_snapshot(extent_count, reader_count)).product


def two_passives() -> Product:
    """An active that may crash, its recovery, and two passives at once."""
    return Race(parse_scenario(TWO_PASSIVES)).product


def scenario(name: str) -> Product:
    """A built-in scenario."""
    product = Race(built_in(name)).product
    product.patiences = ()  # the kernel does not look at hosts that are left alone, which numbers parts sooner
    return product


def workloads() -> Mapping[str, Callable[[], Product]]:
    """By name: makes the product afresh, with nothing learnt."""
    return {
        "toy 3,3": partial(toy, 3, 3),
        "toy 3,4": partial(toy, 3, 4),
        "two-passives": two_passives,
        **{name: partial(scenario, name) for name in SCENARIOS},
    }
