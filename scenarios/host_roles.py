"""Who is who in a scenario: one active, passives, and hosts that take over, when it has crashed or while it lives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from shadowshare.models.toml_tables import shown
from shadowshare.scenarios.document import ACTIVE, PASSIVE

RECOVERS = "recovers"
RELIEVES = "relieves"
HOST_COUNT_MAXIMUM = 100
SECOND_EPOCH = 2
"""Of the host that takes over from the first active one: the last epoch that is known before the race."""

_HOST = re.compile(r"[A-Z][a-z]{0,15}")


class Role(NamedTuple):
    """What a host is.

    Attributes:
        kind: ``active`` or ``passive``; empty if it is neither.
        recovers: the host whose crash starts this one; empty if it is there from the start.
        epoch: of what it does as the active, if it gets as far as to become so and each host before it did.
        relieves: the host from which this one takes over while it lives; empty if it does not.
    """

    kind: str
    recovers: str
    epoch: int
    relieves: str = ""


def read_roles(hosts: Mapping[str, str], crash_count: int, problems: list[str]) -> dict[str, Role]:
    """The role of each host; adds to ``problems`` whatever cannot be."""
    if len(hosts) > HOST_COUNT_MAXIMUM:
        problems.append(f"hosts: {len(hosts)} are too many, there may be {HOST_COUNT_MAXIMUM}")
        return {}
    kinds: dict[str, str] = {}
    recovered: dict[str, str] = {}
    relieved: dict[str, str] = {}
    for name, text in hosts.items():
        if not _HOST.fullmatch(name):
            problems.append(
                f"hosts: {name!r} must be a capital letter, perhaps followed by small ones, at most 16"
            )
        word, _, other = text.partition(" ")
        kinds[name] = text if text in (ACTIVE, PASSIVE) else ""
        taken_over = {RECOVERS: recovered, RELIEVES: relieved}.get(word)
        if taken_over is not None and other in hosts and other != name:
            kinds[name] = ACTIVE
            taken_over[name] = other
        elif not kinds[name]:
            problems.append(
                f"hosts.{shown(name)}: {text!r} must be 'active', 'passive', or 'recovers HOST' or "
                "'relieves HOST' with another host"
            )
    actives = [name for name, text in hosts.items() if text == ACTIVE]
    if len(actives) != 1:
        found = f"{' and '.join(map(shown, actives))} are" if actives else "none is"
        problems.append(f"hosts: exactly one must be 'active', but {found}")
    epochs = _epochs(actives[:1], recovered) | _epochs_of_relieving(relieved, recovered)
    _check_relieving(relieved, actives, problems)
    _check_recovering(hosts, recovered, epochs, crash_count, problems)
    return {
        name: Role(kind, recovered.get(name, ""), epochs.get(name, 0), relieved.get(name, ""))
        for name, kind in kinds.items()
    }


def _epochs(actives: list[str], recovered: Mapping[str, str]) -> dict[str, int]:
    """The epoch of the active, and of each host in the order in which they take over."""
    order = list(actives)
    for name in order:
        order += [other for other, crashed in recovered.items() if crashed == name]
    return {name: epoch for epoch, name in enumerate(order, start=1)}


def _epochs_of_relieving(relieved: Mapping[str, str], recovered: Mapping[str, str]) -> dict[str, int]:
    """The epoch of a host that is the only one to take over; of several it is not known whose comes first."""
    is_known = len(relieved) == 1 and not recovered
    return dict.fromkeys(relieved, SECOND_EPOCH if is_known else SECOND_EPOCH + 1)


def _check_relieving(relieved: Mapping[str, str], actives: list[str], problems: list[str]) -> None:
    for name, other in relieved.items():
        if actives and other not in actives:
            problems.append(f"hosts.{shown(name)}: only the active can be relieved, and {other} is not")


def _check_recovering(
    hosts: Mapping[str, str],
    recovered: Mapping[str, str],
    epochs: Mapping[str, int],
    crash_count: int,
    problems: list[str],
) -> None:
    """Hosts that recover form one chain from the active on, and each has its crash."""
    if len(set(recovered.values())) != len(recovered):
        problems.append("hosts: two hosts recover the same one, but only one can")
    for name, other in recovered.items():
        if hosts[other] == PASSIVE:
            problems.append(f"hosts.{shown(name)}: {other} is passive, and nobody recovers a passive")
        elif epochs and name not in epochs:
            problems.append(f"hosts.{shown(name)}: never starts, as {other} recovers only after it")
    if crash_count != len(recovered):
        problems.append(
            f"faults.crashes: {crash_count}, but {len(recovered)} hosts 'recover' another one: "
            "there must be one for each crash, and a crash for each"
        )
