"""How long a device serves an operation: what a latency model has to offer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from numpy.random import Generator

from shadowshare.protocol.operations import Operation

ServiceTime = Callable[[Operation, int], int]
"""Called once an operation, in the order in which services begin: ``service_time(operation, begins_ns)``.

Returns:
    Nanoseconds, 0 or more, for which the operation occupies one server of the device. Waiting is not part of it.
"""


class LatencyModel(Protocol):
    """Says how long a device serves an operation; an immutable description."""

    def start(self, random: Generator, sector_bytes: int, sector_count: int) -> ServiceTime:
        """Begin to use the model for one device.

        Args:
            random: where every draw comes from; nobody else draws from it.
            sector_bytes: size of a sector of the device.
            sector_count: size of the device.

        Returns:
            The function to ask. It may remember what it was asked before, and draw in advance.
        """
