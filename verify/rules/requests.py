"""What hosts were asked for: what an answer to it must be, and which slots it may hold.

- a shadow copy that existed when somebody asked for it must be found;
- a host of which a flush failed must refuse what it is asked for later;
- each change may hold slots that no record names: so it is known how much room is wanted at most.
"""

from __future__ import annotations

from collections.abc import Hashable, Set
from typing import Any, NamedTuple

from shadowshare.models import observations as seen
from shadowshare.models.observations import StepFailed
from shadowshare.protocol.errors import AreaFull, FlushError, JournalFull, ReadError

NOTHING_IN_FLIGHT = (AreaFull, JournalFull, ReadError)
"""With these errors a change gives its slots back, and the volume is as it was; with others neither is certain."""


_REQUESTS = frozenset(
    {
        seen.ChangeBegan,
        seen.CreationBegan,
        seen.DeletionBegan,
        seen.FlushBegan,
        seen.PolicyBegan,
        seen.GrowthBegan,
    }
)
"""What an active is asked for."""

_ANSWERS = frozenset(
    {
        seen.ChangeEnded,
        seen.ChangesTold,
        seen.CreationEnded,
        seen.DeletionEnded,
        seen.FlushEnded,
        seen.Listed,
        seen.ReadEnded,
        seen.RevertEnded,
        seen.PolicyEnded,
        seen.GrowthEnded,
    }
)
"""What says that a request was carried out."""


class Requests(NamedTuple):
    """What was asked for so far, as far as it matters.

    Attributes:
        active: the host that became the active last; only it knows which slots are free.
        slots_wanted: of each change that may hold slots which no record names: how many at most.
        stopped: hosts of which a flush failed.
        to_be_refused: requests made of these afterwards.
        must_be_found: requests whose shadow copies existed when they were made.
        must_be_valid: requests that were made when one of their shadow copies had got its image back.
    """

    active: int | None = None
    slots_wanted: frozenset[tuple[Hashable, int]] = frozenset()
    stopped: frozenset[int] = frozenset()
    to_be_refused: frozenset[Hashable] = frozenset()
    must_be_found: frozenset[str] = frozenset()
    must_be_valid: frozenset[str] = frozenset()

    def after_activation(self, host: int) -> Requests:
        """A host became the active, for which every slot that no record names is free."""
        return self._replace(active=host, slots_wanted=frozenset())

    def after_request(self, host: int, request: Hashable, slot_count: int = 0) -> Requests:
        """A request was made that may write; it may take so many slots."""
        wanted = self.slots_wanted | {(request, slot_count)} if slot_count else self.slots_wanted
        refused = self.to_be_refused | {request} if host in self.stopped else self.to_be_refused
        return self._replace(slots_wanted=wanted, to_be_refused=refused)

    def had_to_be_refused(self, report: Any) -> bool:
        """Whether something was carried out that was asked for when the active had stopped."""
        return type(report) in _ANSWERS and report.key in self.to_be_refused

    def after_report(self, host: int, report: Any, extent_sectors: int, touched: Set[int]) -> Requests:
        """A host reported something.

        Args:
            host: its number.
            report: what it asked for, or got.
            extent_sectors: of the store.
            touched: extents that somebody asked to change so far: what a revert may have to copy.
        """
        kind = type(report)
        if kind in _ANSWERS:
            return self.after_answer(report.key)
        if kind in _REQUESTS:
            sectors = report.sectors if kind is seen.ChangeBegan else ()
            extents = {sector // extent_sectors for sector, _ in sectors}
            return self.after_request(host, report.key, len(extents))
        if kind is seen.RevertBegan:
            return self.after_request(host, report.key, len(touched))
        return self.after_activation(host) if kind is seen.Activated else self

    def after_question(self, request: str, must_be_valid: bool = False) -> Requests:
        """Something was asked about shadow copies that exist, and may have got their image back."""
        now = self._replace(must_be_found=self.must_be_found | {request})
        return now._replace(must_be_valid=self.must_be_valid | {request}) if must_be_valid else now

    def _settled(self, request: Hashable) -> Requests:
        return self._replace(
            must_be_found=self.must_be_found - {request}, must_be_valid=self.must_be_valid - {request}
        )

    def after_answer(self, request: Hashable) -> Requests:
        """A request was carried out."""
        now = self
        if request in self.must_be_found or request in self.must_be_valid:
            now = now._settled(request)
        given_back = [one for one in self.slots_wanted if one[0] == request]
        return now._replace(slots_wanted=self.slots_wanted.difference(given_back)) if given_back else now

    def after_failure(self, host: int, failure: StepFailed) -> Requests:
        """A request ended with an error."""
        now = self._settled(failure.key)
        if isinstance(failure.error, FlushError):
            now = now._replace(stopped=now.stopped | {host})
        return now.after_answer(failure.key) if isinstance(failure.error, NOTHING_IN_FLIGHT) else now

    @property
    def slot_count_wanted(self) -> int:
        """Slots that changes may hold which no record names, at most."""
        return sum(count for _, count in self.slots_wanted)
