"""What the models write: every sector says who wrote it, so that a wrong one tells where it came from.

No two writes of a scenario write the same bytes; a mixture is always noticed.
"""

from __future__ import annotations

from functools import lru_cache

from shadowshare.protocol.operations import Buffer

INITIAL = "initial"
ZERO = "zeroes"


@lru_cache(maxsize=4096)
def sector_content(origin: str, sector: int, sector_bytes: int) -> bytes:
    """The content of a sector that ``origin`` wrote: readable text, repeated to the sector's size."""
    text = f"{origin} @{sector}\n".encode()
    return (text * (sector_bytes // len(text) + 1))[:sector_bytes]


def origin_of(content: Buffer) -> str:
    """Who wrote a sector, in words."""
    raw = bytes(content)
    if not any(raw):
        return ZERO
    text, end, _ = raw.partition(b"\n")
    origin, at, sector = text.decode("ascii", "replace").rpartition(" @")
    if not (
        end and at and sector.isdecimal() and len(sector) < 20 and len(origin) <= 80 and origin.isprintable()
    ):
        return f"bytes {raw[:8].hex()}..."
    is_whole = raw == sector_content(origin, int(sector), len(raw))
    return f"{origin} of sector {sector}" + ("" if is_whole else ", damaged")
