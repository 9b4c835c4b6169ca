"""The memory disk against a model that keeps everything ever written: what is seen, and what a power loss leaves."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shadowshare.protocol.operations import Discard, WriteZeroes
from shadowshare.sim.disks.sector_store import Undecided
from tests.sim.memory_disks import (
    PLACES,
    SECTOR_BYTES,
    SECTOR_COUNT,
    blank,
    content,
    flush,
    possible_contents,
    read,
    write,
)


class MemoryDiskAgainstModel(RuleBasedStateMachine):
    """In the model each sector has all its contents in order, and the index of the durable one.

    What a power loss left undecided is one entry of several contents.
    """

    def __init__(self) -> None:
        super().__init__()
        self.disk = blank()
        self.contents: list[list[tuple[int, tuple[bytes, ...]]]] = [
            [(0, (bytes(SECTOR_BYTES),))] for _ in range(SECTOR_COUNT)
        ]
        self.durable = [0] * SECTOR_COUNT
        self.number = 0
        self.flushes: list[int] = []

    def change(self, sector: int, new: list[bytes]) -> None:
        self.number += 1
        for index, raw in enumerate(new):
            self.contents[sector + index].append((self.number, (raw,)))

    def survivors(self, sector: int) -> list[bytes]:
        """What a power loss may leave in a sector, the oldest first, each once."""
        kept = self.contents[sector][self.durable[sector] :]
        return list(dict.fromkeys(raw for _, contents in kept for raw in contents))

    def undecided(self) -> list[int]:
        return [sector for sector in range(SECTOR_COUNT) if len(self.contents[sector][-1][1]) > 1]

    @rule(place=PLACES)
    def write(self, place: tuple[int, int]) -> None:
        sector, count = place
        numbers = [1000 * (self.number + 1) + index for index in range(count)]
        assert write(self.disk, sector, *numbers) is None
        self.change(sector, [content(number) for number in numbers])

    @rule(place=PLACES, kind=st.sampled_from([WriteZeroes, Discard]))
    def zero(self, place: tuple[int, int], kind: type[WriteZeroes | Discard]) -> None:
        assert self.disk.perform(kind(0, *place), 0, self.disk.write_count) is None
        self.change(place[0], [bytes(SECTOR_BYTES)] * place[1])

    @rule()
    def issue_flush(self) -> None:
        self.flushes.append(self.disk.write_count)

    @precondition(lambda self: self.flushes)
    @rule()
    def complete_flush(self) -> None:
        issued_at = self.flushes.pop(0)
        assert flush(self.disk, issued_at) is None
        for sector, contents in enumerate(self.contents):
            covered = max(index for index, (stamp, _) in enumerate(contents) if stamp <= issued_at)
            self.durable[sector] = max(self.durable[sector], covered)

    @rule()
    def lose_power(self) -> None:
        """Flushes that were issued before may belong to a host that goes on, and end later."""
        self.disk.lose_power()
        for sector in range(SECTOR_COUNT):
            self.contents[sector] = [(0, tuple(self.survivors(sector)))]
            self.durable[sector] = 0
        assert self.disk.undecided == {sector: self.contents[sector][0][1] for sector in self.undecided()}

    @precondition(lambda self: self.undecided())
    @rule(data=st.data())
    def decide(self, data: st.DataObject) -> None:
        sector = data.draw(st.sampled_from(self.undecided()))
        possible = self.contents[sector][-1][1]
        assert self.disk.undecided[sector] == possible
        survivor = data.draw(st.integers(0, len(possible) - 1))
        self.disk.survive(sector, survivor)
        self.contents[sector] = [(0, (possible[survivor],))]

    @rule()
    def go_on_with_a_fork(self) -> None:
        forked = self.disk.fork()
        assert forked.key() == self.disk.key()
        write(self.disk, 0, 77)
        flush(self.disk)
        assert forked.key() != self.disk.key()
        self.disk = forked

    @invariant()
    def the_last_write_is_visible(self) -> None:
        undecided = self.undecided()
        assert self.disk.first_undecided(range(SECTOR_COUNT)) == (undecided[0] if undecided else None)
        if not undecided:
            whole = b"".join(contents[-1][1][0] for contents in self.contents)
            assert read(self.disk, 0, SECTOR_COUNT) == whole
        for sector, contents in enumerate(self.contents):
            if sector in undecided:
                with pytest.raises(Undecided) as caught:
                    read(self.disk, sector)
                assert (caught.value.store, caught.value.sector) == (self.disk, sector)
            else:
                assert read(self.disk, sector) == contents[-1][1][0]

    @invariant()
    def a_power_loss_may_leave_what_is_not_durable(self) -> None:
        for sector in range(SECTOR_COUNT):
            assert possible_contents(self.disk, sector) == self.survivors(sector)


TestMemoryDiskAgainstModel = MemoryDiskAgainstModel.TestCase
