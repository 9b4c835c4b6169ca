"""One check of the gate, and what all of them say together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shadowshare.verify.gate.statistics import Unseen, unseen_pairs, violation_bound
from shadowshare.verify.result import Verdict, Violation

STAGES = ("regressions", "scopes", "determinism", "mutants", "generated")
"""In the order in which they are reported; ``docs/gate.md`` says what each is."""

OPTIONAL_STAGES = ("regressions",)
"""Those of which there may be no check: nothing may have failed yet."""


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of one check.

    Attributes:
        stage: which part of the gate it belongs to, one of `STAGES`.
        name: of the scenario, the mutant, the failure, or the seed.
        verdict: ``verified`` if it is as it must be.
        reason: why it is not.
        seconds: that it took.
        violation: what went wrong, if something did.
        scenario_text: of the scenario in which it went wrong, as a file, if it is not a built-in one.
        schedule: that shows it.
        figures: what the verdict rests on, by name.
        marks: names of the rare paths that were reached.
        shown: of generated races: the sets of rare paths that they reached, and how many reached just that set.
    """

    stage: str
    name: str
    verdict: Verdict
    reason: str = ""
    seconds: float = 0.0
    violation: Violation | None = None
    scenario_text: str | None = None
    schedule: str | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)
    marks: frozenset[str] = frozenset()
    shown: Mapping[frozenset[str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GateResult:
    """All checks, and the verdict.

    Attributes:
        checks: in the order of the stages.
        seed: of everything that was drawn.
        missing_marks: rare paths that must be reached, and were not.
        seconds: that it took.
        left_out: checks that were not made, because something was violated before.
    """

    checks: tuple[Check, ...]
    seed: int
    missing_marks: tuple[str, ...]
    seconds: float
    left_out: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """``violated`` if any check is; ``verified`` if every one is, none was left out, and all marks were reached."""
        verdicts = {check.verdict for check in self.checks}
        if "violated" in verdicts:
            return "violated"
        is_whole = not (self.unchecked_stages or self.left_out or self.missing_marks)
        return "verified" if verdicts == {"verified"} and is_whole else "unknown"

    @property
    def unchecked_stages(self) -> list[str]:
        """Stages that must have a check, and have none."""
        checked = {check.stage for check in self.checks}
        return [stage for stage in STAGES if stage not in checked and stage not in OPTIONAL_STAGES]

    @property
    def reasons(self) -> list[str]:
        """Why the verdict is not ``verified``."""
        found = [
            f"{check.stage}: {check.name}: {check.reason}"
            for check in self.checks
            if check.verdict != "verified"
        ]
        found += [f"{stage}: nothing was checked" for stage in self.unchecked_stages]
        if self.missing_marks:
            found.append(f"rare paths that no schedule reached: {', '.join(self.missing_marks)}")
        return found

    def of_stage(self, stage: str) -> list[Check]:
        """The checks of one stage."""
        return [check for check in self.checks if check.stage == stage]

    def total(self, stage: str, figure: str) -> int:
        """A figure of all checks of a stage together."""
        return sum(int(check.figures.get(figure) or 0) for check in self.of_stage(stage))

    @property
    def violation_bound(self) -> float:
        """The largest probability of a violation per generated race that what was seen allows, with 95 % confidence."""
        return violation_bound(self.total("generated", "races"))

    @property
    def unseen(self) -> Unseen:
        """How much of what is generated was never seen: of rare paths that one race reaches, two together."""
        return unseen_pairs(check.shown for check in self.of_stage("generated"))

    def slowest(self, count: int = 5) -> Sequence[Check]:
        """The checks that took longest."""
        return sorted(self.checks, key=lambda check: -check.seconds)[:count]
