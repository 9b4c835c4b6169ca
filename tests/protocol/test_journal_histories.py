"""Whatever an active wrote, lost and recovered, a follower has the view of some moment during its catch-up.

The history is written once and recorded, sector by sector. It is then played again while followers read: between two
reads, and between the sectors of one read, which is not atomic.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from shadowshare.protocol.geometry import Geometry
from shadowshare.protocol.journal import JournalFollower, Progress
from shadowshare.protocol.layout import Copied, Created, Deleted, Invalidated, ShadowCopyId
from shadowshare.protocol.operations import Operation
from shadowshare.protocol.view import View
from shadowshare.sim.disks.memory_disk import Answer, MemoryDisk
from shadowshare.sim.inline import perform_inline
from tests.protocol.journal_writer import JournalWriter, records_of
from tests.protocol.stores import Tasks, contents_of, formatted_disk, freshly_loaded, small_geometry

GEOMETRY = small_geometry(half_block_count=14)
FORMATTED = formatted_disk(GEOMETRY)
SHADOW_COPY_COUNT = 3


class Event(NamedTuple):
    """Sectors that change at one moment, and what the journal means from then on."""

    sectors: dict[int, bytes]
    meaning: tuple[object, ...]


class RecordingWriter(JournalWriter):
    """Acts at random, but only as an active may, and records what happened to the disk."""

    def __init__(self, geometry: Geometry, disk: MemoryDisk) -> None:
        super().__init__(geometry, disk)
        self.events: list[Event] = [Event({}, contents_of(self.view))]
        self.counter = 0
        self.free = set(range(geometry.slot_count))

    def write(self, sector: int, raw: bytes) -> None:
        super().write(sector, raw)
        self.events.append(Event({sector: raw}, contents_of(self.view)))

    def act(self, action: int, argument: int) -> None:
        """One step of a life; whatever does not fit just now is something else."""
        if self.blocks_left <= 3 or action == 9:
            self.turn_over_with_losses(argument)
        elif action == 8:
            self.take_over()
        elif action in (6, 7):
            self.append_and_lose(action - 6, argument)
        else:
            self.append_something(action, argument)

    def append_something(self, action: int, argument: int) -> None:
        copies, newest = self.view.shadow_copies, self.view.newest
        if action == 0 and len(copies) < SHADOW_COPY_COUNT:
            self.counter += 1
            self.append(Created(ShadowCopyId(self.last.epoch, self.counter), argument))
        elif action == 1 and copies:
            self.append(Deleted(copies[argument % len(copies)].id))
        elif action == 2 and argument % 4 == 0:
            self.append(Invalidated())
        elif newest is not None:
            missing = [extent for extent in range(self.geometry.extent_count) if extent not in newest.table]
            free = sorted(set(range(self.geometry.slot_count)) - set(self.view.used_slots()))
            if missing and free:
                pick = missing[argument % len(missing)], free[argument % len(free)]
                self.append(Copied(newest.id, *pick, 1))

    def append_and_lose(self, action: int, argument: int) -> None:
        """The last block is seen and then lost with the power; the next active takes over before anything else."""
        kept, last, sectors = self.rebuilt_view(), self.last, list(self.disk.sectors)
        self.append_something(action, argument)
        self.lose(sectors, kept)
        self.last = last
        self.take_over()

    def rebuilt_view(self) -> View:
        view = View(self.geometry.extent_count, self.geometry.slot_count)
        for record in records_of(self.view):
            view.apply(record)
        return view

    def lose(self, sectors: list[bytes], view: View) -> None:
        """A power loss: all at once the disk is as it was."""
        changed = {number: old for number, old in enumerate(sectors) if old != self.disk.sectors[number]}
        self.view = view
        self.disk.sectors[:] = sectors
        self.events.append(Event(changed, contents_of(view)))

    def turn_over_with_losses(self, argument: int) -> None:
        before = list(self.disk.sectors)
        parts = self.checkpoint(records_per_part=2 + argument % 5)
        if argument % 3 == 1:
            sector = self.geometry.block_sector(parts[-1].generation, len(parts) - 1)
            kept = list(self.disk.sectors)
            kept[sector] = before[sector]
            self.lose(kept, self.rebuilt_view())
            self.take_over()
            for part in parts[:-1]:
                self.write(
                    self.geometry.block_sector(part.generation, part.position),
                    bytes(self.geometry.sector_bytes),
                )
            parts = self.checkpoint(records_per_part=3 + argument % 4)
        last, kept = self.last, list(self.disk.sectors)
        self.seal(parts)
        if argument % 5 == 2:
            self.lose(kept, self.rebuilt_view())
            self.last = last
            self.seal(parts, epoch=last.epoch + 1)
            self.append_takeover_of(last.epoch + 1)

    def append_takeover_of(self, epoch: int) -> None:
        self.last = self.last._replace(epoch=epoch - 1)
        self.take_over()


class PlayingDisk(MemoryDisk):
    """Events happen between the sectors that are read, as many as ``pace`` says each time."""

    def __init__(self, events: list[Event], pace: Iterator[int]) -> None:
        super().__init__(FORMATTED.sector_bytes, FORMATTED.sectors)
        self.events = events
        self.pace = pace
        self.moment = 0
        self.read_count = 0

    def advance(self, count: int) -> None:
        for _ in range(count):
            if self.moment + 1 < len(self.events):
                self.moment += 1
                for sector, raw in self.events[self.moment].sectors.items():
                    self.sectors[sector] = raw

    def perform(self, operation: Operation, host: int, issued_at: int) -> Answer:
        self.read_count += 1
        assert self.read_count < 5000, "it does not end"
        sectors = range(operation.sector, operation.sector + operation.sector_count)
        order = sectors if next(self.pace, 0) % 2 else reversed(sectors)
        found: dict[int, bytes] = {}
        for sector in order:
            self.advance(next(self.pace, 0))
            found[sector] = self.sectors[sector]
        return b"".join(found[sector] for sector in sectors)


HISTORIES = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 99)), max_size=70)
PACES = st.lists(st.sampled_from([0, 0, 0, 0, 1, 1, 2, 5, 30]), max_size=150)


def recorded(history: list[tuple[int, int]]) -> RecordingWriter:
    writer = RecordingWriter(GEOMETRY, MemoryDisk(FORMATTED.sector_bytes, FORMATTED.sectors))
    writer.append(Created(ShadowCopyId(1, 0), 0), epoch=0)
    for action, argument in history:
        writer.act(action, argument)
    return writer


@settings(max_examples=300)
@given(HISTORIES, PACES, st.integers(2, 16))
def test_a_catch_up_shows_some_moment_between_its_begin_and_its_end(
    history: list[tuple[int, int]], pace: list[int], window_block_count: int
) -> None:
    events = recorded(history).events
    disk = PlayingDisk(events, iter(pace))
    follower = JournalFollower(GEOMETRY, window_block_count)
    perform_inline(follower.load(), [disk])
    begin = 0
    while True:
        meanings = [event.meaning for event in events[begin : disk.moment + 1]]
        assert contents_of(follower.view) in meanings
        if disk.moment + 1 == len(events) and begin == disk.moment:
            break
        disk.advance(next(disk.pace, 1))
        begin = disk.moment
        perform_inline(follower.catch_up(), [disk])
    assert perform_inline(follower.catch_up(), [disk]) is Progress.SAME
    fresh = freshly_loaded(disk, GEOMETRY)
    assert contents_of(fresh.view) == contents_of(follower.view)
    assert fresh.cursor.checksum == follower.cursor.checksum


@settings(max_examples=200)
@given(HISTORIES, PACES, st.lists(st.integers(0, 1), max_size=60))
def test_two_tasks_of_one_host_catch_up_at_once(
    history: list[tuple[int, int]], pace: list[int], order: list[int]
) -> None:
    events = recorded(history).events
    disk = PlayingDisk(events, iter(pace))
    follower = JournalFollower(GEOMETRY, 3)
    perform_inline(follower.load(), [disk])

    async def follows() -> None:
        for _ in range(4):
            begin = disk.moment
            await follower.catch_up()
            assert contents_of(follower.view) in [event.meaning for event in events[begin : disk.moment + 1]]

    tasks = Tasks(disk, follows, follows)
    for number in order:
        if tasks.waiting:
            tasks.step(sorted(tasks.waiting)[number % len(tasks.waiting)])
    assert tasks.finish() == {0: None, 1: None}


@settings(max_examples=100)
@given(HISTORIES)
def test_every_moment_can_be_loaded(history: list[tuple[int, int]]) -> None:
    events = recorded(history).events
    disk = PlayingDisk(events, iter(()))
    for event in events:
        assert contents_of(freshly_loaded(disk, GEOMETRY).view) == event.meaning
        disk.advance(1)


def test_the_histories_have_what_they_are_meant_to_have() -> None:
    """Else the tests above prove little: several generations, losses, and all sorts of records."""
    writer = recorded([(number % 10, 7 * number) for number in range(140)])
    assert writer.last.generation > 3
    assert any(len(event.sectors) != 1 for event in writer.events[1:]) or writer.last.epoch > 10
    assert len({event.meaning for event in writer.events}) > 20
