"""Whether a step may end with its error: the store, its policy, or what happened to the disks must explain it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from shadowshare.models.observations import StepFailed
from shadowshare.protocol.errors import ReadError, ShadowCopyInvalidated, ShadowCopyNotFound
from shadowshare.sim.stepped.shared import SharedState
from shadowshare.verify.rules.refusals import undue_refusal
from shadowshare.verify.rules.room import Room, room_on

if TYPE_CHECKING:
    from shadowshare.verify.rules.oracle import Oracle


def judge_failure(oracle: Oracle, shared: SharedState, host: int, failure: StepFailed) -> None:
    """Judge how a step ended.

    Args:
        oracle: knows what must be, and is told what is wrong.
        shared: the disks, and the faults that there were.
        host: whose step it was.
        failure: how it ended.
    """
    error = failure.error
    if isinstance(error, ShadowCopyNotFound) and failure.shadow_copy is not None:
        if _had_to_be_found(oracle, failure):
            oracle.violated("existence", str(error), oracle.name_of(host))
    elif isinstance(error, ShadowCopyInvalidated) and failure.shadow_copy is not None:
        must_be_valid = failure.key in oracle.requests.must_be_valid
        oracle.check_invalidated(failure.shadow_copy, oracle.name_of(host), must_be_valid)
    else:
        _judge_other(oracle, shared, host, failure)


def _had_to_be_found(oracle: Oracle, failure: StepFailed) -> bool:
    """Whether the shadow copy existed when the step asked for it, and still does."""
    may_be_gone = oracle.existence.deletion_began | oracle.given_way.deleted
    return failure.key in oracle.requests.must_be_found and failure.shadow_copies.isdisjoint(may_be_gone)


def _judge_other(oracle: Oracle, shared: SharedState, host: int, failure: StepFailed) -> None:
    """Judge a step that asked for nothing that is not there."""
    policies, plan = oracle.settings.in_force, oracle.scenario.hosts[host]
    task_count = len(plan.scripts) - plan.before_count
    room = partial(_room, oracle, shared, host)
    if problem := undue_refusal(failure, policies, oracle.requests, task_count, room):
        oracle.violated("error", problem, oracle.name_of(host))
    elif not _is_excused(oracle, shared, host, failure.error):
        step = failure.step.text if failure.step else "?"
        what = f"{step!r} ended with {type(failure.error).__name__}: {failure.error}"
        oracle.violated("error", what, oracle.name_of(host))


def _room(oracle: Oracle, shared: SharedState, host: int) -> Room | None:
    """What room the active must find. Of a deletion that is not durable it cannot make use yet."""
    given_way = oracle.given_way
    is_durable = given_way.gone <= oracle.existence.deletion_ended and not given_way.invalidated
    if not is_durable or host != oracle.requests.active:
        return None
    return room_on(shared.disks, oracle.scenario, oracle.settings.slot_count)


def _is_excused(oracle: Oracle, shared: SharedState, host: int, error: Exception) -> bool:
    """Whether a step may end with this error: the scenario says so, and what happened to the disks does."""
    if isinstance(error, ReadError):
        oracle.read_failures = tuple(sorted((*oracle.read_failures, host)))
    is_fenced = any(disk.is_fenced(host) for disk in shared.disks)
    return oracle.excuses.during(error, host, shared.ledger, is_fenced, oracle.read_failures.count(host))
