"""Reading a store as a new passive would, at one moment: what the oracle looks at by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from shadowshare.models.observations import Piece, pieces_of
from shadowshare.protocol.passive import ByteRange, Passive, ShadowCopyInfo
from shadowshare.protocol.view import View
from shadowshare.scenarios.scenario import Scenario
from shadowshare.scenarios.staging import location_in
from shadowshare.sim.disks.memory_disk import MemoryDisk
from shadowshare.sim.disks.sector_store import Undecided
from shadowshare.sim.inline import perform_inline

AUDITOR = -1
"""Host number under which who looks on reads."""


class Audited(NamedTuple):
    """A shadow copy that was found, and what was read of it; nothing if it lost its image."""

    copy: ShadowCopyInfo
    pieces: tuple[Piece, ...]


def open_store(passive: type[Passive], scenario: Scenario, disks: Sequence[MemoryDisk]) -> Passive:
    """A passive that knows what the journal says now."""
    return perform_inline(passive.open(location_in(scenario)), disks, AUDITOR)


def view_of(passive: type[Passive], scenario: Scenario, disks: Sequence[MemoryDisk]) -> View | None:
    """What the journal says now; None if the store cannot be read, of which the audit at the end says what is wrong.

    Raises:
        Undecided: it depends on what survived a power loss.
    """
    try:
        return open_store(passive, scenario, disks).view
    except Undecided:
        raise  # what survived of it is gone through
    except Exception:  # noqa: BLE001 - of whatever kind: nobody could read the store
        return None


def view_on(disks: Sequence[MemoryDisk], scenario: Scenario) -> View | None:
    """What the journal says now, with the disks left as they are; None where that cannot be known."""
    if any(disk.undecided for disk in disks):
        return None
    return view_of(Passive, scenario, [disk.fork() for disk in disks])


def read_shadow_copies(
    passive: type[Passive], scenario: Scenario, sectors: range, disks: Sequence[MemoryDisk]
) -> list[Audited]:
    """All shadow copies that there are, with some sectors of each."""
    reader = open_store(passive, scenario, disks)
    size = scenario.geometry.sector_bytes
    wanted = ByteRange(sectors.start * size, len(sectors) * size)
    found = []
    for copy in perform_inline(reader.shadow_copies(), disks, AUDITOR):
        pieces: tuple[Piece, ...] = ()
        if copy.is_valid:
            data = perform_inline(reader.read_many(copy.id, [wanted]), disks, AUDITOR)[0]
            pieces = pieces_of(*wanted, size, bytes(data))
        found.append(Audited(copy, pieces))
    return found


def pieces_of_image(image: Sequence[bytes]) -> list[Piece]:
    """All sectors of an image, as if they had been read."""
    return [Piece(sector, content) for sector, content in enumerate(image)]
