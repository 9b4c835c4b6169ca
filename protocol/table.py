"""The table of one shadow copy's own copies: extent to slot, compact whether few extents were copied or most.

While few are, it is a hash table, about 100 bytes an entry. Once more than one in `DENSE_SHARE` of the volume's extents
was copied it becomes a flat array of 8 bytes an extent, which is smaller from there on: 16 million extents (1 TiB of
64 KiB each) take 134 MB, however many were copied. A look-up takes constant time in both.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator

DENSE_SHARE = 12
DENSE_COUNT_MINIMUM = 4096
"""Below so many entries a table stays a hash table, however small the volume."""

_ABSENT = -1


class Table:
    """Maps extents to slots.

    Args:
        extent_count: extents in the volume; every key is below.
    """

    __slots__ = ("_array", "_count", "_dense_from_count", "_dictionary", "_extent_count", "get")

    def __init__(self, extent_count: int) -> None:
        self._extent_count = extent_count
        self._dense_from_count = max(DENSE_COUNT_MINIMUM, extent_count // DENSE_SHARE)
        self._dictionary: dict[int, int] = {}
        self._array: array[int] | None = None
        self._count = 0
        self.get: Callable[[int], int | None] = self._dictionary.get
        """The slot of an extent; None if it has none."""

    def __len__(self) -> int:
        return len(self._dictionary) if self._array is None else self._count

    def __contains__(self, extent: int) -> bool:
        return self.get(extent) is not None

    def __getitem__(self, extent: int) -> int:
        slot = self.get(extent)
        if slot is None:
            raise KeyError(extent)
        return slot

    def __setitem__(self, extent: int, slot: int) -> None:
        if self._array is not None:
            self._count += self._array[extent] == _ABSENT
            self._array[extent] = slot
            return
        self._dictionary[extent] = slot
        if len(self._dictionary) >= self._dense_from_count:
            self._become_dense()

    def items(self) -> Iterator[tuple[int, int]]:
        """Pairs of extent and slot."""
        if self._array is None:
            return iter(self._dictionary.items())
        return ((extent, slot) for extent, slot in enumerate(self._array) if slot != _ABSENT)

    def sorted_items(self) -> Iterator[tuple[int, int]]:
        """Pairs of extent and slot, by extent."""
        if self._array is None:
            return ((extent, self._dictionary[extent]) for extent in sorted(self._dictionary))
        return self.items()

    def keys(self) -> Iterator[int]:
        """The extents that have a slot."""
        return (extent for extent, _ in self.items())

    def values(self) -> Iterator[int]:
        """The slots."""
        return (slot for _, slot in self.items())

    def _become_dense(self) -> None:
        flat = array("q", [_ABSENT]) * self._extent_count
        for extent, slot in self._dictionary.items():
            flat[extent] = slot
        self._array, self._count = flat, len(self._dictionary)
        self._dictionary = {}
        self.get = self._get_dense

    def _get_dense(self, extent: int) -> int | None:
        assert self._array is not None
        slot = self._array[extent]
        return None if slot == _ABSENT else slot
