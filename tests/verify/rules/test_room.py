"""How much room there is, counted by the oracle itself, agrees with what the active refuses."""

from __future__ import annotations

import pytest

from shadowshare.models.computers import Implementation
from shadowshare.protocol.active import Active
from shadowshare.protocol.checkpoint import JournalBudget
from shadowshare.protocol.errors import JournalFull
from shadowshare.protocol.geometry import Geometry
from shadowshare.protocol.journal_appender import JournalAppender
from shadowshare.protocol.layout import Settings, ShadowCopyId
from shadowshare.protocol.recovery import Recovery
from shadowshare.scenarios.catalogue import built_in
from shadowshare.scenarios.staging import live_hosts, stage
from shadowshare.verify.explorer import explore
from shadowshare.verify.rules.room import Room, room_on
from tests.verify.programs import small, with_active

FULL_JOURNAL = built_in("journal-is-full-for-anything")


class _Stingy(JournalBudget):
    """Has room for one record less than it should."""

    def __init__(self, geometry: Geometry) -> None:
        super().__init__(geometry)
        self.record_count_maximum -= 1


class _StingyAppender(JournalAppender):
    budget_class = _Stingy


class _StingyRecovery(Recovery):
    appender_class = _StingyAppender


class _TakesOverOnce(Recovery):
    async def _take_over(self, journal: JournalAppender) -> None:
        await super()._take_over(journal)
        if journal.epoch > 1:
            raise JournalFull("there is no room")


class _RefusingToDelete(Active):
    async def delete(self, shadow_copy: ShadowCopyId) -> None:
        raise JournalFull("there is no room")


class _RefusingSettings(Active):
    async def set_policy(self, settings: Settings) -> None:
        raise JournalFull("there is no room")


def test_what_is_left_is_counted() -> None:
    scenario = small('W = ["write 0"]\nR = ["read s 0"]', extra="[store]\nslots = 3\nhalf_blocks = 4")
    world = stage(scenario, live_hosts(scenario, Implementation()), None)
    assert room_on(world.shared.disks, scenario) == Room(slot_count=3, record_count=5)


def test_what_cannot_be_read_has_no_known_room() -> None:
    scenario = small('W = ["write 0"]\nR = ["read s 0"]')
    world = stage(scenario, live_hosts(scenario, Implementation()), None)
    for disk in world.shared.disks:
        disk.sectors[:] = [bytes(512)] * len(disk.sectors)
    assert room_on(world.shared.disks, scenario) is None


ALLOWED = '[faults]\nallowed_errors = ["JournalFull"]'


@pytest.mark.parametrize(
    ("implementation", "race", "words"),
    [
        (with_active(_RefusingToDelete), 'W = ["delete s"]\nR = ["catch-up"]', "neither taking over nor"),
        (with_active(_RefusingSettings), 'W = ["policy invalidate"]\nR = ["catch-up"]', "there is room for"),
    ],
)
def test_a_refusal_without_need_is_a_violation(implementation: Implementation, race: str, words: str) -> None:
    scenario = small(race, extra=ALLOWED)
    assert explore(scenario).verdict == "verified"
    violation = explore(scenario, implementation).violation
    assert violation is not None
    assert (violation.rule, words in violation.message) == ("error", True)


def test_one_record_less_than_there_is_room_for_is_a_violation() -> None:
    violation = explore(FULL_JOURNAL, Implementation(_StingyRecovery)).violation
    assert violation is not None
    assert "there is room for all that is wanted" in violation.message


def test_a_takeover_is_never_refused() -> None:
    scenario = built_in("journal-is-full")
    violation = explore(scenario, Implementation(_TakesOverOnce)).violation
    assert violation is not None
    assert "neither taking over" in violation.message
