"""A write that preserves its extents portion by portion, in every interleaving with what may change the newest copy."""

from __future__ import annotations

import pytest

from shadowshare.protocol.active import Active
from shadowshare.protocol.operations import Change
from shadowshare.verify.explorer import explore
from tests.verify.programs import small, with_active

RACES = {
    "a deletion": 'W = [["write 0-1"], ["delete t"]]\nR = ["read s 0-1", "read t 0-1"]',
    "a creation": 'W = [["write 0-1"], ["create u"]]\nR = ["read s 0-1", "read u 0-1"]',
    "another writer": 'W = [["write 0-1"], ["write 1"]]\nR = ["read t 0-1"]',
}


class _OneByOne(Active):
    copied_bytes_at_once = 1


class _LetsCreationsBetween(_OneByOne):
    """Preserves before it is among the writes that a creation waits for."""

    async def _change(self, operation: Change) -> None:
        extent_sectors = self.geometry.extent_sectors
        first = operation.sector // extent_sectors
        last = (operation.sector + operation.sector_count - 1) // extent_sectors
        for extents in self._portions(range(first, last + 1)):
            await self._preserve(extents)
        await self._writes.enter()
        try:
            await self._change_volume(operation)
        finally:
            self._writes.leave()


@pytest.mark.parametrize("name", RACES)
def test_no_reader_gets_a_wrong_byte(name: str) -> None:
    scenario = small(RACES[name], before='"W: create s", "W: create t", "R: open"')
    assert explore(scenario, with_active(_OneByOne)).verdict == "verified"


def test_a_creation_between_preserving_and_writing_is_found() -> None:
    scenario = small(RACES["a creation"], before='"W: create s", "W: create t", "R: open"')
    assert explore(scenario, with_active(_LetsCreationsBetween)).verdict == "violated"
