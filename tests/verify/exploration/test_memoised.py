"""Memoised hosts answer as running ones do; what is not deterministic is found."""

from __future__ import annotations

from collections.abc import Coroutine
from itertools import count
from typing import Any

import pytest

from shadowshare.models.computers import Implementation
from shadowshare.protocol.operations import Read
from shadowshare.scenarios.catalogue import built_in
from shadowshare.scenarios.staging import live_hosts, stage
from shadowshare.sim.host import Computer
from shadowshare.verify.counterexamples.counterexample import run_schedule
from shadowshare.verify.exploration.memoised import Automaton, HiddenNondeterminism, memoised_hosts
from shadowshare.verify.exploration.search import Budget
from shadowshare.verify.race import Race
from shadowshare.verify.rules.oracle import Oracle
from shadowshare.verify.strategies.random_walk import RandomWalk
from tests.verify.programs import random_schedules

SCENARIOS = [
    "two-writers-overlapping",
    "ghost-of-a-creation",
    "crash-in-multi-sector-write",
    "old-cached-view",
    "ten-passives",
]


@pytest.mark.parametrize("name", SCENARIOS)
def test_memoised_and_running_hosts_do_the_same(name: str) -> None:
    scenario = built_in(name)
    staged = stage(scenario, memoised_hosts(scenario, Implementation()), Oracle(scenario))
    for labels in random_schedules(scenario, 20):
        memoised = staged.fork()
        memoised.trace = []
        for label in labels:
            memoised.take_label(label)
        running = stage(scenario, live_hosts(scenario, Implementation()), Oracle(scenario))
        running.trace = []
        for label in labels:
            running.take_label(label)
        assert [(step.label, step.answer, step.reports) for step in running.trace] == [
            (step.label, step.answer, step.reports) for step in memoised.trace
        ]
        assert [disk.sectors for disk in running.disks] == [disk.sectors for disk in memoised.disks]


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_same_schedule_twice_gives_the_same_trace(name: str) -> None:
    scenario = built_in(name)
    labels = list(random_schedules(scenario, 4))[-1]
    first, again = (run_schedule(scenario, labels)[1] for _ in range(2))
    assert [step._replace(operation=None) for step in first] == [
        step._replace(operation=None) for step in again
    ]
    assert [step.operation and step.operation.identity() for step in first] == [
        step.operation and step.operation.identity() for step in again
    ]


def test_the_same_seed_walks_the_same_way() -> None:
    scenario = built_in("ten-passives")
    products = [Race(scenario).product for _ in range(2)]
    first, again = (RandomWalk(5).run(product, Budget(execution_count=20)) for product in products)
    assert first == again
    assert first.execution_count == 20
    walks = [[RandomWalk(seed).run_one(product, 0) for product in products] for seed in range(20)]
    assert all(one == other for one, other in walks)
    assert len({tuple(one[0]) for one, _ in walks}) == 20, "another seed is another schedule"


def test_code_that_depends_on_something_else_than_its_answers_is_found() -> None:
    sectors = count()

    def computer() -> Computer:
        async def task() -> None:
            await Read(0, next(sectors), 1)
            for _ in range(2):
                await Read(0, 0, 1)

        def start() -> Coroutine[Any, Any, None]:
            return task()

        return Computer([start], [], lambda: None)

    automaton = Automaton(computer)
    started, _ = automaton.step(0, 0, None)
    automaton.step(started, 0, b"one")
    with pytest.raises(HiddenNondeterminism, match="the same answers"):
        automaton.step(started, 0, b"another")


def test_the_code_runs_once_for_each_new_edge() -> None:
    scenario = built_in("reader-before-volume-read")
    hosts = memoised_hosts(scenario, Implementation())
    staged = stage(scenario, hosts, Oracle(scenario))
    schedules = list(random_schedules(scenario, 50))
    runs = []
    for _ in range(2):
        for labels in schedules:
            world = staged.fork()
            for label in labels:
                world.take_label(label)
        runs.append(sum(host._automaton.run_count for host in hosts))
    assert runs[0] == runs[1]
