"""What was acknowledged of policy and slots must be there; what may be in force is known."""

from __future__ import annotations

import pytest

from shadowshare.models.computers import Implementation
from shadowshare.protocol.active import Active
from shadowshare.protocol.layout import Checkpoint, Created, Settings, ShadowCopyId
from shadowshare.protocol.policy import Policy
from shadowshare.verify.explorer import explore
from shadowshare.verify.rules.store_settings import StoreSettings
from tests.verify.programs import small, with_active

FAIL, INVALIDATE, OLDEST = Policy.FAIL_WRITE, Policy.INVALIDATE, Policy.DELETE_OLDEST
TO_INVALIDATE = (Settings(INVALIDATE, 0),)


class _Polite(Active):
    """Says yes, and does nothing."""

    async def set_policy(self, settings: Settings) -> None:
        return

    async def grow(self, area_sector_count: int) -> int:
        return 0


class _Hasty(Active):
    """Says yes before it is durable."""

    async def set_policy(self, settings: Settings) -> None:
        flush, self._journal._flush = self._journal._flush, self._do_not_flush  # type: ignore[method-assign]
        try:
            await super().set_policy(settings)
        finally:
            self._journal._flush = flush  # type: ignore[method-assign]

    async def _do_not_flush(self) -> None:
        return


POWER = '[hosts]\nW = "active"\nV = "recovers W"\nR = "passive"\n[faults]\ncrashes = 1\npower_losses = 1'


@pytest.mark.parametrize(
    ("active", "race", "extra", "words"),
    [
        (_Polite, 'W = ["policy invalidate"]', "", "the journal does not have it"),
        (_Polite, 'W = ["grow 6"]', "", "there are 4 slots, and 6 were acknowledged"),
        (_Hasty, 'W = ["policy invalidate"]\nV = []', POWER, "was changed to invalidate"),
        (_Hasty, 'W = ["zero 0", "policy invalidate"]\nV = []', POWER, "was changed to invalidate"),
    ],
)
def test_what_was_acknowledged_must_be_there(active: type[Active], race: str, extra: str, words: str) -> None:
    scenario = small(f'{race}\nR = ["catch-up"]', extra=extra)
    assert explore(scenario, Implementation()).verdict == "verified"
    violation = explore(scenario, with_active(active)).violation
    assert violation is not None
    assert (violation.rule, words in violation.message) == ("settings", True)


def test_only_a_power_loss_leaves_it_open_which_policy_holds() -> None:
    assert StoreSettings((FAIL,), can_lose=False).after_block(TO_INVALIDATE).in_force == {INVALIDATE}
    open_ = StoreSettings((FAIL,), can_lose=True).after_block(TO_INVALIDATE)
    assert open_.in_force == {FAIL, INVALIDATE}
    assert open_.after_policy(INVALIDATE)[0].in_force == {INVALIDATE}


def test_an_acknowledgement_says_nothing_of_what_comes_later() -> None:
    both = (
        StoreSettings((FAIL,), can_lose=True).after_block((Settings(OLDEST, 0),)).after_block(TO_INVALIDATE)
    )
    settled, problem = both.after_policy(OLDEST)
    assert not problem
    assert settled.in_force == {OLDEST, INVALIDATE}
    assert both.after_policy(FAIL)[1]


def test_a_checkpoint_says_nothing_new() -> None:
    settings = StoreSettings((FAIL,), can_lose=False)
    assert settings.after_block((Checkpoint(1, 1), Settings(INVALIDATE, 0))) == settings
    assert settings.after_block((Created(ShadowCopyId(1, 1), 0),)) == settings


def test_a_block_that_lands_late_when_it_was_done_again_says_nothing_new() -> None:
    faults = '[faults]\nwrite_errors = 1\nallowed_errors = ["WriteError", "ActiveStopped"]'
    race = 'W = ["policy delete-oldest", "policy invalidate", "policy fail-write"]\nR = ["catch-up"]'
    assert explore(small(race, extra=faults)).verdict == "verified"
