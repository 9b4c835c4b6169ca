"""Scenarios that run on real disks and real processes, beside those that run in the stepped world.

Their verdict rests on what happened in one run: "verified" says that every check held and that the races which the
scenario is about were met; it does not say that every interleaving was covered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from shadowshare.protocol.passive import Passive
from shadowshare.verify.real.race import run_ext4_race
from shadowshare.verify.result import ScenarioResult

REAL_SCENARIO_NAME = "ext4-on-real-processes"
REAL_SCENARIO_STORY = (
    "One process changes a real ext4 file system on a real disk into another one, while two others export shadow "
    "copies of it again and again through O_DIRECT. Every export must be the image at creation, byte for byte, and "
    "clean."
)


def run_real_scenario(
    passive: type[Passive] = Passive, say: Callable[[str], None] | None = None
) -> ScenarioResult:
    """Run the race over an ext4 file system, in a temporary folder."""
    start = perf_counter()
    with TemporaryDirectory(prefix="shadowshare-") as folder:
        result = run_ext4_race(Path(folder), progress=say, passive_class=passive)
    details = {
        name: value for name, value in asdict(result).items() if name not in ("verdict", "reason", "seconds")
    }
    return ScenarioResult(
        REAL_SCENARIO_NAME,
        result.verdict,
        "verified",
        result.reason,
        result.export_count,
        None,
        None,
        perf_counter() - start,
        {"exhausted": False, **details},
    )
