"""The scenarios that come with the package: one TOML file each, beside this module."""

from __future__ import annotations

from pathlib import Path

from shadowshare.scenarios.definition import Scenario, ScenarioError, load_scenario

FOLDER = Path(__file__).parent


def built_in_names() -> list[str]:
    """The names of all built-in scenarios, in alphabetical order."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def built_in(name: str) -> Scenario:
    """One built-in scenario.

    Raises:
        ScenarioError: there is none of this name; the message lists those that are.
    """
    return load_scenario(_path(name))


def built_in_text(name: str) -> str:
    """The text of the file of one built-in scenario.

    Raises:
        ScenarioError: there is none of this name; the message lists those that are.
    """
    return _path(name).read_text(encoding="utf-8")


def _path(name: str) -> Path:
    if name not in built_in_names():
        raise ScenarioError(f"there is no scenario {name!r}; there are: {', '.join(built_in_names())}")
    return FOLDER / f"{name}.toml"
