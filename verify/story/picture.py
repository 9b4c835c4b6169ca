"""A picture of a world between two steps, as plain data: what is on the disk, and what every host knows and wants.

A picture is a dictionary with one level: the key names a cell (``volume/0``, ``slots/3``, ``journal/2``) or a host
(``host/R``), the value says all of it, in words. So two pictures differ in a few keys, and only those need be kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from shadowshare.models.patterns import origin_of
from shadowshare.protocol.errors import ShadowshareError
from shadowshare.protocol.geometry import VOLUME_DEVICE
from shadowshare.protocol.layout import Block, ShadowCopyId, decode_block
from shadowshare.protocol.passive import Passive
from shadowshare.protocol.view import View
from shadowshare.scenarios.definition import PASSIVE, Scenario
from shadowshare.scenarios.staging import location_of
from shadowshare.sim.disks.memory_disk import MemoryDisk
from shadowshare.sim.disks.sector_store import Undecided
from shadowshare.sim.inline import perform_inline
from shadowshare.sim.stepped.world import SteppedWorld
from shadowshare.verify.counterexamples.moments import Moment
from shadowshare.verify.counterexamples.scenario_words import describe, describe_record
from shadowshare.verify.rules.auditing import AUDITOR
from shadowshare.verify.story.holdings import Holding, Holdings, model_of, view_of

Picture = dict[str, Any]

SECTOR_OF = " of sector "
UNTOLD = "untold"
"""What a host knows, if it is code of one's own that does not tell."""


class Cell(NamedTuple):
    """A cell of a picture.

    Attributes:
        region: part of the disk: ``volume``, ``slots``, ``journal``.
        number: of the extent, the slot, or the journal block (those of half 1 behind those of half 0).
    """

    region: str
    number: int


class Painter(Protocol):
    """Makes the pictures of one run."""

    @property
    def regions(self) -> tuple[str, ...]:
        """Parts of the disk, in the order in which they are drawn."""

    def take_in(self, number: int, world: SteppedWorld, moment: Moment | None) -> None:
        """Learn what a step did, before it is painted."""

    def picture(self, world: SteppedWorld) -> Picture:
        """The world as it is now."""

    def cell_of(self, device: int, sector: int) -> Cell | None:
        """The cell that a sector belongs to; None if it is in no picture."""

    def is_recheck(self, moment: Moment) -> bool:
        """Whether a step that is about to be taken in determines again."""


