"""Which errors a step may end with: those that the scenario allows, and of them only what really happened explains.

An error of the disk, or of what is on it, needs an entry in the ledger of faults: of one that can lead to such an
error, and that struck the same host or lasts. A fault that strikes one read, once, explains one failure.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from shadowshare.protocol.errors import ActiveStopped, DiskError, Fenced, ReadError, StoreError
from shadowshare.sim.faults.catalogue import FAULTS
from shadowshare.sim.faults.fault import Injected


class Excuses:
    """What a scenario allows.

    Args:
        allowed_errors: names of error classes.
    """

    def __init__(self, allowed_errors: Collection[str]) -> None:
        self._allowed_errors = frozenset(allowed_errors)

    def during(
        self,
        error: Exception,
        host: int,
        ledger: Sequence[Injected],
        is_fenced: bool = False,
        read_failure_count: int = 1,
    ) -> bool:
        """Whether a step of a host may end with an error.

        Args:
            error: with which it ended.
            host: its number.
            ledger: the faults that happened.
            is_fenced: whether the host's writes are refused: another one has taken over.
            read_failure_count: steps of this host that ended with `ReadError`, this one included.
        """
        name = type(error).__name__
        if name not in self._allowed_errors:
            return False
        if not isinstance(error, DiskError | StoreError | ActiveStopped):
            return True
        if is_fenced and isinstance(error, Fenced | ActiveStopped):
            return True
        causes = [entry for entry in ledger if name in FAULTS[entry.fault].errors]
        if any(entry.sector is not None for entry in causes):
            return True
        own_count = sum(entry.host == host for entry in causes)
        return own_count >= (read_failure_count if isinstance(error, ReadError) else 1)

    def at_end(self, error: Exception, ledger: Sequence[Injected]) -> bool:
        """Whether it may not be possible to read the store when nothing is in flight any more: a fault must last."""
        name = type(error).__name__
        lasting = [entry for entry in ledger if entry.sector is not None]
        return name in self._allowed_errors and any(name in FAULTS[entry.fault].errors for entry in lasting)
