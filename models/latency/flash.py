"""NAND flash: dies that read, program and erase, behind channels that they share."""

from __future__ import annotations

import msgspec
from numpy.random import Generator

from shadowshare.models.bounds import Bounds, check_bounds
from shadowshare.models.latency.distributions import LONGEST_US
from shadowshare.models.latency.errors import ModelError
from shadowshare.protocol.operations import Access, Operation
from shadowshare.sim.timed.latency import ServiceTime


class Flash(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="flash", tag_field="model"):
    """A flash device without a write cache, as in the models of Agrawal et al. (see `SLC_FLASH`).

    Logical pages are spread over channels first, then over the dies of each. A read occupies its die for ``read_us``,
    then its channel for the transfer; a write first the channel, then the die for ``program_us``. Parts of a request on
    different dies overlap; a request waits for dies and channels that earlier ones occupy. After every
    ``block_page_count`` programs a die erases a block, as it must in the steady state, and the next one there waits.
    A write smaller than a page reads the page first.

    Give the device as many servers as it takes requests at once. Nothing is random.

    Attributes:
        channel_count: transfers at the same time.
        channel_die_count: dies behind each channel.
        page_bytes: what is read or programmed at once.
        block_page_count: pages of a block, which is erased at once.
        read_us: from the cells into the register of the die.
        program_us: from the register into the cells.
        erase_us: of a block.
        channel_bytes_per_second: of the transfer between register and controller.
        controller_us: overhead of each request.
    """

    channel_count: int
    channel_die_count: int
    page_bytes: int
    block_page_count: int
    read_us: float
    program_us: float
    erase_us: float
    channel_bytes_per_second: float
    controller_us: float = 0.0

    def __post_init__(self) -> None:
        check_bounds(self, _BOUNDS, ModelError)

    def start(self, random: Generator, sector_bytes: int, sector_count: int) -> ServiceTime:
        """See `shadowshare.sim.timed.latency.LatencyModel`."""
        return _Chips(self, sector_bytes).serve


_BOUNDS: Bounds = {
    **dict.fromkeys(("channel_count", "channel_die_count", "block_page_count"), (1, 65536)),
    **dict.fromkeys(("read_us", "program_us", "erase_us", "controller_us"), (0, LONGEST_US)),
    "page_bytes": (512, 1 << 20),
    "channel_bytes_per_second": (1, 1e12),
}


class _Chips:
    """One device at work: until when its dies and channels are occupied."""

    def __init__(self, flash: Flash, sector_bytes: int) -> None:
        self._flash = flash
        self._sector_bytes = sector_bytes
        self._channel_free_ns = [0.0] * flash.channel_count
        self._die_free_ns = [0.0] * (flash.channel_count * flash.channel_die_count)
        self._programmed = [0] * len(self._die_free_ns)

    def serve(self, operation: Operation, begins_ns: int) -> int:
        """How long until the last page of a request is done."""
        flash = self._flash
        ready_ns = begins_ns + flash.controller_us * 1e3
        start = operation.sector * self._sector_bytes
        end = start + operation.sector_count * self._sector_bytes
        use = self._read if operation.access is Access.READ else self._program
        done_ns = ready_ns
        for page in range(start // flash.page_bytes, -(-end // flash.page_bytes)):
            size_bytes = min(end, (page + 1) * flash.page_bytes) - max(start, page * flash.page_bytes)
            done_ns = max(done_ns, use(page % len(self._die_free_ns), size_bytes, ready_ns))
        return round(done_ns - begins_ns)

    def _read(self, die: int, size_bytes: int, ready_ns: float) -> float:
        sensed_ns = max(ready_ns, self._die_free_ns[die]) + self._flash.read_us * 1e3
        done_ns = self._transfer(die, size_bytes, sensed_ns)
        self._die_free_ns[die] = done_ns  # its register is in use until then
        return done_ns

    def _program(self, die: int, size_bytes: int, ready_ns: float) -> float:
        flash = self._flash
        if size_bytes < flash.page_bytes:
            ready_ns = self._read(die, flash.page_bytes, ready_ns)
        received_ns = self._transfer(die, flash.page_bytes, max(ready_ns, self._die_free_ns[die]))
        done_ns = received_ns + flash.program_us * 1e3
        self._programmed[die] += 1
        is_block_full = self._programmed[die] % flash.block_page_count == 0
        self._die_free_ns[die] = done_ns + (flash.erase_us * 1e3 if is_block_full else 0.0)
        return done_ns

    def _transfer(self, die: int, size_bytes: int, ready_ns: float) -> float:
        channel = die % self._flash.channel_count
        begins_ns = max(ready_ns, self._channel_free_ns[channel])
        ends_ns = begins_ns + size_bytes / self._flash.channel_bytes_per_second * 1e9
        self._channel_free_ns[channel] = ends_ns
        return ends_ns


SLC_FLASH = Flash(
    channel_count=8,
    channel_die_count=4,
    page_bytes=4096,
    block_page_count=64,
    read_us=25.0,
    program_us=200.0,
    erase_us=1500.0,
    channel_bytes_per_second=4096 / 100e-6,
)
"""Dies of the Samsung K9XXG08UXM series (single-level cells), of which these figures were published.

Source: N. Agrawal, V. Prabhakaran, T. Wobber, J. D. Davis, M. Manasse, R. Panigrahy, "Design tradeoffs for SSD
performance", USENIX Annual Technical Conference 2008, table 1: page read to register 25 us, page program 200 us, block
erase 1.5 ms, serial access 100 us for a page of 4 KiB; blocks of 256 KiB. How many channels and dies there are is ours.
"""
