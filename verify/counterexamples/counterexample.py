"""Counterexamples: a schedule that violates something is run again on running code, shrunk, and put into words."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from shadowshare.models.computers import Implementation
from shadowshare.scenarios.definition import PASSIVE, Scenario
from shadowshare.sim.schedule import ScheduleError, split_mark
from shadowshare.sim.stepped.flight import Step
from shadowshare.sim.stepped.world import SteppedWorld
from shadowshare.verify.cells.setup import Setup
from shadowshare.verify.cells.task_words import DEFAULT_NAME, TaskSubject
from shadowshare.verify.cells.task_world import END_RULES, Check, TaskWorld
from shadowshare.verify.counterexamples.happens_before import Conflict, Order
from shadowshare.verify.counterexamples.moments import Touch
from shadowshare.verify.counterexamples.replaying import Replay, Row, Run, replay_of, run_subject
from shadowshare.verify.counterexamples.scenario_words import (
    ScenarioSubject,
    describe,
    describe_record,
    without_idle,
)
from shadowshare.verify.counterexamples.shrinking import Shrunk, as_it_is, shrink
from shadowshare.verify.counterexamples.simplifying import source_of, thread_of, violating_steps
from shadowshare.verify.counterexamples.subject import Place
from shadowshare.verify.exploration.liveness import ENDLESS_RULES
from shadowshare.verify.exploration.product import Product
from shadowshare.verify.race import Race, without_hosts
from shadowshare.verify.result import Exploration, Violation

ENDLESS = "what shows that something never ends is told as it was found"

__all__ = [
    "Conflict",
    "Counterexample",
    "Place",
    "Replay",
    "Row",
    "Touch",
    "describe",
    "describe_record",
    "explain",
    "explain_tasks",
    "order_of",
    "order_of_tasks",
    "replay",
    "replay_command",
    "replay_tasks",
    "run_schedule",
    "violation_of",
    "without_idle",
]


@dataclass(frozen=True, slots=True)
class Counterexample:
    """All that there is to say about a violation.

    Attributes:
        found: the choices that lead to it, as they were found.
        shrunk: a schedule that is easier to follow and violates the same rule.
        replay: the shrunk schedule, run on running code.
        command: what to type to see that again; empty if no command can, as for tasks.
    """

    found: tuple[str, ...]
    shrunk: Shrunk
    replay: Replay
    command: str


# -- scenarios ---------------------------------------------------------------------------------------------------


def run_schedule(
    scenario: Scenario, labels: Sequence[str], implementation: Implementation | None = None
) -> tuple[SteppedWorld, list[Step]]:
    """Run a schedule on live hosts, and audit the disks if nothing is in flight at its end.

    Passives that take no step in it are left out: they would only stay in flight.

    Returns:
        The world at the end, whose watcher is an `Oracle`, and the trace.

    Raises:
        ScheduleError: a label does not fit, with its position.
    """
    run = _run(scenario, labels, implementation)[1]
    return run.world, [moment.step for moment in run.moments]


def violation_of(
    scenario: Scenario, labels: Sequence[str], implementation: Implementation | None = None
) -> Violation | None:
    """What a schedule violates on running code.

    Raises:
        ScheduleError: it does not fit the scenario.
    """
    return _run(scenario, labels, implementation)[1].violation


def replay(scenario: Scenario, labels: Sequence[str], implementation: Implementation | None = None) -> Replay:
    """Run a schedule and put it into words.

    Raises:
        ScheduleError: it does not fit the scenario.
    """
    return replay_of(*_run(scenario, labels, implementation))


def _run(
    scenario: Scenario, labels: Sequence[str], implementation: Implementation | None
) -> tuple[ScenarioSubject, Run]:
    """Run a schedule without the passives that take no step in it."""
    implementation = implementation or Implementation()
    busy = without_idle(scenario, labels)
    subject = ScenarioSubject(busy, implementation)
    try:
        return subject, run_subject(subject, labels)
    except ScheduleError:
        if busy is not scenario:  # what could happen instead may be a step of one that was left out
            run_subject(ScenarioSubject(scenario, implementation), labels)
        raise


def order_of(
    scenario: Scenario, labels: Sequence[str], implementation: Implementation | None = None
) -> Order:
    """What happened before what in a schedule.

    Raises:
        ScheduleError: it does not fit the scenario.
    """
    subject, run = _run(scenario, labels, implementation)
    return Order(run.moments, subject)


def explain(
    scenario: Scenario,
    exploration: Exploration,
    implementation: Implementation | None = None,
    files: Sequence[str] = (),
    mutant_name: str | None = None,
    implementation_path: str | None = None,
) -> Counterexample:
    """Shrink what an exploration of a scenario found, and put it into words.

    Whether running code shows it, too, is for `Counterexample.replay` to say: its violation is None if not.

    Args:
        scenario: what was explored.
        exploration: its result, with a violation.
        implementation: the protocol code under test.
        files: the scenario files that the command has to name.
        mutant_name: the mutant that the command has to name.
        implementation_path: the user's own code that the command has to name, as ``module:name``.

    Raises:
        ScheduleError: the exploration is of something else, or nothing was violated in it.
    """
    implementation = implementation or Implementation()
    if exploration.violation is not None and exploration.violation.rule in ENDLESS_RULES:
        product, labels = Race(scenario, implementation).product, exploration.labels
        shrunk = as_it_is(product, labels, exploration.violation, ENDLESS)
    else:
        shrunk = shrink(*_smallest(scenario, exploration, implementation))
    replayed = replay(scenario, shrunk.labels, implementation)
    command = replay_command(replayed.schedule, files, mutant_name, implementation_path)
    return Counterexample(exploration.labels, shrunk, replayed, command)


def _smallest(
    scenario: Scenario, exploration: Exploration, implementation: Implementation
) -> tuple[Product, Sequence[str]]:
    """A world with few passives in which the schedule violates the same, and the schedule there.

    A passive only reads, so what is violated does not depend on the other passives; they go, if it is so.
    """
    labels, violation = exploration.labels, exploration.violation
    busy = without_idle(scenario, labels)
    others = {plan.name for plan in busy.hosts if plan.role == PASSIVE}
    others -= {"" if violation is None else violation.host}
    if others:
        kept = [label for label in labels if thread_of(label).rstrip("0123456789") not in others]
        product = Race(without_hosts(busy, others), implementation).product
        with suppress(ScheduleError):
            if violating_steps(product, kept)[0].violation == violation:
                return product, kept
    return Race(busy, implementation).product, labels


def replay_command(
    schedule: str,
    files: Sequence[str] = (),
    mutant_name: str | None = None,
    implementation_path: str | None = None,
) -> str:
    """What to type in a shell to see a schedule again."""
    words = ["shadowshare", "replay", schedule]
    for file in files:
        words += ["--file", file]
    if mutant_name is not None:
        words += ["--mutant", mutant_name]
    if implementation_path is not None:
        words += ["--implementation", implementation_path]
    return shlex.join(words)


# -- tasks -------------------------------------------------------------------------------------------------------


def replay_tasks(
    setup: Setup, labels: Sequence[str], check: Check | None = None, name: str = DEFAULT_NAME
) -> Replay:
    """Run a schedule of tasks on shared cells and put it into words.

    Args:
        setup: cells and tasks.
        labels: the schedule.
        check: judges the end, if the schedule reaches one.
        name: stands in the schedule's string.

    Raises:
        ScheduleError: it does not fit the tasks.
    """
    subject = TaskSubject(setup, check, name)
    return replay_of(subject, run_subject(subject, labels))


def order_of_tasks(setup: Setup, labels: Sequence[str]) -> Order:
    """What happened before what in a schedule of tasks.

    Raises:
        ScheduleError: it does not fit the tasks.
    """
    subject = TaskSubject(setup)
    return Order(run_subject(subject, labels).moments, subject)


def explain_tasks(
    setup: Setup, exploration: Exploration, check: Check | None = None, name: str = DEFAULT_NAME
) -> Counterexample:
    """Shrink what an exploration of tasks found, and put it into words.

    Raises:
        ScheduleError: the exploration is of something else, or nothing was violated in it.
    """
    labels, violation = exploration.labels, exploration.violation
    if violation is not None and violation.rule not in (*END_RULES, *ENDLESS_RULES):
        setup = _busy(setup, labels)
    product = TaskWorld(setup, check).product
    if violation is not None and violation.rule in ENDLESS_RULES:
        shrunk = as_it_is(product, labels, violation, ENDLESS)
    else:
        shrunk = shrink(product, labels)
    return Counterexample(labels, shrunk, replay_tasks(setup, shrunk.labels, check, name), "")


def _busy(setup: Setup, labels: Sequence[str]) -> Setup:
    """The tasks that take a step or crash in a schedule, and those whom they recover."""
    busy = {split_mark(source_of(label).removeprefix("crash."))[0] for label in labels}
    for task in reversed(setup.tasks):
        if task.name in busy and task.recovers:
            busy.add(task.recovers)
    return setup.only([task.name for task in setup.tasks if task.name in busy])
