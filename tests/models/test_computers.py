"""What the scripted computers ask of the protocol, and what they tell of it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import pytest

from shadowshare.models.computers import (
    ACTIVATE,
    ActiveComputer,
    Implementation,
    PassiveComputer,
    ScriptedComputer,
    Setting,
)
from shadowshare.models.observations import (
    Activated,
    ChangeBegan,
    ChangeEnded,
    CreationBegan,
    CreationEnded,
    DeletionBegan,
    DeletionEnded,
    FlushBegan,
    FlushEnded,
    LiveRead,
    Piece,
    ReadBegan,
    ReadEnded,
    StepFailed,
)
from shadowshare.models.patterns import origin_of
from shadowshare.models.steps import ScriptStep, parse_step
from shadowshare.protocol.errors import AreaFull, ReadError, ShadowCopyNotFound
from shadowshare.protocol.formatting import format_store
from shadowshare.protocol.geometry import Location
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.protocol.operations import Event, Operation, Read
from shadowshare.sim.disks.memory_disk import Answer, MemoryDisk
from shadowshare.sim.host import Host, Outcome
from shadowshare.sim.inline import perform_inline
from tests.models.geometries import SECTOR_BYTES, geometry

GEOMETRY = geometry(volume_sector_count=4, extent_sectors=2, slot_count=1)
S, T = ShadowCopyId(1, 1), ShadowCopyId(1, 2)
SETTING = Setting(GEOMETRY, Location(0, GEOMETRY.superblock_sectors), {"s": S, "t": T}, 2)


def formatted() -> MemoryDisk:
    disk = MemoryDisk.blank(SECTOR_BYTES, GEOMETRY.area_sector + GEOMETRY.area_sector_count)
    perform_inline(format_store(GEOMETRY), [disk])
    return disk


def script(role: str, *texts: str) -> list[ScriptStep]:
    return [parse_step(text, role, GEOMETRY) for text in texts]


def active(*scripts: Sequence[str]) -> ActiveComputer:
    """Task 0 becomes the active; then the scripts are tasks of their own."""
    parsed = [script("active", *texts) for texts in scripts]
    return ActiveComputer("W", SETTING, [[ACTIVATE], *parsed], Implementation())


def passive(*scripts: Sequence[str]) -> PassiveComputer:
    parsed = [script("passive", *texts) for texts in scripts]
    return PassiveComputer("R", SETTING, parsed, Implementation())


def run(host: Host, disk: MemoryDisk, *tasks: int) -> list[Any]:
    """Run tasks one after the other, each to its end; everything that was reported."""
    reports: list[Any] = []
    for task in tasks:
        requests, reported = host.deliver(task, None)
        waiting = [*requests]
        reports += reported
        while waiting:
            asking, request = waiting.pop(0)
            answers = tuple(
                disk.perform(operation, 0, disk.write_count)
                for operation in (request if isinstance(request, tuple) else (request,))
            )
            requests, reported = host.deliver(asking, answers if isinstance(request, tuple) else answers[0])  # type: ignore[arg-type]
            waiting += requests
            reports += reported
    return reports


def origins(sectors: Sequence[Piece | tuple[int, bytes]]) -> list[str]:
    return [f"{sector}: {origin_of(content)}" for sector, content, *_ in sectors]


def test_an_active_tells_what_it_asks_for_and_gets_in_order() -> None:
    steps = ["write 0:1-1:0", "zero 1:1", "flush", "verify all", "create s", "delete s", "discard 0"]
    reports = run(Host(active(steps).computer()), formatted(), 0, 1)
    assert [type(report) for report in reports] == [
        *(Activated, ChangeBegan, ChangeEnded, ChangeBegan, ChangeEnded, FlushBegan, FlushEnded, LiveRead),
        *(CreationBegan, CreationEnded, DeletionBegan, DeletionEnded, ChangeBegan, ChangeEnded),
    ]
    assert [report.key for report in reports if hasattr(report, "key")] == [
        *("W1.1", "W1.1", "W1.2", "W1.2", "W1.3", "W1.3", "W1.5", "W1.5", "W1.6", "W1.6", "W1.7", "W1.7")
    ]
    written = ["1: W 'write 0:1-1:0' (W1.1) of sector 1", "2: W 'write 0:1-1:0' (W1.1) of sector 2"]
    assert origins(reports[1].sectors) == written
    assert origins(reports[3].sectors) == ["3: zeroes"]
    assert origins(reports[7].sectors) == ["0: zeroes", *written, "3: zeroes"]
    assert {report.shadow_copy for report in reports if hasattr(report, "shadow_copy")} == {S}


def test_what_it_says_it_writes_is_what_is_on_the_disk() -> None:
    disk = formatted()
    reports = run(Host(active(["write 0", "write 0:1", "zero 1:0", "discard 1:1"]).computer()), disk, 0, 1)
    expected = dict(
        sector for report in reports if isinstance(report, ChangeBegan) for sector in report.sectors
    )
    assert dict(enumerate(disk.sectors[:4])) == expected


def test_a_passive_tells_what_it_asks_for_and_gets() -> None:
    disk = formatted()
    run(Host(active(["write all", "create s", "write 0"]).computer()), disk, 0, 1)
    reports = run(Host(passive(["open", "catch-up", "read s 1:1 0 1", "read s 0:0"]).computer()), disk, 0)
    assert [type(report) for report in reports] == [ReadBegan, ReadEnded, ReadBegan, ReadEnded]
    assert [(report.key, report.shadow_copy) for report in reports] == [
        *[("R0.3", S), ("R0.3", S), ("R0.4", S), ("R0.4", S)]
    ]
    assert origins(reports[1].sectors) == [
        f"{sector}: W 'write all' (W1.1) of sector {sector}" for sector in (3, 0, 1, 2, 3)
    ]
    assert origins(reports[3].sectors) == ["0: W 'write all' (W1.1) of sector 0"]


def test_a_step_that_fails_is_told_of_and_the_next_one_is_done() -> None:
    disk = formatted()
    host = Host(active(["create s", "write 0", "write 1", "verify 1:0", "delete t"]).computer())
    reports = run(host, disk, 0, 1)
    failures = [report for report in reports if isinstance(report, StepFailed)]
    assert [type(failure.error) for failure in failures] == [AreaFull, ShadowCopyNotFound]
    assert [(failure.key, failure.shadow_copy) for failure in failures] == [("W1.3", None), ("W1.5", T)]
    assert failures[0].step == parse_step("write 1", "active", GEOMETRY)
    assert [type(report) for report in reports[-4:]] == [StepFailed, LiveRead, DeletionBegan, StepFailed]
    assert host.unfinished_count == 0


def test_a_passive_goes_on_after_a_shadow_copy_that_is_not_there() -> None:
    disk = formatted()
    run(Host(active(["create s"]).computer()), disk, 0, 1)
    reports = run(Host(passive(["open", "read t 0", "read s 0"]).computer()), disk, 0)
    assert [type(report) for report in reports] == [ReadBegan, StepFailed, ReadBegan, ReadEnded]
    assert (reports[1].key, reports[1].shadow_copy) == ("R0.2", T)


def run_without_reads(host: Host, task: int) -> list[Any]:
    """Run a task on a disk that cannot be read; everything that was reported."""
    requests, reports = host.deliver(task, None)
    told = list(reports)
    while requests:
        ((_, request),) = requests
        requests, reports = host.deliver(task, ReadError("gone") if isinstance(request, Read) else None)
        told += reports
    return told


def test_a_computer_that_could_not_open_or_become_active_does_nothing_more() -> None:
    """The superblock cannot be read: that is told once, and the steps after it ask for nothing."""
    host = Host(passive(["open", "catch-up", "read s 0"]).computer())
    reports = run_without_reads(host, 0)
    assert [(type(report), report.key, type(report.error)) for report in reports] == [
        (StepFailed, "R0.1", ReadError)
    ]
    assert host.unfinished_count == 0
    host = Host(active(["write 0", "create s"]).computer())
    reports = run_without_reads(host, 0)
    assert [(type(report), report.key) for report in reports] == [(StepFailed, "W0.1")]
    assert host.deliver(1, None) == ((), ())
    assert host.unfinished_count == 0


class Sleeper(ScriptedComputer):
    """Its steps read a sector; ``verify`` lets the reader of ``flush`` go on, and ``zero`` goes wrong."""

    def __init__(self, *scripts: Sequence[str]) -> None:
        super().__init__("S", SETTING, [script("active", *texts) for texts in scripts])
        self.event = Event()
        self.done: tuple[str, ...] = ()

    async def carry_out(self, step: ScriptStep, key: str) -> None:
        if step.verb == "zero":
            raise ZeroDivisionError(key)
        if step.verb == "flush":
            await self.event
        await Read(0, 0, 1)
        if step.verb == "verify":
            self.event.set()
        self.done = (*self.done, key)

    def digest(self) -> Hashable:
        return self.done


def step_of(host: Host, task: int, answer: Answer) -> tuple[Outcome, Hashable | None]:
    return host.deliver(task, answer), host.computer.boundary()


def asked(outcome: Outcome) -> list[tuple[int, tuple[object, ...]]]:
    return [(task, request.identity()) for task, request in outcome[0] if isinstance(request, Operation)]


def test_a_boundary_is_there_at_rest_only_and_once() -> None:
    sleeper = Sleeper(["write 0", "write 0"], ["write 0"])
    sleeper.notes_rest = True
    host = Host(sleeper.computer())
    assert step_of(host, 0, None)[1] is None, "within a step"
    assert step_of(host, 0, b"")[1] == ((1, 0), ("S0.1",)), "between two steps of one task"
    assert step_of(host, 1, None)[1] is None
    assert step_of(host, 0, b"")[1] is None, "one task is at its end, the other one within a step"
    outcome, boundary = step_of(host, 1, b"")
    assert (outcome, boundary) == (((), ()), ((2, 1), ("S0.1", "S0.2", "S1.1")))
    assert host.computer.boundary() is None, "it was told already"


def test_a_boundary_waits_for_a_task_that_waits_for_another() -> None:
    sleeper = Sleeper(["flush"], ["verify 0", "write 0"])
    sleeper.notes_rest = True
    host = Host(sleeper.computer())
    assert step_of(host, 0, None) == (((), ()), None)
    step_of(host, 1, None)
    outcome, boundary = step_of(host, 1, b"")
    assert [task for task, _ in asked(outcome)] == [1, 0], "both go on"
    assert boundary is None
    assert step_of(host, 0, b"")[1] is None
    assert step_of(host, 1, b"")[1] == ((1, 2), ("S1.1", "S0.1", "S1.2"))


def test_no_boundary_unless_asked_for() -> None:
    host = Host(Sleeper(["write 0"]).computer())
    step_of(host, 0, None)
    assert step_of(host, 0, b"") == (((), ()), None)


def test_an_error_that_is_none_of_ours_ends_the_task_and_is_told_as_it_is() -> None:
    host = Host(Sleeper(["zero 0", "write 0"], ["write 0"]).computer())
    (requests, reports), _ = step_of(host, 0, None)
    assert requests == ()
    assert [(type(report), str(report)) for report in reports] == [(ZeroDivisionError, "S0.1")]
    step_of(host, 1, None)
    assert step_of(host, 1, b"")[0] == ((), ())
    assert host.unfinished_count == 0


@pytest.mark.parametrize("make", [lambda: active(["create s", "write 0", "write 1:0"])])
def test_the_same_answers_lead_to_the_same_requests(make: Any) -> None:
    def trace() -> list[object]:
        host, disk = Host(make().computer()), formatted()
        seen: list[object] = []
        for task in (0, 1):
            outcome = host.deliver(task, None)
            while outcome[0]:
                seen.append((asked(outcome), outcome[1]))
                ((asking, request),) = outcome[0]
                assert isinstance(request, Operation)
                outcome = host.deliver(asking, disk.perform(request, 0, disk.write_count))
            seen.append((asked(outcome), outcome[1]))
        return seen

    assert trace() == trace()
