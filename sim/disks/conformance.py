"""What any disk must do, as checks that anyone can run on a disk of their own. Needs hypothesis (the ``dev`` extra).

With pytest, derive from `DiskConformance`; without, call `nonconformities`. Each check gets a factory that makes a
fresh disk full of zeroes; whoever gives the factory closes what it made.

Not checked: what takes two computers or a power loss (assumptions A1 to A5 of the disk contract), and speed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from shadowshare.protocol.errors import ReadError
from shadowshare.protocol.operations import Discard, Flush, Operation, Read, Reserve, Write, WriteZeroes
from shadowshare.sim.disks.disk import Disk
from shadowshare.sim.disks.moves import compare_with_bytes
from shadowshare.sim.disks.probe import answer_to_read, change, contents, error_of, expect, pattern

DiskFactory = Callable[[int, int], Disk]
"""Makes a fresh disk full of zeroes of so many sectors: ``make_disk(sector_bytes, sector_count)``."""

Check = Callable[[DiskFactory, int], None]
"""Checks disks with sectors of so many bytes; raises `NotConforming`."""

DISK_BYTES = 512 * 1024


# -- one at a time -----------------------------------------------------------------------------------------------


def check_starts_zero(make_disk: DiskFactory, sector_bytes: int) -> None:
    """A fresh disk has the size that was asked for, and reads as zeroes."""
    disk = _fresh(make_disk, sector_bytes)
    expect(disk.sector_bytes == sector_bytes, f"sector_bytes is {disk.sector_bytes}, not {sector_bytes}")
    count = DISK_BYTES // sector_bytes
    expect(disk.sector_count == count, f"sector_count is {disk.sector_count}, not {count}")
    expect(contents(disk, 0, disk.sector_count) == bytes(DISK_BYTES), "a fresh disk does not read as zeroes")


def check_reads_back(make_disk: DiskFactory, sector_bytes: int) -> None:
    """What was written is read: one sector and several, the first, the last, all; the others stay zero."""
    count = DISK_BYTES // sector_bytes
    for sector, sector_count in ((0, 1), (count - 1, 1), (3, 1), (5, 7), (0, 8), (count - 9, 9), (0, count)):
        disk = _fresh(make_disk, sector_bytes)
        data = pattern(sector_count * sector_bytes, sector + 1)
        change(disk, Write(0, sector, sector_count, data))
        where = f"sectors {sector} to {sector + sector_count - 1}"
        expect(contents(disk, sector, sector_count) == data, f"{where} do not read as they were written")
        expected = bytearray(DISK_BYTES)
        expected[sector * sector_bytes : (sector + sector_count) * sector_bytes] = data
        expect(contents(disk, 0, count) == expected, f"a write of {where} changed others")


def check_last_write_wins(make_disk: DiskFactory, sector_bytes: int) -> None:
    """Where writes overlap, the last one is read."""
    disk = _fresh(make_disk, sector_bytes)
    expected = bytearray(DISK_BYTES)
    for seed, (sector, sector_count) in enumerate(
        ((0, 8), (4, 8), (6, 1), (3, 2), (0, 12), (11, 1), (2, 3)), start=1
    ):
        data = pattern(sector_count * sector_bytes, seed)
        change(disk, Write(0, sector, sector_count, data))
        expected[sector * sector_bytes : (sector + sector_count) * sector_bytes] = data
        expect(contents(disk, 0, disk.sector_count) == expected, f"write {seed} of several did not win")


def check_any_memory(make_disk: DiskFactory, sector_bytes: int) -> None:
    """Data may be bytes or a view of anything, anywhere in memory; the disk keeps no reference to it."""
    disk = _fresh(make_disk, sector_bytes)
    data = pattern(3 * sector_bytes, 1)
    padded = bytearray(b"\xff" + data + b"\xff")
    for name, memory in (
        ("bytes", data),
        ("a view of bytes", memoryview(data)),
        ("a view of a bytearray", memoryview(bytearray(data))),
        ("unaligned memory", memoryview(padded)[1:-1]),
    ):
        change(disk, WriteZeroes(0, 0, 8))
        change(disk, Write(0, 2, 3, memory))
        expect(contents(disk, 2, 3) == data, f"data from {name} does not read as it was written")
    padded[:] = bytes(len(padded))
    expect(contents(disk, 2, 3) == data, "the disk changed with the memory that data was written from")


def check_answer_stays(make_disk: DiskFactory, sector_bytes: int) -> None:
    """The answer to a read does not change when the disk is written or read later, nor does a piece of it."""
    disk = _fresh(make_disk, sector_bytes)
    data = pattern(DISK_BYTES, 1)
    change(disk, Write(0, 0, disk.sector_count, data))
    whole, one, piece = (
        answer_to_read(disk, 0, disk.sector_count),
        answer_to_read(disk, 1, 1),
        answer_to_read(disk, 0, disk.sector_count)[7:],
    )
    later = []
    for seed in range(2, 14):
        change(disk, Write(0, 0, disk.sector_count, pattern(DISK_BYTES, seed)))
        later.append(answer_to_read(disk, 0, disk.sector_count))
        answer_to_read(disk, 1, 1)
        expect(whole == data, "the answer to a read changed afterwards")
        expect(
            one == data[sector_bytes : 2 * sector_bytes],
            "the answer to a read of one sector changed afterwards",
        )
        expect(piece == data[7:], "a slice of the answer to a read changed afterwards")
    for seed, answer in enumerate(later, start=2):
        expect(answer == pattern(DISK_BYTES, seed), "of several answers that were kept, one changed")


def check_zeroes(make_disk: DiskFactory, sector_bytes: int) -> None:
    """Sectors that were discarded or zeroed read as zeroes, at any alignment; their neighbours stay."""
    disk = _fresh(make_disk, sector_bytes)
    data = pattern(40 * sector_bytes, 1)
    for kind in (WriteZeroes, Discard):
        for sector, sector_count in (
            (0, 1),
            (1, 1),
            (7, 1),
            (8, 8),
            (3, 8),
            (5, 17),
            (0, 40),
            (16, 16),
            (39, 1),
        ):
            change(disk, Write(0, 0, 40, data))
            change(disk, kind(0, sector, sector_count))
            start, end = sector * sector_bytes, (sector + sector_count) * sector_bytes
            what = f"{kind.verb} of {sector_count} sectors from {sector}"
            found = contents(disk, 0, 40)
            expect(not any(found[start:end]), f"{what}: they do not read as zeroes")
            expect(found[:start] + found[end:] == data[:start] + data[end:], f"{what} changed its neighbours")


def check_flush_and_reserve(make_disk: DiskFactory, sector_bytes: int) -> None:
    """Flush and reserve are answered with None and change no data, and whoever reserved may write."""
    disk = _fresh(make_disk, sector_bytes)
    data = pattern(sector_bytes, 1)
    change(disk, Reserve(0))
    change(disk, Write(0, 4, 1, data))
    change(disk, Flush(0))
    expect(contents(disk, 4, 1) == data, "a flush lost what was written")
    change(disk, Reserve(0))
    expect(contents(disk, 4, 1) == data, "a reservation lost what was written")


def check_refuses(make_disk: DiskFactory, sector_bytes: int) -> None:
    """What is not all on the disk, or has not whole sectors of data, is a `DiskError` and changes nothing."""
    disk = _fresh(make_disk, sector_bytes)
    data = pattern(DISK_BYTES, 1)
    change(disk, Write(0, 0, disk.sector_count, data))
    count, two = disk.sector_count, bytes(2 * sector_bytes)
    wrong: list[Operation] = [Write(0, 0, 1, two), Write(0, 0, 2, two[:-1]), Write(0, 0, 3, two)]
    for sector in (-1, -2, count - 1, count, count + 5, 2**52):
        wrong += [
            Read(0, sector, 2),
            Write(0, sector, 2, two),
            WriteZeroes(0, sector, 2),
            Discard(0, sector, 2),
        ]
    for operation in wrong:
        error = error_of(disk, operation)
        expect(error is not None, f"{operation!r} was not refused on a disk of {count} sectors")
        is_fit = isinstance(error, ReadError) == isinstance(operation, Read)
        expect(is_fit, f"{operation!r} was refused with a {type(error).__name__}")
    expect(disk.sector_count == count, "an operation that was refused changed the size of the disk")
    expect(contents(disk, 0, count) == data, "an operation that was refused changed the disk")


def check_any_operations(make_disk: DiskFactory, sector_bytes: int) -> None:
    """Whatever the sequence of operations, the disk reads like an array of bytes."""
    compare_with_bytes(_fresh(make_disk, sector_bytes))


# -- running them ------------------------------------------------------------------------------------------------

CHECKS: tuple[Check, ...] = (
    check_starts_zero,
    check_reads_back,
    check_last_write_wins,
    check_any_memory,
    check_answer_stays,
    check_zeroes,
    check_flush_and_reserve,
    check_refuses,
    check_any_operations,
)


def nonconformities(make_disk: DiskFactory, sector_sizes: Iterable[int] = (512, 4096)) -> list[str]:
    """Run all checks; what is wrong, by check and sector size. Empty if the disk conforms."""
    found = []
    for sector_bytes in sector_sizes:
        for check in CHECKS:
            try:
                check(make_disk, sector_bytes)
            except Exception as error:  # noqa: BLE001 - whatever it is, the other checks are made
                found.append(f"{check.__name__}, sectors of {sector_bytes} bytes: {error!r}")
    return found


def _as_test(check: Check) -> Callable[[DiskConformance], None]:
    def test(self: DiskConformance) -> None:
        check(self.make_disk, self.sector_bytes)

    test.__doc__ = check.__doc__
    return test


class DiskConformance:
    """The checks for pytest: derive a class whose name begins with ``Test``, and say how to make a disk."""

    sector_bytes = 512

    def make_disk(self, sector_bytes: int, sector_count: int) -> Disk:
        """A fresh disk full of zeroes; to be overridden."""
        raise NotImplementedError("override make_disk: it makes the disk that is checked")

    test_starts_zero = _as_test(check_starts_zero)
    test_reads_back = _as_test(check_reads_back)
    test_last_write_wins = _as_test(check_last_write_wins)
    test_any_memory = _as_test(check_any_memory)
    test_answer_stays = _as_test(check_answer_stays)
    test_zeroes = _as_test(check_zeroes)
    test_flush_and_reserve = _as_test(check_flush_and_reserve)
    test_refuses = _as_test(check_refuses)
    test_any_operations = _as_test(check_any_operations)


def _fresh(make_disk: DiskFactory, sector_bytes: int) -> Disk:
    return make_disk(sector_bytes, DISK_BYTES // sector_bytes)
