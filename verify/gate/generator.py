"""Races for the gate, drawn by Hypothesis from a seed."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, seed, settings

from shadowshare.scenarios.definition import Scenario
from shadowshare.verify.generated.by_seed_alone import by_seed_alone
from shadowshare.verify.generated.races import races


def races_of(number: int, race_count: int) -> list[Scenario]:
    """Different races, the same ones for the same seed; fewer than ``race_count`` if some are drawn twice.

    Args:
        number: the seed.
        race_count: how many to draw.
    """
    drawn: dict[str, Scenario] = {}

    @seed(number)
    @settings(
        max_examples=race_count + 1,  # the first one is always the simplest there is
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(races())
    def draw(race: Scenario) -> None:
        drawn.setdefault(race.name, race)

    with by_seed_alone():
        draw()
    return list(drawn.values())[1 : race_count + 1]
