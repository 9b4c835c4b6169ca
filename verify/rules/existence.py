"""Which shadow copies there must be, by what was acknowledged and asked for, and which must not be."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Set
from typing import NamedTuple

from shadowshare.protocol.layout import ShadowCopyId


class Existence(NamedTuple):
    """What was told so far.

    Attributes:
        acknowledged: shadow copies whose creation was carried out.
        deletion_began: those whose deletion somebody asked for.
        deletion_ended: those whose deletion was carried out.
    """

    acknowledged: frozenset[ShadowCopyId] = frozenset()
    deletion_began: frozenset[ShadowCopyId] = frozenset()
    deletion_ended: frozenset[ShadowCopyId] = frozenset()

    def is_certain(self, shadow_copies: Set[ShadowCopyId]) -> bool:
        """Whether these exist as far as anybody was told."""
        return shadow_copies <= self.acknowledged and self.deletion_began.isdisjoint(shadow_copies)

    def after_creation(
        self, shadow_copy: ShadowCopyId, expected: Collection[ShadowCopyId]
    ) -> tuple[Existence, str]:
        """What is so when a creation was acknowledged, and what is wrong with its id, or nothing."""
        problem = ""
        if shadow_copy not in expected or shadow_copy in self.acknowledged:
            ids = ", ".join(map(str, sorted(expected)))
            problem = f"a creation got the id {shadow_copy}, not one of {ids}"
        return self._replace(acknowledged=self.acknowledged | {shadow_copy}), problem

    def after_request(self, shadow_copy: ShadowCopyId) -> Existence:
        """Somebody asked for a deletion."""
        return self._replace(deletion_began=self.deletion_began | {shadow_copy})

    def after_deletion(
        self, shadow_copy: ShadowCopyId, created: Collection[ShadowCopyId]
    ) -> tuple[Existence, str]:
        """What is so when a deletion was acknowledged, and what is wrong with that, or nothing.

        Args:
            shadow_copy: what was deleted.
            created: all that ever came to be.
        """
        is_there = shadow_copy in created and shadow_copy not in self.deletion_ended
        problem = "" if is_there else f"shadow copy {shadow_copy} was deleted, and is not there"
        return self._replace(deletion_ended=self.deletion_ended | {shadow_copy}), problem

    def problems(self, found: Set[ShadowCopyId], given_way: Set[ShadowCopyId]) -> Iterator[str]:
        """What is wrong with those that were found at the end, when some others gave way."""
        for lost in self.lost(found, given_way):
            yield f"shadow copy {lost} was acknowledged and is gone"
        for undead in self.undead(found):
            yield f"shadow copy {undead} was deleted and is back"

    def lost(self, found: Set[ShadowCopyId], may_be_gone: Set[ShadowCopyId]) -> list[ShadowCopyId]:
        """Those that must be there, when some others may be gone, and are not among those that were found."""
        return sorted(self.acknowledged - self.deletion_began - may_be_gone - found)

    def undead(self, found: Set[ShadowCopyId]) -> list[ShadowCopyId]:
        """Those that were found, and must be gone."""
        return sorted(self.deletion_ended & found)
