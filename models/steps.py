"""The small language in which a scenario says what a computer does, one step a line.

==========================  ==========================================================================
``create NAME``             create a shadow copy
``delete NAME``             delete it
``revert NAME``             make the volume its image again
``grow COUNT``              make the differential area large enough for so many slots
``write WHERE``             write the volume there, with content that no other write has
``zero WHERE``              write zeroes there
``discard WHERE``           discard there
``policy POLICY``           from here on, what gives way when an extent cannot be copied
``flush``                   make the volume's acknowledged writes durable
``verify WHERE``            read the live volume there
``open``                    open the store (a passive)
``catch-up``                bring the cached view up to date (a passive)
``changed NAME [NAME]``     list what changed since a shadow copy, up to now or to another one (a passive)
``read NAME WHERE ...``     read a shadow copy (a passive), all places in one batch
==========================  ==========================================================================

WHERE is an extent (``2``), extents (``0-2``), a sector of an extent (``1:0``), sectors (``0:1-1:0``, the last one
included), or ``all``. What is read may also be bytes: ``100+700`` are 700 from byte 100 of the volume on.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from shadowshare.protocol.errors import ShadowshareError
from shadowshare.protocol.geometry import Geometry
from shadowshare.protocol.policy import Policy

ACTIVE_VERBS = ("create", "delete", "revert", "grow", "write", "zero", "discard", "policy", "flush", "verify")
PASSIVE_VERBS = ("open", "catch-up", "list", "changed", "read")
_NAMED = ("create", "delete", "revert", "changed", "read")
_PLACED = ("write", "zero", "discard", "verify", "read")
_NUMBER = "(0|[1-9][0-9]{0,8})"
_WHERE = re.compile(f"{_NUMBER}(?::{_NUMBER})?(?:-{_NUMBER}(?::{_NUMBER})?)?")
_BYTES = re.compile(f"{_NUMBER}\\+{_NUMBER}")
_READING = ("read", "verify")
_NAME = re.compile(r"[a-z][a-z0-9]*")


class StepError(ShadowshareError):
    """A step of a scenario cannot be understood."""


class SectorRange(NamedTuple):
    """``sector_count`` sectors of the volume from ``sector`` on.

    Attributes:
        sector: the first one.
        sector_count: how many.
        within: offset and length in bytes, if only these bytes of them are meant.
    """

    sector: int
    sector_count: int
    within: tuple[int, int] | None = None

    def span(self, sector_bytes: int) -> tuple[int, int]:
        """Offset and length in bytes."""
        return self.within or (self.sector * sector_bytes, self.sector_count * sector_bytes)


class ScriptStep(NamedTuple):
    """One step of a script; ``text`` is as it was written, but with single spaces."""

    text: str
    verb: str
    name: str
    places: tuple[SectorRange, ...]
    policy: Policy | None = None
    target: str = ""
    slot_count: int = 0


def parse_step(text: str, role: str, geometry: Geometry) -> ScriptStep:
    """Understand one step.

    Args:
        text: the step.
        role: ``active`` or ``passive``.
        geometry: of the scenario's store, to which the places refer.

    Raises:
        StepError: says which step, and what is wrong with it.
    """
    verb, *words = text.split() or [""]
    text = " ".join([verb, *words])
    verbs = PASSIVE_VERBS if role == "passive" else ACTIVE_VERBS
    if verb not in verbs:
        raise StepError(
            f"step {text!r}: a computer with role {role!r} can {', '.join(verbs)}, but not {verb!r}"
        )
    if verb == "policy":
        return ScriptStep(text, verb, "", (), _parse_policy(text, words))
    if verb == "grow":
        return ScriptStep(text, verb, "", (), slot_count=_parse_slot_count(text, words))
    name = ""
    if verb in _NAMED:
        if not words or not _NAME.fullmatch(words[0]):
            raise StepError(
                f"step {text!r}: {verb} needs the name of a shadow copy: small letters and digits"
            )
        name = words.pop(0)
    if verb == "changed" and len(words) == 1 and _NAME.fullmatch(words[0]):
        return ScriptStep(text, verb, name, (), target=words[0])
    if verb not in _PLACED:
        if words:
            raise StepError(f"step {text!r}: nothing may follow, but {' '.join(words)!r} does")
        return ScriptStep(text, verb, name, ())
    if not words or (len(words) > 1 and verb != "read"):
        many = "at least one place" if verb == "read" else "exactly one place"
        raise StepError(f"step {text!r}: {verb} needs {many}, such as 2, 0-2, 1:0, 0:1-1:0 or all")
    return ScriptStep(text, verb, name, tuple(_parse_where(text, verb, word, geometry) for word in words))


def _parse_slot_count(step: str, words: list[str]) -> int:
    if len(words) != 1 or not re.fullmatch("[1-9][0-9]{0,4}", words[0]):
        raise StepError(f"step {step!r}: grow needs how many slots there are to be, such as 4")
    return int(words[0])


def _parse_where(step: str, verb: str, word: str, geometry: Geometry) -> SectorRange:
    """A place, or bytes; these may reach beyond the volume, to show that such a read is refused."""
    match = _BYTES.fullmatch(word) if verb in _READING else None
    if match is None:
        return _parse_place(step, word, geometry)
    offset, length = map(int, match.groups())
    first = offset // geometry.sector_bytes
    end = -(-(offset + length) // geometry.sector_bytes)
    return SectorRange(first, end - first if length else 0, (offset, length))


def _parse_policy(step: str, words: list[str]) -> Policy:
    try:
        (word,) = words
        return Policy(word)
    except ValueError:
        known = ", ".join(policy.value for policy in Policy)
        raise StepError(f"step {step!r}: policy needs exactly one of {known}") from None


def _parse_place(step: str, word: str, geometry: Geometry) -> SectorRange:
    if word == "all":
        return SectorRange(0, geometry.volume_sector_count)
    match = _WHERE.fullmatch(word)
    if match is None:
        raise StepError(f"step {step!r}: {word!r} is no place: write 2, 0-2, 1:0, 0:1-1:0 or all")
    extent, sector, last_extent, last_sector = [
        None if part is None else int(part) for part in match.groups()
    ]
    assert extent is not None
    first = _sector(step, word, geometry, extent, sector or 0)
    end_extent = extent if last_extent is None else last_extent
    end_sector = last_sector if last_extent is not None else sector
    if end_sector is None:
        start, sector_count = _span(step, word, geometry, end_extent)
        end = start + sector_count
    else:
        end = _sector(step, word, geometry, end_extent, end_sector) + 1
    if end <= first:
        raise StepError(f"step {step!r}: {word!r} ends before it begins")
    return SectorRange(first, end - first)


def _span(step: str, word: str, geometry: Geometry, extent: int) -> tuple[int, int]:
    if extent >= geometry.extent_count:
        raise StepError(
            f"step {step!r}: {word!r} is beyond the volume, which has {_count(geometry.extent_count, 'extent')}"
        )
    return geometry.extent_span(extent)


def _sector(step: str, word: str, geometry: Geometry, extent: int, sector: int) -> int:
    start, sector_count = _span(step, word, geometry, extent)
    if sector >= sector_count:
        raise StepError(
            f"step {step!r}: in {word!r}, extent {extent} has only {_count(sector_count, 'sector')}"
        )
    return start + sector


def _count(count: int, noun: str) -> str:
    return f"one {noun}, number 0" if count == 1 else f"{count} {noun}s, numbers 0 to {count - 1}"
