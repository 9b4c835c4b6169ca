"""Is this store intact? Everything about it that bytes can prove, in one pass that only reads.

Checked: both superblocks, equal in all but the number of the copy; every block of both journal halves; the chain of
blocks from the checkpoint to the end, nothing of it standing behind that end; every record true after those before it;
no slot and no id used twice. *Not* checked: the data in slots and volume, which carry no checksum.

Damage is reported and never raised. A store in use may be checked: the journal is scanned before it is followed, so
that a block which the active appends meanwhile is not mistaken for one that was left behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from shadowshare.protocol.errors import ReadError, StoreError
from shadowshare.protocol.geometry import Geometry, Location
from shadowshare.protocol.journal import Cursor
from shadowshare.protocol.journal_check import BlockRun, JournalScan, Sort, StrictFollower
from shadowshare.protocol.layout import decode_superblock, encode_superblock
from shadowshare.protocol.operations import Read
from shadowshare.protocol.superblock import read_geometry

_COPY_ADVICE = "the other copy is used; save the volume's data and format the store again when you can"
_EXPORT_ADVICE = "do not write: export what can still be read, then format the store again"
_UNUSED_ADVICE = (
    "what the store holds now does not depend on it, but something else wrote here: find out what"
)


class Finding(NamedTuple):
    """One thing that is wrong."""

    what: str
    where: str
    advice: str


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
    """

    geometry: Geometry
    findings: tuple[Finding, ...]
    block_counts: tuple[dict[str, int], dict[str, int]]
    end: Cursor
    shadow_copy_count: int
    used_slot_count: int

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
    findings = await _check_superblocks(geometry)
    scans = (JournalScan(geometry, 0), JournalScan(geometry, 1))
    for scan in scans:
        await scan.run()
    follower = StrictFollower(geometry)
    findings += await _follow(follower)
    for scan in scans:
        findings += _unusable_blocks(scan, follower.cursor)
    for what, sector in follower.untruths:
        findings.append(Finding(what, _place(geometry, sector), _EXPORT_ADVICE))
    return CheckResult(
        geometry,
        tuple(findings),
        (scans[0].counts(), scans[1].counts()),
        follower.cursor,
        len(follower.view.shadow_copies),
        follower.view.copied_extent_count(),
    )


async def _read_some_geometry(location: Location) -> Geometry:
    """The geometry from whichever copy can be read; that the other one cannot becomes a finding later."""
    failure: ReadError | None = None
    for sector in location.superblock_sectors:
        try:
            return await read_geometry(Location(location.area_device, (sector,)))
        except ReadError as error:
            failure = error
        except StoreError:
            continue
    if failure is not None:
        raise failure
    return await read_geometry(location)  # for the error that says most


async def _check_superblocks(geometry: Geometry) -> list[Finding]:
    """Both copies must be exactly what this geometry is written as."""
    findings = []
    for copy, sector in enumerate(geometry.superblock_sectors):
        what = None
        try:
            raw = bytes(await Read(geometry.area_device, sector, 1))
            if raw != encode_superblock(geometry, copy):
                what = _difference(raw, geometry)
        except ReadError as error:
            what = f"cannot be read ({error})"
        if what:
            findings.append(Finding(f"superblock copy {copy} {what}", _place(geometry, sector), _COPY_ADVICE))
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
        where = f"behind {_place(geometry, sector)}" if end.generation else _place(geometry, sector)
        return [Finding(f"the journal cannot be followed to its end: {error}", where, _EXPORT_ADVICE)]
    return []


def _unusable_blocks(scan: JournalScan, end: Cursor) -> list[Finding]:
    """Sectors of a half that hold neither zeroes nor a block that may stand there."""
    findings = []
    for run in scan.runs:
        if run.sort in (Sort.DAMAGED, Sort.FOREIGN, Sort.UNREADABLE):
            is_needed = (end.generation - 1) % 2 == scan.half and run.position <= end.position + 1
            advice = _EXPORT_ADVICE if is_needed or not end.generation else _UNUSED_ADVICE
            findings.append(Finding(f"{_blocks(run)} {run.sort.value}", _place_of(scan, run), advice))
    for run in scan.left_behind(end):
        what = f"{_blocks(run)} of generation {run.generation}, but not part of the journal"
        findings.append(Finding(what, _place_of(scan, run), _EXPORT_ADVICE))
    return findings


def _blocks(run: BlockRun) -> str:
    return "a journal block is" if run.block_count == 1 else f"{run.block_count} journal blocks are"


def _place_of(scan: JournalScan, run: BlockRun) -> str:
    where = _place(scan.geometry, scan.first_sector + run.position, run.block_count)
    return f"{where} (half {scan.half}, from block {run.position})"


def _place(geometry: Geometry, sector: int, sector_count: int = 1) -> str:
    span = f"sector {sector}" if sector_count == 1 else f"sectors {sector} to {sector + sector_count - 1}"
    return f"{span} of device {geometry.area_device}"
