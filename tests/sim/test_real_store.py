"""A store in files that several computers have open, in one process and in two."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shadowshare.protocol.active import Active
from shadowshare.protocol.formatting import format_store
from shadowshare.protocol.geometry import plan_geometry
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.protocol.passive import Passive
from shadowshare.protocol.recovery import activate
from shadowshare.sim.disks.file_disk import FileDisk
from shadowshare.sim.real.store_disks import OpenStore, open_disks
from shadowshare.sim.real.world import RealWorld, drive, drive_together

SECTOR_BYTES = 512
EXTENT_BYTES = 8 * SECTOR_BYTES
VOLUME_BYTES = 128 * EXTENT_BYTES
AREA_BYTES = 1024 * 1024


@pytest.fixture(params=["one device", "two devices"])
def paths(tmp_path: Path, request: pytest.FixtureRequest) -> tuple[Path, ...]:
    """A fresh store, on one device or two."""
    is_apart = request.param == "two devices"
    volume, area = tmp_path / "volume.img", tmp_path / "area.img"
    volume.write_bytes(bytes(VOLUME_BYTES + (0 if is_apart else AREA_BYTES)))
    area.write_bytes(bytes(AREA_BYTES))
    sectors = VOLUME_BYTES // SECTOR_BYTES
    area_sectors = AREA_BYTES // SECTOR_BYTES
    area_sector = 0 if is_apart else sectors
    geometry = plan_geometry(
        b"0123456789abcdef", SECTOR_BYTES, 8, sectors, int(is_apart), area_sector, area_sectors, 400
    )
    paths = (volume, area) if is_apart else (volume,)
    disks = [FileDisk.open(path, SECTOR_BYTES, writable=True) for path in paths]
    drive(format_store(geometry), disks)
    for disk in disks:
        disk.close()
    return paths


@contextmanager
def computers(paths: tuple[Path, ...]) -> Iterator[tuple[OpenStore, Active, OpenStore, Passive]]:
    """An active and a passive computer, each with disks of its own."""
    with open_disks(*paths, writable=True) as mine, open_disks(*paths, writable=False) as theirs:
        active = drive(activate(mine.located.location), mine.disks)
        yield mine, active, theirs, drive(Passive.open(theirs.located.location), theirs.disks)


def test_a_passive_reads_the_image_while_the_volume_changes(paths: tuple[Path, ...]) -> None:
    with computers(paths) as (mine, active, theirs, passive):
        old = bytes(range(1, 129)) * (VOLUME_BYTES // 128)
        drive(active.write(0, old), mine.disks)
        shadow_copy = drive(active.create(), mine.disks)
        drive(active.write(EXTENT_BYTES, b"x" * 3 * EXTENT_BYTES), mine.disks)
        drive(active.discard(9 * EXTENT_BYTES, EXTENT_BYTES), mine.disks)
        assert drive(passive.read(shadow_copy, 0, VOLUME_BYTES), theirs.disks) == old
        assert drive(passive.read(shadow_copy, EXTENT_BYTES + 5, 700), theirs.disks, 4) == old[5:][:700]
        assert drive(active.read(EXTENT_BYTES, 6), mine.disks) == b"xxxxxx"


def test_two_writers_at_once(paths: tuple[Path, ...]) -> None:
    async def write_all(active: Active, start: int) -> None:
        for extent in range(start, 64, 2):
            await active.write(extent * EXTENT_BYTES, bytes([extent + 1]) * EXTENT_BYTES * 2)

    with computers(paths) as (mine, active, theirs, passive):
        shadow_copy = drive(active.create(), mine.disks)
        drive_together([write_all(active, 0), write_all(active, 1), write_all(active, 0)], mine.disks, 3)
        assert not any(drive(passive.read(shadow_copy, 0, VOLUME_BYTES), theirs.disks))
        live = drive(active.read(0, VOLUME_BYTES), mine.disks)
        assert {live[extent * EXTENT_BYTES] - extent for extent in range(1, 64)} <= {0, 1}
        assert active.view.newest is not None
        assert len(active.view.newest.table) == 65


def test_a_store_outlives_its_computers(paths: tuple[Path, ...]) -> None:
    with computers(paths) as (mine, active, _, _):
        shadow_copy = drive(active.create(), mine.disks)
        drive(active.write(0, b"new!" * (EXTENT_BYTES // 4)), mine.disks)
    with computers(paths) as (mine, active, theirs, passive):
        assert drive(active.create(), mine.disks) != shadow_copy
        assert not any(drive(passive.read(shadow_copy, 0, EXTENT_BYTES), theirs.disks))
        assert bytes(drive(active.read(0, 4), mine.disks)) == b"new!"


READER = """
import sys
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.protocol.passive import Passive
from shadowshare.sim.real.world import drive
from shadowshare.sim.real.store_disks import open_disks

shadow_copy, size, paths = ShadowCopyId(int(sys.argv[1]), int(sys.argv[2])), int(sys.argv[3]), sys.argv[4:]
with open_disks(*paths, writable=False) as store:
    passive = drive(Passive.open(store.located.location), store.disks)
    images, copied = set(), []
    print("reading", flush=True)
    while len(copied) < 3 or copied[-1] < 128:
        images.add(bytes(drive(passive.read(shadow_copy, 0, size), store.disks, 2)))
        copied.append(drive(passive.shadow_copies(), store.disks)[0].own_copy_count)
    print(len(images), set(images.pop()), len(set(copied)) > 1)
"""


def test_a_passive_in_another_process_while_the_active_writes(paths: tuple[Path, ...]) -> None:
    with open_disks(*paths, writable=True) as mine, RealWorld(mine.disks, 2) as world:
        active = world.run(activate(mine.located.location))
        world.run(active.write(0, b"\7" * VOLUME_BYTES))
        shadow_copy: ShadowCopyId = world.run(active.create())
        command = [sys.executable, "-c", READER, *map(str, shadow_copy), str(VOLUME_BYTES), *map(str, paths)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:
            assert reader.stdout is not None
            assert reader.stdout.readline() == "reading\n"
            for extent in range(0, 128, 2):
                writes = [
                    active.write((extent + more) * EXTENT_BYTES, b"\1" * EXTENT_BYTES) for more in (0, 1)
                ]
                world.run_together(writes)
            assert reader.communicate(timeout=60)[0] == "1 {7} True\n"
