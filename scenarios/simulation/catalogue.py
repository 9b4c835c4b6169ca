"""The simulations that come with the package, and those in files."""

from __future__ import annotations

from pathlib import Path

from shadowshare.scenarios.simulation.document import SimulationError, SimulationScenario, read_simulation

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
        with path.open("rb") as file:
            content = file.read(FILE_BYTES_MAXIMUM + 1)
        if len(content) > FILE_BYTES_MAXIMUM:
            raise SimulationError(
                f"{path}: this is no simulation file: it has more than {FILE_BYTES_MAXIMUM} bytes"
            )
        text = content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SimulationError(f"{path}: the simulation file cannot be read: {reason}") from None
    try:
        return read_simulation(text)
    except SimulationError as error:
        raise SimulationError(f"{path}: {error}") from None
