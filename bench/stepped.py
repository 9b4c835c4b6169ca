"""How fast the stepped world is: one writer and two readers on the memory disk, random schedules, oracle on.

A step is one disk operation that takes effect; what is timed is all of it: choosing, disk, hosts, oracle. Measured are

- *the product of memoised hosts*, as every strategy uses it: code runs once for each new thing that can happen to a
  host, and a step is remembered. The race is short and runs again and again, the audit at its end included;
- *running hosts*: the protocol's code runs at every step, in one long schedule.
"""

from __future__ import annotations

from random import Random
from statistics import median
from time import perf_counter
from typing import Any

from shadowshare.models.computers import Implementation
from shadowshare.scenarios.definition import Scenario, parse_scenario
from shadowshare.scenarios.staging import live_hosts, stage
from shadowshare.sim.stepped.world import SteppedWorld
from shadowshare.verify.exploration.search import Budget
from shadowshare.verify.race import Race
from shadowshare.verify.rules.oracle import Oracle
from shadowshare.verify.strategies.random_walk import RandomWalk

ROUND_COUNT = 5
CREATION_COUNT = 200
SCHEDULE_COUNT = 3000
RACE = """
name = "bench"
story = "One writer, two readers."
before = ["W: create s", "R: open", "S: open"]
[hosts]
W = "active"
R = "passive"
S = "passive"
[race]
W = ["write 0", "write 1", "write 0"]
R = ["read s 0 1", "read s 0 1"]
S = ["read s 0 1", "read s 0 1"]
"""
LIVE_COUNT = 8
READ_COUNT = 28
"""Reads for each creation: about as many operations as the writer needs, so that all stay together."""


def endless_scenario(creation_count: int = CREATION_COUNT, reader_count: int = 2) -> Scenario:
    """A writer that creates shadow copies one after the other, and readers that keep reading them."""
    extents = 8
    writer, reads = [], []
    for number in range(creation_count):
        writer.append(f"create s{number}")
        writer += [f"write {extent}" for extent in range(extents)]
        writer += [f"write {extent}" for extent in range(0, extents, 2)]
        if number >= LIVE_COUNT:
            writer.append(f"delete s{number - LIVE_COUNT}")
        if number:
            reads += [f"read s{number - 1} {extent % extents}" for extent in range(READ_COUNT)]
    readers = [f"R{chr(ord('a') + index)}" for index in range(reader_count)]
    lines = [
        'name = "endless"',
        'story = "One writer and readers, for ever."',
        "before = [" + ", ".join(f'"{name}: open"' for name in readers) + "]",
        "[hosts]",
        'W = "active"',
        *(f'{name} = "passive"' for name in readers),
        "[store]",
        f"extents = {extents}",
        "slots = 96",
        f"half_blocks = {creation_count * 12 + 16}",
        "[race]",
        f"W = {writer!r}",
        *(f"{name} = {reads!r}" for name in readers),
    ]
    return parse_scenario("\n".join(lines))


def walk_once(world: SteppedWorld, random: Random) -> int:
    """Run one random schedule to its end, each choice uniform among all that can happen; returns its steps."""
    chance = random.random
    step_count = 0
    while not world.is_over:
        choices = world.choices()
        world.take(choices[int(chance() * len(choices))])
        step_count += 1
    return step_count


def run_once(scenario: Scenario, seed: int, with_oracle: bool) -> tuple[int, float]:
    """Steps of one random schedule, and the seconds that they took; setting up is not timed."""
    oracle = Oracle(scenario) if with_oracle else None
    world = stage(scenario, live_hosts(scenario, Implementation()), oracle)
    random = Random(seed)
    start = perf_counter()
    step_count = walk_once(world, random)
    seconds = perf_counter() - start
    if oracle is not None and oracle.violation is not None:
        raise AssertionError(f"violated: {oracle.violation}")
    return step_count, seconds


def run_product(race: Race, seed: int) -> tuple[int, float]:
    """Steps of many short random schedules, and the seconds that they took, audits included."""
    start = perf_counter()
    found = RandomWalk(seed).run(race.product, Budget(execution_count=SCHEDULE_COUNT))
    seconds = perf_counter() - start
    if found.violation is not None:
        raise AssertionError(f"violated: {found.violation}")
    return found.step_count, seconds


def measure(round_count: int = ROUND_COUNT) -> list[dict[str, Any]]:
    """Rows of figures, medians over the rounds."""
    race = Race(parse_scenario(RACE))
    run_product(race, 0)
    remembered = [run_product(race, seed) for seed in range(round_count)]
    endless = endless_scenario()
    running = [run_once(endless, seed, with_oracle=True) for seed in range(round_count)]
    unwatched = [run_once(endless, seed, with_oracle=False) for seed in range(round_count)]
    return [
        _row("stepped, product of hosts, oracle on", remembered),
        _row("stepped, running hosts, oracle on", running),
        _row("stepped, running hosts, oracle off", unwatched),
    ]


def _row(name: str, runs: list[tuple[int, float]]) -> dict[str, Any]:
    rates = [steps / seconds for steps, seconds in runs]
    return {
        "name": name,
        "steps": runs[0][0],
        "steps_per_second": round(median(rates)),
        "steps_per_second_best": round(max(rates)),
    }
