from __future__ import annotations

import pytest

from shadowshare.reports.diagram import ASCII, BOXES, Characters, draw
from shadowshare.reports.style import SIGNS, TERMINAL, TERMINAL_VERDICTS
from shadowshare.reports.terminal import cell, coloured, coloured_diagram, heading
from tests.verify.story.boards import board_of

ROLES = {colour: role for role, colour in TERMINAL.roles.items()}


def roles_in(text: str) -> dict[str, str]:
    shown = coloured(text)
    assert shown.plain == text
    return {text[span.start : span.end]: ROLES[str(span.style)] for span in shown.spans}


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("reads extents 0-2 of the volume", {"extents 0-2 of the volume": "volume"}),
        ("writes slots 0, 1 and the journal", {"slots 0, 1": "slots", "journal": "journal"}),
        (
            "reads journal blocks 2 to 3 of half 1: slot 4 is free",
            {"journal blocks 2 to 3 of half 1": "journal", "slot 4": "slots"},
        ),
        ("slot-reuse-during-read, reader-before-volume-read", {}),
        ("slotted, volumes, journalled", {}),
    ],
)
def test_places_have_their_colours(text: str, roles: dict[str, str]) -> None:
    assert roles_in(text) == roles


def test_a_verdict_has_its_sign() -> None:
    for word, colour in TERMINAL_VERDICTS.items():
        shown = cell(word)
        assert shown.plain == f"{SIGNS[word]} {word}"
        assert colour in str(shown.style)
    assert not cell("verified, nearly").style


def test_a_host_has_its_sign() -> None:
    assert heading("R", "passive").plain == f"{SIGNS['passive']} R"
    assert heading("step").plain == "step"


@pytest.mark.parametrize("characters", [BOXES, ASCII], ids=["boxes", "ascii"])
def test_arrows_have_the_colour_of_their_region(characters: Characters) -> None:
    replay = board_of("no-recheck").replay
    diagram = draw(replay, characters)
    shown = coloured_diagram(diagram)
    assert shown.plain == diagram.rstrip("\n")
    expected = [row.touches[0].place.region for row in replay.rows if row.touches]
    arrows = [span for span in shown.spans if characters.arrow * 3 in shown.plain[span.start : span.end]]
    assert [ROLES[str(span.style)] for span in arrows] == expected
