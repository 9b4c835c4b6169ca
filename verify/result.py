"""What came out: one verdict, made in one place, and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from shadowshare.verify.oracle import Violation

Verdict = Literal["verified", "violated", "unknown"]


@dataclass(frozen=True, slots=True)
class Exploration:
    """What a search of a scenario's interleavings found.

    Attributes:
        violation: the first one met, if any.
        labels: the choices that lead to it.
        is_exhausted: whether every interleaving was covered.
        reason: why not, if not.
        schedule_count: complete interleavings covered: counted one by one, or along the graph of states; None if
            they could not be counted.
        state_count: different states met; 0 for a strategy that does not compare states.
        step_count: choices taken.
        depth_steps: length of the longest schedule.
        host_run_count: how often protocol code really ran.
        unreached: steps that read a shadow copy and got its data in no schedule: nothing was shown about them.
        passives_apart: how many explorations of one passive each this sums up; 0 if all hosts were explored together.
    """

    violation: Violation | None
    labels: tuple[str, ...]
    is_exhausted: bool
    reason: str
    schedule_count: int | None
    state_count: int = 0
    step_count: int = 0
    depth_steps: int = 0
    host_run_count: int = 0
    unreached: tuple[str, ...] = ()
    passives_apart: int = 0

    @property
    def verdict(self) -> Verdict:
        """``violated`` with a violation; ``verified`` if nothing is left unexplored or unreached; else ``unknown``."""
        if self.violation is not None:
            return "violated"
        return "verified" if self.is_exhausted and not self.unreached else "unknown"


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
