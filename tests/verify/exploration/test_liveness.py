"""Liveness: who is left alone finishes soon, what can go on for ever is found, and what is stated is looked at."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator, Sequence
from itertools import product as every
from typing import Any

import pytest

from shadowshare.models.computers import Implementation
from shadowshare.protocol.active import Active
from shadowshare.protocol.formatting import format_store
from shadowshare.protocol.geometry import Location, plan_geometry
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.protocol.operations import Buffer, Read
from shadowshare.protocol.passive import ByteRange, Passive
from shadowshare.protocol.recovery import activate
from shadowshare.scenarios.catalogue import built_in
from shadowshare.scenarios.definition import edit
from shadowshare.sim.disks.memory_disk import MemoryDisk
from shadowshare.sim.inline import perform_inline
from shadowshare.verify.cells.setup import Cell, Setup, rest
from shadowshare.verify.counterexamples.counterexample import explain, explain_tasks, replay
from shadowshare.verify.exploration.search import Budget
from shadowshare.verify.explorer import explore
from shadowshare.verify.rules.promptness import patiences_of, step_count_maximum
from shadowshare.verify.runner import Plan, run_scenario
from shadowshare.verify.tasks import explore as explore_tasks

SMALL = ["reader-before-volume-read", "old-cached-view", "partial-extent-write", "opening-with-read-errors"]


# -- left alone --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SMALL)
def test_the_protocol_is_within_what_is_stated(name: str) -> None:
    scenario = built_in(name)
    found = explore(scenario)
    assert found.schedule_count is not None
    assert 0 < found.steps_alone <= max(step_count_maximum(scenario, plan) for plan in scenario.hosts)


class _NeverContent(Passive):
    """Reads once more, whatever it found: states without end, none of which comes back."""

    async def read_many(self, shadow_copy: ShadowCopyId, ranges: Sequence[ByteRange]) -> list[Buffer]:
        while True:
            await Read(0, 0, 1)


def test_a_read_without_end_is_found_although_its_states_are_too_many() -> None:
    scenario, code = built_in("reader-before-volume-read"), Implementation(passive=_NeverContent)
    result = run_scenario(scenario, Plan(code))
    assert result.verdict == "violated"
    assert result.violation is not None
    assert result.violation.rule == "liveness"
    told = explain(scenario, explore(scenario, code), code)
    assert told.replay.violation == result.violation
    labels = told.shrunk.labels
    assert replay(scenario, labels[:-1], code).violation is None, "one step less may still be soon enough"


def test_a_step_more_than_stated_is_too_many() -> None:
    """The bound is the only thing that stands between this reader and a wait without end."""
    scenario = built_in("reader-before-volume-read")
    (bound,) = [step_count_maximum(scenario, plan) for plan in scenario.hosts if plan.role == "passive"]

    def slow(read_count: int) -> Implementation:
        class Slow(Passive):
            async def read_many(self, shadow_copy: ShadowCopyId, ranges: Sequence[ByteRange]) -> list[Buffer]:
                for _ in range(read_count):
                    await Read(0, 0, 1)
                return await super().read_many(shadow_copy, ranges)

        return Implementation(passive=Slow)

    needed = 2  # a quiet read of one extent
    assert explore(scenario, slow(bound - 5)).violation is None
    result = run_scenario(scenario, Plan(slow(bound - needed + 1)))
    assert (result.verdict, result.violation and result.violation.rule) == ("violated", "liveness"), (
        result.reason
    )


def operations_of(reading: Coroutine[Any, Any, Any], disks: Sequence[MemoryDisk]) -> Iterator[Sequence[Any]]:
    """What a request awaits, each time."""
    answer: Any = None
    while True:
        try:
            wanted = reading.send(answer)
        except StopIteration:
            return
        operations = wanted if isinstance(wanted, tuple) else (wanted,)
        yield operations
        answers = tuple(
            [disks[one.device].perform(one, 0, disks[one.device].write_count) for one in operations]
        )
        answer = answers if isinstance(wanted, tuple) else answers[0]


@pytest.mark.parametrize(("extents", "copied"), [*every(range(1, 5), (False, True))])
def test_a_quiet_read_takes_exactly_the_minimum(extents: int, copied: bool) -> None:
    """One read for each run of neighbours, and one of the journal."""
    geometry = plan_geometry(b"0123456789abcdef", 512, 1, 8, 0, 8, 64, 8)
    location = Location(geometry.area_device, geometry.superblock_sectors)
    disks = [MemoryDisk.blank(512, 72)]
    perform_inline(format_store(geometry), disks)
    active: Active = perform_inline(activate(location), disks)
    shadow_copy = perform_inline(active.create(), disks)
    if copied:
        perform_inline(active.write(0, bytes([1]) * 512), disks)
    passive = perform_inline(Passive.open(location), disks)
    reading = passive.read_many(shadow_copy, [ByteRange(0, 512 * extents)])
    count = sum(len(operations) for operations in operations_of(reading, disks))
    run_count = 2 if copied and extents > 1 else 1
    assert count == run_count + 1


def test_a_search_that_stops_finds_out_little_more_because_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes of hosts left alone lies beyond the states that a budget allows."""
    scenario, budget = built_in("life-and-crash"), Budget(state_count=2000)
    with_it = explore(scenario, budget=budget, passives_apart=False).host_run_count
    monkeypatch.setattr("shadowshare.verify.exploration.search.LEARNT_ALONE_COUNT", 10**9)
    unbounded = explore(scenario, budget=budget, passives_apart=False).host_run_count
    monkeypatch.setattr("shadowshare.verify.race.patiences_of", lambda scenario: ())
    without = explore(scenario, budget=budget, passives_apart=False).host_run_count
    assert without <= with_it < unbounded


