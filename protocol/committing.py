"""What every task of the active does that changes the store: append to the journal, one block at a time, or stop.

After an error that leaves the journal, or what was flushed, in doubt, only recovery may write: it fences what may still
be in flight.
"""

from __future__ import annotations

from collections.abc import Iterable

from shadowshare.protocol.allocator import Allocator
from shadowshare.protocol.coordination import Mutex
from shadowshare.protocol.errors import ActiveStopped, DiskError, JournalDamaged, ReadError
from shadowshare.protocol.geometry import Geometry
from shadowshare.protocol.journal_appender import JournalAppender
from shadowshare.protocol.layout import Record
from shadowshare.protocol.marks import Mark, reached
from shadowshare.protocol.operations import Flush
from shadowshare.protocol.view import View


class Committer:
    """The journal and the slots of the one active.

    Args:
        journal: loaded, and about to take over.

    Raises:
        GeometryMismatch: the journal has more slots than there is room for.
        JournalDamaged: a slot is named twice.
    """

    def __init__(self, journal: JournalAppender) -> None:
        self.geometry: Geometry = journal.follower.geometry
        self._journal = journal
        self.geometry.check_slots(self.view.slot_count)
        self._allocator = Allocator(self.view.slot_count, self.view.used_slots())
        self._committing = Mutex()
        self._stopped: str | None = None

    @property
    def view(self) -> View:
        """What is durable in the journal."""
        return self._journal.follower.view

    @property
    def free_slot_count(self) -> int:
        """Slots that are free for copies."""
        return self._allocator.free_count

    async def _append(self, records: Iterable[Record]) -> None:
        """Append a block, take it in once it is durable, and only then let its freed slots be reused."""
        self._refuse_if_stopped()
        try:
            self._allocator.release(await self._journal.append(records))
        except ReadError:
            raise  # while looking at the half that is needed next: nothing was written
        except (DiskError, JournalDamaged, ActiveStopped) as error:
            reached(Mark.STOPPED_BY_JOURNAL)
            self._stop(error)
            raise

    async def _or_stop(self, flush: Flush) -> None:
        """Flush; after a failed flush this active counts as crashed."""
        try:
            await flush
        except DiskError as error:
            reached(Mark.STOPPED_BY_FLUSH)
            self._stop(error)
            raise

    def _stop(self, error: Exception) -> None:
        """Refuse every request that writes, from here on."""
        self._stopped = str(error)

    def _refuse_if_stopped(self) -> None:
        if self._stopped is not None:
            reached(Mark.REFUSED_WHILE_STOPPED)
            raise ActiveStopped(
                f"this active stopped after an error ({self._stopped}): open the store again to recover it"
            )
