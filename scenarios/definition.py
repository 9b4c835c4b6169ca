"""A scenario: what computers do to one store at the same time, as a TOML file that a person can read.

``docs/scenarios.md`` explains every field. `load_scenario` reads a file, and refuses it with all that is wrong in it.
"""

from __future__ import annotations

from pathlib import Path

from shadowshare.models.toml_tables import read_text
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
        text = read_text(path, "scenario", FILE_BYTES_MAXIMUM)
    except ValueError as error:
        raise ScenarioError(str(error)) from None
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
