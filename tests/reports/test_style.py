"""Colours can be told apart, also by people who see fewer of them, and stand out from what they are drawn on."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from shadowshare.reports.style import (
    DARK,
    LIGHT,
    MARKERS,
    ROLES,
    SERIES,
    SIGNS,
    TERMINAL,
    VERDICT_ROLES,
    Theme,
    css_variables,
)

Colour = NDArray[np.float64]

DISTANCE_MINIMUM = 20.0
"""In CIELAB (1976). About 2 can just be seen side by side; this much is seen at a glance."""
GRAPHICS_CONTRAST_MINIMUM = 3.0
TEXT_CONTRAST_MINIMUM = 4.5
"""Both of WCAG 2.1, level AA (1.4.11 and 1.4.3)."""

VISION: dict[str, Colour] = {
    "all colours": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
"""What is seen of a colour, in linear RGB (Machado, Oliveira, Fernandes, IEEE TVCG 15(6), 2009, severity 1)."""

_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])


def linear(colour: str) -> Colour:
    encoded = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def lab(rgb: Colour) -> Colour:
    xyz = _XYZ @ np.clip(rgb, 0, 1) / _WHITE
    root = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


def distance(one: str, other: str, vision: str = "all colours") -> float:
    seen = [lab(VISION[vision] @ linear(colour)) for colour in (one, other)]
    return float(np.linalg.norm(seen[0] - seen[1]))


def contrast(one: str, other: str) -> float:
    low, high = sorted(float(_XYZ[1] @ linear(colour)) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def too_close(theme: Theme, vision: str) -> list[tuple[str, str]]:
    return [
        (one, other)
        for one, other in combinations(theme.roles, 2)
        if distance(theme.roles[one], theme.roles[other], vision) < DISTANCE_MINIMUM
    ]


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("theme", [LIGHT, DARK, TERMINAL], ids=["light", "dark", "terminal"])
def test_no_two_roles_look_alike(theme: Theme, vision: str) -> None:
    assert tuple(theme.roles) == ROLES
    assert not too_close(theme, vision)


@pytest.mark.parametrize("theme", [LIGHT, DARK, TERMINAL], ids=["light", "dark", "terminal"])
def test_every_role_stands_out(theme: Theme) -> None:
    faint = {
        (role, background)
        for role, colour in theme.roles.items()
        for background in theme.backgrounds
        if contrast(colour, background) < GRAPHICS_CONTRAST_MINIMUM
    }
    assert not faint


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_words_can_be_read(theme: Theme) -> None:
    for colour in (theme.text, theme.muted, theme.roles["wrong"]):
        for background in theme.backgrounds:
            assert contrast(colour, background) >= TEXT_CONTRAST_MINIMUM, (colour, background)


def test_the_measure_knows_colours_that_are_taken_for_one_another() -> None:
    """Red and green of the same lightness: far apart for most, close for some."""
    assert distance("#c02020", "#587000") > 40
    assert distance("#c02020", "#587000", "deuteranopia") < DISTANCE_MINIMUM
    alike = Theme({"a": "#c02020", "b": "#587000"}, ("#ffffff",), "", "", "", "", "")
    assert too_close(alike, "deuteranopia") == [("a", "b")]
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_nothing_is_told_by_colour_alone() -> None:
    assert set(ROLES) | set(VERDICT_ROLES) == set(SIGNS)
    assert len({SIGNS[role] for role in ROLES}) == len(ROLES)
    assert len({SIGNS[verdict] for verdict in VERDICT_ROLES}) == 3
    assert len(set(MARKERS)) == len(SERIES) == len(MARKERS)


def test_a_style_sheet_gets_every_colour_in_both_themes() -> None:
    sheet = css_variables()
    for role in ROLES:
        assert sheet.count(f"--{role}: {LIGHT.roles[role]};") == 2, "light, and on paper"
        assert sheet.count(f"--{role}: {DARK.roles[role]};") == 2, "dark by the system, and by choice"
