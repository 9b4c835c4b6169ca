"""All kinds of faults."""

from __future__ import annotations

from shadowshare.sim.faults.errors import (
    FlushErrors,
    FullDevice,
    LastingReadErrors,
    ReadErrors,
    ShrunkDevice,
    WriteErrors,
)
from shadowshare.sim.faults.fault import Budget, Fault
from shadowshare.sim.faults.silent import (
    BitRot,
    LostWrites,
    LyingFlushes,
    MisdirectedReads,
    MisdirectedWrites,
    StaleReads,
)

FAULTS: dict[str, Fault] = {
    fault.name: fault
    for fault in (
        WriteErrors(),
        ReadErrors(),
        FlushErrors(),
        LastingReadErrors(),
        FullDevice(),
        ShrunkDevice(),
        LostWrites(),
        LyingFlushes(),
        MisdirectedReads(),
        MisdirectedWrites(),
        BitRot(),
        StaleReads(),
    )
}
"""By name, in the order in which they are tried."""

READ_FAULTS = frozenset({"read_errors", "lasting_read_errors"})
"""Those that a device owns up to, and that change nothing but what a read is told."""

ON_OVERLAY = frozenset({"lasting_read_errors", "full_devices", "shrunk_devices", "bit_rot", "stale_reads"})
"""Those that need a disk with an overlay."""


def budgets(**counts: int) -> tuple[Budget, ...]:
    """Budgets of some faults, by their names, in the order in which they are tried; those of 0 are left out."""
    return tuple(Budget(fault, counts[name]) for name, fault in FAULTS.items() if counts.get(name))


_WORDS = {fault.mark: fault.words for fault in FAULTS.values()}


def words_of(mark: str) -> str:
    """What happened, in words, to an operation whose label has this mark behind it; empty if its answer says it."""
    return _WORDS.get(mark.partition(".")[0], "")
