"""A scenario: what computers do to one store at the same time, as a TOML file that a person can read.

``docs/scenarios.md`` explains every field. `load_scenario` reads a file, and refuses it with all that is wrong in it.
"""

from __future__ import annotations

from pathlib import Path

from shadowshare.scenarios.document import (
    ACTIVE,
    PASSIVE,
    DiskSwitches,
    Document,
    Faults,
    ScenarioError,
    StoreShape,
    read_document,
)
from shadowshare.scenarios.meaning import STORE_ID, understand
from shadowshare.scenarios.scenario import HostPlan, Scenario, edit

__all__ = [
    "ACTIVE",
    "PASSIVE",
    "STORE_ID",
    "DiskSwitches",
    "Document",
    "Faults",
    "HostPlan",
    "Scenario",
    "ScenarioError",
    "StoreShape",
    "edit",
    "load_scenario",
    "parse_scenario",
]

FILE_BYTES_MAXIMUM = 1024 * 1024


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file.

    Raises:
        ScenarioError: it cannot be read, or says something that cannot be; the message names file and place.
    """
    try:
        with path.open("rb") as file:
            content = file.read(FILE_BYTES_MAXIMUM + 1)
        if len(content) > FILE_BYTES_MAXIMUM:
            raise ScenarioError(
                f"{path}: this is no scenario file: it has more than {FILE_BYTES_MAXIMUM} bytes"
            )
        text = content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ScenarioError(f"{path}: the scenario file cannot be read: {reason}") from None
    try:
        return parse_scenario(text)
    except ScenarioError as error:
        raise ScenarioError(f"{path}: {error}") from None


def parse_scenario(text: str) -> Scenario:
    """The scenario that a TOML text describes.

    Raises:
        ScenarioError: says what is wrong and where.
    """
    return understand(read_document(text))
