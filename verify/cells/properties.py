"""What is stated of the cells that tasks share: always, sometimes, eventually.

============  ============================================  ===============================================
always        it holds in every state                       else ``violated``, with a schedule to the state
sometimes     it holds in at least one state                else ``unknown``: nothing was shown about it
eventually    it comes to hold in every schedule that is    else ``violated``, with a schedule to an end, or
              fair (see ``exploration/liveness.py``)        once round a way that can be gone for ever
============  ============================================  ===============================================

(The three kinds are those of Stateright. Of a scenario the oracle states what holds always, every `read` and every mark
of ``sometimes`` is a state that must be met, and that everything ends is what must come eventually.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from shadowshare.sim.disks.sector_store import SectorStore, under_every_survival
from shadowshare.sim.stepped.shared import SharedState

Kind = Literal["always", "sometimes", "eventually"]

Holds = Callable[[Mapping[str, Any]], bool]
"""Whether it holds, of what the cells hold, by their names; an array is a tuple."""


class Property(NamedTuple):
    """Something stated of the cells.

    Attributes:
        kind: when it must hold.
        name: in words, for people.
        holds: whether it does.
    """

    kind: Kind
    name: str
    holds: Holds


def values_of(
    shared: SharedState, named: Callable[[Sequence[Any]], Mapping[str, Any]]
) -> Iterator[Mapping[str, Any]]:
    """What the cells may hold: several possibilities where a power loss left something undecided.

    Args:
        shared: the cells.
        named: gives each cell its name.
    """
    found: list[Mapping[str, Any]] = []

    def note(disks: Sequence[SectorStore]) -> None:
        disks[0].check_decided(range(disks[0].sector_count))
        found.append(named(list(disks[0].sectors)))

    under_every_survival(shared.disks, note)
    yield from found
