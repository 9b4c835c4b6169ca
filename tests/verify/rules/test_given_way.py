"""Who may give way, as the oracle judges it by journal blocks alone."""

from __future__ import annotations

import pytest

from shadowshare.protocol.layout import (
    Checkpoint,
    Created,
    Deleted,
    Invalidated,
    Record,
    Settings,
    ShadowCopyId,
)
from shadowshare.protocol.policy import Policy
from shadowshare.verify.rules.given_way import GivenWay

OLD, NEW = ShadowCopyId(1, 1), ShadowCopyId(1, 2)
BOTH = frozenset([OLD, NEW])


def judge(
    state: GivenWay,
    *records: Record,
    asked_for: frozenset[ShadowCopyId] = frozenset(),
    policy: Policy = Policy.DELETE_OLDEST,
) -> tuple[GivenWay, str]:
    return state.after(records, BOTH, BOTH, asked_for, {policy})


@pytest.mark.parametrize("policy", Policy)
def test_invalidation_is_right_under_its_policy_only(policy: Policy) -> None:
    after, problem = judge(GivenWay(), Invalidated(), policy=policy)
    assert bool(problem) == (policy is not Policy.INVALIDATE)
    assert after.invalidated == BOTH


@pytest.mark.parametrize("policy", Policy)
def test_a_deletion_that_nobody_asked_for_is_right_under_its_policy_only(policy: Policy) -> None:
    _, problem = judge(GivenWay(), Deleted(OLD), policy=policy)
    assert bool(problem) == (policy is not Policy.DELETE_OLDEST)


def test_the_oldest_must_be_the_one_and_then_the_next() -> None:
    state = GivenWay()
    assert judge(state, Deleted(NEW))[1] == "shadow copy 1.2 was deleted before the older 1.1"
    after, problem = judge(state, Deleted(OLD))
    assert (after.deleted, problem) == (frozenset([OLD]), "")
    assert judge(after, Deleted(NEW))[1] == ""


def test_what_there_is_room_for_must_stay() -> None:
    assert "there was room" in judge(GivenWay(frozenset([OLD])), Deleted(OLD))[1]


def test_a_deletion_that_was_asked_for_is_right_and_gives_no_way() -> None:
    after, problem = judge(GivenWay(), Deleted(NEW), asked_for=frozenset([NEW]), policy=Policy.FAIL_WRITE)
    assert (after.deleted, after.gone, problem) == (frozenset(), frozenset([NEW]), "")


def test_a_checkpoint_says_nothing_new() -> None:
    state = GivenWay()
    records = (Checkpoint(1, 1), Settings(Policy.INVALIDATE, 0), Created(OLD, 0), Invalidated())
    assert judge(state, *records) == (state, "")
