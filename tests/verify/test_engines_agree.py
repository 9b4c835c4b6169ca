"""Every engine against a search too simple to be wrong, on programs drawn at random and on small scenarios.

A longer campaign: ``SHADOWSHARE_EXAMPLES=20000 pytest tests/verify/test_engines_agree.py``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import assume, example, given, settings

from shadowshare.models.computers import Implementation
from shadowshare.scenarios.staging import stage
from shadowshare.verify.cells.task_world import End
from shadowshare.verify.exploration.memoised import memoised_hosts
from shadowshare.verify.exploration.search import Budget
from shadowshare.verify.explorer import explore as explore_scenario
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.rules.oracle import Oracle
from shadowshare.verify.strategies.exhaustive import Exhaustive
from shadowshare.verify.strategies.partial_order import PartialOrder
from shadowshare.verify.strategies.pos import PartialOrderSampling
from shadowshare.verify.strategies.random_walk import RandomWalk
from shadowshare.verify.tasks import explore
from tests.verify.programs import small
from tests.verify.task_programs import (
    NAMES,
    Everything,
    Outcome,
    Program,
    Recorder,
    TooMany,
    programs,
    world_of,
)

EXAMPLE_COUNT = int(os.environ.get("SHADOWSHARE_EXAMPLES", "150"))
SCHEDULE_COUNT_MAXIMUM = 1_000


def everything(program: Program) -> Everything:
    try:
        return Everything(world_of(program, merges=False), SCHEDULE_COUNT_MAXIMUM)
    except TooMany:
        assume(False)
        raise


READS = ("read", 0, 1)
NESTED = ("locked", 1, (("locked", 0, (READS,)),))
COMPLAINS = (("both", (0, 2), (2, 0)), ("complain",))
COMPLAINING = Program((COMPLAINS, (("write", 2, (1,)),), COMPLAINS))
"""Whether a read is the end of its task, which is reported, depends on what it gets."""


@settings(max_examples=EXAMPLE_COUNT)
@given(program=programs)
@example(  # the last task takes the lock that the others wait for, where a schedule is broken off
    program=Program(
        (
            (("write", 0, (1,)), NESTED),
            (("locked", 0, (("locked", 0, (READS,)),)),),
            (("write", 0, (1,)), NESTED),
        )
    )
)
@example(  # sleeping crashes depend on none of the reads, and still do not come first
    program=Program(((("both", (0, 0), (1, 0)),), (("tell", 0), ("write", 0, (1, 1)))), crashes=1)
)
@example(program=Program(((("rest",),), (("locked", 0, (READS,)),)), write_errors=1))
@example(program=COMPLAINING)
def test_every_engine_finds_the_outcomes_that_there_are(program: Program) -> None:
    known = everything(program)
    for merges in (True, False):
        recorder = Recorder(program, merges)
        found = Exhaustive().run(recorder.product, Budget())
        assert recorder.outcomes == known.outcomes
        assert found.schedule_count == known.schedule_count
    for optimal in (False, True):
        recorder = Recorder(program, merges=True)
        found = PartialOrder(optimal).run(recorder.product, Budget())
        assert found.is_exhausted
        assert recorder.outcomes == known.outcomes
        assert found.trace_count == len(known.traces), "one schedule of each trace"
        assert found.execution_count == len(known.traces) + found.blocked_count
        assert not (optimal and found.blocked_count) or found.refused
    for sampler in (RandomWalk(), PartialOrderSampling()):
        recorder = Recorder(program, merges=True)
        sampler.run(recorder.product, Budget(execution_count=10))
        assert recorder.outcomes
        assert recorder.outcomes <= known.outcomes


def knows_who_is_who(program: Program) -> bool:
    """Whether the device knows which task holds its reservation; what a setup offers to tasks does not."""
    return "reserve" in str(program.tasks)


@settings(max_examples=EXAMPLE_COUNT)
@given(program=programs)
def test_tasks_that_are_taken_for_one_another_have_the_same_outcomes(program: Program) -> None:
    assume(not knows_who_is_who(program))
    known = everything(program)
    recorder = Recorder(program, merges=True, alike_merge=True)
    Exhaustive().run(recorder.product, Budget())
    groups = program.setup().alike() if recorder.product.has_alike else []

    def regardless_of_who(outcome: Outcome) -> Outcome:
        cells, results, seen = outcome
        assert isinstance(results, tuple)
        return cells, tuple(sorted(repr(results[number]) for number in group) for group in groups), seen

    def counted(outcomes: set[Outcome]) -> set[str]:
        return {repr(regardless_of_who(outcome)) for outcome in outcomes}

    assume(not any(outcome[2] != () for outcome in known.outcomes))
    assert counted(recorder.outcomes) == counted(known.outcomes)


ENGINES: dict[str, Callable[..., str]] = {
    "all reductions": lambda setup, check: explore(setup, check).verdict,
    "no reductions": lambda setup, check: (
        explore(setup, check, merges=False, readers_apart=False, alike_merge=False).verdict
    ),
    "source": lambda setup, check: explore(setup, check, strategy=PartialOrder()).verdict,
    "optimal": lambda setup, check: (
        explore(setup, check, strategy=PartialOrder(optimal=True), readers_apart=False).verdict
    ),
}


@settings(max_examples=EXAMPLE_COUNT)
@given(program=programs)
def test_a_check_that_one_outcome_fails_is_violated_exactly_if_there_is_that_outcome(
    program: Program,
) -> None:
    assume(not program.write_errors and not program.read_errors and not knows_who_is_who(program))
    known = everything(program)
    assume(not any(outcome[2] != () or "waits" in str(outcome[1]) for outcome in known.outcomes))
    ends = sorted({(outcome[0], outcome[1]) for outcome in known.outcomes}, key=repr)
    wanted, result = ends[len(ends) // 2]
    assert isinstance(wanted, tuple)
    assert isinstance(result, tuple)
    assert verdicts(program, partial(cells_are_not, wanted)) == {"violated"}
    assert verdicts(program, partial(cells_are_not, (9, *wanted[1:]))) == {"verified"}
    for name, value in zip(NAMES, result, strict=False):
        assert verdicts(program, partial(result_is_not, name, value)) == {"violated"}


def verdicts(program: Program, check: Callable[[End], bool]) -> set[str]:
    return {judge(program.setup(), check) for judge in ENGINES.values()}


def cells_are_not(wanted: tuple[object, ...], end: End) -> bool:
    return (*end["cells"], end["one lock"], end["the other lock"]) != wanted


def result_is_not(name: str, value: object, end: End) -> bool:
    return bool(end.result(name) != value)


# -- the protocol --------------------------------------------------------------------------------------------------

SCENARIOS = {
    "one write, one read": small('W = ["write 0"]\nR = ["read s 0"]'),
    "a creation": small('W = ["create t", "write 0"]\nR = ["read s 0"]'),
    "a deletion": small('W = ["delete s", "write 0"]\nR = ["read s 0"]'),
    "two writers": small('W = [["write 0"], ["write 1"]]\nR = ["catch-up"]'),
    "an error": small(
        'W = ["write 0"]\nR = ["catch-up"]',
        extra='[faults]\nwrite_errors = 1\nallowed_errors = ["WriteError"]',
    ),
    "a crash": small(
        'W = ["write 0"]\nR = ["catch-up"]',
        extra='catch_up_blocks = 8\n[hosts]\nW = "active"\nV = "recovers W"\nR = "passive"\n[faults]\ncrashes = 1',
    ),
}


REAL = Implementation()


@pytest.mark.parametrize("name", SCENARIOS)
def test_as_many_schedules_as_traces_of_a_scenario(name: str) -> None:
    scenario = SCENARIOS[name]
    known = Everything(stage(scenario, memoised_hosts(scenario, REAL), Oracle(scenario)), 20_000)
    for optimal in (False, True):
        found = explore_scenario(scenario, strategy=PartialOrder(optimal))
        assert found.verdict == "verified"
        assert found.trace_count == len(known.traces)


@pytest.mark.parametrize(
    "bug", ["no-recheck", "hit-without-catch-up", "volume-before-entry", "entry-before-data"]
)
@pytest.mark.parametrize("name", SCENARIOS)
def test_engines_agree_about_mutants(name: str, bug: str) -> None:
    broken = mutant(bug).implementation
    expected = explore_scenario(SCENARIOS[name], broken).verdict
    for optimal in (False, True):
        assert explore_scenario(SCENARIOS[name], broken, strategy=PartialOrder(optimal)).verdict == expected
