"""Lists of the shadow copies."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shadowshare.models.computers import CREATED_NS, Implementation
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.protocol.passive import Passive, ShadowCopyInfo
from shadowshare.scenarios.catalogue import built_in
from shadowshare.verify.explorer import explore

FIRST, NEVER = ShadowCopyId(1, 1), ShadowCopyId(7, 7)
LISTING = built_in("listing")


def _only_the_newest(found: list[ShadowCopyInfo]) -> list[ShadowCopyInfo]:
    return found[-1:] if len(found) > 1 else []


def _newest_first(found: list[ShadowCopyInfo]) -> list[ShadowCopyInfo]:
    return found[::-1]


def _twice(found: list[ShadowCopyInfo]) -> list[ShadowCopyInfo]:
    return found * 2


def _one_more(found: list[ShadowCopyInfo]) -> list[ShadowCopyInfo]:
    return [*found, ShadowCopyInfo(NEVER, CREATED_NS, True, 0)]


def _also_the_first(found: list[ShadowCopyInfo]) -> list[ShadowCopyInfo]:
    is_there = any(one.id == FIRST for one in found)
    return found if is_there else [ShadowCopyInfo(FIRST, CREATED_NS, False, 0), *found]


def _of_another_time(found: list[ShadowCopyInfo]) -> list[ShadowCopyInfo]:
    return [one._replace(created_ns=1) for one in found]


def _all_with_image(found: list[ShadowCopyInfo]) -> list[ShadowCopyInfo]:
    return [one._replace(is_valid=True) for one in found]


def _all_without_image(found: list[ShadowCopyInfo]) -> list[ShadowCopyInfo]:
    return [one._replace(is_valid=False) for one in found]


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        (_only_the_newest, "1.1 exists, and is not in the list"),
        (_newest_first, "not each shadow copy once, oldest first"),
        (_twice, "not each shadow copy once, oldest first"),
        (_one_more, "7.7 is in the list, but was never created"),
        (_also_the_first, "1.1 was deleted, and is in the list"),
        (_of_another_time, "is of 1 ns, and it is not"),
        (_all_with_image, "1.1 has its image, but it gave way before"),
        (_all_without_image, "has no image, but it never gave way"),
    ],
)
def test_each_lie_is_found(lie: Callable[[list[ShadowCopyInfo]], list[ShadowCopyInfo]], words: str) -> None:
    class Lying(Passive):
        async def shadow_copies(self) -> list[ShadowCopyInfo]:
            return lie(await super().shadow_copies())

    violation = explore(LISTING, Implementation(passive=Lying)).violation
    assert violation is not None
    assert violation.rule == "existence"
    assert words in violation.message
