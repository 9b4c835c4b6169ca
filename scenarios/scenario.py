"""A scenario, ready to be run: what a scenario file means."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from shadowshare.models.steps import ScriptStep
from shadowshare.protocol.geometry import Geometry
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.protocol.policy import Policy
from shadowshare.scenarios.document import Faults
from shadowshare.sim.disks.memory_disk import Misbehaviour


class HostPlan(msgspec.Struct, frozen=True):
    """One computer of a scenario.

    Attributes:
        name: capital letter, perhaps more letters.
        role: ``active`` or ``passive``.
        recovers: name of the host whose crash starts this one; empty if it is there from the start.
        scripts: of its tasks: first the steps before the race, one task each, then those of the race.
        before_count: how many of the scripts belong before the race.
    """

    name: str
    role: str
    recovers: str
    scripts: tuple[tuple[ScriptStep, ...], ...]
    before_count: int


class Scenario(msgspec.Struct, frozen=True):
    """A race, ready to be run.

    Attributes:
        name: lower case with hyphens.
        story: what happens, in two sentences.
        expected: the verdict that it must have.
        geometry: of its store.
        policy: of its store before the race: what gives way when an extent cannot be copied.
        kept: shadow copies that must not give way, because there is room for them.
        hosts: the computers.
        before: which host does its next task before the race, in order.
        shadow_copies: the ids that names stand for.
        faults: what else may happen.
        misbehaviour: what the disks do wrong.
        catch_up_blocks: journal blocks per catch-up read.
        sometimes: names of the rare paths that at least one of its schedules must take.
    """

    name: str
    story: str
    expected: str
    geometry: Geometry
    policy: Policy
    kept: tuple[ShadowCopyId, ...]
    hosts: tuple[HostPlan, ...]
    before: tuple[str, ...]
    shadow_copies: dict[str, ShadowCopyId]
    faults: Faults
    misbehaviour: Misbehaviour
    catch_up_blocks: int
    sometimes: tuple[str, ...] = ()

    @property
    def grown(self) -> Geometry:
        """The geometry of the store when every step was done that makes it larger."""
        return self.geometries[0]

    @property
    def geometries(self) -> tuple[Geometry, ...]:
        """Those that the store may have, as steps make it larger, the largest first."""
        scripts = [script for plan in self.hosts for script in plan.scripts]
        wanted = {step.slot_count for script in scripts for step in script}
        larger = sorted((count for count in wanted if count > self.geometry.slot_count), reverse=True)
        return (*map(self.geometry.with_slots, larger), self.geometry)

    def host_number(self, name: str) -> int:
        """Position of a host in ``hosts``."""
        return [host.name for host in self.hosts].index(name)


def edit(scenario: Scenario, **changes: Any) -> Scenario:
    """A copy of a scenario with some attributes changed."""
    replaced: Callable[..., Scenario] = msgspec.structs.replace
    return replaced(scenario, **changes)
