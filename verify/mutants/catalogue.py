"""All mutants: the name and story of each, and a scenario that kills it."""

from __future__ import annotations

import inspect
from typing import NamedTuple

from shadowshare.models.computers import Implementation
from shadowshare.protocol.active import Active
from shadowshare.protocol.errors import ShadowshareError
from shadowshare.protocol.growing import Grower
from shadowshare.protocol.journal_appender import JournalAppender
from shadowshare.protocol.passive import Passive
from shadowshare.protocol.recovery import Recovery
from shadowshare.protocol.reverting import Reverter
from shadowshare.protocol.turnover import Turnover
from shadowshare.verify.mutants import (
    active,
    bookkeeping,
    changes,
    following,
    giving_way,
    growing,
    passive,
    recovery,
    reverting,
    turnover,
)


class UnknownMutant(ShadowshareError):
    """There is no mutant of this name."""


class Mutant(NamedTuple):
    """One bug.

    Attributes:
        name: lower case with hyphens.
        story: what is wrong: the docstring of its code.
        scenario: a built-in scenario that finds it.
        implementation: the code with the bug.
    """

    name: str
    story: str
    scenario: str
    implementation: Implementation


def _passive(name: str, scenario: str, code: type[Passive]) -> Mutant:
    return Mutant(name, _story(code), scenario, Implementation(passive=code))


def _active(name: str, scenario: str, code: type[Active]) -> Mutant:
    recovery_class = type(f"RecoveryFor{code.__name__}", (Recovery,), {"active_class": code})
    globals()[recovery_class.__name__] = recovery_class  # so that other processes find it
    return Mutant(name, _story(code), scenario, Implementation(recovery=recovery_class))


def _recovery(name: str, scenario: str, code: type[Recovery]) -> Mutant:
    return Mutant(name, _story(code), scenario, Implementation(recovery=code))


def _appender(name: str, scenario: str, code: type[JournalAppender]) -> Mutant:
    recovery_class = type(f"RecoveryFor{code.__name__}", (Recovery,), {"appender_class": code})
    globals()[recovery_class.__name__] = recovery_class  # so that other processes find it
    return Mutant(name, _story(code), scenario, Implementation(recovery=recovery_class))


def _turnover(name: str, scenario: str, code: type[Turnover]) -> Mutant:
    appender_class = type(f"AppenderFor{code.__name__}", (JournalAppender,), {"turnover_class": code})
    return _appender(name, scenario, appender_class)._replace(story=_story(code))


def _reverter(name: str, scenario: str, code: type[Reverter]) -> Mutant:
    active_class = type(f"ActiveFor{code.__name__}", (Active,), {"reverter_class": code})
    return _active(name, scenario, active_class)._replace(story=_story(code))


def _grower(name: str, scenario: str, code: type[Grower]) -> Mutant:
    active_class = type(f"ActiveFor{code.__name__}", (Active,), {"grower_class": code})
    return _active(name, scenario, active_class)._replace(story=_story(code))


def _both(name: str, scenario: str, active_side: type[Recovery], passive_side: type[Passive]) -> Mutant:
    return Mutant(name, _story(passive_side), scenario, Implementation(active_side, passive_side))


def _story(code: type) -> str:
    return inspect.cleandoc(code.__doc__ or "")


