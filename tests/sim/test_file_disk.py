"""What the conformance suite cannot see of a disk on a file: buffers, fallbacks, errors of the system."""

from __future__ import annotations

import errno
import gc
import mmap
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from shadowshare.protocol.errors import FlushError, ReadError, WriteError
from shadowshare.protocol.operations import Discard, Flush, Operation, Read, Write, WriteZeroes
from shadowshare.sim.disks.aligned import BufferPool
from shadowshare.sim.disks.file_disk import CHUNK_BYTES, COPIED_READ_BYTES, FileDisk

MIB = 1024 * 1024


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "disk.img"
    path.write_bytes(os.urandom(MIB))
    return path


@pytest.fixture(params=[True, False], ids=["direct", "buffered"])
def disk(image: Path, request: pytest.FixtureRequest) -> Iterator[FileDisk]:
    with FileDisk.open(image, 512, writable=True, direct=request.param) as disk:
        yield disk


# -- buffers -----------------------------------------------------------------------------------------------------


def memory_of(answer: object) -> mmap.mmap:
    assert isinstance(answer, memoryview)
    assert isinstance(answer.obj, mmap.mmap)
    return answer.obj


def test_a_large_read_is_not_copied_and_its_buffer_is_recycled(disk: FileDisk) -> None:
    first = disk.perform(Read(0, 0, 1024))
    buffer = memory_of(first)
    second = disk.perform(Read(0, 0, 1024))
    assert memory_of(second) is not buffer
    del first
    assert memory_of(disk.perform(Read(0, 0, 1024))) is buffer


def test_a_read_answer_cannot_be_written_to(disk: FileDisk) -> None:
    answer = disk.perform(Read(0, 0, 1024))
    assert isinstance(answer, memoryview)
    assert answer.readonly


