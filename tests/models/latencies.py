"""What tests of latency models share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shadowshare.models.latency.distributions import Nanoseconds
from shadowshare.protocol.operations import Operation
from shadowshare.sim.timed.latency import LatencyModel

SECTOR_BYTES = 512
SECTOR_COUNT = 1 << 21


def served(model: LatencyModel, operations: Sequence[Operation], seed: int = 1) -> Nanoseconds:
    """Service times of operations that are served one after the other."""
    service_time = model.start(np.random.default_rng(seed), SECTOR_BYTES, SECTOR_COUNT)
    now_ns, times = 0, []
    for operation in operations:
        times.append(service_time(operation, now_ns))
        now_ns += times[-1]
    assert all(time >= 0 for time in times)
    return np.array(times, dtype=np.int64)
