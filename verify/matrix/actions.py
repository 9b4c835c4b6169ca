"""The actions of a store's life, and the scenario in which two of them go on at the same time while a passive reads.

All scenarios begin with the same store, made so that every way of reading is there and that a mistake would show. The
passive reads two extents of the older shadow copy: one from a slot, one from the volume. The search for a free
slot begins anew: if the older shadow copy is deleted, the next copy goes to the slot that the passive reads.

- extent 0 was copied for the older shadow copy ``r``, extent 1 for the newer one ``s``; extent 2 was never written
- ``create``, ``delete``, ``write``, ``revert`` and ``grow`` are tasks of the active
- ``turnover``: a task appends to the journal, and its halves are so short that every append turns it over
- ``takeover``: another host relieves the active, which is still alive, while that one does what the pair says
- ``crash``: the active may crash, or the disks lose power, at any step; another host recovers (power losses crash the
  host that is recovered, so there are none where another one may have taken over)
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations_with_replacement
from typing import NamedTuple

from shadowshare.protocol.errors import ShadowshareError
from shadowshare.scenarios.definition import HostPlan, Scenario, edit
from shadowshare.scenarios.document import Document, Faults, StoreShape
from shadowshare.scenarios.meaning import understand

STEPS: dict[str, tuple[str, str]] = {
    "write": ("write 2", "write 1-2"),
    "create": ("create t", "create u"),
    "delete": ("delete r", "delete s"),
    "revert": ("revert r", "revert s"),
    "grow": ("grow 5", "grow 6"),
    "turnover": ("policy fail-write", "policy fail-write"),
}
"""What a task does for each action of an active, alone or as the first of two such; and as the second."""

TAKEOVER, CRASH = "takeover", "crash"
ACTIONS = (*STEPS, TAKEOVER, CRASH)

_BEFORE = [
    *("W: create r", "W: write 0", "W: create s", "W: write 1"),
    *("W: create q", "W: write 1", "W: delete q"),
    *("W: create p", "W: write 1", "W: delete p", "R: open"),
]
_READS = ["catch-up", "read r 0 2"]
_OTHERS = ("V", "U")
_MEANWHILE = "write 2"
"""What the active does when both actions are those of other hosts."""
_AFTERWARDS = "write 1-2"
"""What a host does that has taken over, or recovered."""

_SHORTEST_HALF, _SHORT_HALF, _LONG_HALF = 4, 5, 32
"""Journal blocks: so few that every append turns it over, or every other one where more is to be said; or none."""


class Pair(NamedTuple):
    """Two actions, in the order of `ACTIONS`."""

    first: str
    second: str

    @property
    def name(self) -> str:
        """Both, as people name them: ``write+crash``."""
        return f"{self.first}+{self.second}"

    @property
    def scenario_name(self) -> str:
        """Of the scenario in which they go on at the same time."""
        return f"matrix-{self.first}-and-{self.second}"


PAIRS: tuple[Pair, ...] = tuple(Pair(*names) for names in combinations_with_replacement(ACTIONS, 2))


class UnknownPair(ShadowshareError):
    """There is no pair of this name."""


def pair_named(name: str) -> Pair:
    """The pair of this name, in either order.

    Raises:
        UnknownPair: there is none; the message lists the actions.
    """
    parts = tuple(name.split("+"))
    for pair in PAIRS:
        if parts in (pair, pair[::-1]):
            return pair
    raise UnknownPair(
        f"there is no pair {name!r}: name two of {', '.join(ACTIONS)}, joined by +, such as {PAIRS[0].name}"
    )


def scenario_named(name: str) -> Scenario | None:
    """The scenario of a pair, by its own name; None if there is none of this name."""
    return next((scenario_of(pair) for pair in PAIRS if pair.scenario_name == name), None)


def scenario_of(pair: Pair) -> Scenario:
    """The two actions at the same time, and a passive that reads."""
    tasks = [
        STEPS[action][number if pair.first == pair.second else 0]
        for number, action in enumerate(pair)
        if action in STEPS
    ]
    others = dict(zip(_OTHERS, _roles_of(pair), strict=False))
    crash_count = pair.count(CRASH)
    allowed = ["Fenced", "ActiveStopped"] if TAKEOVER in pair else []
    if pair == ("grow", "grow"):
        allowed.append("AreaInUse")  # with which the smaller one ends, if it comes later
    document = Document(
        name=pair.scenario_name,
        story=f"A passive reads a shadow copy from a slot and from the volume during {pair.first} and {pair.second}.",
        hosts={"W": "active", **others, "R": "passive"},
        before=_BEFORE,
        store=StoreShape(extents=3, slots=4, half_blocks=_half_block_count(pair)),
        faults=Faults(
            crashes=crash_count,
            power_losses=int(CRASH in pair and TAKEOVER not in pair),
            allowed_errors=tuple(allowed),
        ),
        race={
            "W": [step for task in tasks or [_MEANWHILE] for step in ("flush", task)],
            **{name: [_AFTERWARDS] for name in others},
            "R": [*_READS],
        },
    )
    return side_by_side(understand(document))


def _half_block_count(pair: Pair) -> int:
    if "turnover" not in pair:
        return _LONG_HALF
    return _SHORT_HALF if "revert" in pair else _SHORTEST_HALF


def _roles_of(pair: Pair) -> Iterator[str]:
    """The roles of the hosts besides the active and the passive."""
    recovered = "W"
    for action, name in zip([action for action in pair if action not in STEPS], _OTHERS, strict=False):
        if action == TAKEOVER:
            yield "relieves W"
        else:
            yield f"recovers {recovered}"
            recovered = name


def side_by_side(scenario: Scenario) -> Scenario:
    """The scenario in which each two steps of the active's race are a task of their own.

    The first one of them waits for a disk, so that either task may come first. A scenario file may not have two tasks
    that create, since it could not say whose id is which. Here it does not matter.
    """

    def split(plan: HostPlan) -> HostPlan:
        before, race = plan.scripts[: plan.before_count], plan.scripts[plan.before_count :]
        (steps,) = race
        tasks = tuple(steps[start : start + 2] for start in range(0, len(steps), 2))
        return HostPlan(plan.name, plan.role, plan.recovers, before + tasks, plan.before_count)

    return edit(scenario, hosts=tuple(split(plan) if plan.name == "W" else plan for plan in scenario.hosts))
