"""Dies, channels and the wire take the times that their figures say."""

from __future__ import annotations

import msgspec
import numpy as np

from shadowshare.models.latency.built_in import STORAGE_AREA_NETWORK, VIRTUAL_NVME
from shadowshare.models.latency.distributions import Constant
from shadowshare.models.latency.flash import SLC_FLASH
from shadowshare.models.latency.network import Network
from shadowshare.models.latency.sampled import Sampled
from shadowshare.protocol.operations import Flush, Read, Write
from tests.models.latencies import served

PAGE = 8
"""Sectors of a page."""


def write(page: int, page_count: int = 1) -> Write:
    return Write(0, page * PAGE, page_count * PAGE, bytes(page_count * PAGE * 512))


def test_a_page_takes_what_was_published() -> None:
    assert served(SLC_FLASH, [Read(0, 0, PAGE)])[0] == 125_000
    assert served(SLC_FLASH, [write(0)])[0] == 300_000
    assert served(SLC_FLASH, [Read(0, 0, PAGE // 2)])[0] == 75_000


def test_pages_on_different_channels_overlap_and_on_one_channel_share_it() -> None:
    assert served(SLC_FLASH, [Read(0, 0, 8 * PAGE)])[0] == 125_000
    assert (
        served(SLC_FLASH, [Read(0, 0, 16 * PAGE)])[0] == 225_000
    )  # two dies read at once, and share the channel
    assert served(SLC_FLASH, [Read(0, 0, 64 * PAGE)])[0] == 25_000 + 4 * 100_000 + 4 * 100_000


def test_requests_in_flight_wait_for_the_same_die_only() -> None:
    service_time = SLC_FLASH.start(np.random.default_rng(1), 512, 1 << 20)
    assert service_time(write(0), 0) == 300_000
    assert service_time(Read(0, 32 * PAGE, PAGE), 0) == 425_000  # the same die
    assert service_time(Read(0, 1 * PAGE, PAGE), 0) == 125_000  # another channel


def test_a_block_is_erased_after_its_pages() -> None:
    writes = [write(32 * number) for number in range(65)]
    times = served(SLC_FLASH, writes).tolist()
    assert times == [300_000] * 64 + [1_800_000]


def test_a_part_of_a_page_is_read_before_it_is_written() -> None:
    assert served(SLC_FLASH, [Write(0, 0, 1, bytes(512))])[0] == 125_000 + 300_000


def test_the_hop_and_the_wire_are_added() -> None:
    network = Network(Sampled.of(Constant(100.0)), Constant(20.0), bytes_per_second=1e9)
    frames = -(-4096 // 1460)
    assert served(network, [Read(0, 0, 8)])[0] == 120_000 + 4096 + frames * 78
    assert served(network, [Flush(0)])[0] == 120_000


def test_remote_flash_is_slower_by_what_was_published() -> None:
    reads = [Read(0, 0, 8)] * 20_000
    difference_us = (
        np.median(served(STORAGE_AREA_NETWORK, reads)) - np.median(served(VIRTUAL_NVME, reads))
    ) / 1e3
    assert 21.0 + 3.0 < difference_us < 21.0 + 4.5  # 4 KiB at 10 Gbit/s take 3.5 us


def test_a_faster_wire_is_faster() -> None:
    faster = msgspec.structs.replace(STORAGE_AREA_NETWORK, bytes_per_second=12.5e9)
    assert faster.wire_ns(1 << 20) * 9 < STORAGE_AREA_NETWORK.wire_ns(1 << 20)
