"""Opening files as disks: what cannot be one, the lock, direct access, and reading only."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shadowshare.protocol.errors import CannotOpen, Locked, WriteError
from shadowshare.protocol.operations import Discard, Operation, Read, Reserve, Write, WriteZeroes
from shadowshare.sim.disks.file_disk import FileDisk
from tests.sim.loop_devices import attach, detach

MIB = 1024 * 1024


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(os.urandom(MIB))
    return path


# -- opening -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("writable", [True, False])
@pytest.mark.parametrize("direct", [True, False, None])
def test_opening_changes_nothing(image: Path, writable: bool, direct: bool | None) -> None:
    before, content = image.stat(), image.read_bytes()
    with FileDisk.open(image, 4096, writable, direct) as disk:
        assert (disk.sector_count, disk.sector_bytes) == (MIB // 4096, 4096)
    after = image.stat()
    assert (after.st_size, after.st_mtime_ns, after.st_blocks) == (
        before.st_size,
        before.st_mtime_ns,
        before.st_blocks,
    )
    assert image.read_bytes() == content


def make_nothing(path: Path) -> None:
    """The file is missing."""


def make_odd(path: Path) -> None:
    path.write_bytes(bytes(4096 + 512))


UNUSABLE: list[tuple[str, Callable[[Path], object], int, str]] = [
    ("missing", make_nothing, 512, "does not exist"),
    ("directory", Path.mkdir, 512, "is a directory"),
    ("pipe", os.mkfifo, 512, "is a special file"),
    ("empty", Path.touch, 512, "is empty"),
    ("odd size", make_odd, 4096, "no whole number of sectors of 4096 bytes"),
    ("odd sector", make_odd, 1024, "a sector has 512 or 4096"),
]


@pytest.mark.parametrize(
    ("name", "make", "sector_bytes", "reason"), UNUSABLE, ids=[row[0] for row in UNUSABLE]
)
@pytest.mark.parametrize("writable", [True, False])
def test_what_cannot_be_a_disk(
    tmp_path: Path, name: str, make: Callable[[Path], object], sector_bytes: int, reason: str, writable: bool
) -> None:
    path = tmp_path / "thing"
    make(path)
    with pytest.raises(CannotOpen, match=reason) as caught:
        FileDisk.open(path, sector_bytes, writable)
    assert str(path) in str(caught.value)


def test_no_permission(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulated, because nothing is forbidden to root."""

    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(CannotOpen, match="cannot be opened: Permission denied"):
        FileDisk.open(image, 512, writable=False)


def test_only_one_active(image: Path) -> None:
    with FileDisk.open(image, 512, writable=True):
        with pytest.raises(Locked, match="is locked: another active"):
            FileDisk.open(image, 512, writable=True)
        FileDisk.open(image, 512, writable=False).close()
    FileDisk.open(image, 512, writable=True).close()


HOLD = (
    "import sys, time; from shadowshare.sim.disks.file_disk import FileDisk; {}; "
    "print('open', flush=True); time.sleep(60)"
)


def test_a_killed_process_gives_its_lock_up(image: Path) -> None:
    hold = HOLD.format("disk = FileDisk.open(sys.argv[1], 512, True)")
    with subprocess.Popen([sys.executable, "-c", hold, image], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(Locked):
            FileDisk.open(image, 512, writable=True)
        other.send_signal(signal.SIGKILL)
        other.wait()
        FileDisk.open(image, 512, writable=True).close()


def refuse_direct(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """Have the system refuse O_DIRECT, as some file systems do, when a file is opened or only when it is read."""
    really_open, really_read = os.open, os.preadv

    def refuse_open(path: Any, flags: int, *more: Any) -> int:
        if flags & os.O_DIRECT:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return really_open(path, flags, *more)

    def refuse_read(descriptor: int, buffers: Any, offset: int) -> int:
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_DIRECT:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return really_read(descriptor, buffers, offset)

    monkeypatch.setattr(
        os, "open" if where == "open" else "preadv", refuse_open if where == "open" else refuse_read
    )


@pytest.mark.parametrize("where", ["open", "read"])
def test_a_file_system_without_direct_access(
    image: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    refuse_direct(monkeypatch, where)
    with pytest.raises(CannotOpen, match="refuses O_DIRECT"):
        FileDisk.open(image, 512, writable=False, direct=True)
    with FileDisk.open(image, 512, writable=True) as disk:
        assert not disk.is_direct
        assert disk.perform(Read(0, 0, 2048)) == image.read_bytes()


def test_no_descriptor_leaks(image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").touch()
    before = len(list(Path("/proc/self/fd").iterdir()))
    with FileDisk.open(image, 512, writable=True):
        for path in (image, tmp_path / "empty"):
            with pytest.raises((CannotOpen, Locked)):
                FileDisk.open(path, 512, writable=True)
    refuse_direct(monkeypatch, "read")
    with pytest.raises(CannotOpen):
        FileDisk.open(image, 512, writable=False, direct=True)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.may_skip_in_ci
def test_a_block_device(image: Path, tmp_path: Path) -> None:
    device = attach(image, 4096)
    try:
        with pytest.raises(CannotOpen, match="has blocks of 4096 bytes: sectors of 512 bytes are too small"):
            FileDisk.open(device, 512, writable=False)
        status = Path(device).stat()
        other_name = tmp_path / "other"
        os.mknod(other_name, status.st_mode, status.st_rdev)
        with FileDisk.open(device, 4096, writable=True) as disk:
            assert disk.sector_count == MIB // 4096
            with pytest.raises(Locked, match="is in use"):
                FileDisk.open(device, 4096, writable=True)
            with pytest.raises(Locked, match="is in use"):
                FileDisk.open(other_name, 4096, writable=True)
            FileDisk.open(other_name, 4096, writable=False).close()
    finally:
        detach(device)


# -- reading only ------------------------------------------------------------------------------------------------

CHANGES: list[Operation] = [Write(0, 0, 1, bytes(512)), WriteZeroes(0, 0, 1), Discard(0, 0, 1)]


@pytest.mark.parametrize("change", CHANGES, ids=[change.verb for change in CHANGES])
def test_a_passive_cannot_write(image: Path, change: Operation) -> None:
    content = image.read_bytes()
    with FileDisk.open(image, 512, writable=False) as disk:
        answer = disk.perform(change)
        assert isinstance(answer, WriteError)
        assert "read-only" in str(answer)
        assert isinstance(disk.perform(Reserve(0)), WriteError)
        disk.is_writable = True  # our own check is off now: the system still refuses
        assert isinstance(disk.perform(change), WriteError)
    assert image.read_bytes() == content
