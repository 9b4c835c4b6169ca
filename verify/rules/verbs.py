"""What a scenario's computers do at all: what must be known of it, others need not pay for."""

from __future__ import annotations

from shadowshare.scenarios.definition import Scenario


def has_verb(scenario: Scenario, *verbs: str) -> bool:
    """Whether a computer of a scenario has a step of one of these kinds."""
    return any(step.verb in verbs for plan in scenario.hosts for script in plan.scripts for step in script)
