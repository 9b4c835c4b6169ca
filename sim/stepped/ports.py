"""What the stepped world needs of those it is joined to: hosts, and whoever looks on."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from shadowshare.protocol.operations import Operation
from shadowshare.sim.disks.memory_disk import Answer
from shadowshare.sim.host import Outcome

if TYPE_CHECKING:
    from shadowshare.sim.stepped.shared import SharedState


class HostPort(Protocol):
    """What the world needs of a host: `shadowshare.sim.host.Host`, or a memoised one."""

    @property
    def unfinished_count(self) -> int:
        """Tasks that were started and have not ended."""

    def deliver(self, task: int, answer: Answer) -> Outcome:
        """Give a task an answer, or start it with None."""

    def close(self) -> None:
        """The host crashed."""

    def fork(self) -> HostPort:
        """An independent copy in the same state."""

    def key(self) -> Hashable:
        """Identifies the state."""


class Watcher(Protocol):
    """Looks on, and says when something is wrong."""

    violation: Any

    def wrote(self, shared: SharedState, host: int, operation: Operation) -> None:
        """A write of ``host`` just took effect."""

    def reported(self, shared: SharedState, host: int, report: Any) -> None:
        """A task of ``host`` reported something."""

    def submitted(self, shared: SharedState, host: int, operation: Operation) -> None:
        """A host that may only read issued an operation that is no read."""

    def lost_power(self, shared: SharedState) -> None:
        """The disks lost power; which contents survived is decided where somebody looks."""

    def inspects(self, operation: Operation) -> Sequence[tuple[int, range]]:
        """The devices and sectors that the watcher looks at when ``operation``, a change, takes effect."""

    def notes(self, operation: Operation) -> Sequence[tuple[str, bool]]:
        """What the watcher knows, other than from sectors, and asks when ``operation``, a change, takes effect.

        Pairs of what it is, and whether it is another then.
        """

    def fork(self) -> Watcher:
        """An independent copy in the same state."""

    def key(self) -> Hashable:
        """Identifies the state."""
