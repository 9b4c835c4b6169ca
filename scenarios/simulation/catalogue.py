"""The simulations that come with the package, and those in files."""

from __future__ import annotations

from pathlib import Path

from shadowshare.models.toml_tables import read_text
from shadowshare.scenarios.simulation.document import SimulationScenario, read_simulation
from shadowshare.scenarios.simulation.errors import SimulationError

FOLDER = Path(__file__).parent
FILE_BYTES_MAXIMUM = 1024 * 1024


def simulation_names() -> list[str]:
    """The names of the built-in simulations, in alphabetical order."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def built_in_simulation(name: str) -> SimulationScenario:
    """One built-in simulation.

    Raises:
        SimulationError: there is none of this name; the message lists those that are.
    """
    if name not in simulation_names():
        raise SimulationError(f"there is no simulation {name!r}; there are: {', '.join(simulation_names())}")
    return load_simulation(FOLDER / f"{name}.toml")


def load_simulation(path: Path) -> SimulationScenario:
    """Read a simulation file.

    Raises:
        SimulationError: it cannot be read, or says something that cannot be; the message names file and place.
    """
    try:
        text = read_text(path, "simulation", FILE_BYTES_MAXIMUM)
    except ValueError as error:
        raise SimulationError(str(error)) from None
    try:
        return read_simulation(text, path.parent)
    except SimulationError as error:
        raise SimulationError(f"{path}: {error}") from None
