"""The allocator hands out every free slot once, and none that is used or in quarantine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shadowshare.protocol.allocator import Allocator
from shadowshare.protocol.errors import AreaFull, JournalDamaged


class AllocatorAgainstModel(RuleBasedStateMachine):
    """The model is the set of slots that are taken, and where the last one was taken from."""

    @initialize(slot_count=st.integers(1, 12), data=st.data())
    def start(self, slot_count: int, data: st.DataObject) -> None:
        self.slot_count = slot_count
        self.used = data.draw(st.sets(st.integers(0, slot_count - 1)))
        self.quarantined: set[int] = set()
        self.last = -1
        self.allocator = Allocator(slot_count, self.used)

    @rule(count=st.integers(0, 13))
    def allocate(self, count: int) -> None:
        if count > self.slot_count - len(self.used):
            with pytest.raises(AreaFull, match=f"{count} are needed"):
                self.allocator.allocate(count)
            return
        for slot in self.allocator.allocate(count):
            assert slot == self.next_fit()
            self.used.add(slot)
            self.last = slot

    def next_fit(self) -> int:
        """The first free slot behind the last one taken, else the first of all."""
        order: Iterator[int] = iter([*range(self.last + 1, self.slot_count), *range(self.last + 1)])
        return next(slot for slot in order if slot not in self.used)

    @precondition(lambda self: self.used - self.quarantined)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        slots = data.draw(st.sets(st.sampled_from(sorted(self.used - self.quarantined))))
        self.allocator.release(slots)
        self.used -= slots

    @precondition(lambda self: self.used - self.quarantined)
    @rule(data=st.data())
    def quarantine(self, data: st.DataObject) -> None:
        slot = data.draw(st.sampled_from(sorted(self.used - self.quarantined)))
        self.allocator.quarantine(slot)
        self.quarantined.add(slot)

    @invariant()
    def the_free_slots_are_counted(self) -> None:
        assert self.allocator.free_count == self.slot_count - len(self.used)


TestAllocatorAgainstModel = AllocatorAgainstModel.TestCase


@pytest.mark.parametrize("used", [[0, 0], [3], [-1], [2, 1, 2]])
def test_a_slot_named_twice_or_missing_is_damage(used: list[int]) -> None:
    with pytest.raises(JournalDamaged, match=f"slot {used[-1]}"):
        Allocator(3, used)


def test_the_digest_tells_what_the_view_does_not() -> None:
    allocator = Allocator(4, [])
    seen = {allocator.digest()}
    slots = allocator.allocate(1)
    seen.add(allocator.digest())
    allocator.quarantine(slots[0])
    seen.add(allocator.digest())
    assert len(seen) == 3
