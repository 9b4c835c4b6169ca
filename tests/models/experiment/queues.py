"""Waiting times in a queue with one server, by Lindley's recursion: an independent way to known results."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def waiting_times(load: float, count: int, seed: int, first_wait: float = 0.0) -> NDArray[np.float64]:
    """Waiting times of successive customers in an M/M/1 queue; the mean service time is 1."""
    random = np.random.default_rng(seed)
    steps = random.exponential(1.0, count) - random.exponential(1.0 / load, count)
    steps[0] = first_wait
    walk = np.cumsum(steps)
    waits: NDArray[np.float64] = walk - np.minimum(np.minimum.accumulate(walk), 0.0)
    return waits


def mean_waiting_time(load: float) -> float:
    """Of M/M/1, in service times (Kleinrock, Queueing Systems I, 3.24)."""
    return load / (1.0 - load)
