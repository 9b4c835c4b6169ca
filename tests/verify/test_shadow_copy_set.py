"""Shadow copies of two volumes at one instant: every interleaving, and what a crash leaves after each of its steps."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from typing import Any

import pytest

from shadowshare.protocol.errors import JournalFull, ReadError
from shadowshare.protocol.formatting import format_store
from shadowshare.protocol.geometry import Geometry, Location, plan_geometry
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.protocol.operations import Read, Write, together
from shadowshare.protocol.passive import Passive
from shadowshare.protocol.recovery import activate
from shadowshare.protocol.shadow_copy_set import Member, at_devices, create_set
from shadowshare.sim.disks.memory_disk import MemoryDisk
from shadowshare.sim.host import Computer, Host
from shadowshare.sim.inline import perform_inline
from shadowshare.sim.stepped.rules import Rules
from shadowshare.sim.stepped.world import SteppedWorld

SECTOR_BYTES = 512
SET_NAME_NS = 7
Creation = Callable[[Sequence[Member]], Coroutine[Any, Any, Any]]
Task = Callable[[], Coroutine[Any, Any, None]]


def _geometry(number: int) -> Geometry:
    return plan_geometry(bytes([number]) * 16, SECTOR_BYTES, 1, 2, 0, 2, 40, 8)


def _location(number: int) -> Location:
    return Location(0, _geometry(number).superblock_sectors)


class Pair:
    """Two stores, a device each, and one host that is the active of both."""

    def __init__(self) -> None:
        self.disks: list[MemoryDisk] = []
        self.members: list[Member] = []
        for number in (0, 1):
            disk = MemoryDisk.blank(SECTOR_BYTES, 42)
            perform_inline(format_store(_geometry(number)), [disk])
            self.members.append(Member(perform_inline(activate(_location(number)), [disk]), number))
            self.disks.append(disk)

    async def write(self, store: int, version: int) -> None:
        active, first_device = self.members[store]
        await Read(0, 0, 1)  # so that anything may come before it
        await at_devices(active.write(0, bytes([version]) * SECTOR_BYTES), first_device)

    async def write_in_turns(self) -> None:
        """Store 1 has a version only if store 0 has it, and store 0 is at most one ahead."""
        for store, version in ((0, 1), (1, 1), (0, 2)):
            await self.write(store, version)

    def world(self, *tasks: Task) -> SteppedWorld:
        rules = Rules(("W",), (tuple(f"W{number}" for number in range(1, len(tasks) + 1)),))
        world = SteppedWorld(self.disks, [Host(Computer(tasks, [], lambda: None))], rules)
        for number in range(len(tasks)):
            world.start(0, number)
        return world


def _image(disk: MemoryDisk, number: int) -> int | None:
    """The version in the set's member of a store, as a passive sees it; None if it has none."""
    passive = perform_inline(Passive.open(_location(number)), [disk])
    copies = perform_inline(passive.shadow_copies(), [disk])
    found = [copy.id for copy in copies if copy.created_ns == SET_NAME_NS]
    return perform_inline(passive.read(found[0], 0, 1), [disk])[0] if found else None


def _versions(world: SteppedWorld) -> tuple[int | None, int | None]:
    first, second = (_image(disk, number) for number, disk in enumerate(world.disks))
    return first, second


async def _together(members: Sequence[Member]) -> None:
    await create_set(members, SET_NAME_NS)


async def _one_after_the_other(members: Sequence[Member]) -> None:
    for active, first_device in members:
        await Read(0, 0, 1)
        await at_devices(active.create(SET_NAME_NS), first_device)


def _nodes(tasks_of: Callable[[Pair], Sequence[Task]]) -> Iterator[SteppedWorld]:
    """The world after every step of every schedule; each schedule runs anew."""
    waiting: list[list[str]] = [[]]
    while waiting:
        labels = waiting.pop()
        pair = Pair()
        world = pair.world(*tasks_of(pair))
        for label in labels:
            world.take_label(label)
        yield world
        waiting += [[*labels, choice.label] for choice in world.choices()]


async def _at_any_time(creation: Creation, members: Sequence[Member]) -> None:
    await Read(0, 0, 1)  # so that anything may come before it
    await creation(members)


def _writing_and(creation: Creation) -> Callable[[Pair], Sequence[Task]]:
    return lambda pair: [pair.write_in_turns, partial(_at_any_time, creation, pair.members)]


def test_the_images_are_of_one_instant_whenever_a_crash_comes() -> None:
    seen = set()
    for world in _nodes(_writing_and(_together)):
        assert not world.is_stuck
        first, second = _versions(world)
        seen.add((first, second))
        assert first is None or second is None or second <= first <= second + 1
    assert {(0, 0), (1, 0), (1, 1), (2, 1), (0, None)} <= seen


def test_creations_one_after_the_other_are_not_of_one_instant() -> None:
    assert any(_versions(world) == (0, 1) for world in _nodes(_writing_and(_one_after_the_other)))


def test_two_sets_at_the_same_time_do_not_wait_for_each_other_for_ever() -> None:
    def both_ways(pair: Pair) -> Sequence[Task]:
        return [partial(_at_any_time, _together, pair.members[::way]) for way in (1, -1)]

    ends = 0
    for world in _nodes(both_ways):
        assert not world.is_stuck
        ends += world.is_over
    assert ends > 1


def test_if_one_store_refuses_none_keeps_its_part_and_writes_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Pair()
    second = pair.members[1].active

    async def refuse(created_ns: int) -> ShadowCopyId:
        raise JournalFull("no room")

    monkeypatch.setattr(second, "create_held", refuse)
    with pytest.raises(JournalFull):
        perform_inline(_together(pair.members), pair.disks)
    assert [member.active.view.shadow_copies for member in pair.members] == [[], []]
    perform_inline(pair.write_in_turns(), pair.disks)


def test_what_is_awaited_of_a_store_goes_to_its_devices_and_errors_come_back() -> None:
    heard = []

    async def task() -> int:
        try:
            await Read(1, 5, 2)
        except ReadError as error:
            heard.append(error)
        return len(await together([Read(0, 1, 1), Write(1, 2, 1, b"")]))

    moved = at_devices(task(), 4)
    first = moved.send(None)
    assert (first.device, first.sector, first.sector_count) == (5, 5, 2)
    error = ReadError("broken")
    both = moved.throw(error)
    assert [operation.device for operation in both] == [4, 5]
    with pytest.raises(StopIteration) as end:
        moved.send((b"", None))
    assert (end.value.value, heard) == (2, [error])
