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


class StepFailed(NamedTuple):
    """A step ended with an error; ``shadow_copy`` is what it was about, if it was about one."""

    key: str
    step: ScriptStep | None
    shadow_copy: ShadowCopyId | None
    error: Exception


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
    | StepFailed
)
