"""The drive takes the times that its figures say."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from shadowshare.models.latency.disk_drive import HP_97560
from shadowshare.models.latency.errors import ModelError
from shadowshare.protocol.operations import Flush, Operation, Read, Write
from tests.models.latencies import SECTOR_COUNT, served

ROTATION_MS = 60e3 / 4002
SECTOR_MS = ROTATION_MS / 72
WITHOUT_READ_AHEAD = msgspec.structs.replace(HP_97560, read_ahead_bytes=0)


def random_reads(count: int, last_sector: int = SECTOR_COUNT - 8) -> list[Operation]:
    sectors = np.random.default_rng(9).integers(0, last_sector, count)
    return [Read(0, int(sector), 1) for sector in sectors]


def test_seeks_take_what_was_published() -> None:
    assert HP_97560.seek_ns(0) == 0
    assert HP_97560.seek_ns(1) == pytest.approx(3.64e6)
    assert HP_97560.seek_ns(100) == pytest.approx(7.24e6)
    assert HP_97560.seek_ns(382) == pytest.approx((3.24 + 0.4 * 382**0.5) * 1e6)
    assert HP_97560.seek_ns(383) == pytest.approx((8.00 + 0.008 * 383) * 1e6)
    assert HP_97560.seek_ns(1961) == pytest.approx(23.688e6)


def test_the_capacity_is_the_published_one() -> None:
    assert HP_97560.capacity_bytes == 1962 * 19 * 72 * 512


def test_random_reads_wait_half_a_rotation_on_average() -> None:
    """Of a drive that need not seek: one cylinder."""
    times_ms = served(WITHOUT_READ_AHEAD, random_reads(4000, 19 * 72)) / 1e6
    fixed_ms = 2.2 + SECTOR_MS + 512 / 10e6 * 1e3
    waits_ms = times_ms - fixed_ms
    assert waits_ms.min() >= 0
    assert waits_ms.max() <= ROTATION_MS + 1.6
    assert waits_ms.mean() == pytest.approx(ROTATION_MS / 2 + 1.6, rel=0.25)


def test_random_reads_over_the_drive_take_seek_and_rotation() -> None:
    times_ms = served(HP_97560, random_reads(3000)) / 1e6
    distances = np.abs(np.diff([operation.sector // (19 * 72) for operation in random_reads(3000)]))
    seeks_ms = np.mean([HP_97560.seek_ns(int(distance)) for distance in distances]) / 1e6
    assert times_ms[1:].mean() == pytest.approx(2.2 + seeks_ms + ROTATION_MS / 2 + SECTOR_MS, rel=0.03)


def test_a_scan_runs_at_the_pace_of_the_platters() -> None:
    reads = [Read(0, sector, 128) for sector in range(0, 128 * 300, 128)]
    media_ms = served(HP_97560, reads).sum() / 1e6 / (128 * 300)
    track_ms = ROTATION_MS * (72 * 19 + 8 * 18 + 18) / (72 * 19)
    assert media_ms * 72 == pytest.approx(track_ms, rel=0.05)
    assert served(WITHOUT_READ_AHEAD, reads).sum() > 1.4 * served(HP_97560, reads).sum()


def test_reading_again_what_is_in_the_cache_needs_no_platters() -> None:
    again_ms = served(HP_97560, [Read(0, 0, 8), Read(0, 0, 8)])[1] / 1e6
    assert again_ms == pytest.approx(2.2 + 8 * 512 / 10e6 * 1e3, rel=0.01)


def test_a_write_goes_to_the_medium_and_empties_the_cache() -> None:
    operations = [Read(0, 0, 8), Write(0, 0, 8, bytes(4096)), Read(0, 0, 8)]
    times_ms = served(HP_97560, operations) / 1e6
    assert times_ms[1] > 2.2 + 8 * SECTOR_MS
    assert times_ms[2] > 2.2 + 8 * SECTOR_MS


def test_a_flush_has_nothing_to_do() -> None:
    assert served(HP_97560, [Flush(0)])[0] == 2_200_000


@pytest.mark.parametrize(("sector_bytes", "sector_count"), [(512, 1 << 30), (768, 100)])
def test_a_device_that_does_not_fit_is_refused(sector_bytes: int, sector_count: int) -> None:
    with pytest.raises(ModelError, match="drive"):
        HP_97560.start(np.random.default_rng(1), sector_bytes, sector_count)
