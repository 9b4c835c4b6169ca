"""A scenario's race: what survived a power loss is decided as if at once, ends are judged, and hosts are left out."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import NamedTuple

import pytest

from shadowshare.models.computers import Implementation
from shadowshare.protocol.active import Active
from shadowshare.protocol.recovery import Recovery
from shadowshare.scenarios.catalogue import built_in
from shadowshare.scenarios.definition import Scenario
from shadowshare.scenarios.staging import stage
from shadowshare.sim.stepped.shared import SharedState
from shadowshare.sim.stepped.world import SteppedWorld
from shadowshare.verify.exploration.memoised import memoised_hosts
from shadowshare.verify.exploration.search import Budget, Search
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.race import Race, without_hosts
from shadowshare.verify.result import Violation
from shadowshare.verify.rules.oracle import Oracle
from tests.sim.test_survival import every_decision
from tests.verify.programs import oracle_of, small


class _NotFlushing(Active):
    async def flush(self) -> None:
        return


class _RecoveryOfOneThatDoesNotFlush(Recovery):
    active_class = _NotFlushing


NOT_FLUSHING = Implementation(recovery=_RecoveryOfOneThatDoesNotFlush)
HOSTS = '[hosts]\nW = "active"\nV = "recovers W"\nR = "passive"\n'
LOSS = HOSTS + "[faults]\ncrashes = 1\npower_losses = 1\n"
LOSSES = (
    '[hosts]\nW = "active"\nV = "recovers W"\nU = "recovers V"\n[faults]\ncrashes = 2\npower_losses = 2\n'
    "late_writes = false\n"
)
RACES: dict[str, tuple[Scenario, Implementation, set[str]]] = {
    "a write": (small('W = ["write 0", "flush"]\nR = ["read s 0"]', extra=LOSS), Implementation(), set()),
    "a creation": (small('W = ["create t"]\nR = ["catch-up"]', extra=LOSS), Implementation(), set()),
    "a recovery that is looked at": (
        small('W = ["write 0"]\nV = ["verify all", "write 1"]\nR = ["catch-up"]', extra=LOSS),
        Implementation(),
        set(),
    ),
    "a creation after the loss": (
        small('W = ["write 0"]\nV = ["create t"]\nR = ["catch-up"]', extra=LOSS),
        Implementation(),
        set(),
    ),
    "two losses": (
        small('W = ["write 0"]\nV = ["write 0"]', before='"W: create s"', extra=LOSSES),
        Implementation(),
        set(),
    ),
    "a flush that is not done": (
        small('W = ["write 0", "flush"]\nR = ["catch-up"]', extra=LOSS),
        NOT_FLUSHING,
        {"live"},
    ),
    "a copy that is not flushed": (
        small('W = ["write 0"]\nR = ["read s 0"]', extra=LOSS),
        mutant("entry-before-data").implementation,
        {"image"},
    ),
    "sectors that tear": (
        small('W = ["write 0"]\nR = ["read s 0"]', extra=LOSS + "[disk]\nsectors_tear = true\n"),
        Implementation(),
        {"error", "live"},
    ),
    "a silent loss": (
        small(
            'W = ["write 0", "write 0"]\nR = ["read s 0"]',
            extra=LOSS + "[disk]\npower_loss_is_silent = true\n",
        ),
        Implementation(),
        {"image"},
    ),
}


class Outcomes(NamedTuple):
    """What races came to.

    Attributes:
        violations: those that were seen before an end.
        ends: what the oracle knew and what was on the disks at the ends, and what an audit said of that.
    """

    violations: set[Violation]
    ends: set[Hashable]


def outcomes(scenario: Scenario, implementation: Implementation, is_eager: bool) -> Outcomes:
    """By copying worlds; what is undecided at an end is decided in all ways."""
    found = Outcomes(set(), set())
    met: set[Hashable] = set()
    waiting = [stage(scenario, memoised_hosts(scenario, implementation), Oracle(scenario))]
    while waiting:
        world = waiting.pop()
        violation = oracle_of(world).violation
        if violation is not None:
            found.violations.add(violation)
        elif world.key() not in met:
            met.add(world.key())
            if world.is_over:
                found.ends.update(audited(world))
            waiting += after_each_choice(world, is_eager)
    return found


def after_each_choice(world: SteppedWorld, is_eager: bool) -> Iterator[SteppedWorld]:
    for choice in world.choices():
        later = world.fork()
        later.take_label(choice.label)
        assert not (is_eager and later.shared.deciding), "there is nothing left to decide"
        yield from every_decision(later) if is_eager and choice.label == "power" else [later]


def audited(world: SteppedWorld) -> Iterator[Hashable]:
    """An end in every way that is left open; the audit of them all at once says whether one is wrong."""
    at_once = oracle_of(world).fork()
    at_once.audit(world.shared, world.is_stuck)
    violations = []
    for end in every_decision(world):
        known = oracle_of(end).key()
        oracle_of(end).audit(end.shared, end.is_stuck)
        violations.append(oracle_of(end).violation)
        yield known, tuple(tuple(disk.sectors) for disk in end.disks), violations[-1]
    assert (at_once.violation is None) == (set(violations) == {None})


@pytest.mark.parametrize("name", RACES)
def test_deciding_where_somebody_looks_is_deciding_at_once(name: str) -> None:
    scenario, implementation, rules = RACES[name]
    lazy = outcomes(scenario, implementation, is_eager=False)
    eager = outcomes(scenario, implementation, is_eager=True)
    assert lazy == eager
    at_ends = {end[2] for end in lazy.ends if end[2] is not None}  # type: ignore[index]
    assert {violation.rule for violation in lazy.violations | at_ends} == rules


@pytest.mark.parametrize("name", RACES)
def test_the_search_finds_a_violation_exactly_if_there_is_one(name: str) -> None:
    scenario, implementation, rules = RACES[name]
    search = Search(Race(scenario, implementation).product)
    search.run(Budget())
    assert search.is_exhausted == (not rules)
    assert search.violation.rule in rules if rules else search.violation is None


# -- ends --------------------------------------------------------------------------------------------------------


def test_what_is_left_is_judged_once_for_each_state_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    audits = []
    audit = Oracle.audit
    monkeypatch.setattr(
        Oracle,
        "audit",
        lambda oracle, *left: (audits.append(left), audit(oracle, *left)),  # type: ignore[func-returns-value]
    )
    race = Race(
        small('W = ["write 0"]\nR = ["read s 0"]\nS = ["read s 1", "read s 0"]', extra=THREE, before=BEFORE)
    )
    search = Search(race.product)
    search.run(Budget())
    ends = [state for state in search.states if race.product.is_end(state)]
    assert 0 < len(audits) < len(ends)
    for state in ends:
        race.product.judge_end(state)
    assert len(audits) == len({race.product.shared(state).key() for state in ends})


THREE = '[hosts]\nW = "active"\nR = "passive"\nS = "passive"\n'
BEFORE = '"W: create s", "R: open", "S: open"'


def test_an_audit_does_not_change_what_it_judges() -> None:
    race = Race(RACES["a flush that is not done"][0], NOT_FLUSHING)
    search = Search(race.product)
    search.run(Budget())
    assert race.product.judge_end(search.states[search.position]) == search.violation
    for state in search.states:
        if race.product.is_end(state):
            shared = race.product.shared(state)
            before = shared.key()
            judged = race.product.judge_end(state)
            assert race.product.judge_end(state) == judged
            assert shared.key() == before
            assert oracle_of_shared(shared).violation is None


def oracle_of_shared(shared: SharedState) -> Oracle:
    assert isinstance(shared.watcher, Oracle)
    return shared.watcher


# -- what was reached --------------------------------------------------------------------------------------------


def test_a_read_that_no_schedule_reached_is_named() -> None:
    race = Race(small('W = ["write 0"]\nR = ["read s 0", "read s 1"]'))
    assert race.unreached() == ("R: read s 0", "R: read s 1")
    Search(race.product).run(Budget())
    assert race.unreached() == ()


def test_code_runs_less_than_steps_are_taken() -> None:
    race = Race(built_in("reader-before-volume-read"))
    assert race.host_run_count > 0, "for what is before the race"
    search = Search(race.product)
    search.run(Budget())
    runs = race.host_run_count
    assert runs < search.step_count
    again = Search(race.product)
    again.run(Budget())
    assert (race.host_run_count, again.states) == (runs, search.states)


# -- leaving hosts out -------------------------------------------------------------------------------------------


def test_without_hosts() -> None:
    scenario = small('W = ["write 0"]\nR = ["read s 0"]\nS = ["read s 1"]', extra=THREE, before=BEFORE)
    less = without_hosts(scenario, {"R"})
    assert [plan.name for plan in less.hosts] == ["W", "S"]
    assert less.before == tuple(name for name in scenario.before if name != "R")
    assert (less.name, less.geometry, less.faults) == (scenario.name, scenario.geometry, scenario.faults)
    assert without_hosts(scenario, set()) == scenario
    race = Race(less)
    Search(race.product).run(Budget())
    assert race.unreached() == ()
