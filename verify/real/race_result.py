"""The result of the race on real processes."""

from __future__ import annotations

from dataclasses import dataclass

from shadowshare.verify.result import Verdict


@dataclass(frozen=True, slots=True)
class RealRaceResult:
    """What came out of a race.

    Attributes:
        verdict: violated if any byte was wrong; unknown if the race did not take place as it should.
        reason: what was violated, or why the verdict is unknown; empty if verified.
        passive_count: passive processes.
        export_count: whole exports that were compared.
        overlapping_export_count: of these, how many began while the active was writing.
        refused_export_count: exports that ended with the right error, because the shadow copy was deleted meanwhile.
        reread_extent_count: extents read from the volume, and read again because the re-check found a copy of them.
        write_count: writes of the active.
        shadow_copy_count: shadow copies that were created.
        file_system_check_count: how often e2fsck found an export, or the volume in the end, clean.
        is_direct: whether the disks were read and written past the page cache; not on a file system without O_DIRECT.
        seconds: for everything, making the file systems included.
    """

    verdict: Verdict
    reason: str
    passive_count: int
    export_count: int = 0
    overlapping_export_count: int = 0
    refused_export_count: int = 0
    reread_extent_count: int = 0
    write_count: int = 0
    shadow_copy_count: int = 0
    file_system_check_count: int = 0
    is_direct: bool = False
    seconds: float = 0.0
