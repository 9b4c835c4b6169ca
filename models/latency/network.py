"""A storage area network: a device behind a network hop."""

from __future__ import annotations

import msgspec
from numpy.random import Generator

from shadowshare.models.bounds import Bounds, check_bounds
from shadowshare.models.latency.disk_drive import DiskDrive
from shadowshare.models.latency.distributions import endless_draws
from shadowshare.models.latency.errors import ModelError
from shadowshare.models.latency.flash import Flash
from shadowshare.models.latency.sampled import AnyDistribution, Sampled
from shadowshare.protocol.operations import Access, Operation
from shadowshare.sim.timed.latency import ServiceTime


class Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="network", tag_field="model"):
    """Another model behind a network: its latency, the hop's there and back together, and the time on the wire.

    Data goes over the wire in frames, each with headers; writes send it there, reads bring it back. The wire is
    not shared here: a path of the timed world (`shadowshare.sim.timed.path`) has its own queue, and needs no model.

    Attributes:
        behind: the device at the other end.
        hop: what the network and the two ends add to a request without data, there and back together.
        bytes_per_second: of the link.
        frame_bytes: data in a frame.
        frame_header_bytes: what goes over the wire with each frame besides the data.
    """

    behind: Sampled | DiskDrive | Flash
    hop: AnyDistribution
    bytes_per_second: float
    frame_bytes: int = 1460
    frame_header_bytes: int = 78

    def __post_init__(self) -> None:
        check_bounds(self, _BOUNDS, ModelError)

    def wire_ns(self, size_bytes: int) -> int:
        """How long data is on the wire, with its headers."""
        frame_count = -(-size_bytes // self.frame_bytes)
        return round((size_bytes + frame_count * self.frame_header_bytes) / self.bytes_per_second * 1e9)

    def start(self, random: Generator, sector_bytes: int, sector_count: int) -> ServiceTime:
        """See `shadowshare.sim.timed.latency.LatencyModel`; raises as the model behind it."""
        hops = endless_draws(self.hop, random)
        behind = self.behind.start(random, sector_bytes, sector_count)
        wire_ns: dict[int, int] = {}

        def service_time(operation: Operation, begins_ns: int) -> int:
            count = operation.sector_count if operation.access in _WITH_DATA else 0
            on_wire_ns = wire_ns.get(count)
            if on_wire_ns is None:
                on_wire_ns = wire_ns[count] = self.wire_ns(count * sector_bytes)
            way_ns = next(hops) + on_wire_ns
            return way_ns + behind(operation, begins_ns + way_ns // 2)

        return service_time


_BOUNDS: Bounds = {
    "bytes_per_second": (1, 1e12),
    "frame_bytes": (1, 1 << 20),
    "frame_header_bytes": (0, 1 << 20),
}
_WITH_DATA = (Access.READ, Access.WRITE)
