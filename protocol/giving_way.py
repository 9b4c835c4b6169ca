"""Who gives way when an extent cannot be copied: the records that the active appends before it tries again."""

from __future__ import annotations

from shadowshare.protocol.errors import AreaFull, OutOfRange, ReadError, WriteError
from shadowshare.protocol.geometry import Geometry
from shadowshare.protocol.layout import Deleted, Invalidated, Record, Settings
from shadowshare.protocol.marks import Mark, reached
from shadowshare.protocol.policy import WARNING_PERCENT_MAXIMUM, Policy
from shadowshare.protocol.view import DEFAULT_SETTINGS, View

SETTINGS_VERSION = 2
"""The first version of the format that has a record for settings."""


def who_gives_way(view: View, failure: AreaFull | ReadError | WriteError, is_room: bool) -> list[Record]:
    """What to append, durably, because a copy could not be made; nothing if it may be tried again as it is.

    Args:
        view: what is durable now. It may have changed since the copy failed.
        failure: why it could not be made.
        is_room: whether as many slots are free by now as it needs.

    Raises:
        AreaFull, ReadError, WriteError: ``failure``, if it is the write that gives way, or a revert: the image that
            it puts back must stay, and the volume is written anew when it goes on.
    """
    if view.newest is None:
        reached(Mark.NOBODY_LEFT_TO_GIVE_WAY)
        return []
    if view.reverting is not None:
        reached(Mark.NOBODY_GIVES_WAY_TO_A_REVERT)
        raise failure
    policy = view.settings.policy
    is_full = isinstance(failure, AreaFull)
    if is_full and is_room:
        reached(Mark.ROOM_MADE_MEANWHILE)
        return []
    if policy is Policy.INVALIDATE:
        reached(Mark.INVALIDATED_BY_POLICY)
        return [Invalidated()]
    if policy is Policy.DELETE_OLDEST and is_full:
        reached(Mark.OLDEST_DELETED_BY_POLICY)
        return [Deleted(next(copy.id for copy in view.shadow_copies if copy.is_valid))]
    raise failure


def check_settings(geometry: Geometry, settings: Settings) -> None:
    """Refuse settings that this store cannot have.

    Raises:
        FormatTooOld: the store has version 1 of the format, and the settings are not those that it always has.
        OutOfRange: the percentage is none.
    """
    if not 0 <= settings.warning_percent <= WARNING_PERCENT_MAXIMUM:
        raise OutOfRange(
            f"a warning at {settings.warning_percent} % of the slots: it must be from 0 (never) to 100"
        )
    if settings != DEFAULT_SETTINGS:
        geometry.require_version(
            SETTINGS_VERSION,
            "a write for which there is no room always fails: export what you need, and format the store again",
        )
