"""Opening a file or block device as a disk, and what Python's ``os`` lacks for it. Linux only.

Nothing here changes a disk when it is opened.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import stat
from pathlib import Path
from typing import NamedTuple

from shadowshare.protocol.errors import CannotOpen, Locked
from shadowshare.protocol.geometry import SECTOR_BYTES
from shadowshare.sim.disks.aligned import allocate

_BLKSSZGET = 0x1268
_FALLOC_FL_KEEP_SIZE, _FALLOC_FL_PUNCH_HOLE, _FALLOC_FL_ZERO_RANGE = 0x01, 0x02, 0x10
PUNCH_HOLE = _FALLOC_FL_PUNCH_HOLE | _FALLOC_FL_KEEP_SIZE
ZERO_RANGE = _FALLOC_FL_ZERO_RANGE | _FALLOC_FL_KEEP_SIZE
UNSUPPORTED = frozenset({errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.ENODEV})
"""What ``fallocate`` says where the file system or device cannot do it; nothing was changed then."""


class RawFile(NamedTuple):
    """An open file or block device.

    Attributes:
        descriptor: of the open file.
        sector_count: its size in sectors.
        is_direct: whether it is read and written past the page cache (O_DIRECT).
    """

    descriptor: int
    sector_count: int
    is_direct: bool


def open_raw(path: Path, sector_bytes: int, writable: bool, direct: bool | None) -> RawFile:
    """Open ``path``; see `shadowshare.sim.disks.file_disk.FileDisk.open` for the arguments.

    Raises:
        CannotOpen: it is not there, may not be opened, is no file or block device, or does not fit ``sector_bytes``.
        Locked: another active of this machine has it open.
    """
    if sector_bytes not in SECTOR_BYTES:
        raise CannotOpen(f"{path}: sectors of {sector_bytes} bytes; a sector has 512 or 4096")
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise _cannot_open(path, error) from error
    if not (stat.S_ISREG(mode) or stat.S_ISBLK(mode)):
        kind = "directory" if stat.S_ISDIR(mode) else "special file"
        raise CannotOpen(f"{path} is a {kind}: name an image file or a block device")
    flags = os.O_RDWR if writable else os.O_RDONLY
    if writable and stat.S_ISBLK(mode):
        # The kernel refuses a device that is mounted, or open with O_EXCL under another name.
        flags |= os.O_EXCL
    descriptor, is_direct = _open_direct_or_not(path, flags, sector_bytes, direct)
    try:
        if writable:
            _lock(path, descriptor)
        _check_block_size(path, descriptor, sector_bytes)
        return RawFile(descriptor, _sector_count(path, descriptor, sector_bytes), is_direct)
    except BaseException:
        os.close(descriptor)
        raise


def _cannot_open(path: Path, error: OSError) -> CannotOpen | Locked:
    if isinstance(error, FileNotFoundError):
        return CannotOpen(f"{path} does not exist: name an existing image file or block device")
    if error.errno == errno.EBUSY:
        return Locked(
            f"{path} is in use by this machine (mounted, or open as a disk): unmount or close it first"
        )
    return CannotOpen(f"{path} cannot be opened: {error.strerror}")


def _open_direct_or_not(path: Path, flags: int, sector_bytes: int, direct: bool | None) -> tuple[int, bool]:
    """The descriptor, and whether O_DIRECT works on it. It is tried out: a file system may refuse only the read."""
    try:
        if direct is not False:
            try:
                descriptor = os.open(path, flags | os.O_DIRECT)
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
            else:
                if _reads_directly(descriptor, sector_bytes):
                    return descriptor, True
                os.close(descriptor)
            if direct:
                raise CannotOpen(
                    f"{path}: its file system refuses O_DIRECT for sectors of {sector_bytes} bytes, and without it "
                    "another computer's writes may stay unseen: put it on another file system, or allow buffered access"
                )
        return os.open(path, flags), False
    except OSError as error:
        raise _cannot_open(path, error) from error


def _reads_directly(descriptor: int, sector_bytes: int) -> bool:
    """Whether a direct read of one sector, at the least aligned place, is not refused as such."""
    try:
        os.preadv(descriptor, [memoryview(allocate(sector_bytes))[:sector_bytes]], sector_bytes)
    except OSError as error:
        return error.errno != errno.EINVAL
    return True


def _lock(path: Path, descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Locked(
            f"{path} is locked: another active of this machine has it open for writing. Stop that one first, "
            "or open it read-only, as a passive"
        ) from error
    except OSError as error:
        raise CannotOpen(
            f"{path} cannot be locked, so it is not opened for writing: {error.strerror}"
        ) from error


def _check_block_size(path: Path, descriptor: int, sector_bytes: int) -> None:
    if not stat.S_ISBLK(os.fstat(descriptor).st_mode):
        return
    block_bytes = int.from_bytes(fcntl.ioctl(descriptor, _BLKSSZGET, bytes(4)), "little")
    if sector_bytes < block_bytes:
        raise CannotOpen(
            f"{path} has blocks of {block_bytes} bytes: sectors of {sector_bytes} bytes are too small for it"
        )


def _sector_count(path: Path, descriptor: int, sector_bytes: int) -> int:
    size_bytes = os.lseek(descriptor, 0, os.SEEK_END)  # st_size of a block device is 0
    if not size_bytes:
        raise CannotOpen(f"{path} is empty: a disk has at least one sector")
    if size_bytes % sector_bytes:
        raise CannotOpen(
            f"{path} has {size_bytes} bytes, which is no whole number of sectors of {sector_bytes} bytes: "
            "it was truncated, or has smaller sectors"
        )
    return size_bytes // sector_bytes


_LIBC = ctypes.CDLL(None, use_errno=True)


def fallocate(descriptor: int, mode: int, offset_bytes: int, length_bytes: int) -> None:
    """Linux ``fallocate``, which Python has only without its modes.

    On a block device, unlike BLKDISCARD, both modes promise zeroes: PUNCH_HOLE is refused where the device cannot keep
    that promise, and ZERO_RANGE makes the kernel write zeroes then.

    Raises:
        OSError: with one of `UNSUPPORTED` if this cannot be done here.
    """
    call = getattr(_LIBC, "fallocate64", None) or getattr(_LIBC, "fallocate", None)
    if call is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    while call(descriptor, mode, ctypes.c_int64(offset_bytes), ctypes.c_int64(length_bytes)):
        number = ctypes.get_errno()
        if number != errno.EINTR:
            raise OSError(number, os.strerror(number))
