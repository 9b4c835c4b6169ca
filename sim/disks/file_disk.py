"""A disk that is an image file, a loop device or a block device.

What keeps the disk contract here:

* A2, reads see the medium: with O_DIRECT. Where the operating system refuses it (``is_direct`` is False), other
  processes of this machine are still seen, other computers are not.
* A3, durability: a flush is ``fdatasync``, and succeeds only if the device says that its cache was flushed.
* A4, fencing: one machine only, see `FileDisk.open`. Between computers it needs a device with reservations.

A file system keeps a sector whole only by custom (A1); on a block device it is the device that does.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from shadowshare.protocol.errors import DiskError, FlushError, ReadError, WriteError
from shadowshare.protocol.operations import (
    Buffer,
    Discard,
    Flush,
    Operation,
    Read,
    Reserve,
    Write,
    WriteZeroes,
)
from shadowshare.sim.disks.aligned import BufferPool
from shadowshare.sim.disks.memory_disk import Answer
from shadowshare.sim.disks.raw_file import PUNCH_HOLE, UNSUPPORTED, ZERO_RANGE, RawFile, fallocate, open_raw

COPIED_READ_BYTES = 64 * 1024
"""Reads up to this size are answered with a copy, so that a small answer that is kept does not keep a whole buffer."""

CHUNK_BYTES = 4 * 1024 * 1024
"""Writes go through one aligned buffer of at most this size."""


class FileDisk:
    """One device that is real. Make one with `FileDisk.open`; several threads may use it at once."""

    write_count = 0
    """Always 0: a flush covers every write that completed before, whatever its number."""

    def __init__(self, path: Path, sector_bytes: int, writable: bool, raw: RawFile) -> None:
        self.path = path
        self.sector_bytes = sector_bytes
        self.sector_count = raw.sector_count
        self.is_writable = writable
        self.is_direct = raw.is_direct
        self._descriptor = raw.descriptor
        self._buffers = BufferPool()
        self._unsupported_modes: set[int] = set()
        self._closing = threading.Lock()

    @classmethod
    def open(
        cls, path: str | os.PathLike[str], sector_bytes: int, writable: bool, direct: bool | None = None
    ) -> FileDisk:
        """Open ``path``, which stays as it is.

        A writable disk holds an exclusive advisory lock (``flock``) until it is closed or its process ends, however it
        ends. It keeps a second active of this machine out, and nothing else: not a program that does not ask for the
        lock, not another computer. The lock is on the name that was opened: a loop device and the file behind it
        have two, and opening one each is two actives that corrupt each other. A block device is also claimed with
        O_EXCL, which a mounted one refuses, and a second claim under another name of the device.

        Args:
            path: an image file or a block device.
            sector_bytes: 512 or 4096, not below the device's logical block size. On a device whose physical blocks are
                4096 bytes use 4096, also if it accepts 512: a smaller sector is not atomic there.
            writable: False opens it so that the operating system itself refuses every write.
            direct: True insists on O_DIRECT, False does without it, None takes it where it works.

        Raises:
            CannotOpen: it is not there, may not be opened, is no file or block device, is empty or no whole number of
                sectors, has larger blocks, or refuses O_DIRECT that was insisted on.
            Locked: another active of this machine has it open.
        """
        where = Path(path)
        return cls(where, sector_bytes, writable, open_raw(where, sector_bytes, writable, direct))

    def close(self) -> None:
        """Close the file and give up the lock. What was not flushed stays not flushed. No operation may be going on."""
        with self._closing:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1  # never again the number of another file

    def __enter__(self) -> FileDisk:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        access = "writable" if self.is_writable else "read-only"
        return f"FileDisk({self.path}, {self.sector_count} sectors of {self.sector_bytes} bytes, {access})"

    # -- operations ----------------------------------------------------------------------------------------------

    def perform(self, operation: Operation, host: int = 0, issued_at: int = 0) -> Answer:
        """Carry out an operation and return the answer: data, None, or the `DiskError` that it failed with.

        A read is answered with a read-only view that nobody changes afterwards, and small ones with bytes. A flush
        makes durable every write that completed before it began.

        A reservation is granted if this disk is writable, because the lock is what it means here: no other active of
        this machine has the disk open, and none has a write in flight. For the kernel carries writes out
        synchronously: a process that is killed within one ends, and gives up its lock, only when that write has
        ended. Other computers are not kept out.

        Args:
            operation: what to do; its ``device`` is not looked at.
            host: not looked at: whoever holds this object is the host.
            issued_at: not looked at.
        """
        try:
            return self._perform(operation)
        except DiskError as error:
            return error
        except OSError as error:
            return _error_of(operation)(self._message(operation, error.strerror or str(error)))

    def _perform(self, operation: Operation) -> Answer:
        self._check(operation)
        match operation:
            case Read():
                return self._read(operation)
            case Write(data=data):
                self._write(operation, data)
            case WriteZeroes():
                self._zero(operation, (ZERO_RANGE,))
            case Discard():
                self._zero(operation, (PUNCH_HOLE, ZERO_RANGE))
            case Flush():
                os.fdatasync(self._descriptor)
            case Reserve():
                pass
            case _:
                raise TypeError(f"a disk does not know the operation {operation!r}")
        return None

    def _check(self, operation: Operation) -> None:
        """Refuse what is out of range or not allowed before anything is changed."""
        if self._descriptor < 0:
            raise self._refused(operation, "the disk was closed")
        sector, sector_count = operation.sector, operation.sector_count
        if sector + sector_count > self.sector_count:
            self._look_at_size()
        if sector < 0 or sector_count < 0 or sector + sector_count > self.sector_count:
            raise self._refused(
                operation, f"beyond the end of the disk, which has {self.sector_count} sectors"
            )
        if isinstance(operation, Read | Flush):
            return
        if not self.is_writable:
            raise self._refused(operation, "it was opened read-only, as a passive computer does")
        if (
            isinstance(operation, Write)
            and memoryview(operation.data).nbytes != sector_count * self.sector_bytes
        ):
            raise self._refused(operation, f"the data has {memoryview(operation.data).nbytes} bytes")

    def _look_at_size(self) -> None:
        """The file or device may have grown since it was opened, and a store with it."""
        size_bytes = os.lseek(self._descriptor, 0, os.SEEK_END)
        self.sector_count = max(self.sector_count, size_bytes // self.sector_bytes)

    # -- data ----------------------------------------------------------------------------------------------------

    def _read(self, operation: Operation) -> Buffer:
        size_bytes = operation.sector_count * self.sector_bytes
        buffer = self._buffers.take(size_bytes)
        view = memoryview(buffer)[:size_bytes]
        done = 0
        while done < size_bytes:
            count = os.preadv(self._descriptor, [view[done:]], operation.sector * self.sector_bytes + done)
            whole = count - (done + count) % self.sector_bytes  # O_DIRECT goes on at whole sectors only
            if whole <= 0:
                raise self._refused(
                    operation, f"the file ended after {done + count} bytes: it was truncated meanwhile"
                )
            done += whole
        answer = bytes(view) if size_bytes <= COPIED_READ_BYTES else view.toreadonly()
        self._buffers.give(buffer)
        return answer

    def _write(self, operation: Operation, data: Buffer) -> None:
        offset_bytes = operation.sector * self.sector_bytes
        for piece in _pieces(memoryview(data).cast("B")):
            if self.is_direct:
                self._write_aligned(operation, piece, offset_bytes)
            else:
                self._write_piece(operation, piece, offset_bytes)
            offset_bytes += len(piece)

    def _write_aligned(self, operation: Operation, piece: memoryview, offset_bytes: int) -> None:
        """Write through an aligned buffer: the memory of ``piece`` can lie anywhere."""
        buffer = self._buffers.take(len(piece))
        view = memoryview(buffer)[: len(piece)]
        view[:] = piece
        self._buffers.give(buffer)
        self._write_piece(operation, view, offset_bytes)

    def _write_piece(self, operation: Operation, piece: memoryview, offset_bytes: int) -> None:
        done = 0
        while done < len(piece):
            count = os.pwritev(self._descriptor, [piece[done:]], offset_bytes + done)
            whole = count - (done + count) % self.sector_bytes
            if whole <= 0:
                raise self._refused(
                    operation, f"only {done + count} bytes of a piece of {len(piece)} were taken"
                )
            done += whole

    def _zero(self, operation: Operation, modes: tuple[int, ...]) -> None:
        """Make sectors read as zeroes, in the first way that works here; the last one is to write them."""
        offset_bytes, size_bytes = (
            operation.sector * self.sector_bytes,
            operation.sector_count * self.sector_bytes,
        )
        if not size_bytes:
            return None
        for mode in modes:
            if mode in self._unsupported_modes:
                continue
            try:
                return fallocate(self._descriptor, mode, offset_bytes, size_bytes)
            except OSError as error:
                if error.errno not in UNSUPPORTED:
                    raise
                self._unsupported_modes.add(mode)
        zeroes = memoryview(bytes(min(size_bytes, CHUNK_BYTES)))
        for start in range(0, size_bytes, CHUNK_BYTES):
            self._write_aligned(operation, zeroes[: size_bytes - start], offset_bytes + start)
        return None

    # -- errors --------------------------------------------------------------------------------------------------

    def _message(self, operation: Operation, reason: str) -> str:
        if not operation.sector_count:
            return f"{self.path}: {operation.verb} failed: {reason}"
        last = operation.sector + operation.sector_count - 1
        sectors = f"sector {last}" if operation.sector == last else f"sectors {operation.sector} to {last}"
        return f"{self.path}: {operation.verb} of {sectors} failed: {reason}"

    def _refused(self, operation: Operation, reason: str) -> DiskError:
        return _error_of(operation)(self._message(operation, reason))


def _error_of(operation: Operation) -> type[DiskError]:
    if isinstance(operation, Read):
        return ReadError
    return FlushError if isinstance(operation, Flush) else WriteError


def _pieces(data: memoryview) -> Iterator[memoryview]:
    for start in range(0, len(data), CHUNK_BYTES):
        yield data[start : start + CHUNK_BYTES]
