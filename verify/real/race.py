"""The race on real processes: an ext4 file system changes under passives that export it, through real disks.

One active process applies the block writes that turn a real file system into another, forth and back; passive processes
export shadow copies of it over and over. Every export must equal, byte for byte, what the volume held when the shadow
copy was created, and ``e2fsck`` must find its first and last ones clean; in the end the live volume must be the changed
file system, and the store intact.

A run proves nothing about the interleavings that it did not meet. So it says how often a re-check really found that the
active had overtaken a read, and if it never did the verdict is "unknown".
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from shadowshare.models.ext4 import (
    BLOCK_BYTES,
    Ext4Error,
    build_states,
    changes_between,
    check_clean,
    missing_tools,
)
from shadowshare.protocol.errors import AreaFull, DiskError, JournalFull, ShadowshareError
from shadowshare.protocol.passive import Passive
from shadowshare.sim.disks.file_disk import FileDisk
from shadowshare.sim.real.export import export_to_path
from shadowshare.sim.real.store import FormatOptions, Store
from shadowshare.sim.real.store_plan import DEFAULT_SECTOR_BYTES
from shadowshare.verify.real.processes import run_processes
from shadowshare.verify.real.race_hosts import (
    SHADOW_COPY_COUNT_KEPT,
    UNKNOWN_STATE,
    ActiveReport,
    Arena,
    PassiveReport,
    run_active,
    run_passive,
)
from shadowshare.verify.real.race_result import RealRaceResult
from shadowshare.verify.result import Verdict

SIZE_BYTES = 32 * 1024 * 1024
EXTENT_BYTES = 16 * 1024
SHADOW_COPY_COUNT_MAXIMUM = 10_000
LIMIT_SECONDS = 120.0

Say = Callable[[str], None]


class _Ended(Exception):
    """The race is over before its end, with this verdict."""

    def __init__(self, verdict: Verdict, reason: str) -> None:
        super().__init__(reason)
        self.verdict = verdict


def run_ext4_race(
    folder: Path,
    size_bytes: int = SIZE_BYTES,
    passive_count: int = 2,
    progress: Say | None = None,
    passive_class: type[Passive] = Passive,
    pass_count_minimum: int = 7,
    export_count_minimum: int = 20,
    seed: int = 1,
) -> RealRaceResult:
    """Run the race.

    Args:
        folder: an empty one with room for some 20 times ``size_bytes``, on a file system with O_DIRECT if possible.
        size_bytes: of the ext4 file system.
        passive_count: how many passive processes export at once.
        progress: told what is being done.
        passive_class: what the passives run; it must be importable by its name.
        pass_count_minimum: how often the active goes through all changes, at least; it ends after an odd number.
        export_count_minimum: exports of each passive before the active may end.
        seed: of the order of the active's writes. The interleaving itself is up to the machine.
    """
    began = time.monotonic()
    race = _Race(folder, passive_count, progress or (lambda _: None))
    verdict: Verdict = "verified"
    reason = ""
    try:
        if (missing := missing_tools()) is not None:
            raise _Ended("unknown", missing)
        race.prepare(size_bytes)
        race.run(passive_class, pass_count_minimum, export_count_minimum, seed)
        race.judge()
    except _Ended as end:
        verdict, reason = end.verdict, str(end)
    except Ext4Error as error:
        verdict, reason = "unknown", str(error)
    return race.result(verdict, reason, time.monotonic() - began)


def _tight_options(states: Sequence[Path], journal_bytes: int) -> FormatOptions:
    """Room for the copies of the shadow copies that exist at once, and hardly more: freed slots are reused soon."""
    extents = {
        change.offset // EXTENT_BYTES
        for before, after in pairwise(states)
        for change in changes_between(before, after, BLOCK_BYTES)
    }
    slot_count = SHADOW_COPY_COUNT_KEPT * len(extents) + len(extents) // 16
    area_bytes = journal_bytes + slot_count * EXTENT_BYTES + 2 * DEFAULT_SECTOR_BYTES
    return FormatOptions(area_bytes=area_bytes, journal_bytes=journal_bytes, extent_bytes=EXTENT_BYTES)


def _stop(arena: Arena) -> None:
    arena.stop.set()
    arena.barrier.abort()


def _verdict_on(error: Exception | None) -> Verdict:
    """No fault was injected: an error of the protocol is as wrong as a byte, unless it is for want of room."""
    is_of_protocol = isinstance(error, ShadowshareError)
    return (
        "violated"
        if is_of_protocol and not isinstance(error, DiskError | AreaFull | JournalFull)
        else "unknown"
    )


class _Race:
    """One race, step by step."""

    def __init__(self, folder: Path, passive_count: int, say: Say) -> None:
        self._folder = folder
        self._passive_count = passive_count
        self._say = say
        self._store = Store(folder / "store.img")
        self._states: list[Path] = []
        self._active: ActiveReport | None = None
        self._passives: list[PassiveReport] = []
        self._clean_count = 0
        self._is_direct = False

    def prepare(self, size_bytes: int) -> None:
        """Make the file systems, and a store whose volume is the first of them."""
        self._say("making the ext4 file system and changing it")
        self._states = build_states(self._folder, size_bytes)
        self._store.image.write_bytes(self._states[0].read_bytes())
        self._store.format(_tight_options(self._states, 2 * size_bytes))
        with FileDisk.open(self._store.image, DEFAULT_SECTOR_BYTES, writable=False) as disk:
            self._is_direct = disk.is_direct

    def run(self, passive_class: type[Passive], pass_count: int, export_count: int, seed: int) -> None:
        """Let all processes run to their end."""
        self._say(f"one active and {self._passive_count} passive processes")
        context = multiprocessing.get_context("spawn")
        arena = Arena(
            store=self._store,
            states=self._states,
            pass_count_minimum=pass_count,
            export_count_minimum=export_count,
            seed=seed,
            barrier=context.Barrier(self._passive_count + 1),
            image_states=context.Array("i", [UNKNOWN_STATE] * SHADOW_COPY_COUNT_MAXIMUM),
            deleted_counter=context.Value("i", 0),
            export_counts=context.Array("i", [0] * self._passive_count),
            active_ended=context.Event(),
            stop=context.Event(),
        )
        functions: list[Callable[[], Any]] = [partial(run_active, arena)]
        functions += [
            partial(run_passive, arena, number, self._folder, passive_class)
            for number in range(self._passive_count)
        ]
        (self._active, *passives), failure = run_processes(
            context, functions, partial(_stop, arena), LIMIT_SECONDS
        )
        self._passives = [report for report in passives if report is not None]
        if failure is not None:
            # No fault was injected: an error of the protocol is as wrong as a byte.
            is_violation = isinstance(failure.error, ShadowshareError) and not isinstance(
                failure.error, DiskError
            )
            raise _Ended("violated" if is_violation else "unknown", failure.what)

    def judge(self) -> None:
        """Look at everything that came out."""
        for number, report in enumerate(self._passives):
            for index, export in enumerate(report.exports):
                if export.wrong_offset is not None:
                    extent = export.wrong_offset // EXTENT_BYTES
                    raise _Ended(
                        "violated",
                        f"export {index} of passive {number} is not the image of shadow copy {export.shadow_copy}: "
                        f"first wrong byte {export.wrong_offset} (extent {extent})",
                    )
        self._judge_volume()
        self._say("checking file systems")
        for report in self._passives:
            for file in report.files:
                self._expect_clean(file, f"the export {file.name}")
        overlapping, reread = self._overlapping_export_count(), self._reread_extent_count()
        if not overlapping or not reread:
            raise _Ended(
                "unknown",
                f"the race was too slow: {overlapping} exports overlapped, {reread} extents re-read",
            )

    def _judge_volume(self) -> None:
        live = self._folder / "live.img"
        with self._store.open_passive() as passive:
            export_to_path(passive.chunks(None), live)
        if live.read_bytes() != self._states[-1].read_bytes():
            raise _Ended("violated", "the live volume did not become the changed file system")
        self._expect_clean(live, "the live volume")
        check = self._store.check()
        if not check.is_intact:
            finding = check.findings[0]
            raise _Ended("violated", f"the store is damaged afterwards: {finding.where}: {finding.what}")

    def _expect_clean(self, image: Path, name: str) -> None:
        complaint = check_clean(image)
        if complaint is not None:
            raise _Ended("violated", f"{name} is no clean file system: {complaint}")
        self._clean_count += 1

    def _overlapping_export_count(self) -> int:
        if self._active is None:
            return 0
        end = self._active.ended_seconds
        exports = [export for report in self._passives for export in report.exports]
        return sum(export.began_seconds < end and not export.is_refused for export in exports)

    def _reread_extent_count(self) -> int:
        return sum(export.reread_extent_count for report in self._passives for export in report.exports)

    def result(self, verdict: Verdict, reason: str, seconds: float) -> RealRaceResult:
        """Everything that is known by now."""
        exports = [export for report in self._passives for export in report.exports]
        refused_count = sum(export.is_refused for export in exports)
        return RealRaceResult(
            verdict,
            reason,
            self._passive_count,
            len(exports) - refused_count,
            self._overlapping_export_count(),
            refused_count,
            self._reread_extent_count(),
            self._active.write_count if self._active else 0,
            self._active.shadow_copy_count if self._active else 0,
            self._clean_count,
            self._is_direct,
            seconds,
        )
