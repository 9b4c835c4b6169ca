"""Episodes in which a device stalls, is slow, or gets slower, on top of any latency model.

While an episode lasts, the device does its work at another pace: not at all in a stall, so many times slower in a slow
episode, and slower and slower in a ramp. A request that an episode meets in the middle does its rest at that pace.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from heapq import merge
from typing import Literal, NamedTuple

import msgspec
from numpy.random import Generator

from shadowshare.models.bounds import Bounds, check_bounds
from shadowshare.models.latency.disk_drive import DiskDrive
from shadowshare.models.latency.distributions import LONGEST_US
from shadowshare.models.latency.errors import ModelError
from shadowshare.models.latency.flash import Flash
from shadowshare.models.latency.network import Network
from shadowshare.models.latency.sampled import Sampled
from shadowshare.sim.timed.latency import ServiceTime
from shadowshare.sim.timed.path import Pace


class Episode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that happens to a device, once or again and again.

    Attributes:
        shape: ``stall``: nothing goes on; ``slow``: everything takes ``factor`` times as long; ``ramp``: from 1 to
            ``factor`` times as long, growing evenly until the episode ends.
        first_ms: when it begins, or, if it comes at random, from when on.
        lasts_ms: for how long.
        factor: for ``slow`` and ``ramp``; 1 or more.
        every_ms: from one beginning to the next; 0: only once.
        at_random: whether the next beginning is exponentially distributed around ``every_ms``, not exactly then.
    """

    shape: Literal["stall", "slow", "ramp"]
    first_ms: float
    lasts_ms: float
    factor: float = 1.0
    every_ms: float = 0.0
    at_random: bool = False

    def __post_init__(self) -> None:
        check_bounds(self, _BOUNDS, ModelError)
        if self.every_ms and not self.at_random and self.every_ms <= self.lasts_ms:
            raise ModelError(f"every_ms must be more than lasts_ms, {self.lasts_ms:g}, not {self.every_ms:g}")
        if self.at_random and not self.every_ms:
            raise ModelError("at_random needs every_ms: how long it is on average from one to the next")


_BOUNDS: Bounds = {
    **dict.fromkeys(("first_ms", "every_ms"), (0, LONGEST_US / 1e3)),
    "lasts_ms": (1e-6, LONGEST_US / 1e3),
    "factor": (1, 1e6),
}


class WithEpisodes(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="with-episodes", tag_field="model"
):
    """A model with episodes on top. Of two that overlap the later one waits until the earlier one has ended.

    Attributes:
        device: the model.
        episodes: what happens to it.
    """

    device: Sampled | DiskDrive | Flash | Network
    episodes: tuple[Episode, ...]

    def start(self, random: Generator, sector_bytes: int, sector_count: int) -> ServiceTime:
        """See `shadowshare.sim.timed.latency.LatencyModel`; raises as the model below."""
        pace = pace_of(self.episodes, random)
        device = self.device.start(random, sector_bytes, sector_count)
        return lambda operation, begins_ns: pace(begins_ns, device(operation, begins_ns))


def pace_of(episodes: Sequence[Episode], random: Generator) -> Pace:
    """How fast something is to which episodes happen.

    Each episode has a random stream of its own, so that what else is drawn is the same with and without them.
    """
    streams = zip(episodes, random.spawn(len(episodes)), strict=True)
    return _Timeline(merge(*(_happenings(episode, stream) for episode, stream in streams))).stretched_ns


class _Happening(NamedTuple):
    """One occurrence of an episode, from ``begins_ns`` to ``ends_ns``."""

    begins_ns: float
    ends_ns: float
    shape: str
    factor: float

    def work_ns(self, begins_ns: float, ends_ns: float) -> float:
        """How much work is done in a part of it."""
        if self.shape == "stall":
            return 0.0
        if self.shape == "slow" or self.factor == 1.0:
            return (ends_ns - begins_ns) / self.factor
        slope = (self.factor - 1.0) / (self.ends_ns - self.begins_ns)
        at = [1.0 + slope * (moment_ns - self.begins_ns) for moment_ns in (begins_ns, ends_ns)]
        return math.log(at[1] / at[0]) / slope

    def time_ns(self, begins_ns: float, work_ns: float) -> float:
        """How long some work takes that is done within it."""
        if self.shape == "slow" or self.factor == 1.0:
            return work_ns * self.factor
        slope = (self.factor - 1.0) / (self.ends_ns - self.begins_ns)
        return math.expm1(work_ns * slope) * (1.0 + slope * (begins_ns - self.begins_ns)) / slope


def _happenings(episode: Episode, random: Generator) -> Iterator[_Happening]:
    gap_ns = episode.every_ms * 1e6
    begins_ns = episode.first_ms * 1e6 + (float(random.exponential(gap_ns)) if episode.at_random else 0.0)
    while True:
        yield _Happening(begins_ns, begins_ns + episode.lasts_ms * 1e6, episode.shape, episode.factor)
        if not gap_ns:
            return
        begins_ns += float(random.exponential(gap_ns)) if episode.at_random else gap_ns


class _Timeline:
    """What happens to one device, looked at as time goes by."""

    def __init__(self, happenings: Iterator[_Happening]) -> None:
        self._coming = happenings
        self._known: deque[_Happening] = deque()
        self._last_end_ns = 0.0
        self._is_at_end = False

    def stretched_ns(self, begins_ns: int, work_ns: int) -> int:
        """How long work that begins then takes."""
        known = self._known
        while known and known[0].ends_ns <= begins_ns:
            known.popleft()
        now_ns, left_ns, place = float(begins_ns), float(work_ns), 0
        while happening := self._after(place, now_ns):
            if happening.begins_ns > now_ns:
                gap_ns = happening.begins_ns - now_ns
                if left_ns <= gap_ns:
                    break
                left_ns -= gap_ns
                now_ns = happening.begins_ns
            done_ns = happening.work_ns(now_ns, happening.ends_ns)
            if left_ns < done_ns or (left_ns == done_ns and happening.shape != "stall"):
                return round(now_ns + happening.time_ns(now_ns, left_ns)) - begins_ns
            left_ns -= done_ns
            now_ns = happening.ends_ns
            place += 1
        return round(now_ns + left_ns) - begins_ns

    def _after(self, place: int, now_ns: float) -> _Happening | None:
        """What is known at a place of the list of what is going on or to come; None if nothing comes any more."""
        while len(self._known) <= place and not self._is_at_end:
            happening = next(self._coming, None)
            if happening is None:
                self._is_at_end = True
                break
            delay_ns = max(0.0, self._last_end_ns - happening.begins_ns)
            shifted = happening._replace(
                begins_ns=happening.begins_ns + delay_ns, ends_ns=happening.ends_ns + delay_ns
            )
            self._last_end_ns = shifted.ends_ns
            if shifted.ends_ns > now_ns:
                self._known.append(shifted)
        return self._known[place] if place < len(self._known) else None
