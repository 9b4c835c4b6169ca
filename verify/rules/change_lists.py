"""Whether a list of changed extents is right: judged by the images and by what was ever written, not by any journal.

Every extent must be in it whose images differ; compared with the live volume, every one that differed when the question
was asked, and was decided then. And none may be in it that nobody ever asked to change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from shadowshare.protocol.geometry import VOLUME_DEVICE, Geometry
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.sim.stepped.shared import SharedState


class Question(NamedTuple):
    """A list that was asked for, and which extents of the volume differed from the base at that time."""

    key: str
    differing: frozenset[int]


class ChangeLists(NamedTuple):
    """What is known of the lists of changed extents.

    Attributes:
        touched: extents that somebody asked to change so far.
        questions: lists that were asked for, and did not come yet.
    """

    touched: frozenset[int] = frozenset()
    questions: tuple[Question, ...] = ()

    def after_change(self, sectors: Sequence[tuple[int, bytes]], geometry: Geometry) -> ChangeLists:
        """Somebody asked to change these sectors."""
        touched = {sector // geometry.extent_sectors for sector, _ in sectors}
        return self if touched <= self.touched else self._replace(touched=self.touched | touched)

    def after_question(
        self, key: str, image: Sequence[bytes] | None, shared: SharedState, geometry: Geometry
    ) -> ChangeLists:
        """A list of what changed since ``image`` was asked for; None if that image does not exist."""
        volume = shared.disks[VOLUME_DEVICE]
        differing = frozenset(
            sector // geometry.extent_sectors
            for sector, content in enumerate(image or ())
            if sector not in volume.undecided and volume.sectors[sector] != content
        )
        return self._replace(questions=(*self.questions, Question(key, differing)))

    def after_answer(
        self,
        answer: Any,
        images: Mapping[ShadowCopyId, Sequence[bytes]],
        extent_sectors: int,
    ) -> tuple[ChangeLists, str]:
        """A list came. Returns what is known now, and what is wrong with the list, or nothing."""
        question = next(one for one in self.questions if one.key == answer.key)
        known = self._replace(questions=tuple(one for one in self.questions if one is not question))
        must = question.differing
        if answer.target is not None:
            pairs = zip(images[answer.base], images[answer.target], strict=True)
            must = frozenset(
                sector // extent_sectors for sector, (one, other) in enumerate(pairs) if one != other
            )
        between = f"{answer.base} and {answer.target or 'the volume'}"
        for extent in sorted(must - answer.extents):
            return (
                known,
                f"extent {extent} differs between {between}, and is not in the list of changed extents",
            )
        for extent in sorted(answer.extents - self.touched):
            return (
                known,
                f"extent {extent} is in the list of what changed between {between}, but was never written",
            )
        return known, ""

    def after_failure(self, key: str) -> ChangeLists:
        """A step failed: if it asked for a list, none will come."""
        return self._replace(questions=tuple(one for one in self.questions if one.key != key))
