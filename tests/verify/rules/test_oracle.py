"""Each rule of the oracle goes red for code that breaks it, and for no other reason."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import pytest

from shadowshare.models.computers import Implementation
from shadowshare.protocol.active import Active
from shadowshare.protocol.errors import AreaFull, JournalDamaged, JournalFull, ReadError, ShadowCopyNotFound
from shadowshare.protocol.layout import Deleted, Invalidated, ShadowCopyId
from shadowshare.protocol.operations import Buffer, Change, Event, Flush, Write
from shadowshare.protocol.passive import ByteRange, Passive, ShadowCopyInfo
from shadowshare.protocol.policy import Policy
from shadowshare.scenarios.definition import Scenario
from shadowshare.scenarios.staging import live_hosts, stage
from shadowshare.verify.explorer import explore
from shadowshare.verify.rules.oracle import Oracle
from tests.verify.programs import small, with_active


class _Blind(Passive):
    async def read_many(self, shadow_copy: ShadowCopyId, ranges: Sequence[ByteRange]) -> list[Buffer]:
        raise ShadowCopyNotFound("nothing here")


class _Flushing(Passive):
    async def read_many(self, shadow_copy: ShadowCopyId, ranges: Sequence[ByteRange]) -> list[Buffer]:
        await Flush(0)
        return await super().read_many(shadow_copy, ranges)


class _Scribbling(Passive):
    async def read_many(self, shadow_copy: ShadowCopyId, ranges: Sequence[ByteRange]) -> list[Buffer]:
        data = await super().read_many(shadow_copy, ranges)
        await Write(0, 0, 1, bytes(data[0]))
        return data


class _Failing(Passive):
    async def read_many(self, shadow_copy: ShadowCopyId, ranges: Sequence[ByteRange]) -> list[Buffer]:
        raise JournalDamaged("it is not")


class _Refusing(Passive):
    async def read_many(self, shadow_copy: ShadowCopyId, ranges: Sequence[ByteRange]) -> list[Buffer]:
        raise JournalFull("there is no room")


class _Crashing(Passive):
    async def read_many(self, shadow_copy: ShadowCopyId, ranges: Sequence[ByteRange]) -> list[Buffer]:
        raise ZeroDivisionError


class _Waiting(Passive):
    async def read_many(self, shadow_copy: ShadowCopyId, ranges: Sequence[ByteRange]) -> list[Buffer]:
        await Event()
        return []


class _Swapping(Passive):
    async def read_many(self, shadow_copy: ShadowCopyId, ranges: Sequence[ByteRange]) -> list[Buffer]:
        return (await super().read_many(shadow_copy, ranges))[::-1]


class _Forgetful(Active):
    async def _change(self, operation: Change) -> None:
        self._refuse_if_stopped()


class _Misplacing(Active):
    async def _change(self, operation: Change) -> None:
        operation.sector ^= 1
        await super()._change(operation)


class _Sprawling(Active):
    """Writes one sector too many: the superblock lies behind the volume."""

    async def _change_volume(self, operation: Change) -> None:
        data = bytes(operation.sector_count * self.geometry.sector_bytes) + bytes(512)
        await Write(0, operation.sector, operation.sector_count + 1, data)


class _NotFlushing(Active):
    async def flush(self) -> None:
        return


class _NotDeleting(Active):
    async def delete(self, shadow_copy: ShadowCopyId) -> None:
        return


class _Meek(Active):
    def _missing(self, extents: range) -> list[int]:
        raise AreaFull("there is no room")


class _Agreeing(Active):
    async def delete(self, shadow_copy: ShadowCopyId) -> None:
        with suppress(ShadowCopyNotFound):
            await super().delete(shadow_copy)


class _GoingOn(Active):
    def _refuse_if_stopped(self) -> None:
        self._stopped = None


class _Timeless(Active):
    async def create(self, created_ns: int = 0) -> ShadowCopyId:
        return await super().create(0)


class _Generous(Active):
    """Lets shadow copies give way before it looks for a slot."""

    async def _copy(self, extents: list[int]) -> None:
        async with self._committing:
            policy = self.view.settings.policy
            await self._append(
                [Invalidated() if policy is Policy.INVALIDATE else Deleted(ShadowCopyId(1, 1))]
            )


class _Unreadable(Passive):
    async def shadow_copies(self) -> list[ShadowCopyInfo]:
        raise KeyError("sector 7")


class _NotCreating(Active):
    async def create(self, created_ns: int = 0) -> ShadowCopyId:
        return ShadowCopyId(1, 2) if self.view.shadow_copies else await super().create(created_ns)


class _Repeating(Active):
    async def create(self, created_ns: int = 0) -> ShadowCopyId:
        await super().create(created_ns)
        return ShadowCopyId(1, 1)


READ = small('W = ["write 0"]\nR = ["read s 0 1"]')
WRITE = small('W = ["write 0", "verify all"]\nR = ["catch-up"]')
LAST = small('W = ["write 1"]\nR = ["catch-up"]')
DELETE = small('W = ["delete s"]\nR = ["catch-up"]')
CREATE = small('W = ["create t"]\nR = ["catch-up"]')
TWICE = small('W = [["delete s"], ["delete s"]]\nR = ["catch-up"]')
FLUSH_ERROR = small(
    'W = ["flush", "write 0"]\nR = ["catch-up"]',
    extra='[faults]\nflush_errors = 1\nallowed_errors = ["FlushError", "ActiveStopped"]',
)
FULL = small(
    'W = ["write 0"]\nR = ["read s 0"]', extra='[store]\nslots = 1\n[faults]\nallowed_errors = ["AreaFull"]'
)
INVALIDATE = small('W = ["write 0"]\nR = ["catch-up"]', extra='[store]\npolicy = "invalidate"')
DELETE_OLDEST = small('W = ["write 0"]\nR = ["catch-up"]', extra='[store]\npolicy = "delete-oldest"')
POWER = small(
    'W = ["write 0", "flush"]\nR = ["catch-up"]',
    extra='[hosts]\nW = "active"\nV = "recovers W"\nR = "passive"\n[faults]\ncrashes = 1\npower_losses = 1',
)


@pytest.mark.parametrize(
    ("implementation", "scenario", "rule", "words"),
    [
        (Implementation(passive=_Swapping), READ, "image", "extent 0"),
        (Implementation(passive=_Blind), READ, "existence", "nothing here"),
        (Implementation(passive=_Flushing), READ, "read-only", "flush"),
        (Implementation(passive=_Scribbling), READ, "read-only", "write"),
        (Implementation(passive=_Failing), READ, "error", "JournalDamaged"),
        (Implementation(passive=_Crashing), READ, "error", "ZeroDivisionError"),
        (Implementation(passive=_Waiting), READ, "progress", "waits for ever"),
        (with_active(_Forgetful), WRITE, "live", "must hold W 'write 0'"),
        (with_active(_Misplacing), WRITE, "live", "extent"),
        (with_active(_Sprawling), LAST, "place", "not within one part"),
        (with_active(_NotFlushing), POWER, "live", "must hold W 'write 0'"),
        (with_active(_NotDeleting), DELETE, "existence", "was deleted and is back"),
        (with_active(_NotCreating), CREATE, "existence", "was acknowledged and is gone"),
        (with_active(_Repeating), CREATE, "identity", "got the id 1.1"),
        (with_active(_Meek), FULL, "error", "there is room for all"),
        (with_active(_Agreeing), TWICE, "existence", "is not there"),
        (with_active(_GoingOn), FLUSH_ERROR, "stopped", "after a failed flush"),
        (with_active(_Timeless), CREATE, "image", "another time of creation"),
        (with_active(_Generous), INVALIDATE, "existence", "there was room"),
        (with_active(_Generous), DELETE_OLDEST, "existence", "there was room"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_rule_goes_red(
    implementation: Implementation, scenario: Scenario, rule: str, words: str
) -> None:
    violation = explore(scenario, implementation).violation
    assert violation is not None
    assert violation.rule == rule
    assert words in violation.message


@pytest.mark.parametrize(
    "scenario",
    [READ, WRITE, LAST, DELETE, CREATE, POWER, TWICE, FLUSH_ERROR, FULL, INVALIDATE, DELETE_OLDEST],
)
def test_the_real_code_breaks_none(scenario: Scenario) -> None:
    assert explore(scenario).verdict == "verified"


def test_whatever_ends_the_reading_at_the_end_is_a_violation() -> None:
    world = stage(WRITE, live_hosts(WRITE, Implementation()), None)
    oracle = Oracle(WRITE, _Unreadable)
    oracle.audit(world.shared)
    assert oracle.violation is not None
    assert (oracle.violation.rule, "KeyError: 'sector 7'" in oracle.violation.message) == ("error", True)


def test_an_allowed_error_is_no_violation_but_a_read_that_never_gets_data_proves_nothing() -> None:
    allowed = small('W = ["write 0"]\nR = ["read s 0 1"]', extra='[faults]\nallowed_errors = ["JournalFull"]')
    exploration = explore(allowed, Implementation(passive=_Refusing))
    assert exploration.violation is None
    assert exploration.is_exhausted
    assert exploration.unreached == ("R: read s 0 1 gets data",)
    assert exploration.verdict == "unknown"
    assert "read s 0 1" in exploration.reason


def test_an_allowed_error_of_the_store_that_no_fault_explains_is_a_violation() -> None:
    allowed = small(
        'W = ["write 0"]\nR = ["read s 0"]',
        extra='[faults]\nbit_rot = 1\nvictims = ["W"]\nallowed_errors = ["JournalDamaged"]',
    )
    violation = explore(allowed, Implementation(passive=_Failing)).violation
    assert violation is not None
    assert violation.rule == "error"


def test_a_read_that_fails_more_often_than_reads_were_struck_is_a_violation() -> None:
    class Unlucky(Passive):
        async def read_many(self, shadow_copy: ShadowCopyId, ranges: Sequence[ByteRange]) -> list[Buffer]:
            await self.catch_up()
            raise ReadError("it seems so")

    scenario = small(
        'W = ["write 0"]\nR = ["read s 0"]',
        extra='[faults]\nread_errors = 1\nvictims = ["R"]\nallowed_errors = ["ReadError"]',
    )
    assert explore(scenario, Implementation()).verdict == "verified"
    violation = explore(scenario, Implementation(passive=Unlucky)).violation
    assert violation is not None
    assert violation.rule == "error"


def test_a_fork_judges_for_itself() -> None:
    oracle = Oracle(READ)
    fork = oracle.fork()
    assert fork.key() == oracle.key()
    fork.existence = fork.existence.after_request(ShadowCopyId(1, 1))
    assert fork.key() != oracle.key()
    assert not oracle.existence.deletion_began
