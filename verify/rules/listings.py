"""Whether a list of the shadow copies is right: judged by what was acknowledged when it was asked for, and since.

Every shadow copy that existed when somebody asked, and exists still, must be in it, and none that was deleted by then,
nor one that never was. They come oldest first, each with the time of its creation; and each has its image, or has lost
it, as the journal says, if no power loss can have changed that meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

from shadowshare.models.computers import CREATED_NS
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.verify.rules.existence import Existence
from shadowshare.verify.rules.given_way import GivenWay


class Question(NamedTuple):
    """A list that was asked for, and what was known then.

    Attributes:
        key: of the request.
        existence: what was acknowledged and asked for.
        without_image: shadow copies that had lost their image.
    """

    key: str
    existence: Existence
    without_image: frozenset[ShadowCopyId]


class Listings(NamedTuple):
    """Lists that were asked for, and did not come yet."""

    questions: tuple[Question, ...] = ()

    def after_question(self, key: str, existence: Existence, given_way: GivenWay) -> Listings:
        """A list was asked for."""
        return Listings((*self.questions, Question(key, existence, given_way.invalidated)))

    def after_failure(self, key: str) -> Listings:
        """A step failed: if it asked for a list, none will come."""
        return Listings(tuple([one for one in self.questions if one.key != key]))

    def after_answer(
        self,
        answer: Any,
        created: Collection[ShadowCopyId],
        existence: Existence,
        given_way: GivenWay,
        can_lose_power: bool,
    ) -> tuple[Listings, str]:
        """A list came. Returns what is waited for now, and what is wrong with the list, or nothing.

        Args:
            answer: the list.
            created: shadow copies that ever came to be.
            existence: what was acknowledged and asked for by now.
            given_way: what the journal says by now of those that gave way.
            can_lose_power: whether a power loss may take back what the journal said.
        """
        question = next(one for one in self.questions if one.key == answer.key)
        problems = [
            *_wrong_ids(question, [one for one, _, _ in answer.shadow_copies], created, existence, given_way),
            *_wrong_facts(question, answer.shadow_copies, given_way, can_lose_power),
        ]
        return self.after_failure(answer.key), next(iter(problems), "")


def _wrong_ids(
    question: Question,
    found: Sequence[ShadowCopyId],
    created: Collection[ShadowCopyId],
    existence: Existence,
    given_way: GivenWay,
) -> Iterator[str]:
    for lost in question.existence.lost(set(found), existence.deletion_began | given_way.deleted):
        yield f"shadow copy {lost} exists, and is not in the list"
    for undead in question.existence.undead(set(found)):
        yield f"shadow copy {undead} was deleted, and is in the list"
    for unknown in sorted(set(found).difference(created)):
        yield f"shadow copy {unknown} is in the list, but was never created"
    if list(found) != sorted(set(found)):
        yield f"the list is not each shadow copy once, oldest first: {', '.join(map(str, found))}"


def _wrong_facts(
    question: Question,
    shadow_copies: Sequence[tuple[ShadowCopyId, int, bool]],
    given_way: GivenWay,
    can_lose_power: bool,
) -> Iterator[str]:
    for shadow_copy, created_ns, is_valid in shadow_copies:
        if created_ns != CREATED_NS:
            yield f"the list says that shadow copy {shadow_copy} is of {created_ns} ns, and it is not"
        if not is_valid and shadow_copy not in given_way.invalidated:
            yield f"the list says that shadow copy {shadow_copy} has no image, but it never gave way"
        if is_valid and shadow_copy in question.without_image and not can_lose_power:
            yield f"the list says that shadow copy {shadow_copy} has its image, but it gave way before"
