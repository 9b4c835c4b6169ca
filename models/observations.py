"""What the models tell an observer of what they ask of the protocol, and of what they got."""

from __future__ import annotations

from typing import NamedTuple

from shadowshare.models.steps import ScriptStep
from shadowshare.protocol.layout import ShadowCopyId


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


class CreationEnded(NamedTuple):
    """A creation was acknowledged."""

    shadow_copy: ShadowCopyId


class DeletionBegan(NamedTuple):
    """A deletion was requested."""

    shadow_copy: ShadowCopyId


class DeletionEnded(NamedTuple):
    """It was acknowledged."""

    shadow_copy: ShadowCopyId


class LiveRead(NamedTuple):
    """The live volume was read; sectors and their contents."""

    sectors: tuple[tuple[int, bytes], ...]


class ReadBegan(NamedTuple):
    """A passive asked for a shadow copy's bytes."""

    key: str
    shadow_copy: ShadowCopyId


class ReadEnded(NamedTuple):
    """It got them; sectors and their contents."""

    key: str
    shadow_copy: ShadowCopyId
    sectors: tuple[tuple[int, bytes], ...]


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
    def shadow_copies(self) -> frozenset[ShadowCopyId]:
        """All that it was about."""
        return frozenset([one for one in (self.shadow_copy, self.target) if one is not None])


Observation = (
    Activated
    | ChangeBegan
    | ChangeEnded
    | FlushBegan
    | FlushEnded
    | CreationEnded
    | DeletionBegan
    | DeletionEnded
    | LiveRead
    | ReadBegan
    | ReadEnded
    | ChangesAsked
    | ChangesTold
    | StepFailed
)
