"""A storyboard shows what was on the disk, what a passive knew and what it had in hand, at each step."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shadowshare.models.computers import Implementation
from shadowshare.protocol.geometry import VOLUME_DEVICE
from shadowshare.protocol.passive import Passive
from shadowshare.scenarios.catalogue import built_in
from shadowshare.scenarios.definition import edit
from shadowshare.sim.schedule import ScheduleError
from shadowshare.verify.counterexamples.counterexample import run_schedule
from shadowshare.verify.mutants.catalogue import mutant
from shadowshare.verify.story.picture import UNTOLD, told
from shadowshare.verify.story.storyboard import CELL_COUNT_MAXIMUM, Storyboard, storyboard_of
from tests.verify.story.boards import board_of

RACE = built_in("reader-before-volume-read")
RIGHT = ("R", "R", "W", "W", "W", "W", "W", "W")
OVERTAKEN = ("W",) * 6 + ("R",) * 5
"""W writes all before R's read of the volume, so that R has to read the slot."""


def held(board: Storyboard, step: int, host: str = "R") -> list[tuple[str, str, str]]:
    return [
        (one["place"], one["origin"], one["state"]) for one in board.picture(step)[f"host/{host}"]["held"]
    ]


def test_the_picture_shows_what_is_on_the_disk() -> None:
    for length in range(len(OVERTAKEN) + 1):
        board = storyboard_of(RACE, OVERTAKEN)
        world, _ = run_schedule(RACE, OVERTAKEN[:length])
        for extent in range(RACE.geometry.extent_count):
            shown = board.picture(length)[f"volume/{extent}"]["sectors"][0]
            expected = told(world.disks[VOLUME_DEVICE].sectors[extent])
            assert {key: shown[key] for key in expected} == expected


class Untelling(Passive):
    """Code of one's own that nobody can look into."""

    view = None  # type: ignore[assignment]


def test_what_code_of_one_s_own_knows_is_told_only_if_it_tells() -> None:
    board = storyboard_of(RACE, OVERTAKEN, Implementation(passive=Untelling))
    assert {board.picture(step)["host/R"]["view"] for step in range(len(OVERTAKEN))} == {UNTOLD}
    assert held(board, 7), "what it has in hand is seen from outside"


def test_a_passive_holds_discards_and_returns_what_it_read() -> None:
    board = storyboard_of(RACE, OVERTAKEN)
    assert [held(board, step) for step in range(6, 12)] == [
        [],
        [("volume", "W 'write 0' (W2.1)", "held")],
        [("volume", "W 'write 0' (W2.1)", "held")],
        [("volume", "W 'write 0' (W2.1)", "discarded")],
        [("slot 0", "initial", "held")],
        [("slot 0", "initial", "returned")],
    ]
    assert [step.number for step in board.steps if step.is_recheck] == [8, 9, 11]
    assert board.wrong_byte is None
    assert board.explanation.sentences == ()


def test_a_passive_knows_what_it_has_read_of_the_journal_and_no_more() -> None:
    board = storyboard_of(RACE, OVERTAKEN)
    views = [board.picture(step)["host/R"]["view"][0]["copies"] for step in range(len(OVERTAKEN) + 1)]
    assert views == [[]] * 8 + [[[0, 0]]] * 4
    actives = [board.picture(step)["host/W"]["view"][0]["copies"] for step in range(7)]
    assert actives == [[]] * 5 + [[[0, 0]]] * 2, "the active takes its block in when it is flushed"


def test_the_wrong_sector_is_in_hand_and_its_first_wrong_byte_is_named() -> None:
    board = board_of("no-recheck")
    at = board.replay.violated_at
    assert at == len(board.steps)
    assert held(board, at) == [("volume", "W 'write 0' (W2.1)", "wrong")]
    wrong = board.wrong_byte
    assert wrong is not None
    assert (wrong.offset, wrong.extent, wrong.sector) == (0, 0, 0)
    assert bytes.fromhex(wrong.got) == b"W 'write 0' (W2."
    assert bytes.fromhex(wrong.expected) == b"initial @0\niniti"


def test_a_wrong_byte_in_the_middle_of_an_extent_has_its_offset() -> None:
    wrong = board_of("no-quarantine").wrong_byte
    assert wrong is not None
    assert (wrong.offset, wrong.excerpt_offset) == (2 * 512 + len("initial @"), 2 * 512)
    assert bytes.fromhex(wrong.got)[9:10] == b"1"
    assert bytes.fromhex(wrong.expected)[9:10] == b"2"


def test_frames_are_differences() -> None:
    board = storyboard_of(RACE, OVERTAKEN)
    assert set(board.frames[3]) == {"host/W"}, "a flush changes only what is awaited"
    assert set(board.frames[6]) == {"volume/0", "host/W"}
    assert len(board.frames) == len(board.steps) + 1


def test_the_same_schedule_gives_the_same_storyboard() -> None:
    assert storyboard_of(RACE, OVERTAKEN) == storyboard_of(RACE, OVERTAKEN)


def test_what_is_not_flushed_and_what_is_undecided_is_marked() -> None:
    board = board_of("no-flush-before-entry")
    kinds = [step.kind for step in board.steps]
    power = kinds.index("power") + 1
    states = [
        board.picture(step)["slots/0"]["sectors"][0]["state"] for step in (power - 1, power, len(kinds))
    ]
    assert states == ["unflushed", "undecided", ""]
    assert board.picture(power)["host/W"]["status"] == "crashed"
    assert board.picture(power - 1)["host/V"]["status"] == "not yet begun"
    assert {"wait", "decision"} & set(kinds)


def test_of_many_cells_those_are_shown_to_which_something_happens() -> None:
    geometry = replace(
        RACE.geometry,
        volume_sector_count=200,
        area_sector=200,
    )
    board = storyboard_of(edit(RACE, geometry=geometry), RIGHT)
    shown = [key for key in board.frames[0] if key.startswith("volume/")]
    assert shown == ["volume/0"]
    assert geometry.extent_count > CELL_COUNT_MAXIMUM


def test_a_schedule_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ScheduleError, match="step 1"):
        storyboard_of(RACE, ["X"])


def test_edges_are_what_happened_directly_before_what() -> None:
    board = storyboard_of(RACE, OVERTAKEN)
    reasons = {(edge.earlier, edge.later): edge.reasons for edge in board.edges}
    assert reasons[6, 7] == ("write-read of extent 0 of the volume",)
    assert (4, 7) not in reasons


@pytest.mark.parametrize("name", ["no-recheck", "hit-without-catch-up", "creation-without-flush"])
def test_the_command_replays_it(name: str) -> None:
    board = board_of(name)
    assert board.command.startswith(f"shadowshare replay s1/{mutant(name).scenario}/") or "'" in board.command
    assert board.command.endswith(f"--mutant {name}")
    assert board.mutant == (name, mutant(name).story)
