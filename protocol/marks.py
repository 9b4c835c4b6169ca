"""Marks on rare paths: places of the protocol that most schedules never come to, each with a name.

A gate that never came to such a place has not tested it. So whoever runs the protocol can ask which marks were
reached: while a `recording` is open. (FoundationDB calls this a rare code probe, Antithesis a "sometimes" assertion;
SQLite and TigerBeetle call it a coverage mark.) Without a recording a mark costs one call that does nothing, on a path
that is rare anyway.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, unique
from typing import Any


@unique
class Mark(Enum):
    """A rare path. The value says what happened there."""

    # -- a passive reads ---------------------------------------------------------------------------------------------

    SHADOW_COPY_NOT_IN_VIEW = "a passive's cached view did not have the shadow copy, so it caught up first"
    COPIED_DURING_READ = (
        "what was read from the volume was discarded: the re-check found a copy of the extent"
    )
    DELETED_DURING_READ = "when the data had been read, the re-check found the shadow copy deleted"
    KEPT_IN_PART = "of extents read in one piece some were kept, and others read again"
    SLOT_DISCARDED_BY_RELOAD = (
        "what was read from a slot was discarded: the view had been loaded anew meanwhile"
    )
    VOLUME_KEPT_AFTER_RELOAD = (
        "what was read from the volume was kept, though the view had been loaded anew meanwhile"
    )
    CAUGHT_UP_BY_ANOTHER_TASK = (
        "another task of the host had caught up with what changed, so that the re-check found nothing new"
    )
    CHANGES_BACKWARDS = "what changed was asked for with the later shadow copy first"

    # -- following the journal ---------------------------------------------------------------------------------------

    LAST_BLOCK_GONE = "the last applied block was no longer there, so the view was loaded anew"
    BLOCK_DOES_NOT_FIT = "an intact block did not follow the last applied one, so the view was loaded anew"
    LOADED_BY_ANOTHER_TASK = (
        "while a task waited to load the view, another one of the host did, so that it only caught up"
    )
    LOADED_AGAIN = "the end could not be reached from a checkpoint just loaded, so it was loaded again"
    WINDOW_FULL = "one read of the journal was not enough to reach its end"
    HALF_IS_OVER = "the end of the journal was the end of its half"
    LOWER_GENERATION_IS_THE_END = "the journal ended at a block that an earlier generation left"
    DAMAGED_BLOCK_SEEN = "a block that is neither empty nor intact was met, and looked at again"
    BLOCK_BEHIND_THE_END = "a block stood behind the end of the journal, and was looked at again"
    CALLED_DAMAGED = "a journal that could not be made sense of was called damaged"
    CURSOR_MOVED_DURING_READ = "while a task read the journal, another one of the host went on in it"
    CHECKPOINT_INCOMPLETE = "a checkpoint was not complete, and not loaded"
    SEAL_FOLLOWED = "the journal was followed into its other half"
    SEAL_LEADS_NOWHERE = "behind a seal there was not the checkpoint that it names"
    CURSOR_MOVED_DURING_SEAL = "while a task followed a seal, another one of the host had done so"

    # -- the active --------------------------------------------------------------------------------------------------

    WRITE_HELD_BY_CREATION = "a write waited until a creation, or a revert, had ended"
    CREATION_WAITED_FOR_WRITES = "a creation, or a revert, waited until writes under way had ended"
    WAITED_FOR_COPY = "a writer waited for the copy of an extent that another one was making"
    PUBLISHED_TOGETHER = "copies of several writers became durable in one journal block"
    COPY_FOR_NOBODY = "when a copy was made, no shadow copy was left that could need it"
    COPY_ALREADY_THERE = "when a copy was made, the shadow copy that was newest by then had one"
    AREA_FULL = "no free slot was left, so a write was refused"
    SLOT_SEARCH_WRAPPED = "the search for a free slot began again at the first one"
    INVALIDATED_BY_POLICY = "an extent could not be copied, so the shadow copies lost their image"
    OLDEST_DELETED_BY_POLICY = "no free slot was left, so the oldest shadow copy was deleted"
    ROOM_MADE_MEANWHILE = "when its turn came, a writer that lacked slots found that they were free by now"
    NOBODY_LEFT_TO_GIVE_WAY = (
        "when its turn came, a writer whose copy failed found no shadow copy that needed it"
    )
    JOURNAL_FULL = "a checkpoint of more would not fit into a half of the journal, so a request was refused"
    JOURNAL_TURNED_OVER = "a half of the journal was full, so it went on in the other one"
    CHECKPOINT_IN_PARTS = "a checkpoint took more than one block, so all but the last were flushed first"
    TURNED_OVER_BY_RECOVERY = "there was no room for a takeover, so recovery turned the journal over first"
    SEAL_WRITTEN_BY_RECOVERY = "a crash came between a checkpoint and its seal, so recovery wrote the seal"
    ABANDONED_CHECKPOINT_COVERED = (
        "what a crash left of a checkpoint was covered by the next one of its generation"
    )
    HALF_IN_DOUBT = "a half of the journal was not used again, because a failed write may still land in it"
    COPY_PASSED_TO_OLDER = "a deleted shadow copy's copies became those of the next older one"
    COPY_SUPERSEDED_BY_OLDER = (
        "a deleted shadow copy's slot was freed, because the next older one had its own copy"
    )
    NOBODY_GIVES_WAY_TO_A_REVERT = (
        "an extent could not be copied for a revert, which stays unfinished whatever the policy"
    )
    NO_ROOM_TO_REVERT = "there were not slots enough for the copies that a revert needs, so it was not begun"
    AREA_GROWN = "the differential area has grown, so that there are more slots"
    REVERT_RESUMED = "a revert that was interrupted was finished by whoever wanted to change the volume next"
    READ_WHILE_REVERTING = "the volume was read while it was being reverted"
    REVERTED_DURING_READ = "a revert ended while the volume was read, so that it was read again"
    DELETION_WAITED_FOR_REVERT = "a deletion waited until the volume had been reverted to that shadow copy"
    SHADOW_COPIES_INVALIDATED = "all shadow copies lost their image"

    # -- errors of the disk ------------------------------------------------------------------------------------------

    SECOND_SUPERBLOCK_USED = "the first copy of the superblock could not be used, and the second one was"
    OLD_EXTENT_UNREADABLE = "an old extent could not be read, and its slot was given back"
    SLOT_QUARANTINED = "the write of a slot reported an error, so the slot stays out of use"
    JOURNAL_WRITTEN_AGAIN = (
        "the write of a journal block reported an error, and the identical block was written again"
    )
    VOLUME_IN_DOUBT = "a write of the volume reported an error, and may still land"
    CREATION_REFUSED_IN_DOUBT = (
        "a creation, or a revert, was refused, because a failed write of the volume may still land"
    )
    STOPPED_BY_JOURNAL = "the active stopped: it is unknown whether a journal block is there"
    STOPPED_BY_FLUSH = "the active stopped: a flush failed"
    REFUSED_WHILE_STOPPED = "a request was refused, because the active had stopped"


_listeners: tuple[Callable[[Any], None], ...] = ()


def reached(mark: Enum) -> None:
    """Say that the path with this mark was taken; code of one's own may have an enumeration of its own."""
    for listener in _listeners:
        listener(mark)


@contextmanager
def recording() -> Iterator[set[Enum]]:
    """Collect the marks that this process reaches while the recording is open; several may be open at a time.

    Whatever runs protocol code counts. In an exploration that remembers what hosts do, code runs once for each new
    thing that can happen to a host, so the marks are those that *some* schedule reaches; what the oracle reads at the
    end is among them.
    """
    found: set[Enum] = set()
    with _listening(found.add):
        yield found


@contextmanager
def counting() -> Iterator[Counter[Mark]]:
    """Count how often this process reaches each mark, as `recording` collects them."""
    counts = Counter[Mark]()

    def count(mark: Mark) -> None:
        counts[mark] += 1

    with _listening(count):
        yield counts


@contextmanager
def _listening(listener: Callable[[Any], None]) -> Iterator[None]:
    global _listeners  # noqa: PLW0603 - a mark must cost nothing, and protocol objects must not carry a recorder
    _listeners = (*_listeners, listener)
    try:
        yield
    finally:
        _listeners = tuple([other for other in _listeners if other is not listener])
