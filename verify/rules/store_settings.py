"""The policy and the number of slots: what is in force by the journal, and what was acknowledged and must stay."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from shadowshare.models.observations import GrowthEnded, PolicyEnded
from shadowshare.protocol.layout import Checkpoint, Record, Settings
from shadowshare.protocol.policy import Policy
from shadowshare.protocol.view import View
from shadowshare.scenarios.scenario import Scenario
from shadowshare.verify.rules.verbs import has_verb


def slot_counts_of(scenario: Scenario) -> frozenset[int]:
    """How many slots there may be at the end; none if nobody changes the policy, or lets the area grow."""
    if not has_verb(scenario, "policy", "grow"):
        return frozenset()
    return frozenset([geometry.slot_count for geometry in scenario.geometries])


class StoreSettings(NamedTuple):
    """What was told so far.

    Attributes:
        policies: each that may still be in force, in the order of the journal. The last one is, unless a power loss
            took it away.
        can_lose: whether there are power losses.
        slot_count: how many slots there are at least.
    """

    policies: tuple[Policy, ...]
    can_lose: bool
    slot_count: int = 0

    @property
    def in_force(self) -> frozenset[Policy]:
        """Policies that may be in force."""
        return frozenset(self.policies if self.can_lose else self.policies[-1:])

    def after_block(self, records: Sequence[Record]) -> StoreSettings:
        """What is so when a journal block took effect."""
        if records and isinstance(records[0], Checkpoint):
            return self  # it says once more what the journal says
        changes = tuple([record.policy for record in records if isinstance(record, Settings)])
        return self._replace(policies=self.policies + changes) if changes else self

    def after_report(self, report: PolicyEnded | GrowthEnded) -> tuple[StoreSettings, str]:
        """What is so when something was acknowledged, and what is wrong with that, or nothing."""
        if isinstance(report, PolicyEnded):
            return self.after_policy(report.policy)
        return self.after_growth(report.slot_count), ""

    def after_policy(self, policy: Policy) -> tuple[StoreSettings, str]:
        """What is so when a change of the policy was acknowledged, and what is wrong with that, or nothing."""
        if policy not in self.policies[1:]:
            return self, f"the policy {policy.value} was acknowledged, and the journal does not have it"
        last = len(self.policies) - 1 - self.policies[::-1].index(policy)
        return self._replace(policies=self.policies[last:]), ""

    def after_growth(self, slot_count: int) -> StoreSettings:
        """What is so when it was acknowledged that there are so many slots."""
        return self._replace(slot_count=max(slot_count, self.slot_count))

    def problem(self, view: View, slot_counts: Collection[int]) -> str:
        """What is wrong with what was found at the end, or nothing.

        Args:
            view: what was found.
            slot_counts: of formatting, and all that somebody asked for.
        """
        if view.settings.policy not in self.in_force:
            wanted = " or ".join(sorted(policy.value for policy in self.in_force))
            return f"the policy is {view.settings.policy.value}, and was changed to {wanted}"
        if view.slot_count < self.slot_count:
            return f"there are {view.slot_count} slots, and {self.slot_count} were acknowledged"
        if view.slot_count not in slot_counts:
            return f"there are {view.slot_count} slots, and nobody asked for so many"
        return ""
