"""Bugs of listing changed extents."""

from __future__ import annotations

from shadowshare.protocol.changes import ExtentRun, changed_extents, runs_of
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.protocol.passive import Passive


class ChangesFromTheCache(Passive):
    """What changed is told from the view as it was before the disk was looked at."""

    async def changed(self, base: ShadowCopyId, target: ShadowCopyId | None = None) -> list[ExtentRun]:
        try:
            return changed_extents(self.view, base, target)
        finally:
            await self.catch_up()


class ChangesOfTheBaseOnly(Passive):
    """Only the earlier shadow copy's own table is looked at."""

    async def changed(self, base: ShadowCopyId, target: ShadowCopyId | None = None) -> list[ExtentRun]:
        await self.catch_up()
        changed_extents(self.view, base, target)
        return runs_of(sorted(self.view.tables(base)[0].keys()))


class ChangesLeaveOutTheBase(Passive):
    """The tables behind the earlier shadow copy up to the later one are looked at, one too far."""

    async def changed(self, base: ShadowCopyId, target: ShadowCopyId | None = None) -> list[ExtentRun]:
        await self.catch_up()
        changed_extents(self.view, base, target)
        tables = self.view.tables(base)[1:]
        if target is not None:
            tables = tables[: len(tables) - len(self.view.tables(target)) + 1]
        return runs_of(sorted({extent for table in tables for extent in table.keys()}))  # noqa: SIM118 - no dict
