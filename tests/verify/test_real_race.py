"""The race on real processes: it takes place, goes red when the protocol is broken, and says so if it cannot run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from shadowshare.models import ext4
from shadowshare.protocol.journal import Bookmark, Progress
from shadowshare.protocol.operations import Buffer
from shadowshare.protocol.passive import Passive, Run
from shadowshare.verify.real.race import run_ext4_race
from tests.e2fsprogs import needs_e2fsprogs

SIZE_BYTES = 24 * 1024 * 1024


class WithoutRecheck(Passive):
    async def _determine_again(self, runs: Sequence[Run], bookmark: Bookmark) -> Progress:
        return Progress.SAME


class RecheckBeforeRead(Passive):
    early = Progress.SAME

    async def _read_runs(self, runs: Sequence[Run]) -> list[Buffer]:
        self.early = await self.catch_up()
        return await super()._read_runs(runs)

    async def _determine_again(self, runs: Sequence[Run], bookmark: Bookmark) -> Progress:
        return self.early


class FailsToOpen(Passive):
    def __init__(self, *arguments: object) -> None:
        raise OSError("no such luck")


@needs_e2fsprogs
def test_every_export_is_the_image_at_creation(tmp_path: Path) -> None:
    said: list[str] = []
    result = run_ext4_race(
        tmp_path, SIZE_BYTES, progress=said.append, pass_count_minimum=3, export_count_minimum=5
    )
    assert result.verdict == "verified", result
    assert result.reason == ""
    assert result.overlapping_export_count > 2
    assert result.reread_extent_count > 0
    assert result.export_count >= result.overlapping_export_count
    assert result.shadow_copy_count >= 3
    assert result.file_system_check_count == 2 * 2 + 1
    assert said


@needs_e2fsprogs
@pytest.mark.parametrize("passive_class", [WithoutRecheck, RecheckBeforeRead])
def test_a_passive_without_a_proper_recheck_is_caught(tmp_path: Path, passive_class: type[Passive]) -> None:
    result = run_ext4_race(tmp_path, SIZE_BYTES, passive_class=passive_class)
    assert result.verdict == "violated", result
    assert "is not the image of shadow copy" in result.reason


@needs_e2fsprogs
def test_a_race_that_does_not_take_place_is_unknown(tmp_path: Path) -> None:
    result = run_ext4_race(tmp_path, SIZE_BYTES // 2, passive_class=FailsToOpen)
    assert result.verdict == "unknown"
    assert "no such luck" in result.reason


@needs_e2fsprogs
def test_too_small_a_file_system_is_unknown(tmp_path: Path) -> None:
    result = run_ext4_race(tmp_path, 1024 * 1024)
    assert (result.verdict, "make it 12 MiB or more" in result.reason) == ("unknown", True)


def test_without_e2fsprogs_the_verdict_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ext4, "_PATH", "")
    result = run_ext4_race(tmp_path)
    assert (result.verdict, result.reason) == ("unknown", ext4.missing_tools())
    assert not list(tmp_path.iterdir())
