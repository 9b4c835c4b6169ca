"""What may happen in a stepped world besides the operations taking effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from shadowshare.sim.faults.fault import EVERYTHING, Budget, Reach


class Successor(NamedTuple):
    """The host that recovers when another one has crashed, and its tasks."""

    host: int
    tasks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """What may happen besides the operations' effects.

    Attributes:
        names: the hosts' names by number.
        actors: labels of each host's tasks.
        readers: hosts that may only read.
        crash_count: how often hosts may crash, the power losses included.
        power_loss_count: how many of the crashes may be power losses.
        power_stops_all: whether a power loss stops every host, not only one of those that may crash.
        mortals: hosts that may crash, and nobody recovers them.
        successors: by the number of a host that may crash: who recovers.
        plain_crashes: whether a host may crash without a power loss.
        late_writes: whether a write that is in flight when its host crashes, or reports an error, may still land.
        tears: whether operations on several sectors take effect sector by sector, in any order.
        faults: which faults of the devices may happen, and how often.
        fault_reach: what they may touch.
    """

    names: tuple[str, ...]
    actors: tuple[tuple[str, ...], ...]
    readers: frozenset[int] = frozenset()
    crash_count: int = 0
    power_loss_count: int = 0
    power_stops_all: bool = False
    mortals: tuple[int, ...] = ()
    successors: tuple[tuple[int, Successor], ...] = ()
    plain_crashes: bool = True
    late_writes: bool = True
    tears: bool = False
    faults: tuple[Budget, ...] = ()
    fault_reach: Reach = EVERYTHING

    @property
    def has_happenings(self) -> bool:
        """Whether anything may happen but operations taking effect."""
        return bool(self.crash_count or self.faults)

    def successors_of(self, host: int) -> list[Successor]:
        """Who recovers when a host has crashed."""
        return [successor for other, successor in self.successors if other == host]

    def may_crash(self) -> tuple[int, ...]:
        """The hosts that may crash once they have begun."""
        return tuple(dict.fromkeys([host for host, _ in self.successors])) + self.mortals

    def is_waiting(self, host: int, crashed: frozenset[int]) -> bool:
        """Whether a host has not begun: it waits for the crash of the one that it recovers."""
        return any(successor.host == host and other not in crashed for other, successor in self.successors)
