"""What the protocol makes of each fault of a device: one of three verdicts, found by exploring scenarios with it.

``exact``               no schedule shows a wrong byte or an error
``exact or an error``   no schedule shows a wrong byte; where the fault is in the way, an error says so
``assumed away``        a schedule shows a wrong byte: a device with this fault breaks the disk contract

Anything else is ``unknown``, or ``violated`` where the scenario says that it must not be. A verdict counts only if
each fault of the scenario really happened in some schedule.
"""

from __future__ import annotations

from typing import NamedTuple

from shadowshare.models.computers import Implementation
from shadowshare.scenarios.catalogue import built_in, built_in_names
from shadowshare.scenarios.definition import Scenario
from shadowshare.scenarios.document import PLACES
from shadowshare.sim.faults.catalogue import FAULTS
from shadowshare.verify.exploration.search import Budget
from shadowshare.verify.explorer import Part
from shadowshare.verify.race import Race
from shadowshare.verify.strategies.exhaustive import Exhaustive

__all__ = [
    "ASSUMED_AWAY",
    "EXACT",
    "EXACT_OR_ERROR",
    "PLACES",
    "FaultVerdict",
    "fault_scenarios",
    "fault_verdict",
    "faults_of",
]

EXACT = "exact"
EXACT_OR_ERROR = "exact or an error"
ASSUMED_AWAY = "assumed away"


class FaultVerdict(NamedTuple):
    """What came of the faults of one scenario.

    Attributes:
        scenario: its name.
        faults: their names.
        places: the parts of the disks that they may touch.
        verdict: see the module.
        errors: names of the errors that were met.
        violated: the rule of the oracle that was violated first; empty if none was.
        reason: why the verdict is unknown or violated; else empty.
        state_count: states that the exploration met.
    """

    scenario: str
    faults: tuple[str, ...]
    places: tuple[str, ...]
    verdict: str
    errors: tuple[str, ...]
    violated: str
    reason: str
    state_count: int

    @property
    def is_told(self) -> bool:
        """Whether it is one of the three."""
        return self.verdict in (EXACT, EXACT_OR_ERROR, ASSUMED_AWAY)


def faults_of(scenario: Scenario) -> tuple[str, ...]:
    """The names of the faults of devices that may happen in a scenario."""
    return tuple(name for name in FAULTS if getattr(scenario.faults, name))


def fault_scenarios() -> list[str]:
    """The names of the built-in scenarios with faults of devices, by their faults, in the order of the catalogue."""
    faulty = [(faults_of(built_in(name)), name) for name in built_in_names()]
    order = list(FAULTS)
    return [name for faults, name in sorted(faulty, key=lambda one: [*map(order.index, one[0])]) if faults]


def fault_verdict(scenario: Scenario, implementation: Implementation | None = None) -> FaultVerdict:
    """Explore a scenario with faults of devices, and say what came of them."""
    strategy = Exhaustive(counts_schedules=False)
    race = Part(scenario, implementation or Implementation(), True, strategy).race()
    found = strategy.run(race.product, Budget())
    faults, errors = faults_of(scenario), tuple(sorted(race.errors()))
    verdict, reason = _verdict(scenario, race, found.verdict, errors, found.reason)
    if found.violation is not None and verdict != ASSUMED_AWAY:
        reason = f"{found.violation.rule}: {found.violation.message}"
    return FaultVerdict(
        scenario.name,
        faults,
        scenario.faults.places or PLACES,
        verdict,
        () if found.violation is not None else errors,
        "" if found.violation is None else found.violation.rule,
        reason,
        found.state_count,
    )


def _verdict(
    scenario: Scenario, race: Race, found: str, errors: tuple[str, ...], reason: str
) -> tuple[str, str]:
    missed = [name for name in faults_of(scenario) if name not in race.faults_that_struck()]
    unreached = race.unreached() if found == "verified" else ()
    if found == "unknown":
        return "unknown", reason
    if missed or unreached:
        return "unknown", f"in no schedule: {', '.join([*missed, *unreached])}"
    if found == scenario.expected:
        return (ASSUMED_AWAY if found == "violated" else EXACT_OR_ERROR if errors else EXACT), ""
    return ("violated", "") if found == "violated" else ("unknown", "a wrong byte must be found, and is not")
