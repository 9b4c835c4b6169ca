"""At the end, when nothing is in flight: open the store as a new passive would, and check all that is on the disks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from shadowshare.models import observations as seen
from shadowshare.models.computers import CREATED_NS
from shadowshare.protocol.geometry import VOLUME_DEVICE
from shadowshare.protocol.passive import Passive
from shadowshare.sim.disks.memory_disk import MemoryDisk
from shadowshare.sim.disks.sector_store import Undecided, under_every_survival
from shadowshare.sim.stepped.shared import SharedState
from shadowshare.verify.rules.auditing import Audited, pieces_of_image, read_shadow_copies, view_of

if TYPE_CHECKING:
    from shadowshare.verify.rules.oracle import Oracle

_WHO = "audit"


class FinalAudit:
    """Checks what is left.

    Args:
        oracle: knows what must be, and is told what is wrong.
        shared: the disks, and the faults that there were.
    """

    def __init__(self, oracle: Oracle, shared: SharedState) -> None:
        self._oracle = oracle
        self._scenario = oracle.scenario
        self._shared = shared

    def run(self) -> None:
        """Check everything, until something is violated.

        Where a power loss left something undecided, everything that it may be is checked: extent by extent, because
        what survived of one extent says nothing about another one.
        """
        geometry, disks = self._scenario.geometry, self._shared.disks
        whole, step = range(geometry.volume_sector_count), geometry.volume_sector_count
        if any(disk.undecided for disk in disks):
            step = geometry.extent_sectors
        for check in (self._check_volume, self._check_shadow_copies):
            for first in whole[::step]:
                under_every_survival(disks, partial(check, whole[first : first + step]))
                if self._oracle.violation is not None:
                    return
        if self._oracle.slot_counts:
            under_every_survival(disks, self._check_settings)

    def _check_volume(self, sectors: range, disks: Sequence[MemoryDisk]) -> None:
        """Check some sectors of the live volume."""
        oracle, scenario = self._oracle, self._scenario
        view = view_of(oracle.passive, scenario, disks) if oracle.reverts else None
        source = None if view is None else view.reverting
        if source in oracle.images:
            oracle.check_live(pieces_of_image(oracle.images[source]), _WHO, at_once=True)
            return  # that the image is there is looked at with all the others
        volume = disks[VOLUME_DEVICE]
        volume.check_decided(sectors)
        pieces = [seen.Piece(sector, volume.sectors[sector]) for sector in sectors]
        oracle.check_live(pieces, _WHO, at_once=True)

    def _check_shadow_copies(self, sectors: range, disks: Sequence[MemoryDisk]) -> None:
        """Check which shadow copies there are, and some sectors of each."""
        oracle = self._oracle
        try:
            audited = read_shadow_copies(oracle.passive, self._scenario, sectors, disks)
        except Undecided:
            raise  # what survived of it is gone through
        except Exception as error:  # noqa: BLE001 - of whatever kind: nobody could read the store
            if oracle.excuses.at_end(error, self._shared.ledger):
                oracle.excused_at_end = error
            else:
                what = f"{type(error).__name__}: {error}"
                oracle.violated("error", f"the store cannot be read at the end: {what}", _WHO)
            return
        for found in audited:
            self._check_shadow_copy(found)
        oracle.check_existence({found.copy.id for found in audited}, _WHO)

    def _check_shadow_copy(self, found: Audited) -> None:
        copy, pieces = found
        if not copy.is_valid:
            self._oracle.check_invalidated(copy.id, _WHO, must_be_valid=True)
        elif copy.created_ns != CREATED_NS:
            self._oracle.violated("image", f"shadow copy {copy.id} has another time of creation", _WHO)
        else:
            self._oracle.check_image(copy.id, pieces, _WHO)

    def _check_settings(self, disks: Sequence[MemoryDisk]) -> None:
        """Check the policy, and how many slots there are."""
        view, oracle = view_of(Passive, self._scenario, disks), self._oracle
        problem = "" if view is None else oracle.settings.problem(view, oracle.slot_counts)
        if problem:
            oracle.violated("settings", problem, _WHO)
