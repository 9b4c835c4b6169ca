"""The processes of the race on real processes: one active that writes, passives that export.

What they share is only for checking: which state of the file system each shadow copy is the image of, and when to
stop. The passives learn of shadow copies from the disk alone.
"""

from __future__ import annotations

import mmap
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from shadowshare.models.ext4 import Change, changes_between
from shadowshare.protocol.active import Active
from shadowshare.protocol.errors import ShadowCopyNotFound
from shadowshare.protocol.layout import ShadowCopyId
from shadowshare.protocol.operations import Buffer
from shadowshare.protocol.passive import ByteRange, Passive, Run
from shadowshare.sim.real.passive_store import PassiveStore
from shadowshare.sim.real.store import ActiveStore, Store

SHADOW_COPY_COUNT_KEPT = 2
WRITE_BYTES = 16 * 1024
RANGE_BYTES = 256 * 1024
RANGE_COUNT = 8
"""Byte ranges in one batch of a passive, which ends with one catch-up."""

UNKNOWN_STATE = -1
START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Arena:
    """What every process of the race is given.

    Attributes:
        store: where the store is.
        states: images of the file system, first to last.
        pass_count_minimum: how often the active goes from one end of the states to the other, at least.
        export_count_minimum: exports of each passive that begin before the active may end.
        seed: of the order in which blocks are written.
        barrier: everybody is ready.
        image_states: by counter of a shadow copy, the number of the state that is its image.
        deleted_counter: shadow copies up to this counter may be gone.
        export_counts: by passive, how many exports ended so far.
        active_ended: the active has written its last byte.
        stop: an error somewhere; everybody goes home.
    """

    store: Store
    states: Sequence[Path]
    pass_count_minimum: int
    export_count_minimum: int
    seed: int
    barrier: Any
    image_states: Any
    deleted_counter: Any
    export_counts: Any
    active_ended: Any
    stop: Any


# -- the active --------------------------------------------------------------------------------------------------


class ActiveReport(NamedTuple):
    """What the active did. Times are of the clock that all processes of a machine share."""

    began_seconds: float
    ended_seconds: float
    write_count: int
    pass_count: int
    shadow_copy_count: int


def run_active(arena: Arena) -> ActiveReport:
    """Write the changes between the states, forth and back, a new shadow copy before each pass."""
    generator = random.Random(arena.seed)
    forth = [changes_between(old, new, WRITE_BYTES) for old, new in pairwise(arena.states)]
    last = len(arena.states) - 1
    write_count = pass_count = 0
    with arena.store.open_active(lane_count=4) as active:
        shadow_copies = [_create(arena, active, 0)]
        arena.barrier.wait(START_SECONDS)
        began = time.monotonic()
        while not arena.stop.is_set():
            is_forth = pass_count % 2 == 0
            for stage in range(last) if is_forth else reversed(range(last)):
                target = arena.states[stage + 1 if is_forth else stage]
                write_count += _write(active, target, forth[stage], generator)
            pass_count += 1
            if is_forth and pass_count >= arena.pass_count_minimum and _all_exported(arena):
                break
            if len(shadow_copies) == SHADOW_COPY_COUNT_KEPT:
                _delete(arena, active, shadow_copies.pop(0))
            shadow_copies.append(_create(arena, active, last if is_forth else 0))
        ended = time.monotonic()
    arena.active_ended.set()
    return ActiveReport(began, ended, write_count, pass_count, shadow_copies[-1].counter)


def _all_exported(arena: Arena) -> bool:
    return all(count >= arena.export_count_minimum for count in arena.export_counts[:])


def _create(arena: Arena, active: ActiveStore, state: int) -> ShadowCopyId:
    counter = arena.deleted_counter.value + 1
    while arena.image_states[counter] != UNKNOWN_STATE:
        counter += 1
    arena.image_states[counter] = state  # before anybody can see the shadow copy
    shadow_copy = active.create()
    assert shadow_copy.counter == counter
    return shadow_copy


def _delete(arena: Arena, active: ActiveStore, shadow_copy: ShadowCopyId) -> None:
    arena.deleted_counter.value = shadow_copy.counter  # before anybody can miss it
    active.delete(shadow_copy)


def _write(active: ActiveStore, target: Path, changes: Sequence[Change], generator: random.Random) -> int:
    """Make the volume what ``target`` is, in any order, by several tasks at once."""
    shuffled = generator.sample(changes, len(changes))
    with target.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as image:
        rest = iter(shuffled)
        active.world.run_together([_write_rest(active.active, image, rest) for _ in range(4)])
    return len(shuffled)