class ScenarioPainter:
    """Paints the world of a scenario.

    Args:
        scenario: what is run.
        shadow_copy: with whose image the volume is compared; None for no comparison.
    """

    regions = ("slots", "journal", "volume")

    def __init__(self, scenario: Scenario, shadow_copy: ShadowCopyId | None) -> None:
        self.scenario = scenario
        self.geometry = scenario.geometry
        self.shadow_copy = shadow_copy
        passives = {number: plan.name for number, plan in enumerate(scenario.hosts) if plan.role == PASSIVE}
        self.holdings = Holdings(scenario.geometry, passives)

    def take_in(self, number: int, world: SteppedWorld, moment: Moment | None) -> None:
        """Learn what a step did."""
        self.holdings.take_in(number, world, moment)

    def is_recheck(self, moment: Moment) -> bool:
        """Whether a passive with data in hand looks at the journal again."""
        return self.holdings.is_recheck(moment)

    def cell_of(self, device: int, sector: int) -> Cell | None:
        """The cell that a sector belongs to."""
        geometry = self.geometry
        if device == VOLUME_DEVICE and sector < geometry.volume_sector_count:
            return Cell("volume", sector // geometry.extent_sectors)
        if device == geometry.area_device and sector in geometry.journal_sectors:
            return Cell("journal", sector - geometry.journal_sectors.start)
        slot = (sector - geometry.slot_sector(0)) // geometry.extent_sectors
        if device == geometry.area_device and 0 <= slot < geometry.slot_count:
            return Cell("slots", slot)
        return None

    # -- the disk ------------------------------------------------------------------------------------------------

    def picture(self, world: SteppedWorld) -> Picture:
        """The world as it is now."""
        picture: Picture = {}
        picture.update(self._volume(world))
        picture.update(self._slots(world))
        picture.update(self._journal(world))
        for number, plan in enumerate(self.scenario.hosts):
            picture[f"host/{plan.name}"] = self._host(world, number)
        return picture

    def _volume(self, world: SteppedWorld) -> Iterator[tuple[str, Any]]:
        geometry, disk = self.geometry, world.disks[VOLUME_DEVICE]
        image = world.watcher.images.get(self.shadow_copy)
        for extent in range(geometry.extent_count):
            first, sector_count = geometry.extent_span(extent)
            sectors = range(first, first + sector_count)
            cells = [self._sector(disk, sector) for sector in sectors]
            if image is not None:
                for cell, sector in zip(cells, sectors, strict=True):
                    cell["is_image"] = disk.sectors[sector] == image[sector]
            yield f"volume/{extent}", {"sectors": cells}

    def _slots(self, world: SteppedWorld) -> Iterator[tuple[str, Any]]:
        geometry, disk = self.geometry, world.disks[self.geometry.area_device]
        named = self._named_slots(world)
        for slot in range(geometry.slot_count):
            first = geometry.slot_sector(slot)
            cells = [self._sector(disk, sector) for sector in range(first, first + geometry.extent_sectors)]
            yield f"slots/{slot}", {"sectors": cells, "holds": named.get(slot, "")}

    def _named_slots(self, world: SteppedWorld) -> dict[int, str]:
        """What the journal on the disk says of slots, as a passive that opened the store now would see it."""
        disks: Sequence[MemoryDisk] = world.shared.fork().disks
        try:
            passive = perform_inline(Passive.open(location_of(self.geometry)), disks, AUDITOR)
        except (ShadowshareError, Undecided):
            return {}
        return {
            slot: f"extent {extent} of {copy.id}"
            for copy in passive.view.shadow_copies
            for extent, slot in copy.table.items()
        }

    def _journal(self, world: SteppedWorld) -> Iterator[tuple[str, Any]]:
        geometry, disk = self.geometry, world.disks[self.geometry.area_device]
        for index, sector in enumerate(geometry.journal_sectors):
            half, position = divmod(index, geometry.half_block_count)
            found = decode_block(geometry, sector, disk.sectors[sector])
            words = (
                [describe_record(record) for record in found.records]
                if isinstance(found, Block)
                else [found.value]
            )
            yield (
                f"journal/{index}",
                {
                    "name": f"block {position}{' of half 1' if half else ''}",
                    "records": words,
                    "sequence": found.sequence if isinstance(found, Block) else None,
                    "state": _state(disk, sector),
                },
            )

    def _sector(self, disk: MemoryDisk, sector: int) -> dict[str, Any]:
        return {**told(disk.sectors[sector]), "state": _state(disk, sector)}

    # -- hosts ---------------------------------------------------------------------------------------------------

    def _host(self, world: SteppedWorld, number: int) -> dict[str, Any]:
        host = world.hosts.get(number)
        if host is None:
            return {"status": "crashed", "doing": [], "next": [], "view": None, "held": []}
        model = model_of(host)
        plan = self.scenario.hosts[number]
        doing = [step.text for task in range(len(plan.scripts)) if (step := model.current_step(task))]
        flights = [flight for flight in world.flights if flight.host == number]
        if world.rules.is_waiting(number, world.shared.crashed):
            status = "not yet begun"
        else:
            status = "runs" if flights or host.unfinished_count else "done"
        view = view_of(model)
        return {
            "status": status,
            "doing": doing,
            "next": [[flight.label, describe(flight.operation, self.geometry)] for flight in flights],
            "view": self._view(view) if view is not None else None if model.protocol is None else UNTOLD,
            "held": [self._holding(holding) for holding in self.holdings.of(number)],
        }

    def _view(self, view: View) -> list[dict[str, Any]]:
        return [
            {
                "id": str(copy.id),
                "is_valid": copy.is_valid,
                "copies": [[extent, slot] for extent, slot in sorted(copy.table.items())],
            }
            for copy in view.shadow_copies
        ]

    def _holding(self, holding: Holding) -> dict[str, Any]:
        extent, within = divmod(holding.sector, self.geometry.extent_sectors)
        return {
            **told(holding.content),
            "extent": extent,
            "sector": within,
            "place": holding.place,
            "step": holding.step,
            "state": holding.state,
        }


def told(content: bytes) -> dict[str, Any]:
    """A sector's content in words: who wrote it, and for which sector of the volume (None if it does not say)."""
    origin, _, sector = origin_of(content).partition(SECTOR_OF)
    return {"origin": origin, "of": int(sector) if sector else None}


def _state(disk: MemoryDisk, sector: int) -> str:
    """Whether a power loss may take a sector's content away, or one has left it open what it is."""
    if sector in disk.undecided:
        return "undecided"
    return "unflushed" if sector in disk.versions else ""
