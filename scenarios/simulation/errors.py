"""What can be wrong with a simulation."""

from __future__ import annotations

from shadowshare.protocol.errors import ShadowshareError


class SimulationError(ShadowshareError):
    """A simulation cannot be understood, or cannot be run."""


def check(field: str, value: float | None, minimum: float, maximum: float) -> None:
    """Refuse a value of a field that is out of its bounds; None is no value.

    Raises:
        SimulationError: it is.
    """
    if value is not None and not minimum <= value <= maximum:
        raise SimulationError(f"{field} must be from {minimum:g} to {maximum:g}, not {value:g}")
