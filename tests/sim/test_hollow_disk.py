"""A disk that keeps metadata only: the store works on it, and its memory does not grow."""

from __future__ import annotations

import tracemalloc

from shadowshare.protocol.errors import DiskError, Fenced
from shadowshare.protocol.formatting import format_store
from shadowshare.protocol.geometry import Location, plan_geometry
from shadowshare.protocol.operations import Flush, Operation, Read, Reserve, Write, WriteZeroes
from shadowshare.protocol.passive import Passive
from shadowshare.protocol.recovery import activate
from shadowshare.sim.disks.hollow_disk import HollowDisk
from shadowshare.sim.disks.memory_disk import MemoryDisk
from shadowshare.sim.inline import run_to_result


def _perform(disk: HollowDisk, operation: Operation, host: int = 0) -> object:
    return disk.perform(operation, host)


def test_what_is_kept_reads_back_and_the_rest_reads_as_zeroes() -> None:
    disk = HollowDisk(512, 100, [range(10, 20), range(99, 100)])
    for sector, sector_count in ((10, 10), (99, 1), (0, 10), (20, 79)):
        data = bytes([sector + 1]) * 512 * sector_count
        assert _perform(disk, Write(0, sector, sector_count, data)) is None
        answer = _perform(disk, Read(0, sector, sector_count))
        assert isinstance(answer, bytes | memoryview)
        assert answer == (data if sector in (10, 99) else bytes(len(data)))
    _perform(disk, WriteZeroes(0, 12, 2))
    answer = _perform(disk, Read(0, 11, 3))
    assert answer == bytes([11]) * 512 + bytes(1024)


def test_errors_and_fences_are_those_of_a_disk() -> None:
    disk = HollowDisk(512, 8, [])
    assert isinstance(_perform(disk, Read(0, 8, 1)), DiskError)
    assert isinstance(_perform(disk, Write(0, 7, 2, bytes(1024))), DiskError)
    assert _perform(disk, Reserve(0), host=1) is None
    assert isinstance(_perform(disk, WriteZeroes(0, 0, 1), host=2), Fenced)
    assert _perform(disk, WriteZeroes(0, 0, 1), host=1) is None
    assert _perform(disk, Flush(0), host=2) is None


def test_a_store_works_on_it_as_on_a_disk_with_data() -> None:
    geometry = plan_geometry(b"0123456789abcdef", 512, 2, 64, 0, 64, 300, 64)
    location = Location(geometry.area_device, geometry.superblock_sectors)
    metadata = [range(geometry.area_sector, geometry.slot_sector(0)), range(363, 364)]
    views = []
    for disk in (HollowDisk(512, 364, metadata), MemoryDisk.blank(512, 364)):

        def answer_to(request: object, disk: HollowDisk | MemoryDisk = disk) -> object:
            if isinstance(request, Operation):
                return disk.perform(request, 0, disk.write_count)
            assert isinstance(request, tuple)
            return tuple(disk.perform(operation, 0, disk.write_count) for operation in request)

        run_to_result(format_store(geometry), answer_to)
        active = run_to_result(activate(location), answer_to)
        for number in range(8):
            run_to_result(active.create(), answer_to)
            run_to_result(active.write(number * 1024, b"data" * 128), answer_to)
        passive = run_to_result(Passive.open(location), answer_to)
        views.append((passive.digest(), [copy.id for copy in passive.view.shadow_copies]))
    assert views[0] == views[1]


def test_its_memory_does_not_grow_with_what_is_written() -> None:
    disk = HollowDisk(512, 1 << 30, [range(8)])
    data = bytes(64 * 512)

    def write_all(first: int) -> int:
        for number in range(2000):
            _perform(disk, Write(0, first + number * 64, 64, data))
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = write_all(8)
        assert write_all(1 << 20) - before < 10_000
    finally:
        tracemalloc.stop()
