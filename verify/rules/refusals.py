"""Whether a step had to be refused for want of room, in the area or in the journal, as far as that can be known.

What is refused must be so by the store's policy, and there must be no room even if everything is taken that requests
under way may have taken. Taking over and deleting are never refused: how else should there be room again?
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from shadowshare.models.observations import StepFailed
from shadowshare.protocol.errors import AreaFull, JournalFull
from shadowshare.protocol.layout import Invalidated, Record
from shadowshare.protocol.policy import Policy
from shadowshare.sim.faults.catalogue import READ_FAULTS
from shadowshare.sim.faults.fault import Injected
from shadowshare.verify.rules.requests import Requests
from shadowshare.verify.rules.room import Room

_NEVER_REFUSED = ("activate", "delete")
"""By the journal."""

Ask = Callable[[], Room | None]


def undue_refusal(
    failure: StepFailed, policies: Collection[Policy], requests: Requests, task_count: int, ask: Ask
) -> str:
    """Why a step must not have ended as it did, for want of room; empty if it may, or for another error.

    Args:
        failure: how it ended.
        policies: what may be in force.
        requests: what is under way, this one included.
        task_count: tasks of the host; each that changes nothing may add one record that is no copy.
        ask: says how much room there is; None where that is not known.
    """
    error = failure.error
    if isinstance(error, AreaFull):
        if Policy.FAIL_WRITE not in policies and not failure.is_revert:
            return "a write was refused, which is not the policy"
        wanted = requests.slot_count_wanted
        if (room := ask()) is not None and wanted <= room.slot_count:
            return f"{error}: but there is room for all that is wanted"
    if isinstance(error, JournalFull):
        if failure.step is None or failure.step.verb in _NEVER_REFUSED:
            return f"{error}: but neither taking over nor deleting is ever refused"
        is_change = any(key == failure.key for key, _ in requests.slots_wanted) and not failure.is_revert
        wanted = requests.slot_count_wanted + task_count - is_change
        if (room := ask()) is not None and wanted <= room.record_count:
            return f"{error}: but there is room for all that is wanted"
    return ""


def undue_giving_way(
    records: Sequence[Record], ledger: Sequence[Injected], requests: Requests, ask: Ask
) -> str:
    """Why shadow copies must not have given way with a journal block; empty if they may, as far as that is known.

    Args:
        records: of the block.
        ledger: the faults that happened. Slots may be out of use after others than those of reads, and an extent that
            cannot be read is a reason to invalidate, but not to delete.
        requests: what is under way.
        ask: says how much room there was before the block.
    """
    if ledger and (Invalidated() in records or any(injected.fault not in READ_FAULTS for injected in ledger)):
        return ""
    room = ask()
    if room is None or requests.slot_count_wanted > room.slot_count:
        return ""
    return "shadow copies gave way, and there was room for all that was wanted"
