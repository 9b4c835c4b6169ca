"""What can be wrong with a workload."""

from __future__ import annotations

from shadowshare.protocol.errors import ShadowshareError


class WorkloadError(ShadowshareError):
    """A workload cannot be used; the message says what must change."""


class TraceError(WorkloadError):
    """A trace file cannot be read; the message names the file and the line."""
