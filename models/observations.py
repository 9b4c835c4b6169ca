"""What the models tell an observer of what they ask of the protocol, and of what they got."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from shadowshare.models.steps import ScriptStep
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.protocol.policy import Policy


class Piece(NamedTuple):
    """Bytes that were read of one sector of the volume, from byte ``start`` of it on."""

    sector: int
    content: bytes
    start: int = 0


_MISSING = b"\xff"
"""Stands for each byte that was asked for and not returned: no model writes it."""


def pieces_of(offset: int, length: int, sector_bytes: int, data: bytes) -> tuple[Piece, ...]:
    """What was read where ``length`` bytes from ``offset`` on were asked for, sector by sector.

    If it has another length, there is a piece in it that no volume holds.
    """
    if len(data) > length:
        return (Piece(offset // sector_bytes, data, sector_bytes),)
    data = data.ljust(length, _MISSING)
    first = offset - offset % sector_bytes
    cuts = [offset, *range(first + sector_bytes, offset + length, sector_bytes), offset + length]
    return tuple(
        [
            Piece(start // sector_bytes, data[start - offset : end - offset], start % sector_bytes)
            for start, end in pairwise(cuts)
            if start < end
        ]
    )


class Activated(NamedTuple):
    """A host became the active."""


class ChangeBegan(NamedTuple):
    """A write, discard or write-zeroes was requested; each of ``sectors`` is to hold the content beside it."""

    key: str
    sectors: tuple[tuple[int, bytes], ...]


class ChangeEnded(NamedTuple):
    """It was acknowledged."""

    key: str


class FlushBegan(NamedTuple):
    """A flush of the volume was requested."""

    key: str


class FlushEnded(NamedTuple):
    """It was acknowledged."""

    key: str


class CreationBegan(NamedTuple):
    """A creation was requested."""

    key: str


class CreationEnded(NamedTuple):
    """It was acknowledged."""

    key: str
    shadow_copy: ShadowCopyId


class DeletionBegan(NamedTuple):
    """A deletion was requested."""

    key: str
    shadow_copy: ShadowCopyId


class DeletionEnded(NamedTuple):
    """It was acknowledged."""

    key: str
    shadow_copy: ShadowCopyId


class RevertBegan(NamedTuple):
    """A revert of the volume to a shadow copy was requested."""

    key: str
    shadow_copy: ShadowCopyId


class RevertEnded(NamedTuple):
    """It was acknowledged."""

    key: str
    shadow_copy: ShadowCopyId


class PolicyBegan(NamedTuple):
    """A change of the policy was requested."""

    key: str


class PolicyEnded(NamedTuple):
    """It was acknowledged."""

    key: str
    policy: Policy


class GrowthBegan(NamedTuple):
    """More slots were requested."""

    key: str


class GrowthEnded(NamedTuple):
    """It was acknowledged that there are so many."""

    key: str
    slot_count: int


class LiveRead(NamedTuple):
    """The live volume was read."""

    sectors: tuple[Piece, ...]


class ReadBegan(NamedTuple):
    """A passive asked for a shadow copy's bytes."""

    key: str
    shadow_copy: ShadowCopyId


class ReadEnded(NamedTuple):
    """It got them."""

    key: str
    shadow_copy: ShadowCopyId
    sectors: tuple[Piece, ...]


class ListAsked(NamedTuple):
    """A passive asked which shadow copies there are."""

    key: str


class Listed(NamedTuple):
    """It was told: of each the id, the time of its creation, and whether it has its image."""

    key: str
    shadow_copies: tuple[tuple[ShadowCopyId, int, bool], ...]


class ChangesAsked(NamedTuple):
    """A passive asked what changed since a shadow copy."""

    key: str
    base: ShadowCopyId
    target: ShadowCopyId | None


class ChangesTold(NamedTuple):
    """It got the extents; ``target`` is the shadow copy up to which, or None for the live volume."""

    key: str
    base: ShadowCopyId
    target: ShadowCopyId | None
    extents: frozenset[int]


class StepFailed(NamedTuple):
    """A step ended with an error; ``shadow_copy`` is what it was about, if it was about one."""

    key: str
    step: ScriptStep | None
    shadow_copy: ShadowCopyId | None
    error: Exception
    target: ShadowCopyId | None = None

    @property
    def is_revert(self) -> bool:
        """Whether the volume was to be reverted."""
        return self.step is not None and self.step.verb == "revert"

    @property
    def shadow_copies(self) -> frozenset[ShadowCopyId]:
        """All that it was about."""
        return frozenset([one for one in (self.shadow_copy, self.target) if one is not None])


Observation = (
    Activated
    | ChangeBegan
    | ChangeEnded
    | FlushBegan
    | FlushEnded
    | CreationBegan
    | CreationEnded
    | DeletionBegan
    | DeletionEnded
    | RevertBegan
    | RevertEnded
    | PolicyBegan
    | PolicyEnded
    | GrowthBegan
    | GrowthEnded
    | LiveRead
    | ReadBegan
    | ReadEnded
    | ListAsked
    | Listed
    | ChangesAsked
    | ChangesTold
    | StepFailed
)
