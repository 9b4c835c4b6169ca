"""One replication: a plan's run, and the run without shadow copies that it is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shadowshare.models.experiment.histogram import Histogram
from shadowshare.models.experiment.replications import Figures
from shadowshare.models.simulation.measured import ACTIVE, Measured
from shadowshare.models.simulation.plan import SimulationPlan
from shadowshare.models.simulation.run import simulate
from shadowshare.protocol.errors import ShadowshareError

WITHOUT = "without shadow copies"
_COMPARED = ("per_second", "latency_mean", "latency_p50", "latency_p99")


class NothingMeasured(ShadowshareError):
    """A run in which what was asked about did not happen."""


class RunFigures(dict[str, float]):
    """The figures of a replication, and its latencies.

    Attributes:
        latencies: by role and verb in words; the active's also as they were without shadow copies.
        rare: how many there were of what is rare, and among how many: see `Measured.rare`.
    """

    def __init__(
        self, figures: Figures, latencies: dict[str, Histogram], rare: dict[str, tuple[int, int]]
    ) -> None:
        super().__init__(figures)
        self.latencies = latencies
        self.rare = rare

    def __reduce__(self) -> tuple[Any, ...]:
        """How it comes to another process."""
        return RunFigures, (dict(self), self.latencies, self.rare)


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """Runs replications of a plan: the same number, the same run.

    Both runs of a replication draw the same requests (common random numbers), so that the difference is what the
    shadow copies cost, and not chance.

    Attributes:
        plan: what is simulated.
        seed: of all replications.
        compares: whether the run without shadow copies is made.
    """

    plan: SimulationPlan
    seed: int
    compares: bool = True

    def __call__(self, number: int) -> RunFigures:
        """Run one replication.

        Raises:
            NothingMeasured: no write of the active, or no read of a passive, was done.
        """
        measured = simulate(self.plan, (self.seed, number))
        figures = measured.figures()
        for name in self.wanted():
            if name not in figures:
                role, verb, _ = name.split(".")
                raise NothingMeasured(
                    f"no {verb} of the {role} was done in the measured time: simulate longer, or ask for less at once"
                )
        if not self.compares:
            return compared(measured, None)
        return compared(measured, simulate(self.plan.without_shadow_copies(), (self.seed, number)))

    def wanted(self) -> list[str]:
        """The figures that say whether enough replications were made."""
        names = ["active.write.latency_mean"]
        return names + ["passives.read.latency_mean"] * bool(self.plan.passives)


def compared(measured: Measured, without: Measured | None) -> RunFigures:
    """All figures of a run, and how many times what they are in the one without shadow copies, if there is one."""
    figures = measured.figures()
    latencies = {" ".join(kind): histogram for kind, histogram in measured.latencies.items()}
    if without is not None:
        figures.update(_ratios(figures, without))
        for (role, verb), histogram in without.latencies.items():
            latencies[f"{role} {verb} {WITHOUT}"] = histogram
    return RunFigures(figures, latencies, measured.rare())


def _ratios(figures: Figures, without: Measured) -> dict[str, float]:
    """How many times what it is without shadow copies, for what both runs have."""
    baseline = without.figures()
    found = {}
    for role, verb in without.latencies:
        for figure in _COMPARED if role == ACTIVE else ():
            name = f"{role}.{verb}.{figure}"
            if baseline.get(name) and name in figures:
                found[f"{name}_ratio"] = figures[name] / baseline[name]
    return found
