"""Is this store intact? Everything about it that bytes can prove, in one pass that only reads.

Checked: both superblocks, equal in all but the number of the copy; every block of both journal halves; the chain of
blocks from the checkpoint to the end, nothing of it standing behind that end; every record in its place and true after
those before it; no slot and no id used twice; the newest checkpoint against the journal that it continues, where that
is still there. *Not* checked: the data in slots and volume, which carry no checksum.

Damage is reported and never raised. A store in use may be checked: the journal is scanned before it is followed, so
that a block which the active appends meanwhile is not mistaken for one that was left behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from shadowshare.protocol.errors import GeometryMismatch, ReadError, StoreError
from shadowshare.protocol.geometry import Geometry, Location
from shadowshare.protocol.journal import Cursor
from shadowshare.protocol.journal_check import (
    BlockRun,
    FollowerFromBefore,
    JournalScan,
    Sort,
    StrictFollower,
)
from shadowshare.protocol.layout import decode_superblock, encode_superblock
from shadowshare.protocol.operations import Read
from shadowshare.protocol.superblock import read_geometry

_COPY_ADVICE = "the other copy is used; save the volume's data and format the store again when you can"
_EXPORT_ADVICE = "do not write: export what can still be read, then format the store again"
_UNUSED_ADVICE = (
    "what the store holds now does not depend on it, but something else wrote here: find out what"
)


class Repair(NamedTuple):
    """What would put something right without guessing: sectors that are written with what must be there.

    Attributes:
        what: it would do, in words.
        device: on which.
        sector: the first one.
        contents: what is written, a sector each.
    """

    what: str
    device: int
    sector: int
    contents: tuple[bytes, ...]


class Finding(NamedTuple):
    """One thing that is wrong.

    Attributes:
        what: it is.
        where: in words.
        advice: what to do.
        device: on which it is.
        sector: the first one that it is about.
        sector_count: how many there are.
        repair: what would put it right; None if that would be a guess.
    """

    what: str
    where: str
    advice: str
    device: int
    sector: int
    sector_count: int = 1
    repair: Repair | None = None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check came to.

    Attributes:
        geometry: from the superblock that could be used.
        findings: what is wrong; empty exactly if the store is intact.
        block_counts: per half of the journal, how many blocks there are of each sort.
        end: the last block that could be applied, or one of generation 0 if there was none.
        shadow_copy_count: shadow copies up to there.
        used_slot_count: slots that hold a copy.
        slot_count: slots that there are.
    """

    geometry: Geometry
    findings: tuple[Finding, ...]
    block_counts: tuple[dict[str, int], dict[str, int]]
    end: Cursor
    shadow_copy_count: int
    used_slot_count: int
    slot_count: int

    @property
    def repairs(self) -> tuple[Repair, ...]:
        """Everything that can be put right."""
        return tuple(finding.repair for finding in self.findings if finding.repair is not None)

    @property
    def is_intact(self) -> bool:
        """Whether nothing was found wrong."""
        return not self.findings

    @property
    def used_block_count(self) -> int:
        """Blocks of the current half that are in use; when all are, nothing can be appended."""
        return self.end.position + 1 if self.end.generation else 0


async def check_store(location: Location) -> CheckResult:
    """Check the store at ``location``.

    Raises:
        StoreError: neither copy of the superblock can be used, so that nothing is known of the store.
        ReadError: neither copy of the superblock can be read.
    """
    geometry = await _read_some_geometry(location)
    scans = (JournalScan(geometry, 0), JournalScan(geometry, 1))
    for scan in scans:
        await scan.run()
    follower = StrictFollower(geometry)
    trouble = await _follow(follower)
    for what, sector in follower.untruths:
        trouble.append(_finding(geometry, what, sector, _EXPORT_ADVICE))
    trouble += await _compare_halves(follower, scans)
    if follower.view.slot_count > geometry.slot_count_maximum:
        geometry = await _read_some_geometry(location)  # an active may have made it larger meanwhile
        trouble += _check_slots(geometry, follower)
    is_sound = not trouble
    findings = await _check_superblocks(geometry, is_sound) + trouble
    for scan in scans:
        findings += _unusable_blocks(scan, follower.cursor, is_sound)
    return CheckResult(
        geometry,
        tuple(findings),
        (scans[0].counts(), scans[1].counts()),
        follower.cursor,
        len(follower.view.shadow_copies),
        follower.view.copied_extent_count(),
        follower.view.slot_count,
    )


async def _read_some_geometry(location: Location) -> Geometry:
    """The geometry from whichever copy can be read; that the other one cannot becomes a finding later."""
    failure: ReadError | None = None
    for sector in location.superblock_sectors:
        try:
            return await read_geometry(location._replace(superblock_sectors=(sector,)))
        except ReadError as error:
            failure = error
        except StoreError:
            continue
    if failure is not None:
        raise failure
    return await read_geometry(location)  # for the error that says most


async def _check_superblocks(geometry: Geometry, is_sound: bool) -> list[Finding]:
    """Both copies must be exactly what this geometry is written as. If its journal is sound, the geometry is right."""
    findings = []
    for copy, sector in enumerate(geometry.superblock_sectors):
        what, right = None, encode_superblock(geometry, copy)
        try:
            raw = bytes(await Read(geometry.area_device, sector, 1))
            if raw != right:
                what = _difference(raw, geometry)
        except ReadError as error:
            what = f"cannot be read ({error})"
        if what:
            words = f"write superblock copy {copy} again, as the other copy has it"
            repair = Repair(words, geometry.area_device, sector, (right,)) if is_sound else None
            finding = _finding(geometry, f"superblock copy {copy} {what}", sector, _COPY_ADVICE)
            findings.append(finding._replace(repair=repair))
    return findings


