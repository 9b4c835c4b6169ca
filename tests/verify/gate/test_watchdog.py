"""A host that runs without end between two operations is ended, and found wrong."""

import pytest

from shadowshare.models.computers import Implementation
from shadowshare.protocol.active import Active
from shadowshare.protocol.operations import Read
from shadowshare.protocol.recovery import Recovery
from shadowshare.scenarios.catalogue import built_in
from shadowshare.sim.disks.memory_disk import MemoryDisk
from shadowshare.sim.inline import perform_inline
from shadowshare.verify.gate import watchdog
from shadowshare.verify.gate.work import check_scope


class Endless(Active):
    """Waits for a copy without letting the other task go on."""

    async def _preserve(self, extents: range) -> None:
        while self._missing(extents):
            pass


class EndlessRecovery(Recovery):
    """Makes it."""

    active_class = Endless


def test_a_host_that_asks_for_nothing_and_never_ends_is_violated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "TICK_SECONDS", 0.05)
    check = check_scope(built_in("reader-before-volume-read"), Implementation(recovery=EndlessRecovery))
    assert check.verdict == "violated"
    assert "EndlessRun" in check.reason


def test_what_is_asked_for_in_one_go_has_an_end_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async def look_again_and_again() -> None:
        while True:
            await Read(0, 0, 1)

    monkeypatch.setattr(watchdog, "TICK_SECONDS", 0.05)
    with watchdog.watched(), pytest.raises(watchdog.EndlessRun):
        perform_inline(look_again_and_again(), [MemoryDisk.blank(512, 1)])
