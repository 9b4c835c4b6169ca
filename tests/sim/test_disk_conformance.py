"""Every disk of this project conforms, and every check finds the disk that was broken for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import pytest

from shadowshare.protocol.errors import ReadError, WriteError
from shadowshare.protocol.operations import Discard, Flush, Operation, Read, Reserve, Write, WriteZeroes
from shadowshare.sim.disks.conformance import CHECKS, Check, DiskConformance, nonconformities
from shadowshare.sim.disks.disk import Disk
from shadowshare.sim.disks.file_disk import FileDisk
from shadowshare.sim.disks.memory_disk import Answer, MemoryDisk
from shadowshare.sim.disks.probe import NotConforming
from tests.sim.loop_devices import attach, detach


class BothSectorSizes(DiskConformance):
    @pytest.fixture(params=[512, 4096], autouse=True)
    def choose_sector_size(self, request: pytest.FixtureRequest) -> None:
        self.sector_bytes = request.param


class TestMemoryDisk(BothSectorSizes):
    def make_disk(self, sector_bytes: int, sector_count: int) -> Disk:
        return MemoryDisk.blank(sector_bytes, sector_count)


class OnFiles(BothSectorSizes):
    """Disks on sparse files, closed and removed after each test."""

    direct = False

    @pytest.fixture(autouse=True)
    def keep_disks(self, tmp_path: Path) -> Iterator[None]:
        self.folder = tmp_path
        with ExitStack() as self.stack:
            yield

    def make_file(self, size_bytes: int) -> Path:
        path = self.folder / f"{len(list(self.folder.iterdir()))}.img"
        path.touch()
        os.truncate(path, size_bytes)
        return path

    def make_disk(self, sector_bytes: int, sector_count: int) -> Disk:
        path = self.make_file(sector_bytes * sector_count)
        disk = self.stack.enter_context(FileDisk.open(path, sector_bytes, writable=True, direct=self.direct))
        assert disk.is_direct == self.direct
        return disk


class TestBufferedFile(OnFiles):
    direct = False


class TestDirectFile(OnFiles):
    direct = True


@pytest.mark.may_skip_in_ci
class TestLoopDevice(OnFiles):
    def make_disk(self, sector_bytes: int, sector_count: int) -> Disk:
        device = attach(self.make_file(sector_bytes * sector_count), sector_bytes)
        self.stack.callback(detach, device)
        return self.stack.enter_context(FileDisk.open(device, sector_bytes, writable=True, direct=True))


# -- broken disks ------------------------------------------------------------------------------------------------


class FullOfOnes(MemoryDisk):
    @classmethod
    def blank(cls, sector_bytes: int, sector_count: int) -> MemoryDisk:
        return cls(sector_bytes, [b"\1" * sector_bytes] * sector_count)


class LosesTheTail(MemoryDisk):
    """Of a write of several sectors, the last one is not written."""

    def perform(self, operation: Operation, host: int, issued_at: int) -> Answer:
        if isinstance(operation, Write) and operation.sector_count > 1:
            data = operation.data[: -self.sector_bytes]
            operation = Write(0, operation.sector, operation.sector_count - 1, data)
        return super().perform(operation, host, issued_at)


class WritesOnce(MemoryDisk):
    """A sector that was written is never written again."""

    def perform(self, operation: Operation, host: int, issued_at: int) -> Answer:
        if not isinstance(operation, Write):
            return super().perform(operation, host, issued_at)
        for index in range(operation.sector_count):
            if not any(self.sectors[operation.sector + index]):
                self.sectors[operation.sector + index] = bytes(operation.data)[index * self.sector_bytes :][
                    : self.sector_bytes
                ]
        return None


class KeepsTheMemory(MemoryDisk):
    """It keeps a view of the data instead of the data."""

    def perform(self, operation: Operation, host: int, issued_at: int) -> Answer:
        answer = super().perform(operation, host, issued_at)
        if isinstance(operation, Write) and answer is None:
            view, size = memoryview(operation.data), self.sector_bytes
            pieces = [view[index * size :][:size] for index in range(operation.sector_count)]
            self.sectors[operation.sector : operation.sector + len(pieces)] = cast("list[bytes]", pieces)
        return answer


class RecyclesTooEarly(MemoryDisk):
    """Every read is answered with the same memory."""

    memory: bytearray = bytearray()

    def perform(self, operation: Operation, host: int, issued_at: int) -> Answer:
        answer = super().perform(operation, host, issued_at)
        if not isinstance(answer, bytes):
            return answer
        if len(self.memory) < len(answer):
            type(self).memory = bytearray(len(answer))
        self.memory[: len(answer)] = answer
        return memoryview(self.memory)[: len(answer)]


class DiscardsNothing(MemoryDisk):
    def perform(self, operation: Operation, host: int, issued_at: int) -> Answer:
        return None if isinstance(operation, Discard) else super().perform(operation, host, issued_at)


class ZeroesWholeBlocks(MemoryDisk):
    """Zeroing is rounded outwards to 8 sectors."""

    def perform(self, operation: Operation, host: int, issued_at: int) -> Answer:
        if isinstance(operation, WriteZeroes):
            first = operation.sector // 8 * 8
            end = -(-(operation.sector + operation.sector_count) // 8) * 8
            operation = WriteZeroes(0, first, end - first)
        return super().perform(operation, host, issued_at)


class FlushLoses(MemoryDisk):
    def perform(self, operation: Operation, host: int, issued_at: int) -> Answer:
        if isinstance(operation, Flush):
            self.sectors = [bytes(self.sector_bytes)] * self.sector_count
        return super().perform(operation, host, issued_at)


class ReserveFails(MemoryDisk):
    def perform(self, operation: Operation, host: int, issued_at: int) -> Answer:
        return (
            WriteError("no")
            if isinstance(operation, Reserve)
            else super().perform(operation, host, issued_at)
        )


class Clips(MemoryDisk):
    """What lies beyond the end is left out without a word."""

    def perform(self, operation: Operation, host: int, issued_at: int) -> Answer:
        answer = super().perform(operation, host, issued_at)
        return None if isinstance(answer, WriteError) else answer


class BlamesTheWriter(MemoryDisk):
    """Reads beyond the end are refused with the error of a write."""

    def perform(self, operation: Operation, host: int, issued_at: int) -> Answer:
        answer = super().perform(operation, host, issued_at)
        return WriteError(str(answer)) if isinstance(answer, ReadError) else answer


class Grows(MemoryDisk):
    """A write that is refused has been carried out before, as far as it lies on the disk."""

    def perform(self, operation: Operation, host: int, issued_at: int) -> Answer:
        if (
            isinstance(operation, Write)
            and operation.sector == self.sector_count - 1
            and operation.sector_count > 1
        ):
            self.sectors[-1] = bytes(operation.data[: self.sector_bytes])
        return super().perform(operation, host, issued_at)


class ForgetsAfterDiscard(MemoryDisk):
    """Only a sequence shows it: right after a discard of a length that no other check uses, all reads as zeroes."""

    is_forgetful = False

    def perform(self, operation: Operation, host: int, issued_at: int) -> Answer:
        if isinstance(operation, Read) and self.is_forgetful:
            return bytes(operation.sector_count * self.sector_bytes)
        self.is_forgetful = isinstance(operation, Discard) and operation.sector_count not in (
            1,
            8,
            16,
            17,
            40,
        )
        return super().perform(operation, host, issued_at)


BROKEN: list[tuple[str, type[MemoryDisk]]] = [
    ("check_starts_zero", FullOfOnes),
    ("check_reads_back", LosesTheTail),
    ("check_last_write_wins", WritesOnce),
    ("check_any_memory", KeepsTheMemory),
    ("check_answer_stays", RecyclesTooEarly),
    ("check_zeroes", DiscardsNothing),
    ("check_zeroes", ZeroesWholeBlocks),
    ("check_flush_and_reserve", FlushLoses),
    ("check_refuses", Clips),
    ("check_refuses", BlamesTheWriter),
    ("check_refuses", Grows),
    ("check_any_operations", ForgetsAfterDiscard),
]
NAMED: dict[str, Check] = {check.__name__: check for check in CHECKS}


@pytest.mark.parametrize(("name", "broken"), BROKEN, ids=[broken.__name__ for _, broken in BROKEN])
def test_a_broken_disk_is_found(name: str, broken: type[MemoryDisk]) -> None:
    with pytest.raises(NotConforming):
        NAMED[name](broken.blank, 512)


def test_every_check_has_a_broken_disk() -> None:
    assert {name for name, _ in BROKEN} == set(NAMED)


def test_nonconformities_name_the_check() -> None:
    found = nonconformities(ReserveFails.blank, [512])
    assert any(
        entry.startswith("check_flush_and_reserve, sectors of 512 bytes: WriteError") for entry in found
    )
    assert nonconformities(MemoryDisk.blank) == []