def _difference(raw: bytes, geometry: Geometry) -> str:
    """Why a superblock that is not as it must be is not."""
    try:
        found = decode_superblock(raw)
    except StoreError as error:
        return f"cannot be used: {error}"
    if found != geometry:
        return "is intact, but describes another store than the other copy"
    return "has the wrong number, or bytes behind its end"


async def _follow(follower: StrictFollower) -> list[Finding]:
    """Follow the journal to its end, or to where it cannot be followed."""
    try:
        await follower.load()
    except (StoreError, ReadError) as error:
        geometry, end = follower.geometry, follower.cursor
        sector = (
            geometry.block_sector(end.generation, end.position)
            if end.generation
            else geometry.journal_sectors[0]
        )
        finding = _finding(
            geometry, f"the journal cannot be followed to its end: {error}", sector, _EXPORT_ADVICE
        )
        return [finding._replace(where=f"behind {finding.where}" if end.generation else finding.where)]
    return []


def _check_slots(geometry: Geometry, follower: StrictFollower) -> list[Finding]:
    """There must be room for as many slots as the journal says."""
    try:
        geometry.check_slots(follower.view.slot_count)
    except GeometryMismatch as error:
        end = geometry.block_sector(follower.cursor.generation, follower.cursor.position)
        return [_finding(geometry, str(error), end, _EXPORT_ADVICE)]
    return []


async def _compare_halves(follower: StrictFollower, scans: tuple[JournalScan, JournalScan]) -> list[Finding]:
    """The newest checkpoint must be what the older half of the journal leads to, as far as that is still there."""
    geometry, generation = follower.geometry, follower.cursor.generation
    if generation <= 1:
        return []
    contradiction = await FollowerFromBefore(geometry, generation).contradicts(follower)
    if not scans[generation % 2].has_generation(generation - 1, generation + 1):
        contradiction = "continues nothing: the other half has no block of the generation before, or after"
    if not contradiction:
        return []
    what = f"the checkpoint of generation {generation} {contradiction}"
    return [_finding(geometry, what, geometry.block_sector(generation, 0), _EXPORT_ADVICE)]


def _unusable_blocks(scan: JournalScan, end: Cursor, is_sound: bool) -> list[Finding]:
    """Sectors of a half that hold neither zeroes nor a block that may stand there.

    In the half that is not in use they can be zeroed if the journal is sound, but only where no passive with an old
    view can come: it would take zeroes for the end of the journal, and what it reads would be wrong.
    """
    findings = []
    for run in scan.runs:
        if run.sort in (Sort.DAMAGED, Sort.FOREIGN, Sort.ODD, Sort.UNREADABLE):
            is_own = (end.generation - 1) % 2 == scan.half
            is_needed = not end.generation or (is_own and run.position <= end.position + 1)
            finding = _finding_of(scan, run, run.sort.value, _EXPORT_ADVICE if is_needed else _UNUSED_ADVICE)
            is_useless = not is_own and scan.is_behind(end.generation - 1, run.position)
            repair = _zeroing(finding, scan) if is_sound and is_useless else None
            findings.append(finding._replace(repair=repair))
    for run in scan.left_behind(end):
        what = f"of generation {run.generation}, but not part of the journal"
        findings.append(_finding_of(scan, run, what, _EXPORT_ADVICE))
    for run in scan.from_the_future(end):
        what = f"of generation {run.generation}, to which the journal has not come"
        findings.append(_finding_of(scan, run, what, _EXPORT_ADVICE))
    return findings


def _zeroing(finding: Finding, scan: JournalScan) -> Repair:
    words = f"write zeroes to {_span(finding.sector, finding.sector_count)}, of the half that is not in use"
    zeroes = (bytes(scan.geometry.sector_bytes),) * finding.sector_count
    return Repair(words, finding.device, finding.sector, zeroes)


def _finding(geometry: Geometry, what: str, sector: int, advice: str) -> Finding:
    return Finding(what, _place(geometry, sector), advice, geometry.area_device, sector)


def _finding_of(scan: JournalScan, run: BlockRun, what: str, advice: str) -> Finding:
    sector, device = scan.first_sector + run.position, scan.geometry.area_device
    return Finding(f"{_blocks(run)} {what}", _place_of(scan, run), advice, device, sector, run.block_count)


def _blocks(run: BlockRun) -> str:
    return "a journal block is" if run.block_count == 1 else f"{run.block_count} journal blocks are"


def _place_of(scan: JournalScan, run: BlockRun) -> str:
    where = _place(scan.geometry, scan.first_sector + run.position, run.block_count)
    return f"{where} (half {scan.half}, from block {run.position})"


def _place(geometry: Geometry, sector: int, sector_count: int = 1) -> str:
    return f"{_span(sector, sector_count)} of device {geometry.area_device}"


def _span(sector: int, sector_count: int) -> str:
    return f"sector {sector}" if sector_count == 1 else f"sectors {sector} to {sector + sector_count - 1}"
