"""What a list of changed extents is judged by."""

from __future__ import annotations

from shadowshare.models.observations import ChangesTold
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.verify.rules.change_lists import ChangeLists, Question

BASE, TARGET = ShadowCopyId(1, 1), ShadowCopyId(1, 2)
IMAGES = {BASE: (b"a", b"b", b"c", b"d"), TARGET: (b"a", b"B", b"c", b"d")}


def told(
    extents: set[int], target: ShadowCopyId | None = TARGET, differing: frozenset[int] = frozenset()
) -> str:
    """What is wrong with a list, when extents 0 and 1, of two sectors each, were written."""
    known = ChangeLists(frozenset([0, 1]), (Question("R0.1", differing),))
    after, problem = known.after_answer(ChangesTold("R0.1", BASE, target, frozenset(extents)), IMAGES, 2)
    assert not after.questions
    return problem


def test_what_differs_must_be_there_and_more_may_be() -> None:
    assert told({0}) == told({0, 1}) == ""
    assert told({1}) == ("extent 0 differs between 1.1 and 1.2, and is not in the list of changed extents")


def test_what_nobody_wrote_must_not_be_there() -> None:
    assert (
        told({0, 7}) == "extent 7 is in the list of what changed between 1.1 and 1.2, but was never written"
    )


def test_compared_with_the_volume_what_differed_at_the_question_counts() -> None:
    assert told({1}, target=None, differing=frozenset([1])) == ""
    assert told(set(), target=None, differing=frozenset([1])).startswith(
        "extent 1 differs between 1.1 and the volume"
    )
    assert told(set(), target=None) == ""


def test_a_question_without_an_answer_is_forgotten() -> None:
    known = ChangeLists(frozenset(), (Question("R0.1", frozenset()), Question("R0.2", frozenset())))
    assert [one.key for one in known.after_failure("R0.1").questions] == ["R0.2"]
