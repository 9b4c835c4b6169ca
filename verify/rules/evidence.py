"""What a wrong sector was judged by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from shadowshare.models.observations import Piece
from shadowshare.models.patterns import origin_of
from shadowshare.protocol.layout import ShadowCopyId


class Evidence(NamedTuple):
    """What a wrong sector was judged by.

    Attributes:
        sector: of the volume.
        got: what was read of it.
        expected: what it may be.
        shadow_copy: whose image was read; None if it was the live volume.
    """

    sector: int
    got: bytes
    expected: tuple[bytes, ...]
    shadow_copy: ShadowCopyId | None

    def message(self, extent_sectors: int) -> str:
        """In words, which sector holds what instead of what."""
        extent, within = divmod(self.sector, extent_sectors)
        where = f"extent {extent}, sector {within} of it"
        expected = " or ".join(map(origin_of, self.expected))
        if self.shadow_copy is None:
            return f"live volume, {where}: holds {origin_of(self.got)}, must hold {expected}"
        return f"shadow copy {self.shadow_copy}, {where}: got {origin_of(self.got)}, the image is {expected}"


def compare(shadow_copy: ShadowCopyId, image: Sequence[bytes], pieces: Iterable[Piece]) -> Evidence | None:
    """The first piece that is not the image of a shadow copy; None if all are right."""
    for sector, content, start in pieces:
        wanted = image[sector] if sector < len(image) else b""
        if content != wanted[start : start + len(content)]:
            return Evidence(sector, content, (wanted,), shadow_copy)
    return None
