"""The oracle: looks on, knows what every answer must be, and says when one is wrong.

It takes the snapshot image from the disk itself: what the volume held at the instant when the journal block with the
creation took effect. It does not ask the protocol what it believes. Checked are:

- ``image``: every sector that a passive read returns equals the image of that shadow copy
- ``identity``: a creation gets the id of its active's epoch and count, which no other ever had
- ``existence``: a shadow copy whose creation was acknowledged is found, and has its image, until its deletion is
  requested, or the store's policy lets it give way (`shadowshare.verify.rules.given_way`); a list of all says so
  (`verify.rules.listings`)
- ``changes``: a list of changed extents has all that differ, and none that nobody wrote (`verify.rules.change_lists`)
- ``live``: the live volume holds an acknowledged write until a later one, after a power loss if it was flushed; an
  interrupted revert shows in all of it or not at all, to whoever looks at it afterwards, and in every image
- ``checkpoint``: the journal says the same before and after it is turned over (`verify.rules.checkpoints`)
- ``settings``: an acknowledged policy, and acknowledged slots, are there (`verify.rules.store_settings`)
- ``place``: an active writes nothing but the volume and the parts of the area (`verify.rules.places`)
- ``fence``: once another host has taken over, nothing that a host writes lands in the volume or in a slot
- ``read-only``: a passive never issues anything but reads
- ``error``: no step ends with an error that the scenario does not allow, nor with one that no fault explains, nor with
  that there is no room, in the area or the journal, while there is (`shadowshare.verify.rules.refusals`)
- ``stopped``: an active whose flush failed carries out no request that comes later
- ``progress``: no task waits for ever
- ``liveness``: everything ends; `shadowshare.verify.exploration.liveness` looks at that, in the states of a search
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence, Set
from functools import partial
from typing import Any

from shadowshare.models import observations as seen
from shadowshare.protocol.geometry import VOLUME_DEVICE, Geometry
from shadowshare.protocol.layout import Record, ShadowCopyId
from shadowshare.protocol.operations import Operation
from shadowshare.protocol.passive import Passive
from shadowshare.scenarios.definition import Scenario
from shadowshare.scenarios.staging import initial_volume
from shadowshare.sim.stepped.shared import SharedState
from shadowshare.verify.result import Violation
from shadowshare.verify.rules.auditing import pieces_of_image, view_on
from shadowshare.verify.rules.change_lists import ChangeLists
from shadowshare.verify.rules.checkpoints import completes_checkpoint, what_a_checkpoint_changed
from shadowshare.verify.rules.evidence import Evidence, compare
from shadowshare.verify.rules.excuses import Excuses
from shadowshare.verify.rules.existence import Existence
from shadowshare.verify.rules.failures import judge_failure
from shadowshare.verify.rules.final_audit import FinalAudit
from shadowshare.verify.rules.given_way import GivenWay
from shadowshare.verify.rules.journal_writes import (
    checksum_to_note,
    creations,
    records_written,
    takes_over,
    without_block,
)
from shadowshare.verify.rules.listings import Listings
from shadowshare.verify.rules.places import Part, Places
from shadowshare.verify.rules.refusals import undue_giving_way
from shadowshare.verify.rules.requests import NOTHING_IN_FLIGHT, Requests
from shadowshare.verify.rules.room import room_on
from shadowshare.verify.rules.store_settings import StoreSettings, slot_counts_of
from shadowshare.verify.rules.verbs import has_verb
from shadowshare.verify.rules.volume_history import VolumeHistory

Image = tuple[bytes, ...]


class Oracle:
    """Watches one scenario's world; see the module.

    Args:
        scenario: what is run.
        passive: the implementation that audits what is left on the disks at the end.
    """

    def __init__(self, scenario: Scenario, passive: type[Passive] = Passive) -> None:
        self.scenario = scenario
        self.geometry: Geometry = scenario.geometry
        self.violation: Violation | None = None
        self.evidence: Evidence | None = None
        """Of the violation, if it is a wrong sector."""
        self.images: dict[ShadowCopyId, Image] = {}
        self.existence = Existence()
        self.changes = ChangeLists()
        self.listings = Listings()
        self.given_way = GivenWay(frozenset(scenario.kept))
        self.settings = StoreSettings((scenario.policy,), scenario.faults.power_losses > 0)
        self.requests = Requests()
        self._volume = VolumeHistory(initial_volume(scenario.geometry), scenario.faults.power_losses > 0)
        self.passive = passive
        self._journal = self.geometry.journal_sectors
        self._places = Places(scenario)
        self._judged: frozenset[bytes] = frozenset()
        """Checksums of journal blocks that must not be judged again when they land late."""
        self._active: int | None = None
        """The host whose TAKEOVER came last."""
        self.reverts = has_verb(scenario, "revert")
        """Whether anybody reverts the volume."""
        self.slot_counts = slot_counts_of(scenario)
        self._expected_ids = frozenset(scenario.shadow_copies.values())
        self.excuses = Excuses(scenario.faults.allowed_errors)
        self.excused_at_end: Exception | None = None
        """With what the store could not be read at the end, if a fault of a device explains it."""
        self.read_failures: tuple[int, ...] = ()
        """Numbers of the hosts of which a step ended with `ReadError`, once for each."""

    def wrote(self, shared: SharedState, host: int, operation: Operation) -> None:
        """Judge who writes where, and what a journal block says."""
        records = self._records(operation)
        self._judge_place(shared, host, operation, records)
        if records:
            self._judge_records(shared, host, operation, records)

    def _judge_place(
        self, shared: SharedState, host: int, operation: Operation, records: Sequence[Record]
    ) -> None:
        if takes_over(records):
            self._active = host
        part = self._places.part_of(operation)
        if part is Part.NONE and not shared.ledger:
            self.violated("place", f"{operation} is not within one part of the store", self.name_of(host))
        if part in (Part.VOLUME, Part.SLOTS) and self._active not in (None, host):
            self.violated("fence", f"{operation} lands, and another host is the active", self.name_of(host))

    def _judge_records(
        self, shared: SharedState, host: int, operation: Operation, records: Sequence[Record]
    ) -> None:
        """Take the image when a creation takes effect, and see who gives way."""
        if (checksum := checksum_to_note(operation, records)) in self._judged:
            return
        if checksum is not None:
            self._judged |= {checksum}
        for shadow_copy in self._new(records):
            image = tuple(shared.disks[VOLUME_DEVICE].sectors[: self.geometry.volume_sector_count])
            self.images = {**self.images, shadow_copy: image}
            if self.reverts:
                self.check_live(pieces_of_image(image), self.name_of(host), at_once=True)
        self.settings = self.settings.after_block(records)
        if completes_checkpoint(records) and not shared.ledger:
            before = without_block(shared, operation)
            if changed := what_a_checkpoint_changed(before, shared.disks, self.scenario):
                self.violated("checkpoint", changed, self.name_of(host))
        gives_way = self.given_way.gives_way(records, self.existence.deletion_began)
        self.given_way, problem = self.given_way.after(
            records,
            self.images,
            self.existence.acknowledged,
            self.existence.deletion_began,
            self.settings.in_force,
        )
        if gives_way and not problem and host == self.requests.active:
            ask = partial(room_on, without_block(shared, operation), self.scenario, self.settings.slot_count)
            problem = undue_giving_way(records, shared.ledger, self.requests, ask)
        if problem:
            self.violated("existence", problem, self.name_of(host))

    def inspects(self, operation: Operation) -> Sequence[tuple[int, range]]:
        """The whole volume when a creation takes effect: it is the image then."""
        if self._new(self._records(operation)):
            return [(VOLUME_DEVICE, range(self.geometry.volume_sector_count))]
        return ()

    def notes(self, operation: Operation) -> Sequence[tuple[str, bool]]:
        """Who is the active: a TAKEOVER says so, and what is written to volume and slots is judged by it."""
        if operation.sector in self._journal and operation.device == self.geometry.area_device:
            records = self._records(operation)
            return [("active", True)] if takes_over(records) else ()
        return [("active", False)]

    def _records(self, operation: Operation) -> tuple[Record, ...]:
        return records_written(self.geometry, operation) if operation.sector in self._journal else ()

    def _new(self, records: Sequence[Record]) -> list[ShadowCopyId]:
        """The shadow copies that come to be with a journal block; a checkpoint names others, too."""
        return [shadow_copy for shadow_copy in creations(records) if shadow_copy not in self.images]

    def submitted(self, shared: SharedState, host: int, operation: Operation) -> None:
        """A passive issued something that is no read."""
        self.violated("read-only", f"a passive issued {operation}", self.name_of(host))

    def lost_power(self, shared: SharedState) -> None:
        """From now on the volume may hold what it held at the last flush."""
        self._volume.lost_power()

    def reported(self, shared: SharedState, host: int, report: Any) -> None:
        """Check what a computer got, and note what it may expect from now on."""
        judge = _JUDGES.get(type(report))
        if judge is not None:
            judge(self, host, report)
            self._follow_request(host, report)
        elif isinstance(report, seen.StepFailed):
            judge_failure(self, shared, host, report)
            self.changes = self.changes.after_failure(report.key)
            self.listings = self.listings.after_failure(report.key)
            self.requests = self.requests.after_failure(host, report)
            if isinstance(report.error, NOTHING_IN_FLIGHT):
                self._volume.failed(report.key)
        elif isinstance(report, seen.Activated):
            self._volume.settle_unacknowledged()
            self._follow_request(host, report)
            if self.given_way.invalidated:
                self.given_way = self.given_way.after_recovery(view_on(shared.disks, self.scenario))
        elif isinstance(report, seen.ChangesAsked):
            self._asked_for(report.key, {report.base, report.target or report.base})
            image = self.images.get(report.base)
            self.changes = self.changes.after_question(report.key, image, shared, self.geometry)
        else:
            self.violated("error", f"{type(report).__name__}: {report}", self.name_of(host))

    def _follow_request(self, host: int, report: Any) -> None:
        """Note what was asked for, and see whether what was carried out had to be refused."""
        if self.requests.had_to_be_refused(report):
            self.violated("stopped", "carries out a request after a failed flush", self.name_of(host))
        extent_sectors, touched = self.geometry.extent_sectors, self.changes.touched
        self.requests = self.requests.after_report(host, report, extent_sectors, touched)

    def _list_asked(self, host: int, report: seen.ListAsked) -> None:
        self.listings = self.listings.after_question(report.key, self.existence, self.given_way)

    def _listed(self, host: int, report: seen.Listed) -> None:
        self.listings, problem = self.listings.after_answer(
            report, self.images, self.existence, self.given_way, self.scenario.faults.power_losses > 0
        )
        if problem:
            self.violated("existence", problem, self.name_of(host))

    def _read_began(self, host: int, report: seen.ReadBegan) -> None:
        self._asked_for(report.key, {report.shadow_copy})

    def _asked_for(self, key: str, shadow_copies: Set[ShadowCopyId]) -> None:
        if self.existence.is_certain(shadow_copies):
            is_restored = not self.given_way.restored.isdisjoint(shadow_copies)
            self.requests = self.requests.after_question(key, is_restored)

    def _read_ended(self, host: int, report: seen.ReadEnded) -> None:
        self.check_image(report.shadow_copy, report.sectors, self.name_of(host))

    def _change_began(self, host: int, report: seen.ChangeBegan) -> None:
        self._volume.change_began(report.key, report.sectors)
        self.changes = self.changes.after_change(report.sectors, self.geometry)

    def _changes_told(self, host: int, report: seen.ChangesTold) -> None:
        self.changes, problem = self.changes.after_answer(report, self.images, self.geometry.extent_sectors)
        if problem:
            self.violated("changes", problem, self.name_of(host))

    def _creation_ended(self, host: int, report: seen.CreationEnded) -> None:
        self.existence, problem = self.existence.after_creation(report.shadow_copy, self._expected_ids)
        if problem:
            self.violated("identity", problem, self.name_of(host))

    def _deletion_began(self, host: int, report: seen.DeletionBegan) -> None:
        self.existence = self.existence.after_request(report.shadow_copy)

    def _deletion_ended(self, host: int, report: seen.DeletionEnded) -> None:
        self.existence, problem = self.existence.after_deletion(report.shadow_copy, self.images)
        if problem:
            self.violated("existence", problem, self.name_of(host))

    def _revert_began(self, host: int, report: seen.RevertBegan) -> None:
        """From now on the volume may be the image, also where somebody writes while this waits for its turn."""
        image = enumerate(self.images.get(report.shadow_copy, ()))
        self._volume.revert_began(report.key, tuple(image))

    def _settings_ended(self, host: int, report: seen.PolicyEnded | seen.GrowthEnded) -> None:
        self.settings, problem = self.settings.after_report(report)
        if problem:
            self.violated("settings", problem, self.name_of(host))

    def _live_read(self, host: int, report: seen.LiveRead) -> None:
        self.check_live(report.sectors, self.name_of(host))

    def audit(self, shared: SharedState, is_stuck: bool = False) -> None:
        """Nothing is in flight: check all that is left on the disks, unless something was violated before.

        Args:
            shared: what is left.
            is_stuck: whether a task waits.
        """
        if is_stuck:
            self.violated("progress", "nothing is in flight, but a task waits for ever", "")
        elif self.violation is None:
            FinalAudit(self, shared).run()

    # -- checks --------------------------------------------------------------------------------------------------

    def check_image(self, shadow_copy: ShadowCopyId, pieces: Sequence[seen.Piece], host: str) -> None:
        """What was read of a shadow copy."""
        if shadow_copy not in self.images:
            self.violated("image", f"shadow copy {shadow_copy} was read, but never created", host)
        else:
            self._judge_sector("image", compare(shadow_copy, self.images[shadow_copy], pieces), host)

    def check_existence(self, found: Set[ShadowCopyId], host: str) -> None:
        """Which shadow copies there are, when nothing is in flight."""
        for problem in self.existence.problems(found, self.given_way.deleted):
            self.violated("existence", problem, host)

    def check_live(self, pieces: Sequence[seen.Piece], host: str, at_once: bool = False) -> None:
        """What was read of the volume, all at one moment or not."""
        self._judge_sector("live", self._volume.find_wrong(pieces, at_once), host)

    def _judge_sector(self, rule: str, wrong: Evidence | None, host: str) -> None:
        if wrong is not None:
            extent = wrong.sector // self.geometry.extent_sectors
            self.violated(rule, wrong.message(self.geometry.extent_sectors), host, extent, wrong)

    def check_invalidated(self, shadow_copy: ShadowCopyId, host: str, must_be_valid: bool) -> None:
        """A shadow copy has no image, though it must have one if that was got back."""
        if must_be_valid and shadow_copy in self.given_way.restored:
            problem = f"shadow copy {shadow_copy} is said to have no image, and has it again"
            self.violated("existence", problem, host)
        if shadow_copy not in self.given_way.invalidated:
            self.violated("existence", f"shadow copy {shadow_copy} has no image, but it never gave way", host)

    def violated(
        self,
        rule: str,
        message: str,
        host: str,
        extent: int | None = None,
        evidence: Evidence | None = None,
    ) -> None:
        """Note a violation, if it is the first one."""
        if self.violation is None:
            self.violation = Violation(rule, message, host, extent)
            self.evidence = evidence

    def name_of(self, host: int) -> str:
        """The name of a host, by its number."""
        return self.scenario.hosts[host].name

    def fork(self) -> Oracle:
        """An independent copy; what it holds is replaced and never changed in place."""
        copy = object.__new__(Oracle)
        copy.__dict__.update(self.__dict__)
        copy._volume = self._volume.fork()
        return copy

    def key(self) -> Hashable:
        """Equal for two oracles exactly if they will judge alike."""
        return (
            tuple(self.images.items()),
            self.existence,
            self.changes,
            self.listings,
            self.given_way,
            self.settings,
            self.requests,
            self._volume.key(),
            self.read_failures,
            self._active,
            self._judged,
        )


_JUDGES: dict[type, Callable[[Oracle, int, Any], None]] = {
    seen.ChangeBegan: Oracle._change_began,
    seen.ChangesTold: Oracle._changes_told,
    seen.ChangeEnded: lambda oracle, host, report: oracle._volume.change_ended(report.key),
    seen.FlushBegan: lambda oracle, host, report: oracle._volume.flush_began(report.key),
    seen.FlushEnded: lambda oracle, host, report: oracle._volume.flush_ended(report.key),
    seen.CreationBegan: lambda oracle, host, report: None,
    seen.CreationEnded: Oracle._creation_ended,
    seen.DeletionBegan: Oracle._deletion_began,
    seen.DeletionEnded: Oracle._deletion_ended,
    seen.RevertBegan: Oracle._revert_began,
    seen.RevertEnded: lambda oracle, host, report: oracle._volume.revert_ended(report.key),
    seen.PolicyBegan: lambda oracle, host, report: None,
    seen.PolicyEnded: Oracle._settings_ended,
    seen.GrowthBegan: lambda oracle, host, report: None,
    seen.GrowthEnded: Oracle._settings_ended,
    seen.LiveRead: Oracle._live_read,
    seen.ListAsked: Oracle._list_asked,
    seen.Listed: Oracle._listed,
    seen.ReadBegan: Oracle._read_began,
    seen.ReadEnded: Oracle._read_ended,
}
"""What to do with each kind of observation; anything else that a host reports is an error that nobody caught."""
