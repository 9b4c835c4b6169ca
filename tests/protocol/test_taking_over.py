"""Taking over from an active that lives: it is shut out, and of several that try at once at most one gets through."""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from shadowshare.protocol.active import Active
from shadowshare.protocol.errors import ActiveStopped, Fenced, ShadowshareError
from shadowshare.protocol.formatting import format_store
from shadowshare.protocol.geometry import Geometry, plan_geometry
from shadowshare.protocol.operations import Operation
from shadowshare.protocol.passive import Passive
from shadowshare.protocol.recovery import activate
from shadowshare.sim.disks.memory_disk import MemoryDisk
from shadowshare.sim.host import Computer, Host
from shadowshare.sim.inline import perform_inline
from tests.protocol.stores import SECTOR_BYTES, STORE_ID, location_of, sector_of, small_geometry

APART = plan_geometry(STORE_ID, SECTOR_BYTES, 2, 16, 1, 0, 60, half_block_count=12)
GEOMETRIES = {"one device": small_geometry(), "two devices": APART}


class Contender:
    """A host that carries out one request, operation by operation."""

    def __init__(
        self, number: int, disks: list[MemoryDisk], function: Callable[[], Coroutine[Any, Any, Any]]
    ) -> None:
        self.number, self.disks = number, disks
        self.result: Any = None

        async def task() -> None:
            try:
                self.result = await function()
            except ShadowshareError as error:
                self.result = error

        self._host = Host(Computer([task], [], lambda: None))
        self._waiting = self._host.deliver(0, None)[0]

    def step(self) -> None:
        """One operation takes effect, if there is one left."""
        if self._waiting:
            request = self._waiting[0][1]
            assert isinstance(request, Operation)
            disk = self.disks[request.device]
            self._waiting = self._host.deliver(0, disk.perform(request, self.number, disk.write_count))[0]

    @property
    def is_done(self) -> bool:
        return not self._waiting

    def finish(self) -> Any:
        while not self.is_done:
            self.step()
        return self.result


class Shared:
    """A store with an active, host 0, that has a shadow copy with a copy of extent 0."""

    def __init__(self, geometry: Geometry) -> None:
        self.geometry = geometry
        counts = [geometry.volume_sector_count, geometry.area_sector_count]
        if not geometry.area_device:
            counts = [geometry.area_sector + geometry.area_sector_count]
        self.disks = [
            MemoryDisk(SECTOR_BYTES, [sector_of(1000 + sector) for sector in range(count)])
            for count in counts
        ]
        self.run(format_store(geometry))
        self.old: Active = self.run(activate(location_of(geometry)))
        self.run(self.old.create())
        self.write(self.old, 0, 1)

    def run(self, coroutine: Coroutine[Any, Any, Any], host: int = 0) -> Any:
        return perform_inline(coroutine, self.disks, host)

    def write(self, active: Active, host: int, number: int) -> None:
        """Write extent 0, of which the first shadow copy has a copy."""
        self.run(active.write(0, sector_of(number) * 2), host)

    def contender(self, number: int) -> Contender:
        return Contender(number, self.disks, lambda: activate(location_of(self.geometry)))

    def can_write(self, contender: Contender) -> bool:
        if not isinstance(contender.result, Active):
            assert isinstance(contender.result, Fenced)
            return False
        try:
            self.write(contender.result, contender.number, 50 + contender.number)
        except Fenced:
            return False
        return True


@pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=GEOMETRIES)
def test_the_old_active_is_shut_out(geometry: Geometry) -> None:
    shared = Shared(geometry)
    new = shared.contender(1)
    assert isinstance(new.finish(), Active)
    with pytest.raises(Fenced):
        shared.write(shared.old, 0, 2)
    with pytest.raises(ActiveStopped):
        shared.run(shared.old.create())
    assert shared.can_write(new)


@pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=GEOMETRIES)
def test_of_two_at_once_at_most_one_gets_through_and_on_one_device_exactly_one(geometry: Geometry) -> None:
    outcomes = set()
    for seed in range(300):
        chance, shared = random.Random(seed), Shared(geometry)
        both = [shared.contender(1), shared.contender(2)]
        while not all(one.is_done for one in both):
            chance.choice(both).step()
        winners = [one for one in both if shared.can_write(one)]
        outcomes.add(len(winners))
        with pytest.raises(Fenced):
            shared.write(shared.old, 0, 2)
    assert outcomes == ({1} if len(geometry.devices) == 1 else {0, 1})


@pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=GEOMETRIES)
def test_one_that_took_over_meanwhile_cannot_write_below_a_new_shadow_copy(geometry: Geometry) -> None:
    """It believes that the extent is copied; for a shadow copy that it has not heard of it is not."""
    for step_count in range(14):
        shared = Shared(geometry)
        slow, quick = shared.contender(1), shared.contender(2)
        for _ in range(step_count):
            slow.step()
        quick.finish()
        slow.finish()
        if isinstance(slow.result, Active) and step_count < 14:
            try:
                new = shared.run(slow.result.create(), 1)
            except Fenced:
                continue
            image = b"".join(shared.disks[0].sectors[: geometry.volume_sector_count])
            assert not shared.can_write(quick)
            passive = shared.run(Passive.open(location_of(geometry)), 5)
            assert bytes(shared.run(passive.read(new, 0, geometry.volume_bytes), 5)) == image
