"""What can be wrong with a latency model."""

from __future__ import annotations

from shadowshare.protocol.errors import ShadowshareError


class ModelError(ShadowshareError):
    """A latency model, or a file with one or for one, cannot be used; the message says where, why, and what to do."""