def test_of_a_disk_that_breaks_its_contract_nothing_is_asked() -> None:
    assert patiences_of(built_in("assumed-fence-holds")) == ()
    assert patiences_of(built_in("reader-before-volume-read"))


# -- for ever ----------------------------------------------------------------------------------------------------


async def polite(mine: Cell, other: Cell, done: Cell) -> None:
    """Take back one's own if the other one is there too."""
    while True:
        await mine.write(True)
        if not await other.read():
            await done.write(True)
            return
        await mine.write(False)
        await rest("again")


def two_polite() -> Setup:
    setup = Setup()
    first, second, done = setup.cell("first", False), setup.cell("second", False), setup.cell("done", False)
    setup.task("A", polite, first, second, done)
    setup.task("B", polite, second, first, done)
    return setup


def waiting() -> Setup:
    setup = Setup()
    flag = setup.cell("flag")

    async def raise_flag() -> None:
        await flag.write(1)

    async def wait() -> None:
        while not await flag.read():
            await rest("waits")

    setup.task("W", raise_flag)
    setup.task("R", wait)
    return setup


def test_a_round_that_a_fair_schedule_can_go_for_ever_is_found_and_shown_again() -> None:
    setup = two_polite()
    found = explore_tasks(setup)
    assert found.violation is not None
    assert found.violation.rule == "liveness"
    told = explain_tasks(setup, found)
    assert told.replay.violation == found.violation


def test_a_round_that_leaves_somebody_waiting_is_none() -> None:
    found = explore_tasks(waiting())
    assert found.verdict == "verified"
    assert found.schedule_count is None, "there is one"


def test_tasks_that_do_the_same_may_go_round_too() -> None:
    setup = Setup()
    cell = setup.cell("n", 0)

    async def flip() -> None:
        while True:
            await cell.write(1 - await cell.read())
            await rest("again")

    for name in "AB":
        setup.task(name, flip)
    found = explore_tasks(setup)
    assert found.violation is not None
    assert explain_tasks(setup, found).replay.violation == found.violation


# -- stated ------------------------------------------------------------------------------------------------------


def counting() -> Setup:
    setup = Setup()
    cell = setup.cell("n", 0)

    async def increment() -> None:
        await cell.write(await cell.read() + 1)

    for name in "AB":
        setup.task(name, increment)
    return setup


@pytest.mark.parametrize(
    ("kind", "least", "rule"),
    [
        ("always", 0, None),
        ("always", 1, "always"),
        ("eventually", 1, None),
        ("eventually", 2, "eventually"),
        ("sometimes", 2, None),
    ],
)
def test_what_is_stated_of_cells(kind: str, least: int, rule: str | None) -> None:
    setup = counting()
    getattr(setup, kind)("enough", lambda cells: cells["n"] >= least)
    found = explore_tasks(setup)
    assert (found.violation and found.violation.rule) == rule
    assert found.verdict == ("violated" if rule else "verified")
    if rule:
        assert explain_tasks(setup, found).replay.violation == found.violation


def test_what_is_never_met_is_not_green() -> None:
    setup = counting()
    setup.sometimes("three", lambda cells: cells["n"] == 3)
    found = explore_tasks(setup)
    assert (found.verdict, found.unreached) == ("unknown", ("three",))


def test_fairness_counts_for_what_must_come() -> None:
    setup = waiting()
    setup.eventually("it is up", lambda cells: cells["flag"] == 1)
    assert explore_tasks(setup).verdict == "verified"


def test_a_power_loss_may_undo_what_held() -> None:
    setup = Setup(crashes=1, power_losses=1)
    cell = setup.cell("n", 0)

    async def write() -> None:
        await cell.write(1)
        await cell.write(2)

    setup.task("A", write)
    setup.sometimes("two", lambda cells: cells["n"] == 2)
    setup.eventually("two", lambda cells: cells["n"] == 2)
    found = explore_tasks(setup)
    assert found.violation is not None
    assert found.violation.rule == "eventually"


def test_rare_paths_that_a_scenario_names_must_be_taken() -> None:
    scenario = built_in("reader-before-volume-read")
    assert explore(edit(scenario, sometimes=("COPIED_DURING_READ",))).verdict == "verified"
    found = explore(edit(scenario, sometimes=("AREA_FULL",)))
    assert (found.verdict, found.unreached) == ("unknown", ("AREA_FULL",))


class _Foreign:
    """A reader that is not made from the protocol's."""

    @classmethod
    async def open(cls, location: Location, window_block_count: int) -> Passive:
        return await Passive.open(location, window_block_count)


def test_of_code_that_is_not_the_protocols_its_rare_paths_are_not_asked() -> None:
    foreign = Implementation(passive=_Foreign)  # type: ignore[arg-type]
    scenario = edit(built_in("reader-before-volume-read"), sometimes=("DELETED_DURING_READ",))
    assert explore(scenario).verdict == "unknown"
    assert explore(scenario, foreign).verdict == "verified"
