"""A scenario's race as a product of automata, watched by the oracle."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from hashlib import blake2b
from typing import Any

import msgspec

from shadowshare.models.computers import Implementation, step_key
from shadowshare.models.observations import ReadEnded, StepFailed
from shadowshare.protocol.errors import ActiveStopped, DiskError, StoreError
from shadowshare.scenarios.definition import Scenario, edit
from shadowshare.scenarios.staging import stage
from shadowshare.sim.stepped.shared import SharedState
from shadowshare.sim.stepped.world import Client
from shadowshare.verify.exploration.memoised import MemoisedHost, automata
from shadowshare.verify.exploration.product import Product
from shadowshare.verify.rules.oracle import Oracle
from shadowshare.verify.rules.promptness import patiences_of


class Race:
    """A scenario, ready to be explored.

    Args:
        scenario: what happens.
        implementation: the protocol code under test; the real one by default.
        merges: whether hosts at rest merge by their digest; without, by their whole history.
    """

    def __init__(
        self, scenario: Scenario, implementation: Implementation | None = None, merges: bool = True
    ) -> None:
        self.scenario = scenario
        self._automata = automata(scenario, implementation or Implementation(), merges)
        hosts = [MemoisedHost(automaton) for automaton in self._automata]
        self._judged: dict[tuple[Hashable, bool], Any] = {}
        self._errors_at_end: set[str] = set()
        world = stage(scenario, hosts, Oracle(scenario))
        self.product = Product(world, self._judge_end, patiences=patiences_of(scenario))

    def _judge_end(self, shared: SharedState, clients: Sequence[Client | None]) -> Any:
        """Audit what is left on the disks, once for each state of them."""
        is_stuck = any(client.host.unfinished_count for client in clients if client is not None)
        key = (id(shared), is_stuck)  # the product keeps each of its shared parts
        if key not in self._judged:
            assert isinstance(shared.watcher, Oracle)
            oracle = shared.watcher.fork()
            oracle.audit(shared.fork(), is_stuck)  # which may remember what the auditor reads
            self._judged[key] = oracle.violation
            if oracle.excused_at_end is not None:
                self._errors_at_end.add(type(oracle.excused_at_end).__name__)
        return self._judged[key]

    @property
    def host_run_count(self) -> int:
        """How often protocol code really ran."""
        return sum(automaton.run_count for automaton in self._automata)

    def errors(self) -> set[str]:
        """Names of the errors of the disk or the store with which a step, or the opening at the end, was met to end."""
        reports = [report for automaton in self._automata for report in automaton.reports()]
        failures = [report.error for report in reports if isinstance(report, StepFailed)]
        kinds = (DiskError, StoreError, ActiveStopped)
        return self._errors_at_end | {type(error).__name__ for error in failures if isinstance(error, kinds)}

    def faults_that_struck(self) -> set[str]:
        """Names of the faults of the devices that happened in a schedule that was run."""
        return {entry.fault for shared in self.product.shared_parts() for entry in shared.ledger}

    def unreached(self) -> tuple[str, ...]:
        """The passives' read steps of the race that ended with data in no schedule that was run."""
        unreached = []
        for plan, automaton in zip(self.scenario.hosts, self._automata, strict=True):
            reached = {report.key for report in automaton.reports() if isinstance(report, ReadEnded)}
            for number, script in list(enumerate(plan.scripts))[plan.before_count :]:
                unreached += [
                    f"{plan.name}: {step.text}"
                    for position, step in enumerate(script)
                    if step.verb == "read" and step_key(plan.name, number, position) not in reached
                ]
        return tuple(unreached)


def without_hosts(scenario: Scenario, names: set[str]) -> Scenario:
    """The scenario with some passives taken away."""
    return edit(
        scenario,
        hosts=tuple(plan for plan in scenario.hosts if plan.name not in names),
        before=tuple(name for name in scenario.before if name not in names),
    )


def identity_of(scenario: Scenario, implementation: Implementation, part_count: int) -> str:
    """Names what is explored, with which code, in one line; different for whatever may be explored differently."""
    digest = blake2b(msgspec.json.encode((scenario, part_count)), digest_size=8).hexdigest()
    classes = [implementation.recovery, implementation.passive]
    return f"{scenario.name} ({digest}) with {' and '.join(kind.__qualname__ for kind in classes)}"
