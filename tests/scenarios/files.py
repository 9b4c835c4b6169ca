"""Scenario files for tests."""

from __future__ import annotations

import pytest

from shadowshare.scenarios.definition import Scenario, ScenarioError, parse_scenario


def text_of(
    race: str = 'W = ["write 0"]',
    *,
    hosts: str = "",
    before: str = '"W: create s", "R: open"',
    top: str = "",
    sections: str = "",
) -> str:
    """A scenario file; ``hosts``, ``top`` and ``sections`` are lines of it, the others what stands in brackets."""
    head = f'name = "small"\nstory = "For a test."\nbefore = [{before}]\n{top}\n'
    roles = f"[hosts]\n{hosts}\n" if hosts else ""
    return f"{head}{roles}{sections}\n[race]\n{race}\n"


def small(race: str = 'W = ["write 0"]', **parts: str) -> Scenario:
    return parse_scenario(text_of(race, **parts))


def problems_of(text: str) -> list[str]:
    """What a scenario file is refused with."""
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text)
    message = str(caught.value)
    assert message.isprintable()
    return message.split("; ")


def problem_of(text: str) -> str:
    """The one thing that a scenario file is refused with."""
    (problem,) = problems_of(text)
    return problem
