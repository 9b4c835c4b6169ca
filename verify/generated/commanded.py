"""A store in the stepped world whose computers are told what to do while it runs.

A scenario's scripts are fixed before its race begins. Here each command is a script of one step, written into the next
empty one of a computer and started at once: so everything below it, the computers and the world, is what scenarios run
on.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from shadowshare.models.computers import (
    ActiveComputer,
    Implementation,
    PassiveComputer,
    Setting,
)
from shadowshare.models.steps import ScriptStep, parse_step
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.scenarios.definition import ACTIVE, PASSIVE, Scenario, edit
from shadowshare.scenarios.staging import location_of, rules_of, stage
from shadowshare.sim.host import Host
from shadowshare.sim.schedule import kind_of
from shadowshare.sim.stepped.flight import Choice, Step
from shadowshare.verify.counterexamples.counterexample import Row
from shadowshare.verify.counterexamples.scenario_words import ScenarioSubject
from shadowshare.verify.generated.tape import is_fault, thread_of
from shadowshare.verify.generated.violated import table
from shadowshare.verify.result import Violation
from shadowshare.verify.rules.oracle import Oracle

COMMAND_COUNT_MAXIMUM = 64
"""Of one computer, what it does by its script included."""

STEP_COUNT_MAXIMUM = 100_000
"""Steps that what was begun may take, at most, to come to its end."""


def name_of(shadow_copy: ShadowCopyId) -> str:
    """The name of a shadow copy in a command."""
    return f"e{shadow_copy.epoch}n{shadow_copy.counter}"


class _Commanded:
    """A computer, and the scripts that it is given one by one, besides those that it has already."""

    def __init__(
        self, computer: ActiveComputer | PassiveComputer, scripts: list[list[ScriptStep]], given_count: int
    ) -> None:
        self.host = Host(computer.computer())
        self._computer = computer
        self._scripts = scripts
        self._given_count = given_count

    @property
    def is_ready(self) -> bool:
        """Whether it has become the active, or has opened the store, and can be told something."""
        return self._computer.digest() is not None and self._given_count < len(self._scripts)

    def add(self, step: ScriptStep) -> int:
        """Give it a script of one step; returns the number of the task."""
        self._scripts[self._given_count].append(step)
        self._given_count += 1
        return self._given_count - 1


class CommandedStore:
    """A store, its computers, and who looks on.

    Args:
        scenario: store, hosts and faults; what it does before the race and in it is done besides what is commanded.
        implementation: the protocol code under test.
    """

    def __init__(self, scenario: Scenario, implementation: Implementation | None = None) -> None:
        self.scenario = edit(scenario, shadow_copies=_possible_ids(len(scenario.hosts)))
        self._computers = self._make_computers(implementation or Implementation())
        self._oracle = Oracle(self.scenario)
        self._world = stage(self.scenario, [one.host for one in self._computers.values()], self._oracle)
        rules = rules_of(self.scenario)
        self._world.permit(replace(rules, actors=tuple(map(_actors, rules.names))))
        self._log: list[Any] = []
        self._world.trace = self._log
        self.thread = ""
        """The task that took the last step."""

    def _make_computers(self, implementation: Implementation) -> dict[str, _Commanded]:
        scenario, made = self.scenario, {}
        location = location_of(scenario.geometry)
        setting = Setting(scenario.geometry, location, scenario.shadow_copies, scenario.catch_up_blocks)
        for plan in scenario.hosts:
            empty_count = COMMAND_COUNT_MAXIMUM - len(plan.scripts)
            scripts = [*map(list, plan.scripts), *([] for _ in range(empty_count))]
            kind = ActiveComputer if plan.role == ACTIVE else PassiveComputer
            computer = kind(plan.name, setting, scripts, implementation)
            made[plan.name] = _Commanded(computer, scripts, len(plan.scripts))
        return made

    # -- who and what there is -----------------------------------------------------------------------------------

    @property
    def violation(self) -> Violation | None:
        """What is violated; None if nothing is."""
        return self._oracle.violation

    @property
    def active(self) -> str:
        """The host that is the active now; empty while none can be told anything."""
        return next(iter(self._ready(ACTIVE)), "")

    @property
    def passives(self) -> list[str]:
        """The passives that can be told something."""
        return self._ready(PASSIVE)

    def _ready(self, role: str) -> list[str]:
        plans = enumerate(self.scenario.hosts)
        there = [plan.name for number, plan in plans if plan.role == role and number in self._world.hosts]
        return [name for name in there if self._computers[name].is_ready]

    @property
    def shadow_copies(self) -> list[str]:
        """The names of all that were ever created, the oldest first."""
        return [name_of(shadow_copy) for shadow_copy in self._oracle.images]

    @property
    def operations(self) -> list[Choice]:
        """What can take effect, or can have survived a power loss; that of the thread of the last step first."""
        calm = [choice for choice in self._world.choices() if not is_fault(choice.label)]
        return sorted(calm, key=lambda choice: thread_of(choice.label) != self.thread)

    @property
    def faults(self) -> list[Choice]:
        """What can go wrong."""
        return [choice for choice in self._world.choices() if is_fault(choice.label)]

    # -- what happens --------------------------------------------------------------------------------------------

    def command(self, host: str, text: str) -> None:
        """Tell a host to do a step, besides whatever else it is doing.

        Raises:
            StepError: it is none.
        """
        plan = self.scenario.hosts[self.scenario.host_number(host)]
        task = self._computers[host].add(parse_step(text, plan.role, self.scenario.geometry))
        self._log.append(Row(0, "", host, f"begins: {text}", ""))
        self._world.start(self.scenario.host_number(host), task)

    def take(self, choice: Choice) -> None:
        """Let one of `operations` or `faults` happen."""
        self._world.take(choice)
        self.thread = thread_of(choice.label) or self.thread

    def finish(self) -> None:
        """Let everything that was begun come to its end, and check what is left on the disks."""
        for _ in range(STEP_COUNT_MAXIMUM):
            if self.violation is not None:
                return
            if self._world.is_over:
                self._oracle.audit(self._world.shared, self._world.is_stuck)
                return
            self.take(self.operations[0])
        raise AssertionError(f"what was begun goes on for more than {STEP_COUNT_MAXIMUM} steps")

    def close(self) -> None:
        """Stop all hosts."""
        for host in self._world.hosts.values():
            host.close()

    @property
    def step_count(self) -> int:
        """Steps that were taken."""
        return sum(isinstance(entry, Step) for entry in self._log)

    def story(self) -> str:
        """All that happened, as a table."""
        rows: list[Row] = []
        step_count = 0
        for entry in self._log:
            step_count += isinstance(entry, Step)
            rows.append(self._row(step_count, entry) if isinstance(entry, Step) else entry)
        return table(rows)

    def _row(self, number: int, step: Step) -> Row:
        """A step in words."""
        words = ScenarioSubject(self.scenario, Implementation())
        host = "" if step.host is None else self.scenario.hosts[step.host].name
        if step.operation is None:
            kind = kind_of(step.label)
            event = {"crash": f"{host} crashes", "power": words.power_loss()}.get(
                kind, "it is decided what survived"
            )
            return Row(number, step.label, host, event, "")
        results = [words.answer(step.operation, step.answer), *map(words.report, step.reports)]
        return Row(number, step.label, host, words.action(step.operation), "; ".join(filter(None, results)))


@cache
def _possible_ids(epoch_count: int) -> dict[str, ShadowCopyId]:
    """By name: every id that a creation may get."""
    epochs, counters = range(1, epoch_count + 1), range(1, COMMAND_COUNT_MAXIMUM + 1)
    ids = [ShadowCopyId(epoch, counter) for epoch in epochs for counter in counters]
    return {name_of(one): one for one in ids}


@cache
def _actors(name: str) -> tuple[str, ...]:
    """The labels of a host's commands."""
    return (name, *(f"{name}{number}" for number in range(1, COMMAND_COUNT_MAXIMUM)))
