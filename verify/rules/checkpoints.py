"""Whether a checkpoint says what the journal said before it."""

from __future__ import annotations

from collections.abc import Sequence

from shadowshare.protocol.layout import Checkpoint, Record
from shadowshare.protocol.view import View
from shadowshare.scenarios.scenario import Scenario
from shadowshare.sim.disks.memory_disk import MemoryDisk
from shadowshare.verify.rules.auditing import view_on

_Facts = dict[str, object]


def completes_checkpoint(records: Sequence[Record]) -> bool:
    """Whether the block with these records is the last part of a checkpoint: from now on it may be loaded."""
    return bool(records) and isinstance(records[0], Checkpoint) and records[0].part == records[0].part_count


def what_a_checkpoint_changed(
    before: Sequence[MemoryDisk], after: Sequence[MemoryDisk], scenario: Scenario
) -> str:
    """What somebody who loads the journal is told otherwise; empty if it is nothing, or cannot be known.

    Args:
        before: the disks as if the checkpoint was not complete.
        after: the disks now.
        scenario: whose disks they are.
    """
    view_before, view_after = view_on(before, scenario), view_on(after, scenario)
    if view_before is None or any(disk.undecided for disk in after):
        return ""
    if view_after is None:
        return "a checkpoint cannot be loaded"
    earlier, later = _facts_of(view_before), _facts_of(view_after)
    for name, fact in earlier.items():
        if later[name] != fact:
            return f"a checkpoint changes the {name}: {fact} before it, {later[name]} in it"
    return ""


def _facts_of(view: View) -> _Facts:
    copies = view.shadow_copies
    return {
        "shadow copies": ", ".join(str(copy.id) for copy in copies),
        "times of creation": [copy.created_ns for copy in copies],
        "shadow copies that have an image": ", ".join(str(copy.id) for copy in copies if copy.is_valid),
        "slots of copies": [dict(copy.table.sorted_items()) for copy in copies],
        "policy": f"{view.settings.policy.value} with a warning at {view.settings.warning_percent} %",
        "number of slots": view.slot_count,
        "shadow copy that the volume is being reverted to": str(view.reverting),
    }
