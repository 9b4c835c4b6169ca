"""Several stores of which one process is the active, and shadow copies of all of them at one instant."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from shadowshare.protocol.errors import Refusal
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.protocol.shadow_copy_set import Member, create_set
from shadowshare.sim.real.active_store import ActiveStore
from shadowshare.sim.real.store import Store
from shadowshare.sim.real.world import RealWorld

_DEVICES_PER_STORE = 2
"""A volume, and an area that may be on another device."""


class CreatedSet(NamedTuple):
    """Shadow copies of one instant.

    Attributes:
        created_ns: wall-clock time of the creation, nanoseconds since 1970, which all of them record.
        shadow_copies: of each store, in the order of the stores.
    """

    created_ns: int
    shadow_copies: list[ShadowCopyId]

    def __str__(self) -> str:
        """For messages."""
        return "a set of " + ", ".join(map(str, self.shadow_copies))


class StoreSet:
    """Stores open for writing. Make one with `open_set`."""

    def __init__(self, stores: Sequence[ActiveStore]) -> None:
        self.stores = stores

    def create(self) -> CreatedSet:
        """Create a shadow copy in each, all at one instant, recording the present time; see `create_set`."""
        firsts = range(0, _DEVICES_PER_STORE * len(self.stores), _DEVICES_PER_STORE)
        members = [Member(store.active, first) for store, first in zip(self.stores, firsts, strict=True)]
        disks = {
            first + device: store.world.disks[device]
            for store, first in zip(self.stores, firsts, strict=True)
            for device in {0, store.geometry.area_device}
        }
        created_ns = time.time_ns()
        with RealWorld(disks) as world:
            return CreatedSet(created_ns, world.run(create_set(members, created_ns)))


@contextmanager
def open_set(stores: Sequence[Store]) -> Iterator[StoreSet]:
    """Become the active of each store: lock the devices and recover the stores, then hold them until the end.

    Raises:
        Refusal: a device is named twice.
        ShadowshareError: as for `Store.open_active`, for one of them.
    """
    paths = [path.resolve() for store in stores for path in store.paths]
    for path in paths:
        if paths.count(path) > 1:
            raise Refusal(f"{path} is named twice: a set has each store once")
    with ExitStack() as opened:
        yield StoreSet([opened.enter_context(store.open_active()) for store in stores])
