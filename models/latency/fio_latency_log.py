"""Latencies that fio logged: ``fio --write_lat_log`` makes ``_clat``, ``_slat`` and ``_lat`` logs.

Source: "Log file formats" in fio's HOWTO: time in milliseconds, latency in nanoseconds, direction (0 read, 1 write,
2 trim), block size in bytes, offset, and perhaps more; one request a line if ``--log_avg_msec`` is 0.
"""

from __future__ import annotations

from array import array
from pathlib import Path

import numpy as np

from shadowshare.models.latency.calibration import Key
from shadowshare.models.latency.distributions import Nanoseconds
from shadowshare.models.latency.errors import ModelError
from shadowshare.models.workloads.errors import TraceError
from shadowshare.models.workloads.trace import Lines, numbered, open_bytes, whole_number, wrong

FIELD_COUNT_MINIMUM = 4
CLASS_COUNT_MAXIMUM = 64
KEPT_COUNT_MAXIMUM = 1 << 18
"""Latencies kept of each verb and size; of more, evenly spread ones are."""

_VERBS = {"0": "read", "1": "write"}


def read_fio_latency_log(path: Path) -> dict[Key, Nanoseconds]:
    """The latencies of a log, by verb and size; trims are left out.

    Raises:
        ModelError: it cannot be read, or is no such log; the message names the file and the line.
    """
    try:
        with open_bytes(path) as stream:
            return _read(numbered(stream))
    except TraceError as error:
        raise ModelError(f"{path}: {error}") from None
    except OSError as error:
        raise ModelError(f"{path}: the log cannot be read: {error.strerror or error}") from None


class _Kept:
    """Evenly spread ones of many numbers: when there is no room left, every second one goes."""

    def __init__(self) -> None:
        self.numbers = array("q")
        self._stride = 1
        self._count = 0

    def add(self, number: int) -> None:
        if self._count % self._stride == 0:
            self.numbers.append(number)
            if len(self.numbers) >= KEPT_COUNT_MAXIMUM:
                self.numbers = self.numbers[::2]
                self._stride *= 2
        self._count += 1


def _read(lines: Lines) -> dict[Key, Nanoseconds]:
    found: dict[Key, _Kept] = {}
    for number, line in lines:
        fields = [field.strip() for field in line.split(",")]
        if fields == [""]:
            continue
        if len(fields) < FIELD_COUNT_MINIMUM:
            raise wrong(number, "must be 'TIME, LATENCY, DIRECTION, SIZE, ...', as in a latency log of fio")
        whole_number(fields[0], "the time", number)
        latency_ns = whole_number(fields[1], "the latency", number)
        size_bytes = whole_number(fields[3], "the size", number)
        if fields[2] not in ("0", "1", "2"):
            raise wrong(number, f"the direction must be 0, 1 or 2, not {fields[2]!r:.40}")
        if fields[2] not in _VERBS:
            continue
        key = (_VERBS[fields[2]], size_bytes)
        if key not in found:
            if len(found) >= CLASS_COUNT_MAXIMUM:
                raise wrong(number, f"more than {CLASS_COUNT_MAXIMUM} different sizes: log a job with fewer")
            found[key] = _Kept()
        found[key].add(latency_ns)
    if not found:
        raise TraceError("there is no read and no write in it")
    return {key: np.array(kept.numbers, dtype=np.int64) for key, kept in found.items()}
