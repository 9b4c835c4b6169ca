"""What passives have in hand: what they read of the volume or a slot, for a read that has not ended yet.

It is inferred from outside, from what a passive asks and gets; the protocol is not asked. What was read before is
discarded as soon as the same sectors are asked for again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from shadowshare.models.computers import ScriptedComputer
from shadowshare.models.observations import Piece, ReadEnded, StepFailed
from shadowshare.protocol.geometry import VOLUME_DEVICE, Geometry
from shadowshare.protocol.operations import Operation, Read
from shadowshare.protocol.view import View
from shadowshare.sim.host import Host
from shadowshare.sim.stepped.flight import Flight
from shadowshare.sim.stepped.ports import HostPort
from shadowshare.sim.stepped.world import SteppedWorld
from shadowshare.verify.counterexamples.moments import Moment
from shadowshare.verify.counterexamples.simplifying import thread_of

State = Literal["held", "discarded", "returned", "wrong"]


_Wanted = list[tuple[int, int]]
"""Of the sectors of an operation, counted from its first, the sectors of the volume whose image they are."""


class Holding(NamedTuple):
    """One sector that a passive has in hand.

    Attributes:
        sector: of the volume, whose image it is meant to be.
        content: its bytes.
        place: where it was read: ``volume``, or ``slot 3``.
        step: number of the step at which it was read; 0 if that was before the race.
        state: ``held``; ``discarded`` if the sector is asked for again; ``returned`` with a read's end, or ``wrong``
            if that is not the image.
    """

    sector: int
    content: bytes
    place: str
    step: int
    state: State = "held"


class Holdings:
    """Follows a world and knows what is in hand.

    Args:
        geometry: of the store.
        passives: the hosts to follow, by number, with their names.
    """

    def __init__(self, geometry: Geometry, passives: Mapping[int, str]) -> None:
        self.geometry = geometry
        self.passives = passives
        self.by_thread: dict[str, dict[int, Holding]] = {}
        """By task, as it is called in schedules, and by sector of the volume."""
        self._wanted: dict[tuple[int, int, int], tuple[Operation, _Wanted]] = {}

    def of(self, host: int) -> Iterator[Holding]:
        """What a host has in hand, all its tasks together."""
        name = self.passives.get(host)
        for thread, held in self.by_thread.items():
            if name is not None and thread.rstrip("0123456789") == name:
                yield from (held[sector] for sector in sorted(held))

    def is_recheck(self, moment: Moment) -> bool:
        """Whether the step is a look at the journal by a task that has data in hand: it determines again."""
        operation = moment.operation
        return (
            isinstance(operation, Read)
            and not moment.waits
            and operation.device == self.geometry.area_device
            and operation.sector in self.geometry.journal_sectors
            and any(one.state == "held" for one in self.by_thread.get(thread_of(moment.cause), {}).values())
        )

    # -- following -----------------------------------------------------------------------------------------------

    def take_in(self, number: int, world: SteppedWorld, moment: Moment | None) -> None:
        """Take in a step: what it brought, and what is asked for since.

        Args:
            number: of the step; 0 at the start.
            world: after it.
            moment: the step; None at the start.
        """
        if moment is not None and moment.host in self.passives and not moment.waits:
            self._take_answer(number, world, moment)
        for flight in world.flights:
            if flight.host in self.passives:
                self._note_wanted(world, flight)

    def _take_answer(self, number: int, world: SteppedWorld, moment: Moment) -> None:
        thread = thread_of(moment.cause)
        held = self.by_thread.setdefault(thread, {})
        if any(one.state in ("returned", "wrong") for one in held.values()):
            held.clear()  # of the read before this one
        operation, answer = moment.operation, moment.step.answer
        if isinstance(operation, Read) and not isinstance(answer, Exception) and answer is not None:
            sectors = self._sectors_wanted(operation)
            size, place = self.geometry.sector_bytes, self._place(operation)
            for index, sector in sectors:
                content = bytes(answer[index * size : (index + 1) * size])
                held[sector] = Holding(sector, content, place, number)
        for report in moment.step.reports:
            if isinstance(report, StepFailed):
                held.clear()
            elif isinstance(report, ReadEnded):
                self._end(held, report.sectors, world.watcher.images.get(report.shadow_copy), number)

    def _end(
        self,
        held: dict[int, Holding],
        pieces: Sequence[Piece],
        image: Sequence[bytes] | None,
        number: int,
    ) -> None:
        """A read ended: what it returned stays in hand until the task's next step."""
        before = dict(held)
        held.clear()
        for sector, content, start in pieces:
            wanted = b"" if image is None or sector >= len(image) else image[sector]
            is_right = image is not None and content == wanted[start : start + len(content)]
            state: State = "returned" if is_right else "wrong"
            known = before.get(sector, Holding(sector, content, "", number))
            held[sector] = known._replace(content=content, state=state)

    def _place(self, operation: Operation) -> str:
        if operation.device == VOLUME_DEVICE and operation.sector < self.geometry.volume_sector_count:
            return "volume"
        return f"slot {(operation.sector - self.geometry.slot_sector(0)) // self.geometry.extent_sectors}"

    # -- what is asked for ---------------------------------------------------------------------------------------

    def _note_wanted(self, world: SteppedWorld, flight: Flight) -> None:
        """Remember of which sectors of the volume an operation in flight reads the image; it discards what was held."""
        key = (flight.host, flight.task, flight.piece)
        if key in self._wanted and self._wanted[key][0] is flight.operation:
            return
        view = view_of(model_of(world.hosts[flight.host]))
        sectors = self._sectors_of(flight.operation, view) if isinstance(flight.operation, Read) else []
        self._wanted[key] = (flight.operation, sectors)
        held = self.by_thread.get(thread_of(flight.label), {})
        for _, sector in sectors:
            if sector in held and held[sector].state == "held":
                held[sector] = held[sector]._replace(state="discarded")

    def _sectors_wanted(self, operation: Operation) -> _Wanted:
        return next((sectors for wanted, sectors in self._wanted.values() if wanted is operation), [])

    def _sectors_of(self, operation: Operation, view: View | None) -> _Wanted:
        """The sectors of the volume whose image an operation reads, by what the host knew when it asked."""
        geometry, sectors = self.geometry, range(operation.sector, operation.sector + operation.sector_count)
        if operation.device == VOLUME_DEVICE and operation.sector < geometry.volume_sector_count:
            return list(enumerate(sectors))
        first = geometry.slot_sector(0)
        if operation.device != geometry.area_device or operation.sector < first or view is None:
            return []
        copies = [copied for copy in view.shadow_copies for copied in copy.table.items()]
        return [
            (index, extent * geometry.extent_sectors + (sector - first) % geometry.extent_sectors)
            for index, sector in enumerate(sectors)
            for extent, slot in copies
            if slot == (sector - first) // geometry.extent_sectors
        ]


def view_of(model: ScriptedComputer) -> View | None:
    """What a computer holds for true; None before it knows the store, or if code of one's own does not tell."""
    view = getattr(model.protocol, "view", None)
    return view if isinstance(view, View) else None


def model_of(host: HostPort) -> ScriptedComputer:
    """The computer that a running host of a scenario is."""
    assert isinstance(host, Host)
    model = host.computer.model
    assert isinstance(model, ScriptedComputer)
    return model
