"""The toy of the race: it has the states and interleavings that it has, counted by hand too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from examples.toy_snapshot import toy_snapshot

from shadowshare.verify.tasks import explore
from tests.verify.task_setups import (
    verdict_in_every_way,
)


@pytest.mark.parametrize("skipped", [0, 1, 2])
@pytest.mark.parametrize(("extents", "readers"), [(1, 1), (2, 1), (1, 2), (2, 2)])
def test_no_reduction_changes_the_verdict_of_the_toy(extents: int, readers: int, skipped: int) -> None:
    found = verdict_in_every_way(toy_snapshot(extents, readers, min(skipped, extents)))
    assert found == (("violated", "assertion") if skipped else ("verified", None))


class Reader(NamedTuple):
    """Where a reader is: an extent, what it does next there, and what it holds."""

    extent: int
    next: str
    content: int = 0


Toy = tuple[int, tuple[Reader, ...]]
"""The steps that the writer took, and the readers."""


def steps_by_hand(extents: int, toy: Toy) -> Iterator[Toy]:
    """The toy, written down once more without any of this package."""
    written, readers = toy
    if written < 4 * extents:
        yield written + 1, readers
    for number, reader in enumerate(readers):
        if reader.extent < extents:
            yield written, (*readers[:number], step_by_hand(written, reader), *readers[number + 1 :])


def step_by_hand(written: int, reader: Reader) -> Reader:
    extent, step, content = reader
    done = written - 4 * extent
    if step in ("table", "table again") and done >= 3:
        return Reader(extent, "slot")
    if step == "table":
        return Reader(extent, "volume")
    if step == "volume":
        return Reader(extent, "table again", int(done >= 4))
    assert step == "slot" or content == 0
    return Reader(extent + 1, "table")


def numbers_by_hand(extents: int, readers: int) -> tuple[int, int, int]:
    """States, those up to the order of the readers, and ways to the end."""
    ways = {(0, (Reader(0, "table"),) * readers): 1}
    met, total = set(ways), 0
    while ways:
        later: dict[Toy, int] = {}
        for toy, count in ways.items():
            after = list(steps_by_hand(extents, toy))
            total += 0 if after else count
            for one in after:
                later[one] = later.get(one, 0) + count
        met |= later.keys()
        ways = later
    return len(met), len({(written, tuple(sorted(readers))) for written, readers in met}), total


@pytest.mark.parametrize(
    ("extents", "readers", "states", "alike", "schedules"),
    [
        (2, 2, 675, 376, 820_016_270),
        (3, 2, 2091, 1127, 64_341_617_914_434),
        (4, 2, 4749, 2515, 5_131_767_960_414_670_076),
        (2, 3, 6059, 1373, 2_030_001_631_570_962),
        (3, 3, 27415, 5669, 394_905_276_775_531_048_110_120),
    ],
)
def test_the_toy_has_the_states_and_interleavings_that_it_has(
    extents: int, readers: int, states: int, alike: int, schedules: int
) -> None:
    assert numbers_by_hand(extents, readers) == (states, alike, schedules)
    whole, merged = (
        explore(toy_snapshot(extents, readers), readers_apart=False, alike_merge=merge)
        for merge in (False, True)
    )
    assert (whole.state_count, whole.schedule_count) == (states, schedules)
    assert (merged.state_count, merged.schedule_count) == (alike, schedules)


def test_four_readers_of_three_extents() -> None:
    assert explore(toy_snapshot(3, 4), readers_apart=False).state_count == 23137
