"""A store as a state machine: Hypothesis says what its computers begin, and whose operation takes effect next.

Where a scenario fixes what is done and looks for an order, here both are found together, step by step; and a failure
shrinks to few commands and few steps.
"""

from __future__ import annotations

from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shadowshare.models.computers import Implementation
from shadowshare.scenarios.definition import Scenario, StoreShape, parse_scenario
from shadowshare.verify.generated.commanded import CommandedStore
from shadowshare.verify.generated.steps import CHANGES, Place, places
from shadowshare.verify.generated.tape import thread_of
from shadowshare.verify.generated.violated import Violated, heading

STORE = parse_scenario("""
name = "commanded-store"
story = "A store whose computers are told what to do while it runs."
before = ["W: create s", "R: open", "S: open"]

[hosts]
W = "active"
V = "recovers W"
U = "recovers V"
R = "passive"
S = "passive"

[store]
extents = 3
extent_sectors = 2
slots = 6
half_blocks = 64

[faults]
crashes = 2
power_losses = 1
write_errors = 1
read_errors = 1
flush_errors = 1
allowed_errors = [
    "ActiveStopped", "AreaFull", "FlushError", "JournalFull", "ReadError", "TooManyShadowCopies", "WriteError",
]

[race]
""")

SHAPE = StoreShape(extents=3, extent_sectors=2)
_NUMBERS = st.integers(0, 15)
_PLACES = places(SHAPE)


class StoreMachine(RuleBasedStateMachine):
    """One active, two passives, and two computers that recover; to be run, or to be derived from.

    Attributes:
        scenario: its store, hosts and faults; tests may put another one in its place.
        implementation: the protocol code under test.
    """

    scenario: ClassVar[Scenario] = STORE
    implementation: ClassVar[Implementation] = Implementation()

    def __init__(self) -> None:
        super().__init__()
        self.store = CommandedStore(self.scenario, self.implementation)

    def _has_active(self) -> bool:
        return bool(self.store.active)

    # -- what is begun -------------------------------------------------------------------------------------------

    @precondition(_has_active)
    @rule()
    def create(self) -> None:
        """The active creates a shadow copy."""
        self.store.command(self.store.active, "create s")

    @precondition(_has_active)
    @rule(verb=st.sampled_from(CHANGES), place=_PLACES)
    def change(self, verb: str, place: Place) -> None:
        """The active writes, zeroes or discards."""
        self.store.command(self.store.active, f"{verb} {place.text}")

    @precondition(_has_active)
    @rule(place=_PLACES)
    def verify(self, place: Place) -> None:
        """The active reads the live volume."""
        self.store.command(self.store.active, f"verify {place.text}")

    @precondition(_has_active)
    @rule()
    def flush(self) -> None:
        """The active flushes the volume."""
        self.store.command(self.store.active, "flush")

    @precondition(lambda self: self.store.active and self.store.shadow_copies)
    @rule(which=_NUMBERS)
    def delete(self, which: int) -> None:
        """The active deletes a shadow copy."""
        copies = self.store.shadow_copies
        self.store.command(self.store.active, f"delete {copies[which % len(copies)]}")

    @precondition(lambda self: self.store.passives and self.store.shadow_copies)
    @rule(who=_NUMBERS, which=_NUMBERS, where=st.lists(_PLACES, min_size=1, max_size=2))
    def read(self, who: int, which: int, where: list[Place]) -> None:
        """A passive reads a shadow copy."""
        passives, copies = self.store.passives, self.store.shadow_copies
        texts = " ".join(place.text for place in where)
        self.store.command(passives[who % len(passives)], f"read {copies[which % len(copies)]} {texts}")

    @precondition(lambda self: self.store.passives)
    @rule(who=_NUMBERS, is_anew=st.booleans())
    def refresh(self, who: int, is_anew: bool) -> None:
        """A passive catches up, or opens the store anew."""
        passives = self.store.passives
        self.store.command(passives[who % len(passives)], "open" if is_anew else "catch-up")

    # -- what happens --------------------------------------------------------------------------------------------

    @precondition(lambda self: self.store.operations)
    @rule(which=_NUMBERS)
    def step(self, which: int) -> None:
        """An operation in flight takes effect."""
        operations = self.store.operations
        self.store.take(operations[which % len(operations)])

    @precondition(lambda self: self.store.operations)
    @rule(which=_NUMBERS, count=st.integers(1, 12))
    def go_on(self, which: int, count: int) -> None:
        """A task takes some steps, or as many as it can."""
        self.step(which)
        thread = self.store.thread
        for _ in range(1, count):
            operations = self.store.operations
            if self.store.violation is not None or not operations or thread_of(operations[0].label) != thread:
                return
            self.store.take(operations[0])

    @precondition(lambda self: self.store.faults)
    @rule(which=_NUMBERS)
    def fault(self, which: int) -> None:
        """Something goes wrong: an error, a crash, a power loss, or a late write."""
        faults = self.store.faults
        self.store.take(faults[which % len(faults)])

    # -- what must hold ------------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_violated(self) -> None:
        """The oracle found nothing wrong."""
        if self.store.violation is not None:
            raise Violated(f"{heading(self.store.violation)}\n\n{self.store.story()}")

    def teardown(self) -> None:
        """Let everything come to its end, and check what is left on the disks."""
        if self.store.violation is None:
            self.store.finish()
            self.nothing_is_violated()
        self.store.close()
