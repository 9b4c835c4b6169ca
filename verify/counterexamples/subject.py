"""What can be replayed: something that makes a live world, and has words for what happens in it.

There are two of them: scenarios (`shadowshare.verify.counterexamples.scenario_words`), and tasks
(`shadowshare.verify.cells.task_words`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from shadowshare.protocol.operations import Operation
from shadowshare.sim.stepped.world import SteppedWorld
from shadowshare.verify.result import Violation


class Place(NamedTuple):
    """What some sectors of a device are called.

    Attributes:
        region: a part of the disk: ``volume``, ``journal``, ``slots``; or a cell, or an array.
        name: what exactly: ``extent 0 of the volume``.
    """

    region: str
    name: str


Concern = Callable[[Place], bool]
"""Whether a violation is about a place."""


class Subject(Protocol):
    """Something that can be replayed."""

    @property
    def name(self) -> str:
        """As it stands in schedules."""

    @property
    def title(self) -> str:
        """As it stands in messages: ``scenario 'old-cached-view'``."""

    def world(self) -> SteppedWorld:
        """A new world of running code, at the start."""

    def violation(self, world: SteppedWorld) -> Violation | None:
        """What is violated; if no operation can take effect any more, it is judged as an end."""

    def violation_of_way(self, labels: Sequence[str]) -> Violation | None:
        """What the schedule shows by not ending; `shadowshare.verify.exploration.liveness`."""

    def hosts(self, labels: Sequence[str]) -> tuple[str, ...]:
        """The names of those who belong to a schedule, in order."""

    def place(self, device: int, sector: int) -> Place:
        """What a sector is called."""

    def action(self, operation: Operation) -> str:
        """An operation in words: ``writes slot 0``."""

    def answer(self, operation: Operation, answer: Any) -> str:
        """What an operation got, in words; empty if there is nothing to say."""

    def report(self, report: Any) -> str:
        """What a host reports, in words; empty if there is nothing to say."""

    def power_loss(self) -> str:
        """What a power loss does, in words."""

    def concern(
        self, violation: Violation, world: SteppedWorld, accesses: Sequence[tuple[str, Operation]]
    ) -> Concern:
        """Which places a violation is about.

        Args:
            violation: what is violated.
            world: before anything happened in it.
            accesses: the operations that took effect, each with the name of the host.
        """
