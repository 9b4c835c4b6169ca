"""What can be wrong with a simulation."""

from __future__ import annotations

from shadowshare.protocol.errors import ShadowshareError


class SimulationError(ShadowshareError):
    """A simulation cannot be understood, or cannot be run."""
