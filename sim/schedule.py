"""Schedules: the one currency of all strategies, as short printable strings.

A schedule is the sequence of the labels of the choices taken, in the stepped world of one scenario::

    s1/slot-reuse/W*3,R,W.1,power,keep.0

``s1`` is the version of the notation, then the scenario, then the labels separated by commas, with ``*n`` for n
times in a row. A label is the actor whose operation takes effect (a task), with ``.k`` for its k-th piece if several
may take effect in any order; or an event: ``crash.W`` (that host crashes), ``power`` (power loss of the disks),
``keep.k`` (of the next undecided sector, the k-th content survives), ``late.k`` (a crashed host's k-th write still
lands). ``!`` behind a label: it takes effect, but an error is reported; ``~``: an error is reported and nothing takes
effect; ``~`` and letters: another fault of the device strikes it (``shadowshare.sim.faults``), such as ``R~rot.1``.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import NamedTuple

from shadowshare.protocol.errors import ShadowshareError

VERSION = "s1"
STEP_COUNT_MAXIMUM = 10_000_000
_EVENTS = ("crash", "power", "keep", "late")
FAULT_KINDS = ("crash", "power", "late", "error", "fault")
"""Kinds of labels of what goes wrong."""
_LABEL = re.compile(r"[A-Za-z][A-Za-z0-9]*(\.[A-Za-z0-9]+)?(!|~([a-z]+(\.[0-9]+)?)?)?")
_MARK = re.compile(r"[!~]")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


class ScheduleError(ShadowshareError):
    """A schedule string cannot be read, or does not fit its scenario."""


class Schedule(NamedTuple):
    """Which scenario, and which choices in which order."""

    scenario: str
    labels: tuple[str, ...]

    def __str__(self) -> str:
        runs = [(label, len(list(group))) for label, group in groupby(self.labels)]
        steps = ",".join(label if count == 1 else f"{label}*{count}" for label, count in runs)
        return f"{VERSION}/{self.scenario}/{steps}"


def split_mark(label: str) -> tuple[str, str]:
    """The label of an operation, and the mark behind it of what goes wrong; empty if nothing does."""
    found = _MARK.search(label)
    return (label, "") if found is None else (label[: found.start()], label[found.start() :])


def kind_of(label: str) -> str:
    """What a label stands for.

    ``crash``, ``power``, ``keep`` (a decision what survived), ``late``, ``error``, ``piece`` (a further piece of what a
    task awaits), ``fault`` (of the device, but for errors that it reports once), or ``operation``.
    """
    mark = split_mark(label)[1]
    if mark:
        return "error" if len(mark) == 1 else "fault"
    kind, _, index = label.partition(".")
    if kind in _EVENTS:
        return kind
    return "piece" if index else "operation"


def parse_schedule(text: str) -> Schedule:
    """Read a schedule string.

    Raises:
        ScheduleError: says which part is wrong.
    """
    parts = text.strip().split("/")
    if len(parts) != 3:
        raise ScheduleError(
            f"a schedule reads {VERSION}/SCENARIO/STEPS, for example {VERSION}/slot-reuse/W*3,R; got {text!r}"
        )
    version, scenario, steps = parts
    if version != VERSION:
        raise ScheduleError(
            f"this is a schedule of version {version!r}; this program reads version {VERSION!r}"
        )
    if not _NAME.fullmatch(scenario):
        raise ScheduleError(f"{scenario!r} in the schedule is not the name of a scenario")
    labels: list[str] = []
    for item in steps.split(",") if steps else []:
        label, star, times = item.partition("*")
        if not _LABEL.fullmatch(label) or (star and not re.fullmatch(r"[1-9][0-9]{0,7}", times)):
            raise ScheduleError(f"step {item!r} of the schedule is neither LABEL nor LABEL*TIMES")
        count = int(times) if star else 1
        if len(labels) + count > STEP_COUNT_MAXIMUM:
            raise ScheduleError(f"the schedule has more than {STEP_COUNT_MAXIMUM} steps")
        labels += [label] * count
    return Schedule(scenario, tuple(labels))