def test_a_small_read_keeps_no_buffer(disk: FileDisk) -> None:
    assert isinstance(disk.perform(Read(0, 0, COPIED_READ_BYTES // 512)), bytes)


@pytest.mark.parametrize(
    "hold", [lambda view: view, lambda view: view[5:9], lambda view: view.cast("B").toreadonly()]
)
def test_a_buffer_in_use_is_not_recycled(hold: Callable[[memoryview], memoryview]) -> None:
    pool = BufferPool()
    buffer = pool.take(8192)
    view = memoryview(buffer)
    held = hold(view)
    pool.give(buffer)
    del view
    assert pool.take(8192) is not buffer
    del held
    assert pool.take(8192) is buffer
    assert pool.take(8192) is not buffer, "it was taken, and not given back"


def test_a_pool_remembers_so_much(image: Path) -> None:
    pool = BufferPool(limit_bytes=4 * 8192)
    buffers = [pool.take(8192) for _ in range(6)]
    for buffer in buffers:
        pool.give(buffer)
    kept = {id(pool.take(8192)) for _ in range(4)}
    assert kept == {id(buffer) for buffer in buffers[2:]}
    pool.give(pool.take(5 * 8192))
    assert pool._known_bytes == 0, "what is larger than the pool is not kept"


def test_threads_never_share_a_buffer(disk: FileDisk, image: Path) -> None:
    content, wrong = image.read_bytes(), []

    def read(seed: int) -> None:
        kept: list[tuple[int, Any]] = []
        for turn in range(150):
            sector = (seed * 37 + turn * 101) % (2048 - 256)
            kept.append((sector, disk.perform(Read(0, sector, 256))))
            if len(kept) > turn % 3:
                place, answer = kept.pop(0)
                if answer != content[place * 512 : (place + 256) * 512]:
                    wrong.append(place)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# -- writing and zeroing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("direct", [True, False])
def test_a_write_longer_than_a_chunk(tmp_path: Path, direct: bool) -> None:
    path = tmp_path / "large.img"
    path.touch()
    os.truncate(path, 3 * CHUNK_BYTES)
    data = memoryview(b"x" + os.urandom(2 * CHUNK_BYTES + 1536))[1:]
    with FileDisk.open(path, 512, writable=True, direct=direct) as disk:
        assert disk.perform(Write(0, 3, len(data) // 512, data)) is None
    assert path.read_bytes()[1536 : 1536 + len(data)] == data


def test_discarding_gives_the_space_back(disk: FileDisk, image: Path) -> None:
    blocks = image.stat().st_blocks
    assert disk.perform(Discard(0, 0, 1024)) is None
    assert image.stat().st_blocks <= blocks - 1024
    assert image.stat().st_size == MIB


@pytest.mark.parametrize("kind", [WriteZeroes, Discard])
def test_zeroes_are_written_where_nothing_else_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[WriteZeroes] | type[Discard]
) -> None:
    path = tmp_path / "large.img"
    content = os.urandom(CHUNK_BYTES + MIB)
    path.write_bytes(content)
    calls = []

    def refuse(descriptor: int, mode: int, *_: int) -> None:
        calls.append(mode)
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr("shadowshare.sim.disks.file_disk.fallocate", refuse)
    with FileDisk.open(path, 512, writable=True) as disk:
        for _ in range(2):
            assert disk.perform(kind(0, 1, CHUNK_BYTES // 512 + 2)) is None
    end = CHUNK_BYTES + 3 * 512
    assert path.read_bytes() == content[:512] + bytes(end - 512) + content[end:]
    assert len(calls) == (1 if kind is WriteZeroes else 2), "what does not work is tried once"


def test_an_operation_in_pieces(disk: FileDisk, image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system may read and write less than it was asked to."""
    really_read, really_write = os.preadv, os.pwritev

    def read_less(descriptor: int, buffers: Sequence[memoryview], offset: int) -> int:
        return really_read(descriptor, [buffers[0][:4096]], offset)

    def write_less(descriptor: int, buffers: Sequence[memoryview], offset: int) -> int:
        return really_write(descriptor, [buffers[0][:4096]], offset)

    monkeypatch.setattr(os, "preadv", read_less)
    monkeypatch.setattr(os, "pwritev", write_less)
    data = os.urandom(512 * 100)
    assert disk.perform(Write(0, 7, 100, data)) is None
    assert disk.perform(Read(0, 7, 100)) == data
    assert image.read_bytes()[7 * 512 : 107 * 512] == data


# -- errors ------------------------------------------------------------------------------------------------------

FAILURES: list[tuple[str, Operation, type[Exception], str]] = [
    ("preadv", Read(0, 8, 4), ReadError, "read of sectors 8 to 11 failed: Input/output error"),
    ("pwritev", Write(0, 8, 1, bytes(512)), WriteError, "write of sector 8 failed: Input/output error"),
    ("fdatasync", Flush(0), FlushError, "flush failed: Input/output error"),
]


@pytest.mark.parametrize(("call", "operation", "kind", "message"), FAILURES, ids=[row[0] for row in FAILURES])
def test_an_error_of_the_system_is_an_answer(
    disk: FileDisk,
    image: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    operation: Operation,
    kind: type[Exception],
    message: str,
) -> None:
    def fail(*_: object) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, call, fail)
    answer = disk.perform(operation)
    assert type(answer) is kind
    assert str(answer) == f"{image}: {message}"


def test_an_error_while_zeroing_is_not_taken_for_a_missing_feature(
    disk: FileDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("shadowshare.sim.disks.file_disk.fallocate", fail)
    assert isinstance(disk.perform(WriteZeroes(0, 0, 8)), WriteError)


def test_a_file_that_was_truncated_meanwhile(disk: FileDisk, image: Path) -> None:
    os.truncate(image, MIB // 2)
    answer = disk.perform(Read(0, 1020, 8))
    assert isinstance(answer, ReadError)
    assert "truncated" in str(answer)


def test_a_closed_disk(image: Path) -> None:
    disk = FileDisk.open(image, 512, writable=True)
    disk.close()
    disk.close()
    for operation, kind in (
        (Read(0, 0, 1), ReadError),
        (Write(0, 0, 1, bytes(512)), WriteError),
        (Flush(0), FlushError),
    ):
        answer = disk.perform(operation)
        assert type(answer) is kind
        assert "closed" in str(answer)


def test_an_answer_outlives_its_disk(image: Path) -> None:
    with FileDisk.open(image, 512, writable=False) as disk:
        answer = disk.perform(Read(0, 0, 2048))
    del disk
    gc.collect()
    assert answer == image.read_bytes()