async def _write_rest(active: Active, image: mmap.mmap, rest: Iterator[Change]) -> None:
    """One of the tasks that share the changes that are left."""
    for offset, length in rest:
        await active.write(offset, image[offset : offset + length])


# -- a passive ---------------------------------------------------------------------------------------------------


class Export(NamedTuple):
    """One export of a shadow copy."""

    began_seconds: float
    shadow_copy: ShadowCopyId
    reread_extent_count: int
    wrong_offset: int | None
    """The first byte that was not that of the image; None if all were."""
    is_refused: bool
    """It ended with an error, as it should: the shadow copy was deleted meanwhile."""


class PassiveReport(NamedTuple):
    """What a passive did; ``files`` are its first and its last export that were not refused."""

    exports: tuple[Export, ...]
    files: tuple[Path, ...]


def observed(passive_class: type[Passive]) -> type[Passive]:
    """``passive_class``, counting the extents that had to be read again because a re-check found a copy of them."""

    class Observed(passive_class):  # type: ignore[misc, valid-type] # a class that is only known at run time
        reread_extent_count = 0

        def _settle(self, run: Run, *rest: Any) -> list[tuple[int, int]]:
            stale: list[tuple[int, int]] = super()._settle(run, *rest)
            if not run.is_copied:
                self.reread_extent_count += sum(
                    1 for first, end in stale for _ in self._extents_of(first, end)
                )
            return stale

    return Observed


def run_passive(arena: Arena, number: int, folder: Path, passive_class: type[Passive]) -> PassiveReport:
    """Export shadow copies until the active has ended, and once more after that."""
    exports: list[Export] = []
    files = (folder / f"passive-{number}-first.img", folder / f"passive-{number}-last.img")
    with ExitStack() as stack:
        passive = stack.enter_context(arena.store.open_passive(observed(passive_class)))
        images = [stack.enter_context(_mapped(state)) for state in arena.states]
        arena.barrier.wait(START_SECONDS)
        is_last = False
        while not is_last and not arena.stop.is_set():
            is_last = arena.active_ended.is_set()
            ids = [info.id for info in passive.shadow_copies()]
            shadow_copy = ids[-1] if len(exports) % 2 == 0 else ids[0]
            image = images[arena.image_states[shadow_copy.counter]]
            is_first = not any(not export.is_refused for export in exports)
            exports.append(_export(arena, passive, shadow_copy, image, files[0 if is_first else 1]))
            arena.export_counts[number] = len(exports)
            if exports[-1].wrong_offset is not None:
                arena.stop.set()
    return PassiveReport(tuple(exports), tuple(file for file in files if file.exists()))


def _mapped(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _export(
    arena: Arena, passive: PassiveStore, shadow_copy: ShadowCopyId, image: mmap.mmap, target: Path
) -> Export:
    """Export to ``target``, comparing all the way with what the volume held when the shadow copy was created."""
    began, before = time.monotonic(), _reread_extent_count(passive)
    wrong_offset, is_refused = None, False
    part = target.with_suffix(".part")
    try:
        with part.open("wb") as file:
            for offset, buffer in _batches(passive, shadow_copy):
                file.write(buffer)
                if bytes(buffer) != image[offset : offset + len(buffer)] and wrong_offset is None:
                    wrong_offset = offset + _first_difference(buffer, image, offset)
        part.replace(target)
    except ShadowCopyNotFound:
        is_refused = True
        if shadow_copy.counter > arena.deleted_counter.value:
            raise
    return Export(began, shadow_copy, _reread_extent_count(passive) - before, wrong_offset, is_refused)


def _batches(passive: PassiveStore, shadow_copy: ShadowCopyId) -> Iterator[tuple[int, Buffer]]:
    volume_bytes = passive.geometry.volume_bytes
    for start in range(0, volume_bytes, RANGE_BYTES * RANGE_COUNT):
        end = min(volume_bytes, start + RANGE_BYTES * RANGE_COUNT)
        ranges = [
            ByteRange(offset, min(RANGE_BYTES, end - offset)) for offset in range(start, end, RANGE_BYTES)
        ]
        yield from zip((one.offset for one in ranges), passive.read_many(shadow_copy, ranges), strict=True)


def _first_difference(buffer: Buffer, image: mmap.mmap, offset: int) -> int:
    return next(index for index, byte in enumerate(buffer) if byte != image[offset + index])


def _reread_extent_count(passive: PassiveStore) -> int:
    return int(getattr(passive.passive, "reread_extent_count", 0))
