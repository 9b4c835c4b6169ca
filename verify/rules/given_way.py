"""Which shadow copies gave way because an extent could not be copied, and whether they had to.

Judged by the journal blocks that take effect on the disk, not by what the protocol says of them. An INVALIDATED block
is right only under the policy ``invalidate``, and a DELETED block that nobody asked for only under ``delete-oldest``,
and only of the oldest shadow copy that still has an image. Whether there was room all the same is known where no
slot stays out of use after an error (`shadowshare.verify.rules.requests`), and of those shadow copies that the
scenario says it has room for (``keeps``).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from shadowshare.protocol.layout import Checkpoint, Deleted, Invalidated, Record, ShadowCopyId
from shadowshare.protocol.policy import Policy
from shadowshare.protocol.view import View


class GivenWay(NamedTuple):
    """What the journal said so far.

    Attributes:
        kept: shadow copies for which there is room, so that none of them may give way.
        invalidated: shadow copies that an INVALIDATED block was about.
        restored: those of them that have their image again, since a power loss took that block away.
        deleted: shadow copies that were deleted because the policy says so.
        gone: all that a DELETED block was about.
    """

    kept: frozenset[ShadowCopyId] = frozenset()
    invalidated: frozenset[ShadowCopyId] = frozenset()
    restored: frozenset[ShadowCopyId] = frozenset()
    deleted: frozenset[ShadowCopyId] = frozenset()
    gone: frozenset[ShadowCopyId] = frozenset()

    def after(
        self,
        records: Sequence[Record],
        existing: Collection[ShadowCopyId],
        acknowledged: Collection[ShadowCopyId],
        asked_for: Collection[ShadowCopyId],
        policies: Collection[Policy],
    ) -> tuple[GivenWay, str]:
        """What is so when a block with ``records`` took effect; and what is wrong with it, or nothing.

        Args:
            records: of the block.
            existing: shadow copies that were ever created on the disk.
            acknowledged: those whose creation was acknowledged.
            asked_for: those whose deletion was requested.
            policies: what may be in force.
        """
        if records and isinstance(records[0], Checkpoint):
            return self, ""  # it says once more what the journal says
        now = self
        for record in records:
            if isinstance(record, Invalidated):
                now = now._replace(invalidated=now.invalidated | set(existing), restored=frozenset())
                if Policy.INVALIDATE not in policies:
                    return now, "the shadow copies were invalidated, which is not the policy"
            elif isinstance(record, Deleted):
                problem = (
                    ""
                    if record.shadow_copy in asked_for
                    else now._undue(record.shadow_copy, acknowledged, policies)
                )
                now = now._replace(gone=now.gone | {record.shadow_copy})
                if problem:
                    return now, problem
                if record.shadow_copy not in asked_for:
                    now = now._replace(deleted=now.deleted | {record.shadow_copy})
        return now, ""

    def after_recovery(self, view: View | None) -> GivenWay:
        """What is so when a host has become the active and the journal says ``view``; None if that is not known."""
        if not self.invalidated or view is None:
            return self
        valid = {copy.id for copy in view.shadow_copies if copy.is_valid}
        return self._replace(restored=self.invalidated & valid)

    def gives_way(self, records: Sequence[Record], asked_for: Collection[ShadowCopyId]) -> bool:
        """Whether a shadow copy that has its image loses it, or is deleted, and nobody asked for it."""
        if records and isinstance(records[0], Checkpoint):
            return False
        return any(
            isinstance(record, Invalidated)
            or (isinstance(record, Deleted) and record.shadow_copy not in asked_for)
            for record in records
        )

    def _undue(
        self,
        shadow_copy: ShadowCopyId,
        acknowledged: Collection[ShadowCopyId],
        policies: Collection[Policy],
    ) -> str:
        """Why a deletion that nobody asked for must not be."""
        if Policy.DELETE_OLDEST not in policies:
            return f"shadow copy {shadow_copy} was deleted, and nobody asked for it"
        if shadow_copy in self.kept:
            return f"shadow copy {shadow_copy} was deleted, though there was room for it"
        older = [other for other in acknowledged if other < shadow_copy]
        kept = [other for other in older if other not in self.gone and other not in self.invalidated]
        return f"shadow copy {shadow_copy} was deleted before the older {min(kept)}" if kept else ""
