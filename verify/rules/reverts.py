"""Which scenarios revert the volume: what must be known of them, others need not pay for."""

from __future__ import annotations

from shadowshare.scenarios.definition import Scenario


def has_reverts(scenario: Scenario) -> bool:
    """Whether a computer of a scenario reverts the volume."""
    return any(step.verb == "revert" for plan in scenario.hosts for script in plan.scripts for step in script)
