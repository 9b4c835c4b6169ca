"""How much room a store has left, as its journal says: counted anew, not asked of the active."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from shadowshare.protocol.layout import record_capacity
from shadowshare.protocol.view import DEFAULT_SETTINGS, View
from shadowshare.scenarios.scenario import Scenario
from shadowshare.sim.disks.memory_disk import MemoryDisk
from shadowshare.verify.rules.auditing import view_on

_BLOCKS_NOT_FOR_CHECKPOINTS = 3
"""Of a half: for TAKEOVER, for SEAL, and for one block behind a checkpoint."""


class Room(NamedTuple):
    """What may still be taken.

    Attributes:
        slot_count: slots that hold no copy of a shadow copy which has an image.
        record_count: records that the journal must have room for; the rest of a half is for what deletions make.
    """

    slot_count: int
    record_count: int


def room_on(disks: Sequence[MemoryDisk], scenario: Scenario, grown_slot_count: int = 0) -> Room | None:
    """The room that is left now; None where that cannot be known.

    Args:
        disks: as they are.
        scenario: whose disks they are.
        grown_slot_count: slots that growth was acknowledged for. What the journal says beyond is not durable yet.
    """
    view = view_on(disks, scenario)
    if view is None:
        return None
    slot_count = min(view.slot_count, max(scenario.geometry.slot_count, grown_slot_count))
    return Room(
        slot_count=slot_count - sum(len(copy.table) for copy in view.shadow_copies if copy.is_valid),
        record_count=record_count_maximum(scenario.geometry.half_block_count, scenario.geometry.sector_bytes)
        - _record_count(view),
    )


def record_count_maximum(half_block_count: int, sector_bytes: int) -> int:
    """Half of the records that fit into the longest checkpoint, each part of which begins with one of its own.

    Args:
        half_block_count: journal blocks in one half.
        sector_bytes: size of a block.
    """
    block_count = half_block_count - _BLOCKS_NOT_FOR_CHECKPOINTS
    return block_count * (record_capacity(sector_bytes) - 1) // 2


def _record_count(view: View) -> int:
    """Records of which a checkpoint consists."""
    single = (
        view.is_grown,
        view.settings != DEFAULT_SETTINGS,
        view.reverting is not None,
        not all(copy.is_valid for copy in view.shadow_copies),
    )
    runs = sum(_run_count(copy.table.sorted_items()) for copy in view.shadow_copies)
    return sum(single) + len(view.shadow_copies) + runs


def _run_count(copies: Iterable[tuple[int, int]]) -> int:
    """In how many runs neither extents nor slots are left out."""
    count, following = 0, (-1, -1)
    for extent, slot in copies:
        count += (extent, slot) != following
        following = (extent + 1, slot + 1)
    return count
