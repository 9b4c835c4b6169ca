"""Which extents may differ between two shadow copies, or between one and the volume: what an incremental backup reads.

An extent of the volume is written only when the newest shadow copy has a copy of it. So what changed between the
creation of one shadow copy and that of a later one is in the tables from the earlier one up to the later one, that one
excluded; a deleted shadow copy between them has passed its copies on to an older one, which is still in that range.
Together these tables are the answer: every extent that differs is in it. It may hold more: an extent that was written
with what it held already, or that was copied for a write that failed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.protocol.marks import Mark, reached
from shadowshare.protocol.view import View


class ExtentRun(NamedTuple):
    """``extent_count`` extents from ``extent`` on."""

    extent: int
    extent_count: int


def changed_extents(view: View, base: ShadowCopyId, target: ShadowCopyId | None) -> list[ExtentRun]:
    """Every extent whose content may differ, in order, neighbours in one run.

    Args:
        view: as of when the answer is right, if ``target`` is the volume; else any view that has both.
        base: a shadow copy.
        target: another one, older or newer; None is the volume.

    Raises:
        ShadowCopyNotFound: there is no such shadow copy, or no longer.
        ShadowCopyInvalidated: one of them lost its image.
    """
    tables = view.tables(base)
    later = () if target is None else view.tables(target)
    if len(later) > len(tables):
        reached(Mark.CHANGES_BACKWARDS)
        tables, later = later, tables
    between = tables[: len(tables) - len(later)]
    extents: set[int] = set().union(*(table.keys() for table in between))
    return runs_of(sorted(extents))


def runs_of(extents: Iterable[int]) -> list[ExtentRun]:
    """Extents in ascending order, neighbours joined."""
    runs: list[ExtentRun] = []
    for extent in extents:
        last = runs[-1] if runs else None
        if last is not None and last.extent + last.extent_count == extent:
            runs[-1] = ExtentRun(last.extent, last.extent_count + 1)
        else:
            runs.append(ExtentRun(extent, 1))
    return runs
