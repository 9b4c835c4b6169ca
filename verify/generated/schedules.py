"""Schedules of a scenario as values that Hypothesis draws and shrinks.

A schedule is one draw of bytes, which is much faster than a draw for each choice; `shadowshare.verify.generated.tape`
says what the bytes mean, and `tape_of` which of them count. The race is remembered with all that was found out about
it, so that an example costs little more than the look-ups on its way.
"""

from __future__ import annotations

from collections import OrderedDict

import msgspec
from hypothesis import strategies as st

from shadowshare.models.computers import Implementation
from shadowshare.scenarios.definition import Scenario
from shadowshare.sim.schedule import Schedule
from shadowshare.verify.generated.tape import Walker
from shadowshare.verify.generated.violated import Violated, counterexample
from shadowshare.verify.race import Race
from shadowshare.verify.result import Violation

TAPE_BYTE_COUNT = 64
"""Bytes of a drawn tape: so many times at most a schedule does not go on by itself, unless one asks for more."""

REMEMBERED_RACE_COUNT = 16


class Interleaving:
    """A schedule of a scenario, run to its end or to a violation.

    Its representation is the schedule as a string, which `shadowshare replay` takes.

    Args:
        scenario: what happens.
        implementation: the protocol code under test.
        labels: of the steps.
        violation: what is violated with the last of them; None if nothing is.
    """

    __slots__ = ("implementation", "labels", "scenario", "violation")

    def __init__(
        self,
        scenario: Scenario,
        implementation: Implementation,
        labels: tuple[str, ...],
        violation: Violation | None,
    ) -> None:
        self.scenario = scenario
        self.implementation = implementation
        self.labels = labels
        self.violation = violation

    @property
    def schedule(self) -> str:
        """The schedule as a string."""
        return str(Schedule(self.scenario.name, self.labels))

    def __repr__(self) -> str:
        return self.schedule

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Interleaving):
            return NotImplemented
        return (
            self.labels == other.labels
            and self.scenario == other.scenario
            and self.implementation == other.implementation
        )

    def __hash__(self) -> int:
        return hash((self.scenario.name, self.labels))


def schedules(
    scenario: Scenario, implementation: Implementation | None = None, byte_count: int = TAPE_BYTE_COUNT
) -> st.SearchStrategy[Interleaving]:
    """Schedules of a scenario.

    They shrink to few switches and steps, and to no faults that are not needed; the simplest of all is the one in which
    each thread goes on until it can no more.

    Args:
        scenario: what happens.
        implementation: the protocol code under test; the real one by default.
        byte_count: of the tape; more of them switch more often in long schedules.
    """
    code = implementation or Implementation()
    walker = walker_of(scenario, code)

    def run(drawn: bytes) -> Interleaving:
        walk = walker.walk(tape_of(drawn))
        return Interleaving(scenario, code, walk.labels, walk.violation)

    return st.binary(min_size=byte_count + 1, max_size=byte_count + 1).map(run)


def check(run: Interleaving) -> None:
    """See to it that nothing is violated.

    Raises:
        Violated: something is; with the steps to it as a table, and the command that shows them again.
    """
    if run.violation is not None:
        raise Violated(counterexample(run.scenario, run.labels, run.violation, run.implementation))


def tape_of(drawn: bytes) -> bytes:
    """The bytes that count: the first one says how many of the others.

    Hypothesis prefers the first of two strings of one length whose earlier bytes are smaller. So it makes the tape as
    short as it can before it makes anything on it smaller. Drawn without a least length, tapes would be short from the
    beginning, five bytes on average, and find less.
    """
    return drawn[1 : 1 + (drawn[0] * len(drawn) >> 8)]


_walkers: OrderedDict[tuple[bytes, Implementation], Walker] = OrderedDict()


def walker_of(scenario: Scenario, implementation: Implementation) -> Walker:
    """What runs tapes on a scenario; the same one each time, for the scenarios that were asked for last."""
    key = msgspec.json.encode(scenario), implementation
    walker = _walkers.get(key)
    if walker is None:
        walker = _walkers[key] = Walker(Race(scenario, implementation).product)
        if len(_walkers) > REMEMBERED_RACE_COUNT:
            _walkers.popitem(last=False)
    _walkers.move_to_end(key)
    return walker