MUTANTS: tuple[Mutant, ...] = (
    # A passive determines again.
    _passive("no-recheck", "reader-before-volume-read", passive.NoRecheck),
    _passive("volume-without-catch-up", "reader-before-volume-read", passive.VolumeWithoutCatchUp),
    _passive("early-recheck", "reader-before-volume-read", passive.EarlyRecheck),
    _passive("cached-recheck", "reader-before-volume-read", passive.CachedRecheck),
    _passive("first-run-only", "batch-one-overwritten", passive.FirstRunOnly),
    _passive("retry-without-recheck", "read-errors", passive.RetryWithoutRecheck),
    _passive("hit-without-catch-up", "slot-reuse-during-read", passive.HitWithoutCatchUp),
    _passive("hit-checked-before", "slot-reuse-during-read", passive.HitCheckedBefore),
    _passive("hit-survives-reload", "ghost-mapping-comes-back", passive.HitSurvivesReload),
    _passive("own-catch-up-only", "two-tasks-of-a-passive", passive.OwnCatchUpOnly),
    _passive("newest-table-only", "older-reads-forward", passive.NewestTableOnly),
    _passive("own-table-only", "creation-during-read", passive.OwnTableOnly),
    _passive("list-of-before", "creation-during-read", passive.ListOfBefore),
    _passive("bookmark-not-renewed", "ghost-mapping-comes-back", passive.BookmarkNotRenewed),
    _passive("lists-from-the-cache", "listing", passive.ListsFromTheCache),
    _passive("lists-the-valid-only", "listing", passive.ListsTheValidOnly),
    # A passive follows the journal.
    _passive("last-block-not-read-again", "ghost-of-a-copy", following.LastBlockNotReadAgain),
    _passive("last-block-by-number", "ghost-of-a-copy", following.LastBlockByNumber),
    _passive("no-reload", "ghost-of-a-copy", following.NoReload),
    _passive("one-window-only", "old-cached-view", following.OneWindowOnly),
    _passive("loads-side-by-side", "two-tasks-load-a-damaged-checkpoint", following.LoadsSideBySide),
    _passive("waits-instead-of-looking", "loaded-by-another-task", following.WaitsInsteadOfLooking),
    _passive("first-change-lost", "reader-before-volume-read", following.FirstChangeLost),
    _passive("position-read-later", "writer-overtakes-recheck", following.PositionReadLater),
    _passive("passive-cleans-up", "opening-with-read-errors", following.CleansUp),
    # The active copies, records and flushes.
    _active("entry-before-data", "reader-before-volume-read", active.EntryBeforeData),
    _active("volume-before-entry", "reader-before-volume-read", active.VolumeBeforeEntry),
    _active("entry-and-volume-together", "reader-before-volume-read", active.EntryAndVolumeTogether),
    _active("copy-after-write", "reader-before-volume-read", active.CopyAfterWrite),
    _active("no-flush-before-entry", "crash-before-volume-write", active.NoFlushBeforeEntry),
    _active("flushes-volume-only", "area-on-own-device", active.FlushesVolumeOnly),
    _active("partial-extent-copy", "partial-extent-write", active.PartialCopy),
    _active("first-extent-only", "partial-extent-write", active.FirstExtentOnly),
    _active("one-buffer-for-all", "batch-one-overwritten", active.OneBufferForAll),
    _active("discard-without-copy", "discard-and-zeroes", active.DiscardWithoutCopy),
    _active("ignores-copy-error", "journal-write-error-landed", active.IgnoresCopyError),
    _active("goes-on-when-full", "area-is-full", active.GoesOnWhenFull),
    _active("waits-for-slot", "area-is-full", active.WaitsForSlot),
    _active("ignores-copy-in-progress", "two-writers-one-extent", active.IgnoresCopyInProgress),
    _active("creation-without-drain", "creation-holds-writes", active.CreationWithoutDrain),
    _active("creation-without-flush", "creation-and-power-loss", active.CreationWithoutFlush),
    _active("creation-despite-doubt", "write-error-lands-late", active.CreationDespiteDoubt),
    _active("records-for-whom-it-copied", "deletion-while-copying", active.RecordsForWhomItCopied),
    _active("goes-on-after-failed-flush", "flush-fails", active.GoesOnAfterFailedFlush),
    # The active keeps account.
    _both(
        "copies-again",
        "writer-overtakes-recheck",
        bookkeeping.RecoveryOfLastCopies,
        bookkeeping.PassiveOfLastCopies,
    ),
    _both(
        "copies-not-passed-on",
        "deletion-of-newer",
        bookkeeping.RecoveryWithNothingPassedOn,
        bookkeeping.PassiveWithNothingPassedOn,
    ),
    _active("one-slot-for-two", "batch-one-overwritten", bookkeeping.OneSlotForTwo),
    _active("early-slot-reuse", "slot-reuse-before-deletion-is-durable", active.EarlyReuse),
    _active("no-quarantine", "write-error-lands-late", active.NoQuarantine),
    _active("id-used-again", "slot-reuse-during-read", bookkeeping.IdUsedAgain),
    _active("two-append-at-once", "two-writers-two-extents", bookkeeping.TwoAppendAtOnce),
    # What changed.
    _passive("changes-from-the-cache", "changed-extents-and-power-loss", changes.ChangesFromTheCache),
    _passive("changes-of-the-base-only", "changed-extents", changes.ChangesOfTheBaseOnly),
    _passive("changes-one-too-far", "changed-extents", changes.ChangesLeaveOutTheBase),
    # An extent cannot be copied.
    _active("invalidates-afterwards", "invalidation-during-read", giving_way.InvalidatesAfterwards),
    _active("invalidates-without-flush", "invalidation-and-power-loss", giving_way.InvalidatesWithoutFlush),
    _active("gives-up-the-newest-only", "invalidation-during-read", giving_way.GivesUpTheNewestOnly),
    _active("room-before-it-is-durable", "oldest-makes-room", giving_way.ReusesBeforeItIsDurable),
    _recovery("policy-of-before", "policy-takes-effect", giving_way.PolicyOfBefore),
    _active("policy-before-its-record", "journal-is-full-for-anything", giving_way.PolicyBeforeItsRecord),
    _active("slots-lost-without-journal", "journal-is-full-for-anything", giving_way.SlotsLostWithoutJournal),
    _active("deletes-whatever-the-policy", "invalidation-during-read", giving_way.DeletesWhateverThePolicy),
    _active("deletes-twice", "two-writers-make-room", giving_way.DeletesTwice),
    _passive("serves-the-invalidated", "invalidation-during-read", giving_way.ServesTheInvalidated),
    # The volume is reverted.
    _reverter("revert-puts-back-first", "revert-and-crash", reverting.PutsBackFirst),
    _reverter("reverted-too-early", "revert-and-crash", reverting.CountsAsDoneTooEarly),
    _reverter("revert-without-copy", "revert-and-crash", reverting.PutsBackWithoutCopy),
    _reverter("revert-of-own-copies-only", "revert-and-crash", reverting.PutsBackItsOwnCopiesOnly),
    _reverter("revert-resumed-too-late", "revert-is-interrupted", reverting.ResumesBehindWhatWasCopied),
    _reverter("revert-never-done", "revert-is-interrupted", reverting.NeverDone),
    _reverter("revert-without-room", "revert-without-room", reverting.BeginsWithoutRoom),
    _reverter("revert-looks-before-its-turn", "revert-and-deletions", reverting.LooksBeforeItsTurn),
    _active("revert-makes-others-give-way", "revert-without-room", reverting.OthersGiveWay),
    _active("writes-into-a-revert", "revert-during-turnover", reverting.WritesInBetween),
    _active("creates-in-a-revert", "revert-is-interrupted", reverting.CreatesInBetween),
    _active("deletes-what-it-reverts-to", "revert-is-interrupted", reverting.DeletesTheSource),
    _active("reads-into-a-revert", "revert-and-crash", reverting.ReadsWhatIsInTheVolume),
    _active("reads-slots-of-a-revert", "revert-and-reuse", reverting.ReadsSlotsOfBefore),
    _turnover("checkpoint-without-revert", "revert-during-turnover", reverting.CheckpointWithoutRevert),
    # The differential area grows.
    _grower("grown-before-the-superblocks", "grow-and-crash", growing.SaysItFirst),
    _grower("grown-without-flush", "grow-and-crash", growing.SaysItBeforeItIsDurable),
    _grower("new-slots-too-early", "grow-and-unreadable-superblock", growing.UsesSlotsTooEarly),
    _grower("growth-kept-quiet", "grow-among-writers", growing.SaysNothing),
    _active("new-slots-forgotten", "grow-and-crash", growing.ForgetsNewSlots),
    _passive("new-slots-not-followed", "grow-among-writers", growing.PassiveThatNeverGrows),
    _turnover("checkpoint-without-new-slots", "grow-and-turnover", growing.CheckpointWithoutNewSlots),
    # Recovery, and appending to the journal.
    _recovery("ignores-journal-error", "journal-write-error-landed", recovery.CarelessJournal),
    _recovery("no-flush-after-entry", "crash-before-volume-write", recovery.UnflushedEntry),
    _recovery("no-takeover", "ghost-of-a-creation", recovery.NoTakeover),
    _recovery("no-first-flush", "recovery-is-interrupted", recovery.NoFirstFlush),
    _recovery("no-first-flush-of-area", "recovery-is-interrupted", recovery.NoFirstFlushOfArea),
    _recovery("no-fence", "crash-before-journal", recovery.NoFence),
    _recovery("checkpoint-only", "crash-before-journal", following.CheckpointOnly),
    _active("forgets-used-slots", "crash-before-volume-write", bookkeeping.ForgetsUsedSlots),
    # The journal is turned over.
    _turnover("seal-before-checkpoint", "turnover-and-power-loss", turnover.SealBeforeCheckpoint),
    _turnover("no-flush-after-seal", "turnover-and-power-loss", turnover.NoFlushAfterSeal),
    _turnover("no-seal", "turnover-and-power-loss", turnover.NoSeal),
    _turnover("erases-the-half", "turnovers-during-read", turnover.ErasesTheHalf),
    _turnover("half-in-doubt-used", "half-in-doubt", turnover.UsesHalfInDoubt),
    _turnover("seal-left-out", "turnover-and-power-loss", turnover.LeavesTheSealOut),
    _turnover("checkpoint-of-the-newest", "turnovers-during-read", turnover.CheckpointOfTheNewest),
    _turnover("checkpoint-without-policy", "turnover-keeps-the-policy", turnover.CheckpointWithoutPolicy),
    _appender("deletion-needs-room", "journal-is-full-for-anything", turnover.DeletionNeedsRoom),
    _appender("counts-copies-one-by-one", "copies-make-one-run", turnover.CountsCopiesOneByOne),
    _appender("no-reserved-blocks", "recovery-turns-over", turnover.NoReservedBlocks),
    _passive("higher-generation-is-the-end", "turnovers-during-read", turnover.HigherGenerationIsTheEnd),
    _passive("seal-followed-blindly", "turnovers-during-read", turnover.SealFollowedBlindly),
    _passive("seal-is-the-end", "turnovers-during-read", turnover.SealIsTheEnd),
    _passive("parts-not-chained", "checkpoint-in-parts", turnover.PartsNotChained),
)


def mutant(name: str) -> Mutant:
    """The mutant of this name.

    Raises:
        UnknownMutant: there is none; the message lists those that are.
    """
    for candidate in MUTANTS:
        if candidate.name == name:
            return candidate
    raise UnknownMutant(f"there is no mutant {name!r}; there are: {', '.join(one.name for one in MUTANTS)}")
