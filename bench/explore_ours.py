"""Our own rows of ``python -m bench.explore``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any

from bench.explore_peers.row import CUT, SAMPLED, STOPPED, Row, new_row
from examples.batched_copies import batched_copies
from examples.toy_snapshot import toy_snapshot

from shadowshare.scenarios.catalogue import built_in
from shadowshare.verify.cells.task_world import TaskWorld
from shadowshare.verify.counterexamples.shrinking import shrink
from shadowshare.verify.exploration.search import Budget
from shadowshare.verify.explorer import explore as explore_scenario
from shadowshare.verify.result import Exploration
from shadowshare.verify.strategies.catalogue import make_strategy
from shadowshare.verify.strategies.exhaustive import Exhaustive
from shadowshare.verify.tasks import Setup, explore

SEARCHES: dict[str, dict[str, Any]] = {
    "states": {"readers_apart": False, "alike_merge": False},
    "states, alike merged": {"readers_apart": False},
    "states, readers apart": {"alike_merge": False},
    "states, apart and alike": {},
}
REDUCTIONS = ("source-dpor", "optimal-dpor")
SAMPLERS = ("random", "pct", "pos", "urw")
SEED_COUNT = 101
EXECUTION_COUNT_MAXIMUM = 20_000


def run(n: int, r: int, mutant: str | None, seconds_maximum: float) -> list[Row]:
    """Every engine of ours on the toy model; see `bench.explore_peers.Peer.run`."""
    setup = toy(n, r, mutant)
    rows = [
        _row("toy", n, r, mutant, engine, partial(_search, setup, seconds_maximum, options))
        for engine, options in SEARCHES.items()
    ]
    rows += [
        _row("toy", n, r, mutant, name, partial(_reduced, setup, name, seconds_maximum))
        for name in REDUCTIONS
    ]
    if mutant:
        rows += [_sampled(setup, n, r, mutant, name) for name in SAMPLERS]
        rows.append(_shrunk(setup, n, r, mutant))
    return rows


def toy(n: int, r: int, mutant: str | None) -> Setup:
    """The model, or one of its mutants."""
    setup = toy_snapshot(n, r, skipped_rechecks=1 if mutant == "late" else 0)
    if mutant == "norecheck":
        setup.tasks = [
            task if task.name == "W" else task._replace(arguments=(*task.arguments[:-1], (False,) * n))
            for task in setup.tasks
        ]
    return setup


def _search(setup: Setup, seconds_maximum: float, options: dict[str, Any]) -> Exploration:
    budget = Budget(state_count=10**8, seconds=seconds_maximum)
    return explore(setup, strategy=Exhaustive(counts_schedules=False), budget=budget, **options)


def _reduced(setup: Setup, name: str, seconds_maximum: float) -> Exploration:
    return explore(
        setup, strategy=make_strategy(name), budget=Budget(seconds=seconds_maximum), readers_apart=False
    )


def _row(
    model: str, n: int, r: int, mutant: str | None, engine: str, explored: Callable[[], Exploration]
) -> Row:
    start = perf_counter()
    found = explored()
    row = new_row(n, r, mutant or "", engine)
    row["model"] = f"{model}-{mutant}" if mutant else model
    row["seconds"] = perf_counter() - start
    row["states"] = found.state_count or None
    row["traces"] = found.trace_count
    row["executions"] = found.execution_count or None
    row["exhausted"] = found.is_exhausted
    row["found"] = found.violation is not None if mutant or found.violation else None
    row["note"] = STOPPED if found.violation else "" if found.is_exhausted else CUT
    return row


def _sampled(setup: Setup, n: int, r: int, mutant: str, name: str) -> Row:
    """Executions and seconds until the bug is found, medians over seeds; learning the tasks is not timed."""
    product = TaskWorld(setup).product
    make_strategy(name).run(product, Budget(execution_count=200))
    counts, seconds = [], []
    for seed in range(SEED_COUNT):
        start = perf_counter()
        found = make_strategy(name, seed=seed).run(product, Budget(execution_count=EXECUTION_COUNT_MAXIMUM))
        seconds.append(perf_counter() - start)
        counts.append(found.execution_count if found.violation else EXECUTION_COUNT_MAXIMUM)
    row = new_row(n, r, mutant, name)
    row["seconds"], row["executions"] = median(seconds), round(median(counts))
    row["found"] = max(counts) < EXECUTION_COUNT_MAXIMUM
    row["note"] = f"{SAMPLED}; medians of {SEED_COUNT} seeds"
    return row


def _shrunk(setup: Setup, n: int, r: int, mutant: str) -> Row:
    """Seconds to shrink what a random walk found."""
    product = TaskWorld(setup).product
    labels = make_strategy("random").run(product, Budget(execution_count=EXECUTION_COUNT_MAXIMUM)).labels
    start = perf_counter()
    shrunk = shrink(product, labels)
    row = new_row(n, r, mutant, "shrink")
    row["seconds"] = perf_counter() - start
    row["note"] = f"from {len(labels)} steps to {len(shrunk.labels)}"
    return row


def many_readers(seconds_maximum: float) -> list[Row]:
    """What many readers cost, one at a time, and many extents."""
    engine = "states, readers apart"
    rows = []
    for n, r in ((3, 8), (3, 16), (3, 32), (3, 64), (32, 1)):
        search = partial(_search, toy_snapshot(n, r), seconds_maximum, SEARCHES[engine])
        rows.append(_row("toy", n, r, None, f"{engine} {n},{r}", search))
    return rows


def batched(seconds_maximum: float) -> list[Row]:
    """A power loss at any step of a batch of 12 copies; its executions are the schedules, each with one recovery."""
    search = partial(explore, batched_copies(12), budget=Budget(seconds=seconds_maximum))
    row = _row("batched", 12, 0, None, "states, readers apart", search)
    row["executions"] = search().schedule_count
    return [row]


def protocol(seconds_maximum: float) -> list[Row]:
    """The real protocol: create, two writes, delete, two passives of two extents, crash or power loss at every step."""
    scenario = built_in("life-and-crash")
    rows = []
    for engine, apart in (("states, readers apart", True), ("states", False)):
        budget = Budget(state_count=10**8, seconds=seconds_maximum)
        search = partial(explore_scenario, scenario, budget=budget, passives_apart=apart)
        rows.append(_row(scenario.name, 2, 2, None, engine, search))
    return rows


OTHERS = (many_readers, batched, protocol)
"""Measurements of models that only we run; each takes the time limit in seconds."""
