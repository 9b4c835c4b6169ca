"""What the active does when an extent cannot be copied, and from when on the differential area counts as nearly full.

A copy cannot be made if no slot is free, or if the old extent cannot be read or the slot not be written. The write that
needs the copy fails then, or shadow copies give way to it: which, is the store's policy. It is a record in the journal,
so that it can be changed at any time and every host knows it.
"""

from __future__ import annotations

from enum import Enum


class Policy(Enum):
    """What gives way when an extent cannot be copied."""

    FAIL_WRITE = "fail-write"
    """The write is refused, and nothing changes."""
    INVALIDATE = "invalidate"
    """Every shadow copy loses its image, and then the write is done."""
    DELETE_OLDEST = "delete-oldest"
    """As many of the oldest shadow copies are deleted as it takes. If no slot is lacking, the write is refused."""


POLICIES: tuple[Policy, ...] = tuple(Policy)
"""In the order of their numbers on the disk, from 0."""

DEFAULT_POLICY = Policy.FAIL_WRITE
NO_WARNING_PERCENT = 0
WARNING_PERCENT_MAXIMUM = 100
