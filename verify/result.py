"""What came out: one verdict, made in one place, and what it rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from shadowshare.protocol.errors import ShadowshareError

Verdict = Literal["verified", "violated", "unknown"]


class ResultError(ShadowshareError):
    """A result cannot be made into what was asked for."""


class Violation(NamedTuple):
    """Something that must never happen, and did."""

    rule: str
    message: str
    host: str
    extent: int | None = None


@dataclass(frozen=True, slots=True)
class Exploration:
    """What a strategy found among the interleavings of one world.

    Attributes:
        violation: the first one met, if any.
        labels: the choices that lead to it.
        is_exhausted: whether every interleaving was covered.
        reason: why not, if not.
        schedule_count: complete interleavings covered, each different sequence of labels once; None if they were not,
            or cannot be, counted.
        execution_count: schedules that were run one after the other; 0 for a search of states.
        trace_count: classes of complete schedules that differ only in the order of steps that do not depend on each
            other; None if not all of them were covered, or nobody counted.
        blocked_count: schedules that were begun, and broken off where they turned out to be equivalent to earlier ones.
        state_count: different states met; 0 for a strategy that does not compare states.
        step_count: choices taken.
        depth_steps: length of the longest schedule run; of a search of states, of the longest way that it needs.
        host_run_count: how often code of the hosts really ran.
        unreached: what must come to pass in some schedule, and did not, so that nothing was shown about it: steps that
            read a shadow copy and must get its data, marks, what tasks state that it holds sometimes.
        reductions: what was left out because it cannot change the verdict, and why, in words.
        refused: reductions that were asked for and could not be used, and why, in words.
        apart_count: how many explorations this sums up, each of one of the readers; 0 if all were explored together.
        choice_counts: how many of the choices taken were operations, and how many something else, by kind
            (`shadowshare.sim.schedule.kind_of`); empty if nothing else can happen, or they were not counted.
        tallies: how many of the schedules that were run are out of the ordinary, by what they are, in words.
        marks: names of the rare paths that were reached (`shadowshare.protocol.marks`).
        steps_alone: the most steps that a host takes to finish what it does, from any state that was met, when it is
            left alone there; 0 if nobody looked, or something is violated.
    """

    violation: Violation | None = None
    labels: tuple[str, ...] = ()
    is_exhausted: bool = False
    reason: str = ""
    schedule_count: int | None = None
    execution_count: int = 0
    trace_count: int | None = None
    blocked_count: int = 0
    state_count: int = 0
    step_count: int = 0
    depth_steps: int = 0
    host_run_count: int = 0
    unreached: tuple[str, ...] = ()
    reductions: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    apart_count: int = 0
    choice_counts: Mapping[str, int] = field(default_factory=dict)
    tallies: Mapping[str, int] = field(default_factory=dict)
    steps_alone: int = 0
    marks: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """``violated`` with a violation; ``verified`` if nothing is left unexplored or unreached; else ``unknown``."""
        if self.violation is not None:
            return "violated"
        return "verified" if self.is_exhausted and not self.unreached else "unknown"


def with_unmet(found: Exploration, unmet: Sequence[str]) -> Exploration:
    """What a strategy found, when there is something that must be met by a schedule, and was not."""
    if not unmet or found.violation is not None:
        return found
    reason = f"not met by any schedule, so nothing was shown about it: {', '.join(unmet)}"
    return replace(found, reason=reason, unreached=(*found.unreached, *unmet))


def sum_of(parts: Sequence[Exploration]) -> Exploration:
    """What several explorations, each of one of the readers, found together; only the last one may have failed."""
    last = parts[-1]
    return replace(
        last,
        is_exhausted=all(part.is_exhausted for part in parts),
        schedule_count=_total([part.schedule_count for part in parts]),
        execution_count=sum(part.execution_count for part in parts),
        trace_count=_total([part.trace_count for part in parts]),
        blocked_count=sum(part.blocked_count for part in parts),
        state_count=sum(part.state_count for part in parts),
        step_count=sum(part.step_count for part in parts),
        depth_steps=max(part.depth_steps for part in parts),
        host_run_count=sum(part.host_run_count for part in parts),
        unreached=tuple(step for part in parts for step in part.unreached),
        reductions=tuple(dict.fromkeys(words for part in parts for words in part.reductions)),
        refused=tuple(dict.fromkeys(words for part in parts for words in part.refused)),
        apart_count=len(parts),
        choice_counts=_added(part.choice_counts for part in parts),
        tallies=_added(part.tallies for part in parts),
        marks=tuple(sorted({name for part in parts for name in part.marks})),
        steps_alone=max(part.steps_alone for part in parts),
    )


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total = Counter[str]()
    for one in counts:
        total.update(one)
    return dict(total)


def _total(counts: Sequence[int | None]) -> int | None:
    """The sum; None if one of them is not known."""
    return None if None in counts else sum(count or 0 for count in counts)


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """The result of one scenario of a run.

    Attributes:
        name: the scenario's.
        verdict: what was found.
        expected: what the scenario expects.
        reason: why the verdict is unknown, or what was violated.
        schedules: interleavings covered, or repetitions on a real disk.
        schedule: the counterexample as a schedule string; None without one.
        violation: what went wrong, if something did.
        seconds: how long it took.
        details: further figures, by name.
    """

    name: str
    verdict: Verdict
    expected: str
    reason: str
    schedules: int | None
    schedule: str | None = None
    violation: Violation | None = None
    seconds: float = 0.0
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the verdict is the expected one."""
        return self.verdict == self.expected
