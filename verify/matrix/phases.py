"""How far a passive's read has come, and which action may go on: told from what hosts have in flight in a state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from shadowshare.models.observations import ReadBegan
from shadowshare.protocol.geometry import VOLUME_DEVICE, Geometry
from shadowshare.protocol.operations import Operation
from shadowshare.sim.host import Outcome
from shadowshare.sim.stepped.world import Client
from shadowshare.verify.exploration.memoised import MemoisedHost
from shadowshare.verify.exploration.product import CLIENT_MASK, Product, shift_of

BEFORE, LOOKED_UP, VOLUME_READ, SLOT_READ, AGAIN, RELOAD = PHASES = (
    "before the look-up",
    "looked up",
    "volume read",
    "slot read",
    "determining again",
    "reload",
)
"""Phases of a read: its cached view is old; both reads are in flight; one of the two is done; the re-check is in
flight, or an operation of loading the journal anew."""

_T = TypeVar("_T")


class OfHost(dict[int, _T]):
    """Something about one host in a state, found out once for each state of that host.

    Args:
        product: whose states are asked for.
        host: its number.
        tell: what is to be known; of None if the host crashed, or did not start.
    """

    def __init__(self, product: Product, host: int, tell: Callable[[Client | None], _T]) -> None:
        super().__init__()
        self._product = product
        self._host = host
        self._shift = shift_of(host)
        self._tell = tell

    def of(self, state: int) -> _T:
        """What is so in a state of the product."""
        number = state >> self._shift & CLIENT_MASK
        if number not in self:
            self[number] = self._tell(self._product.client(state, self._host))
        return self[number]


def phase_of(client: Client | None, geometry: Geometry) -> str | None:
    """How far a passive's read has come; None when nothing of it is in flight."""
    if client is None or not client.flights:
        return None
    way = _way_of(client)
    if not any(isinstance(report, ReadBegan) for _, outcome in way for report in outcome[1]):
        return BEFORE
    operations = [flight.operation for flight in client.flights]
    if operations[0].device == geometry.area_device and operations[0].sector in geometry.journal_sectors:
        return RELOAD if _is_loading([*_requests(way)], geometry) else AGAIN
    if len(operations) > 1:
        return LOOKED_UP
    is_volume = operations[0].device == VOLUME_DEVICE and operations[0].sector < geometry.volume_sector_count
    return SLOT_READ if is_volume else VOLUME_READ


def _is_loading(requests: Sequence[Operation], geometry: Geometry) -> bool:
    """Whether the last request belongs to a load: single blocks are read one after the other then.

    Following a SEAL reads one block, too, but before and behind it comes a read of several.
    """
    last = requests[-2:]
    return len(last) == 2 and all(
        one.sector_count == 1 and one.sector in geometry.journal_sectors for one in last
    )


def tasks_under_way(client: Client | None, tasks: Sequence[int]) -> frozenset[int]:
    """Which of some tasks of an active have not ended, and are behind their first step: at work, or waiting.

    If the host crashed it is all of them: what they had begun is interrupted, until recovery has ended.
    """
    if client is None:
        return frozenset(tasks)
    at_work = {flight.task for flight in client.flights}
    unended = (
        tasks if client.host.unfinished_count == len(tasks) else [task for task in tasks if task in at_work]
    )
    deliveries = [task for task, _ in _way_of(client)]
    return frozenset(task for task in unended if deliveries.count(task) > 1)


def is_at_work(client: Client | None) -> bool:
    """Whether a host has something in flight."""
    return client is not None and bool(client.flights)


def _way_of(client: Client) -> list[tuple[int, Outcome]]:
    assert isinstance(client.host, MemoisedHost)
    return client.host.way()


def _requests(way: Sequence[tuple[int, Outcome]]) -> Sequence[Operation]:
    """What a host asked for, the last one last."""
    asked = [request for _, outcome in way for _, request in outcome[0]]
    return [one for request in asked for one in (request if isinstance(request, tuple) else (request,))]
