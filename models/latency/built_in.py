"""Latency models with a name, each with the source of its figures."""

from __future__ import annotations

from shadowshare.models.latency.distributions import LognormalMixture

VIRTUAL_NVME_READ = LognormalMixture.of((0.969, 76.5, 0.112), (0.031, 113.3, 0.458))
"""Direct reads of 4 KiB at random places of a virtual NVMe disk, one at a time. Source: measured."""

VIRTUAL_NVME_WRITE = LognormalMixture.of((0.397, 74.1, 0.135), (0.603, 108.3, 0.290))
"""Direct writes of 4 KiB on the same disk, one at a time. Source: measured."""

VIRTUAL_NVME_WRITE_AND_FLUSH = LognormalMixture.of(
    (0.353, 131.2, 0.097), (0.644, 170.8, 0.187), (0.0035, 464.0, 0.844)
)
"""A direct write of 4 KiB and ``fdatasync`` after it, together. Source: measured on the same disk."""
