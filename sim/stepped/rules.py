"""What may happen in a stepped world besides the operations taking effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


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
        successors: by the number of a host that may crash: who recovers.
        tears: whether operations on several sectors take effect sector by sector, in any order.
        write_error_count: how many writes may report an error, whether they landed or not.
        read_error_count: how many reads may report an error.
        flush_error_count: how many flushes may report an error, and do nothing.
    """

    names: tuple[str, ...]
    actors: tuple[tuple[str, ...], ...]
    readers: frozenset[int] = frozenset()
    crash_count: int = 0
    power_loss_count: int = 0
    successors: tuple[tuple[int, Successor], ...] = ()
    tears: bool = False
    write_error_count: int = 0
    read_error_count: int = 0
    flush_error_count: int = 0
