"""Who looks on while everything before a race is done."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from typing import Any

from shadowshare.models.observations import StepFailed
from shadowshare.protocol.errors import Refusal
from shadowshare.protocol.operations import Operation
from shadowshare.sim.stepped.ports import Watcher
from shadowshare.sim.stepped.shared import SharedState


class EndlessStep(Exception):
    """A step before the race goes on and on."""


class Preparation:
    """Passes everything on to the watcher of the race, and remembers the first step that was refused.

    Args:
        watcher: of the race, if there is one.
        allowed_errors: names of error classes that a step may end with.
    """

    def __init__(self, watcher: Watcher | None, allowed_errors: Collection[str]) -> None:
        self.violation: Any = None
        self.refusal: tuple[str, Refusal | EndlessStep] | None = None
        """The step, and with what it was refused."""
        self._watcher = watcher
        self._allowed_errors = allowed_errors

    def wrote(self, shared: SharedState, host: int, operation: Operation) -> None:
        """A write of ``host`` just took effect."""
        if self._watcher is not None:
            self._watcher.wrote(shared, host, operation)

    def reported(self, shared: SharedState, host: int, report: Any) -> None:
        """A task of ``host`` reported something."""
        if self._watcher is not None:
            self._watcher.reported(shared, host, report)
        if (
            self.refusal is None
            and isinstance(report, StepFailed)
            and isinstance(report.error, Refusal)
            and type(report.error).__name__ not in self._allowed_errors
        ):
            text = "" if report.step is None else report.step.text
            self.refusal = f"{shared.rules.names[host]}: {text}", report.error

    def gave_up(self, shared: SharedState, host: int, operation_count: int) -> None:
        """The step that ``host`` is carrying out takes more operations than any may take."""
        error = EndlessStep(f"a step before the race takes more than {operation_count:,} operations")
        self.refusal = shared.rules.names[host], error
        if self._watcher is not None:
            self._watcher.reported(shared, host, error)

    def submitted(self, shared: SharedState, host: int, operation: Operation) -> None:
        """A host that may only read issued an operation that is no read."""
        if self._watcher is not None:
            self._watcher.submitted(shared, host, operation)

    def lost_power(self, shared: SharedState) -> None:
        """Nothing loses power before the race."""

    def inspects(self, operation: Operation) -> Sequence[tuple[int, range]]:
        """Everything is decided before the race."""
        return ()

    def notes(self, operation: Operation) -> Sequence[tuple[str, bool]]:
        """Nothing."""
        return ()

    def fork(self) -> Preparation:
        """Nobody copies a world that is being prepared."""
        raise TypeError("the world is still being prepared: fork it once it is staged")

    def key(self) -> Hashable:
        """Nobody compares a world that is being prepared."""
        raise TypeError("the world is still being prepared: compare it once it is staged")
